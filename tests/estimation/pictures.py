"""Scenes, known kernels and what they make of each other."""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.imaging import read

Doubles = NDArray[np.float64]
Pixels = NDArray[np.float32]
NATURAL = ("astronaut.png", "coffee.png", "motorcycle_left.png", "rocket.jpg")
"""Photos that come with scikit-image."""


@cache
def leaves(height: int = 512, width: int = 512, *, seed: int = 0) -> Pixels:
    """Dead leaves: discs of power-law sizes that hide each other, the plainest model of a natural scene."""
    rng = np.random.default_rng(seed)
    picture = np.full((height, width, 3), 0.5, np.float32)
    radii = np.sort((rng.uniform(1 / 60**2, 1 / 1.5**2, 9000)) ** -0.5)[::-1]
    for radius in radii:
        row, column = rng.uniform(0, height), rng.uniform(0, width)
        top, left = max(0, int(row - radius)), max(0, int(column - radius))
        y, x = np.mgrid[top : min(height, int(row + radius) + 2), left : min(width, int(column + radius) + 2)]
        inside = np.hypot(y - row, x - column) < radius
        picture[top : top + y.shape[0], left : left + y.shape[1]][inside] = rng.uniform(0.08, 0.92, 3)
    return picture


def natural(name: str) -> Pixels:
    """A photo of scikit-image's wheel."""
    skimage = pytest.importorskip("skimage", reason="scikit-image brings the photos")
    return read(Path(skimage.__file__).parent / "data" / name).rgb


def gaussian(long: float, short: float, angle: float, size: int = 17) -> Doubles:
    """Anisotropic Gaussian with its long axis at `angle` from x towards y; centred for ×2."""
    places = np.arange(size) - (size // 2 + 0.5)
    x, y = places[None], places[:, None]
    along, across = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
    kernel = np.exp(-0.5 * (along**2 / long + across**2 / short))
    return kernel / kernel.sum()


def comet(angle: float, length: float = 2.0, size: int = 17) -> Doubles:
    """A lopsided kernel: a small Gaussian with a tail that fades in one direction; centred for ×2."""
    places = np.arange(size) - (size // 2 + 0.5) + length
    kernel = np.zeros((size, size))
    for step in np.arange(0, 5 * length, 0.1):
        x = places[None] - length + length * np.cos(angle) - step * np.cos(angle)
        y = places[:, None] - length + length * np.sin(angle) - step * np.sin(angle)
        kernel += np.exp(-step / length) * np.exp(-0.5 * (x**2 + y**2) / 0.7)
    return kernel / kernel.sum()


def blurred(rgb: Pixels, kernel: Doubles, *, step: int = 2) -> Pixels:
    """(rgb ⊛ kernel)↓step in correlation orientation from pixel 0, rounded to 8 bits."""
    from scipy.ndimage import correlate

    channels = [
        correlate(rgb[..., c], kernel.astype(np.float32), mode="reflect")[::step, ::step] for c in range(3)
    ]
    return (np.rint(np.clip(np.stack(channels, -1), 0, 1) * 255) / 255).astype(np.float32)


def distance(one: Doubles, other: Doubles) -> float:
    """L2 distance of two kernels laid centre on centre."""
    size = max(len(one), len(other))

    def laid(kernel: Doubles) -> Doubles:
        return np.pad(kernel, (size - len(kernel)) // 2)

    return float(np.linalg.norm(laid(one) - laid(other)))
