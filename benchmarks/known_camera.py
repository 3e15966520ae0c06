"""How much of what a camera's true degradation would gain, `wildsr adapt` gains from the camera's photos alone.

    python benchmarks/known_camera.py WORK PHOTOS [--start wild-compact]

Of PHOTOS, sorted by the hash of their names, 40 are taken by a camera made here (a Gaussian of 3.00 × 2.55 HR pixels,
white noise of 3 levels, no sharpening), 16 others are the scenes to test on, and the rest is learnt from. The start,
the adapted network, and one trained as long on the camera's own kernel and noise are compared; the share of the
truth's gain has a 95 % bootstrap interval over the scenes. What exists in WORK is not made again.
"""

import argparse
import hashlib
import json
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from wildsr.degradation import Profile, correlate, kernels
from wildsr.evaluation import evaluate
from wildsr.recipes.adapt import STARTS

KERNEL = kernels.gaussian(25, (3.00**2, 2.55**2), 0.5, scale=4).astype(np.float32)
SIGMA = 3.0
METRICS = ("lpips", "psnr_y", "dists")
PHOTOS, SCENES = 40, 16
PRESETS = {start: f"adapt-{start}" for start in STARTS}


def taken(hr: Image.Image, seed: int) -> Image.Image:
    """LR as the camera takes it."""
    x = torch.from_numpy(np.asarray(hr, np.float32).transpose(2, 0, 1).copy())[None]
    y = correlate(x, KERNEL, stride=4)[0].permute(1, 2, 0).numpy()
    noisy = y + np.random.default_rng(seed).normal(0, SIGMA, y.shape)
    return Image.fromarray(np.clip(np.rint(noisy), 0, 255).astype(np.uint8))


def middle(path: Path, width: int, height: int) -> Image.Image:
    picture = Image.open(path).convert("RGB")
    sides = (min(side, most) // 4 * 4 for side, most in zip(picture.size, (width, height), strict=True))
    wide, high = sides
    left, top = (picture.width - wide) // 2, (picture.height - high) // 2
    return picture.crop((left, top, left + wide, top + high))


def make(work: Path, photos: Path) -> None:
    """photos/, test/HR, test/LR, clean/ and truth.profile in WORK."""
    names = sorted(photos.iterdir(), key=lambda path: hashlib.sha256(path.name.encode()).hexdigest())
    names = [path for path in names if path.suffix.lower() in {".jpg", ".jpeg", ".png", ".webp"}]
    large = [path for path in names if min(size_of(path)) >= 800 and max(size_of(path)) >= 1024]
    own, test = large[:PHOTOS], large[PHOTOS : PHOTOS + SCENES]
    for folder in ("photos", "test/HR", "test/LR", "clean"):
        (work / folder).mkdir(parents=True, exist_ok=True)
    for number, path in enumerate(own):
        taken(middle(path, 1280, 852), number).save(work / "photos" / f"{path.stem}.png")
    for number, path in enumerate(test):
        scene = middle(path, 384, 384)
        scene.save(work / "test/HR" / f"{path.stem}.png")
        taken(scene, 1000 + number).save(work / "test/LR" / f"{path.stem}.png")
    for path in set(names) - set(own) - set(test):
        (work / "clean" / path.name).symlink_to(path.resolve())
    noise = np.random.default_rng(7).normal(0, SIGMA / 255, (PHOTOS, 3, 64, 64)).astype(np.float32)
    Profile(kernels=KERNEL[None], noise=noise, scale=4).save(work / "truth.profile")


def size_of(path: Path) -> tuple[int, int]:
    with Image.open(path) as picture:
        return picture.size


def models(work: Path, start: str) -> dict[str, str]:
    """Start, adapted, and taught by the truth; made where they are missing."""
    found, truth = work / f"{start}-found", work / f"{start}-truth"
    if not (found / "model.onnx").exists():
        begun = time.monotonic()
        wildsr("adapt", work / "photos", "--hr", work / "clean", "--start", start, "-o", found)
        print(f"{time.monotonic() - begun:.0f} s from the command to the model")
    if not (truth / "model.onnx").exists():
        steps = json.loads((found / "adapt.json").read_text())["steps"]
        plain = ("data.sharpened=0", "data.colour_blur=[0,0]", "data.kernel_widths=[1.0]")
        sets = (f"start={start}", *plain, f"run.steps={steps}")
        settings = [word for one in sets for word in ("--set", one)]
        data = ("--profile", work / "truth.profile", "--hr", work / "clean", "-o", truth)
        wildsr("train", PRESETS.get(start, "adapt"), *data, *settings)
    return {"start": STARTS.get(start, start), "found": str(found), "truth": str(truth)}


def scored(work: Path, name: str, model: str) -> dict[str, NDArray[np.float64]]:
    folder = work / "sr" / name
    if not folder.exists():
        wildsr("upscale", work / "test/LR", "-m", model, "-o", folder, "--no-color-fix", "--suffix", "")
    rows = evaluate([folder], hr=work / "test/HR", metrics=METRICS).rows
    return {metric: np.array([row.values[metric] for row in rows]) for metric in METRICS}


def wildsr(*words: str | Path) -> None:
    subprocess.run([sys.executable, "-m", "wildsr", *map(str, words)], check=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("work", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--start", default="wild-compact")
    chosen = parser.parse_args()
    if not (chosen.work / "truth.profile").exists():
        make(chosen.work, chosen.photos)
    known = models(chosen.work, chosen.start)
    scores = {name: scored(chosen.work, f"{chosen.start}-{name}", model) for name, model in known.items()}
    rng = np.random.default_rng(0)
    drawn = rng.integers(0, SCENES, (4000, SCENES))
    for metric in METRICS:
        means = ", ".join(f"{name} {values[metric].mean():.4f}" for name, values in scores.items())
        gains = [scores[name][metric] - scores["start"][metric] for name in ("found", "truth")]
        shares = gains[0][drawn].mean(axis=1) / gains[1][drawn].mean(axis=1)
        low, high = np.percentile(shares, (2.5, 97.5))
        share = gains[0].mean() / gains[1].mean()
        print(f"{metric}: {means}; share of the truth's gain {share:.0%} [{low:.0%}, {high:.0%}]")


if __name__ == "__main__":
    main()
