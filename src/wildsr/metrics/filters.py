"""Small separable filters in float64: Gaussian windows and MATLAB's bicubic halving.

Float32 is not enough here: local variances are differences of squares up to 65025, and the natural-scene
statistics look at windows that are flat to the last bit.
"""

from functools import lru_cache
from typing import Literal

import numpy as np

from wildsr.metrics.pixels import Plane

Border = Literal["valid", "replicate", "zero"]

# MATLAB's imresize(x, 0.5): a = −1/2 cubic stretched by 2
_HALF = (-3 / 256, -9 / 256, 29 / 256, 111 / 256)


@lru_cache(maxsize=8)
def gaussian(size: int, sigma: float) -> tuple[float, ...]:
    """Return the taps of a sampled Gaussian of odd `size`, summing to 1 (one axis of MATLAB's fspecial)."""
    offsets = np.arange(size) - (size - 1) / 2
    taps = np.exp(-(offsets**2) / (2 * sigma**2))
    return tuple((taps / taps.sum()).tolist())


def smooth(planes: Plane, taps: tuple[float, ...], border: Border) -> Plane:
    """Return …×H×W planes filtered along both last axes by symmetric odd `taps`.

    Args:
        planes: …×H×W float64.
        taps: Symmetric weights, odd in number.
        border: `valid` loses len(taps)//2 pixels on each side, `replicate` and `zero` keep the size.
    """
    radius = len(taps) // 2
    if border != "valid":
        width = [(0, 0)] * (planes.ndim - 2) + [(radius, radius)] * 2
        planes = np.pad(planes, width, mode="edge") if border == "replicate" else np.pad(planes, width)
    return _along(_along(planes, taps, -2), taps, -1)


def _along(planes: Plane, taps: tuple[float, ...], axis: int) -> Plane:
    """Filter one axis, adding the two pixels that share a weight before multiplying."""
    radius = len(taps) // 2
    length = planes.shape[axis] - 2 * radius

    def part(start: int) -> Plane:
        index = (
            (..., slice(start, start + length), slice(None))
            if axis == -2
            else (..., slice(start, start + length))
        )
        return planes[index]

    total = part(radius) * taps[radius]
    pair = np.empty_like(total)
    for distance in range(1, radius + 1):
        np.add(part(radius - distance), part(radius + distance), out=pair)
        pair *= taps[radius + distance]
        total += pair
    return total


def halve(plane: Plane) -> Plane:
    """Return MATLAB's imresize(plane, 0.5): antialiased bicubic, symmetric border, sides ⌈side/2⌉."""
    for axis in (0, 1):
        length = (plane.shape[axis] + 1) // 2
        width = [(0, 0), (0, 0)]
        width[axis] = (3, 4 + plane.shape[axis] % 2)
        padded = np.pad(plane, width, mode="symmetric")

        def part(start: int, padded: Plane = padded, axis: int = axis, length: int = length) -> Plane:
            taps = slice(start, start + 2 * length - 1, 2)
            return padded[taps] if axis == 0 else padded[:, taps]

        total = (part(0) + part(7)) * _HALF[0]
        for tap in (1, 2, 3):
            total += (part(tap) + part(7 - tap)) * _HALF[tap]
        plane = total
    return plane
