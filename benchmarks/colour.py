"""How much wider cameras blur colour than brightness: between real pairs, and found from photos alone.

    python benchmarks/colour.py [--pairs FOLDER] [--photos FOLDER …]

FOLDER of pairs has HR/ and LR/ (a quarter of the size). Of each pair the isotropic Gaussian with the least squared
error (gain and offset free) is sought for Y, Cb and Cr; planes whose LR has little contrast are left out. A camera is
the part of the name before `_`. What `wildsr adapt` measures at the edges of photos stands in the second table.
"""

import argparse
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from wildsr.estimation.colour import colour_blur
from wildsr.estimation.edges import find_edges
from wildsr.estimation.halos import overshoot
from wildsr.imaging import read

PLANES = {"Y": (0.299, 0.587, 0.114), "Cb": (-0.168736, -0.331264, 0.5), "Cr": (0.5, -0.418688, -0.081312)}
LEAST = {"Y": 20.0, "Cb": 3.0, "Cr": 3.0}
"""Levels that a plane's standard deviation must exceed."""
WIDTHS = np.arange(0.5, 7.1, 0.25)
BORDER = 4
"""LR pixels."""


def blur(hr: NDArray[np.floating], lr: NDArray[np.floating]) -> float:
    """σ in HR pixels of the Gaussian between two planes."""
    wanted = lr[BORDER:-BORDER, BORDER:-BORDER].ravel()
    errors = []
    for width in WIDTHS:
        soft = gaussian_filter(hr, width)
        middle = (soft[1::4, 1::4] + soft[2::4, 1::4] + soft[1::4, 2::4] + soft[2::4, 2::4]) / 4
        seen = np.stack([middle[BORDER:-BORDER, BORDER:-BORDER].ravel(), np.ones(wanted.size)], axis=1)
        fit, *_ = np.linalg.lstsq(seen, wanted, rcond=None)
        errors.append(np.square(seen @ fit - wanted).mean())
    return float(WIDTHS[np.argmin(errors)])


def pairs(folder: Path) -> list[str]:
    """Median blur of each plane by camera."""
    lines = ["| camera | plane | pairs | σ, HR pixels (median, quartiles) |", "|--|--|--|--|"]
    names = sorted(path.name for path in (folder / "LR").iterdir())
    for camera in sorted({name.partition("_")[0] for name in names}):
        pictures = [
            tuple(255 * read(folder / side / name).rgb.astype(np.float64) for side in ("HR", "LR"))
            for name in names
            if name.startswith(camera)
        ]
        for plane, weights in PLANES.items():
            planes = [(hr @ weights, lr @ weights) for hr, lr in pictures]
            found = [blur(hr, lr) for hr, lr in planes if lr.std() > LEAST[plane]]
            low, middle, high = np.percentile(found, (25, 50, 75))
            lines.append(f"| {camera} | {plane} | {len(found)} | {middle:.2f} [{low:.2f}, {high:.2f}] |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--pairs", type=Path)
    parser.add_argument("--photos", type=Path, nargs="+", default=[])
    chosen = parser.parse_args()
    if chosen.pairs is not None:
        print("\n".join([*pairs(chosen.pairs), ""]))
    print("| photos | edges | between colours | overshoot | σ of colour beside that of luma, pixels |")
    print("|--|--|--|--|--|")
    groups = {folder.name: sorted(folder.iterdir()) for folder in chosen.photos}
    if chosen.pairs is not None:
        photos = sorted((chosen.pairs / "LR").iterdir())
        for path in photos:
            groups.setdefault(path.name.partition("_")[0], []).append(path)
    for name, photos in groups.items():
        edges = find_edges(photos)
        measured = (f"{one:.3f}" if one is not None else "" for one in (overshoot(edges), colour_blur(edges)))
        print(f"| {name} | {len(edges.luma)} | {edges.coloured.sum()} | {' | '.join(measured)} |")


if __name__ == "__main__":
    main()
