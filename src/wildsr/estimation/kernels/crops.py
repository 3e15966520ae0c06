"""Where KernelGAN looks: crops are drawn where the photo has strong gradients.  Plain numpy.

Facts (Bell-Kligler et al., NeurIPS 2019): three maps (|∂x|, |∂y|, magnitude) mark their strongest 3 % of pixels, are
added, smoothed over 5×5 and over half a crop, and give the chance of a crop to be centred there.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray

_STRONGEST: Final = 0.97
_BORDER: Final = 5


def crop_corners(plane: FloatArray, *, side: int, count: int, rng: np.random.Generator) -> NDArray[np.intp]:
    """Draw `count` top-left corners (even numbers) of crops of `side` pixels, count×2 of (row, column)."""
    chance = _gradient_map(plane)
    half = side // 2
    chance = _box(chance, half)
    inside = np.zeros_like(chance)
    inside[half : plane.shape[0] - half + 1, half : plane.shape[1] - half + 1] = 1
    chance = (chance + 1e-3) * inside  # the constant keeps a photo without edges going
    drawn = rng.choice(chance.size, size=count, p=(chance / chance.sum()).ravel())
    centres = np.stack(np.unravel_index(drawn, chance.shape), axis=1)
    corners = (centres - half) // 2 * 2
    return np.clip(corners, 0, np.array(plane.shape) - side)


def halved_then_doubled(plane: FloatArray) -> FloatArray:
    """Return the plane bicubic-halved and doubled again by repeating pixels: the generator's crops go by its edges."""
    from wildsr.imaging import resize

    half = resize(plane, scale=0.5)
    return half.repeat(2, axis=0).repeat(2, axis=1)[: plane.shape[0], : plane.shape[1]]


def _gradient_map(plane: FloatArray) -> Doubles:
    down, right = np.gradient(plane.astype(np.float64))
    total = np.zeros(plane.shape)
    for strength in (np.abs(right), np.abs(down), np.hypot(right, down)):
        strength[:_BORDER] = strength[-_BORDER:] = 0
        strength[:, :_BORDER] = strength[:, -_BORDER:] = 0
        marked = (strength > np.quantile(strength, _STRONGEST)).astype(np.float64)
        total += marked / max(marked.sum(), 1)
    smooth = _box(total, 5)
    return smooth / max(float(smooth.mean()), 1e-12)


def _box(plane: Doubles, side: int) -> Doubles:
    """Mean over side×side windows, zero beyond the border."""
    from scipy.ndimage import uniform_filter

    smoothed: Doubles = uniform_filter(plane, size=side, mode="constant")
    return np.maximum(smoothed, 0)
