"""The tables and crops of benchmarks/adapt.py."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from wildsr.evaluation.results import Interval, interval
from wildsr.metrics import METRICS

Scores = Mapping[str, Mapping[str, float]]
"""Picture → metric → value."""

DIGITS = {"psnr_y": 2, "ssim_y": 3, "lpips": 4, "dists": 4, "niqe": 2, "grid": 3, "ringing": 2, "blotches": 2}
NAMES = {
    "psnr_y": "PSNR-Y",
    "ssim_y": "SSIM-Y",
    "lpips": "LPIPS",
    "dists": "DISTS",
    "niqe": "NIQE",
    "grid": "grid",
    "ringing": "ringing",
    "blotches": "blotches",
}
KINDS = {
    "lettering": ("Canon_003_LR4", "Nikon_035_LR4"),
    "a face": ("Nikon_047_LR4",),
    "foliage": ("Nikon_013_LR4", "Canon_037_LR4"),
    "sky": ("Canon_029_LR4",),
}
"""Chosen on the HR pictures, before anything was enlarged."""
EXTREMES = 3
"""Largest gains, and largest losses, in LPIPS."""
CROP = 128


def difference(after: Scores, before: Scores, metric: str, camera: str = "") -> Interval | None:
    """Mean of after − before over the pictures of a camera, with its paired 95 % bootstrap interval."""
    return interval([after[name][metric] - before[name][metric] for name in after if name.startswith(camera)])


def signed(found: Interval | None, metric: str) -> str:
    """`+.0010 [+.0005, +.0015]`."""
    if found is None:
        return ""
    mean, low, high = (f"{value:+.{DIGITS[metric]}f}" for value in (found.mean, found.low, found.high))
    return f"{mean} [{low}, {high}]"


def row(name: str, after: Scores, before: Scores) -> str:
    """One line for the terminal."""
    return f"{name}: " + "; ".join(
        f"{NAMES[metric]} {signed(difference(after, before, metric), metric)}" for metric in DIGITS
    )


def means(scores: Mapping[str, Scores]) -> list[str]:
    """Table of means."""
    lines = [
        "| method | "
        + " | ".join(f"{NAMES[m]} {'↑' if METRICS[m].higher_is_better else '↓'}" for m in DIGITS)
        + " |",
        "|--" * (1 + len(DIGITS)) + "|",
    ]
    for method, values in scores.items():
        cells = [f"{np.mean([one[m] for one in values.values()]):.{digits}f}" for m, digits in DIGITS.items()]
        lines.append(f"| {method} | " + " | ".join(cells) + " |")
    return lines


def gains(scores: Mapping[str, Scores], compared: Sequence[tuple[str, str]]) -> list[str]:
    """Table of paired differences, all and by camera."""
    cameras = sorted({name.partition("_")[0] for values in scores.values() for name in values})
    lines = [
        "| adapted − start | pairs | " + " | ".join(NAMES[m] for m in DIGITS) + " |",
        "|--" * (2 + len(DIGITS)) + "|",
    ]
    for after, before in compared:
        for camera in ("", *cameras):
            count = sum(name.startswith(camera) for name in scores[after])
            cells = [signed(difference(scores[after], scores[before], m, camera), m) for m in DIGITS]
            lines.append(f"| {after} − {before} | {camera or 'all'} ({count}) | " + " | ".join(cells) + " |")
    return lines


def chosen_pictures(after: Scores, before: Scores) -> list[tuple[str, str]]:
    """(why, picture) by rule: the kinds listed above, the largest gains and losses in LPIPS."""
    order = sorted(after, key=lambda name: after[name]["lpips"] - before[name]["lpips"])
    found = [(f"gain {number + 1}", name) for number, name in enumerate(order[:EXTREMES])]
    found += [(f"loss {number + 1}", name) for number, name in enumerate(order[::-1][:EXTREMES])]
    return found + [(why, name) for why, names in KINDS.items() for name in names if name in after]


def sheet(pictures: Sequence[str], lr: Path, methods: Sequence[Path], hr: Path) -> Image.Image:
    """A row a picture: LR enlarged by nearest, the methods, HR; where the methods differ most."""
    strips = []
    for name in pictures:
        large = [read(folder, name) for folder in (*methods, hr)]
        y, x = place(large[0], large[1])
        side = slice(y, y + CROP), slice(x, x + CROP)
        scale = large[-1].shape[0] // read(lr, name).shape[0]
        enlarged = read(lr, name).repeat(scale, 0).repeat(scale, 1)
        strips.append(np.concatenate([one[side] for one in (enlarged, *large)], axis=1))
    return Image.fromarray(np.concatenate(strips))


def place(one: np.ndarray, other: np.ndarray) -> tuple[int, int]:
    """Top left of the crop in which two pictures differ most, on a grid of 16 pixels."""
    apart = ((one.astype(np.float32) - other) ** 2).sum(axis=2)
    total = np.pad(apart.cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    rows, columns = (range(0, max(length - CROP, 0) + 1, 16) for length in apart.shape)
    return max(
        ((y, x) for y in rows for x in columns),
        key=lambda at: (
            total[at[0] + CROP, at[1] + CROP]
            - total[at[0], at[1] + CROP]
            - total[at[0] + CROP, at[1]]
            + total[at]
        ),
    )


def read(folder: Path, name: str) -> np.ndarray:
    (path,) = folder.glob(f"{name}.*")
    return np.asarray(Image.open(path).convert("RGB"))


def write(
    out: Path, scores: Mapping[str, Scores], compared: Sequence[tuple[str, str]], sr: Path, pairs: Path
) -> None:
    """Write tables to `adapt/tables.md` and a sheet of crops a comparison beside it."""
    folder = out / "adapt"
    folder.mkdir(parents=True, exist_ok=True)
    lines = [*means(scores), "", *gains(scores, compared)]
    for after, before in compared:
        pictures = chosen_pictures(scores[after], scores[before])
        sheet([name for _, name in pictures], pairs / "LR", [sr / before, sr / after], pairs / "HR").save(
            folder / f"{after}.jpg", quality=90
        )
        lines += ["", f"{after}.jpg, from the top: " + ", ".join(f"{name} ({why})" for why, name in pictures)]
    (folder / "tables.md").write_text("\n".join(lines) + "\n", encoding="utf-8")
