"""Correct the slow colour drift of GAN models.

The published DF2K-JPEG weights shift colours (ALGORITHMS §5.5). The difference between the LR tile and the downscaled
SR tile, blurred so that only slow changes remain, is enlarged and added: the result agrees with the photo in colour
and keeps its own detail. The correction only looks `RADIUS` LR pixels far, so tiles agree with the whole picture.
"""

from dataclasses import dataclass

import numpy as np

from wildsr.imaging import FloatArray, resize

SIGMA = 2.0
"""Standard deviation of the blur in LR pixels."""
RADIUS = 8
"""LR pixels beyond which a pixel doesn't influence the correction (3 σ of the blur, the enlargement's taps)."""


@dataclass(frozen=True)
class Drift:
    """Mean absolute difference between the photo and the downscaled result, in 1/255."""

    before: float
    """Of the network's own result."""
    after: float
    """Of the corrected result; equal to `before` where nothing was corrected."""


def area_down(sr: FloatArray, scale: int) -> FloatArray:
    """Average scale×scale blocks of H×W×C."""
    height, width, channels = sr.shape
    rows = sr.reshape(height // scale, scale, width, channels).sum(axis=1)
    blocks: FloatArray = rows.reshape(height // scale, width // scale, scale, channels).sum(axis=2)
    return blocks / np.float32(scale * scale)


def fix_colour(sr: FloatArray, lr: FloatArray, *, scale: int, apply: bool) -> tuple[FloatArray, Drift]:
    """Return the SR tile with its slow colour drift removed, and how large the drift was.

    Args:
        sr: (scale·h)×(scale·w)×3 in [0, 1]; may be changed in place.
        lr: h×w×3 in [0, 1].
        scale: SR pixels per LR pixel.
        apply: False only measures.
    """
    difference = lr - area_down(sr, scale)
    before = 255 * float(np.abs(difference).mean())
    if not apply:
        return sr, Drift(before, before)
    slow = resize(_blur(difference), sr.shape[:2], method="bilinear")
    sr += slow
    np.clip(sr, 0, 1, out=sr)
    after = 255 * float(np.abs(lr - area_down(sr, scale)).mean())
    return sr, Drift(before, after)


def _blur(image: FloatArray) -> FloatArray:
    """Blur H×W×C with a Gaussian, borders reflected."""
    radius = round(3 * SIGMA)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1, dtype=np.float32) / np.float32(SIGMA)) ** 2)
    taps /= taps.sum()
    for axis in (0, 1):
        padding = [(0, 0)] * 3
        padding[axis] = (radius, radius)
        padded = np.pad(image, padding, mode="symmetric")
        length = image.shape[axis]
        image = np.zeros_like(image)
        for i, tap in enumerate(taps):
            image += tap * (padded[i : i + length] if axis == 0 else padded[:, i : i + length])
    return image
