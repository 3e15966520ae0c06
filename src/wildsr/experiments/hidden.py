"""Processing artefacts that no training here knows: what track 1 of NTIRE 2020 hides, by our own means."""

from typing import Final

import numpy as np

from wildsr.experiments.measuring import Bytes, rng_of, to_bytes, to_floats
from wildsr.imaging import resize_uint8

_SIGMA: Final = 8.0
"""Levels of noise."""

_SHARPENING: Final = 0.6
_JPEG: Final = 85


def processed(hr: Bytes, name: str) -> Bytes:
    """LR ×¼ by bicubic, then as a cheap camera's processing leaves it.

    Noise that grew patches (white noise through a 3×3 binomial filter, as after demosaicking), sharpening that rings,
    JPEG. None of the three is in Samsung's generic degradation, whose noise is white and which neither sharpens nor
    compresses.

    Args:
        hr: The clean picture.
        name: Fixes the noise.
    """
    small = to_floats(resize_uint8(hr, (hr.shape[0] // 4, hr.shape[1] // 4)))
    noise = _binomial(rng_of("hidden", name).standard_normal(small.shape).astype(np.float32))
    noisy = small + noise / noise.std() * np.float32(_SIGMA / 255)
    sharp = noisy + np.float32(_SHARPENING) * (noisy - _binomial(noisy))
    return _through_jpeg(to_bytes(sharp))


def _binomial(
    picture: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    for axis in (0, 1):
        padding = [(0, 0)] * 3
        padding[axis] = (1, 1)
        padded = np.pad(picture, padding, mode="edge")
        n = picture.shape[axis]
        low, middle, high = (padded.take(range(start, start + n), axis=axis) for start in range(3))
        picture = (low + 2 * middle + high) / np.float32(4)
    return picture


def _through_jpeg(picture: Bytes) -> Bytes:
    import io

    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "JPEG", quality=_JPEG)
    return np.asarray(Image.open(buffer).convert("RGB"))
