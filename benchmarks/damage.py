"""Which catalog model is best on which damage: the evidence behind the rules of `wildsr advise`.

    python benchmarks/damage.py --photos FOLDER [--count 12] [--side 80] [--markdown FILE]

Photos are halved (so that they are sharp to the last pixel), their middle is the ground truth, and its bicubic ÷4 is
damaged in known ways. LPIPS-alex of each model's result against the ground truth, mean over the photos; the best of a
line in bold. The second table shrinks soft pictures before they are super-resolved.
"""

import argparse
import io
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wildsr import Picture, Upscaler, read
from wildsr.imaging import resize_uint8 as resize
from wildsr.metrics import lpips

MODELS = ("wild-compact", "realsr-df2k", "realsr-df2k-jpeg", "realesrgan-x4plus")
SHRINKS = (1.0, 0.67, 0.5)
Pixels = NDArray[np.uint8]
Damage = Callable[[Pixels, np.random.Generator], Pixels]


def pixels(values: NDArray[np.float32] | NDArray[np.float64]) -> Pixels:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def noise(lr: Pixels, sigma: float, rng: np.random.Generator) -> Pixels:
    return pixels(lr + rng.normal(0, sigma, lr.shape))


def jpeg(lr: Pixels, quality: int) -> Pixels:
    packed = io.BytesIO()
    Image.fromarray(lr).save(packed, "JPEG", quality=quality)
    return np.asarray(Image.open(packed))


def blur(lr: Pixels, sigma: float) -> Pixels:
    radius = int(4 * sigma + 1)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    values = lr.astype(np.float64)
    for axis in (0, 1):
        ends = [(radius, radius) if one == axis else (0, 0) for one in range(3)]
        windows = np.lib.stride_tricks.sliding_window_view(np.pad(values, ends, "reflect"), taps.size, axis)
        values = windows @ taps
    return pixels(values)


def enlarged(lr: Pixels) -> Pixels:
    return resize(resize(lr, (lr.shape[0] // 2, lr.shape[1] // 2)), lr.shape[:2])


DAMAGE: dict[str, Damage] = {
    "none": lambda lr, rng: lr,
    "noise σ 2": lambda lr, rng: noise(lr, 2, rng),
    "noise σ 5": lambda lr, rng: noise(lr, 5, rng),
    "noise σ 15": lambda lr, rng: noise(lr, 15, rng),
    "JPEG 95": lambda lr, rng: jpeg(lr, 95),
    "JPEG 85": lambda lr, rng: jpeg(lr, 85),
    "JPEG 65": lambda lr, rng: jpeg(lr, 65),
    "JPEG 40": lambda lr, rng: jpeg(lr, 40),
    "noise σ 5, JPEG 70": lambda lr, rng: jpeg(noise(lr, 5, rng), 70),
    "blur σ .6": lambda lr, rng: blur(lr, 0.6),
    "blur σ 1.2": lambda lr, rng: blur(lr, 1.2),
}
SOFT: dict[str, Callable[[Pixels], Pixels]] = {
    "none": lambda lr: lr,
    "enlarged ×2": enlarged,
    "blur σ .8": lambda lr: blur(lr, 0.8),
    "blur σ 1.2": lambda lr: blur(lr, 1.2),
    "blur σ 2": lambda lr: blur(lr, 2),
}


def truths(folder: Path, count: int, side: int) -> Iterator[Pixels]:
    """The middle of evenly chosen photos at half their size, `4·side` pixels a side."""
    found = sorted(path for path in folder.iterdir() if path.suffix.lower() in {".jpg", ".png", ".webp"})
    for number in np.linspace(0, len(found) - 1, count).round().astype(int):
        rgb = pixels(255 * read(found[number]).rgb)
        half = resize(rgb, (rgb.shape[0] // 2, rgb.shape[1] // 2))
        top, left = ((length - 4 * side) // 2 for length in half.shape[:2])
        if min(top, left) >= 0:
            yield np.ascontiguousarray(half[top : top + 4 * side, left : left + 4 * side])


def table(title: str, columns: list[str], rows: dict[str, list[list[float]]]) -> list[str]:
    lines = [f"| {title} | " + " | ".join(columns) + " |", "|--" * (len(columns) + 1) + "|"]
    for name, values in rows.items():
        means = np.mean(values, axis=0)
        shown = [f"**{one:.3f}**" if one == means.min() else f"{one:.3f}" for one in means]
        lines.append(f"| {name} | " + " | ".join(shown) + " |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--count", type=int, default=12)
    parser.add_argument("--side", type=int, default=80, help="of the LR, in pixels")
    parser.add_argument("--markdown", type=Path)
    options = parser.parse_args()
    upscalers = {name: Upscaler(name) for name in MODELS}

    def distance(name: str, lr: Pixels, hr: Pixels) -> float:
        sr = pixels(255 * upscalers[name](Picture(rgb=(lr / 255).astype(np.float32))).rgb)
        return float(lpips(resize(sr, hr.shape[:2]), hr))

    damaged: dict[str, list[list[float]]] = {name: [] for name in DAMAGE}
    shrunk: dict[str, list[list[float]]] = {name: [] for name in SOFT}
    count = 0
    for count, hr in enumerate(truths(options.photos, options.count, options.side), start=1):
        lr = resize(hr, (options.side, options.side))
        for name, damage in DAMAGE.items():
            bad = damage(lr, np.random.default_rng(count))
            plain = float(lpips(resize(bad, hr.shape[:2]), hr))
            damaged[name].append([plain, *(distance(model, bad, hr) for model in MODELS)])
        for name, soften in SOFT.items():
            sides = [round(factor * options.side) for factor in SHRINKS]
            soft = soften(lr)
            shrunk[name].append([distance(MODELS[-1], resize(soft, (side, side)), hr) for side in sides])
        print(f"{count} of {options.count} photos", flush=True)
    lines = [
        f"LPIPS-alex, mean of {count} photos, LR of {options.side}×{options.side} pixels:",
        "",
        *table("damage", ["bicubic", *MODELS], damaged),
        "",
        f"{MODELS[-1]}, shrunk before:",
        "",
        *table("softness", [f"to {100 * factor:.0f} %" for factor in SHRINKS], shrunk),
    ]
    print("\n".join(lines))
    if options.markdown:
        options.markdown.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
