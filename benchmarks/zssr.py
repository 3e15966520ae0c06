"""What ZSSR gains by knowing the blur: bicubic shrinking, the true kernel, and the one estimated from the photo.

Usage: python benchmarks/zssr.py PHOTOS KERNELS.mat OUTPUT.csv [--count 6] [--steps 300] [--method auto] [--threads 1]

Every photo is blurred by a known kernel and halved, as a camera would. PHOTOS are evenly spaced among the folder's, the
kernels are the file's blurs (Gaussians) in turn. Learnt from the whole LR picture, scored on its middle.
"""

import argparse
import csv
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from scipy.io import loadmat

from wildsr.degradation import resize
from wildsr.degradation.kernels import widened
from wildsr.degradation.shrinking import Shrink
from wildsr.estimation import estimate_kernel
from wildsr.imaging import Picture, Source, read
from wildsr.metrics import psnr_y
from wildsr.recipes.zssr import ZssrConfig, as_tensor, learn

SCALE = 2
FIRST_KERNEL, KERNELS = 2, 6
"""Gaussians of 1.6 to 2.65 pixels; the two before are narrower, the four behind are of motion."""
SIDE, AROUND = 128, 16
"""LR pixels that are scored, and those around them that are enlarged with them."""


def eight_bits(x):
    return np.rint(x[0].permute(1, 2, 0).clamp(0, 1).numpy() * 255).astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("photos", type=Path)
    parser.add_argument("kernels", type=Path)
    parser.add_argument("output", type=Path)
    parser.add_argument("--count", type=int, default=6)
    parser.add_argument("--steps", type=int, default=300)
    parser.add_argument("--method", default="auto", help="how the kernel is estimated")
    parser.add_argument("--threads", type=int, default=1)
    given = parser.parse_args()
    torch.set_num_threads(given.threads)
    (pool,) = (value for name, value in loadmat(given.kernels).items() if not name.startswith("__"))
    files = sorted(given.photos.glob("*.jpg"))
    rows = []
    for number in range(given.count):
        file = files[number * len(files) // given.count]
        index = FIRST_KERNEL + number % KERNELS
        true = widened(np.asarray(pool[0, index], float), 1.0, scale=1, to_scale=SCALE)
        hr = as_tensor(read(file).rgb)
        hr = hr[..., : hr.shape[2] // SCALE * SCALE, : hr.shape[3] // SCALE * SCALE]
        lr = Shrink(ratio=SCALE, scale=SCALE, kernel=true)(hr).clamp(0, 1).mul(255).round().div(255)
        rgb = lr[0].permute(1, 2, 0).contiguous().numpy()
        y, x = (lr.shape[2] - SIDE) // 2, (lr.shape[3] - SIDE) // 2
        part = lr[..., y - AROUND : y + SIDE + AROUND, x - AROUND : x + SIDE + AROUND]
        truth = eight_bits(hr[..., SCALE * y : SCALE * (y + SIDE), SCALE * x : SCALE * (x + SIDE)])

        def score(sr, truth=truth) -> float:
            inner = slice(SCALE * AROUND, SCALE * (AROUND + SIDE))
            return psnr_y(eight_bits(sr[..., inner, inner]), truth)

        size = tuple(SCALE * side for side in part.shape[2:])
        row = {"photo": file.stem.partition("__")[2] or file.stem, "kernel": index + 1}
        row["bicubic"] = score(resize(part, size, method="bicubic"))
        print(row, flush=True)
        start = time.process_time()
        found = estimate_kernel(rgb, scale=SCALE, method=given.method)
        row["estimate_cpu_s"] = time.process_time() - start
        n = max(len(found.kernel), len(true))
        pad = [np.pad(one, (n - len(one)) // 2) for one in (found.kernel, true)]
        row["kernel_overlap"] = float(np.minimum(*pad).sum())
        source = Source.from_picture(Picture(rgb=rgb))
        base = ZssrConfig(scale=SCALE, steps=given.steps)
        for name, kernel in (("zssr_bicubic", None), ("zssr_true", true), ("zssr_estimated", found.kernel)):
            start = time.process_time()
            learnt = learn(source, replace(base, kernel=kernel))
            row[name] = score(learnt.enlarge(part))
            row[f"{name}_cpu_s"] = time.process_time() - start
        rows.append(
            {key: round(value, 3) if isinstance(value, float) else value for key, value in row.items()}
        )
        print(rows[-1], flush=True)
        given.output.parent.mkdir(parents=True, exist_ok=True)
        with given.output.open("w", encoding="utf-8", newline="") as table:
            writer = csv.DictWriter(table, list(rows[0]), lineterminator="\n")
            writer.writeheader()
            writer.writerows(rows)
    mean = {
        key: float(np.mean([row[key] for row in rows])) for key in rows[0] if key not in ("photo", "kernel")
    }
    gain = [mean[name] - mean["zssr_bicubic"] for name in ("zssr_true", "zssr_estimated")]
    print(
        f"mean {mean}\ntrue kernel {gain[0]:+.2f} dB, estimated {gain[1]:+.2f} dB ({gain[1] / gain[0]:.0%} of it)"
    )


if __name__ == "__main__":
    main()
