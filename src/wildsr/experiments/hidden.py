"""What no training here is told: processing artefacts as track 1 of NTIRE 2020 hides them, and a camera's ways."""

from typing import Final

import numpy as np

from wildsr.data import array_degrader
from wildsr.degradation.blur import BlurSubsample, FromPool
from wildsr.degradation.kernels import gaussian
from wildsr.experiments.measuring import Bytes, rng_of, to_bytes, to_floats
from wildsr.imaging import resize_uint8

LEAST_SIDE: Final = 8 * 64
"""Pixels a side of a photo to learn from: a quarter of it, cleaned up to half of that, holds a training crop of 64."""

_SIGMA: Final = 8.0
"""Levels of noise."""

_SHARPENING: Final = 0.6
_JPEG: Final = 85


def processed(hr: Bytes, name: str) -> Bytes:
    """LR ×¼ by bicubic, then as a cheap camera's processing leaves it.

    White noise, sharpening that makes its finest frequencies the strongest, JPEG. Samsung's generic degradation has
    noise, but neither sharpens nor compresses. The challenge's processing is not published, its results are: a GAN
    trained on bicubic lost 6.4 dB to bicubic enlargement (19.06, 25.48), so artefacts are of single pixels, which such
    a network takes for detail, not grains of several; and bicubic enlargement had an LPIPS of .612, from which the
    strength is taken (.59 on Set14).

    Args:
        hr: The clean picture.
        name: Fixes the noise.
    """
    small = to_floats(resize_uint8(hr, (hr.shape[0] // 4, hr.shape[1] // 4)))
    noise = rng_of("hidden", name).standard_normal(small.shape).astype(np.float32)
    noisy = small + noise / noise.std() * np.float32(_SIGMA / 255)
    sharp = noisy + np.float32(_SHARPENING) * (noisy - _binomial(noisy))
    return _through_jpeg(to_bytes(sharp))


def camera(hr: Bytes, name: str) -> Bytes:
    """LR ×¼ as one camera takes it: its blur (a Gaussian of 2.6 × 1.9 HR pixels at 30°), grained noise, 8 bits.

    The noise has the variance of 1,500 photons of white plus 2 levels of read-out, and a grain: the camera demosaics.

    Args:
        hr: The clean picture, sides multiples of 4.
        name: Fixes the noise.
    """
    kernel = gaussian(25, (2.6**2, 1.9**2), np.pi / 6, scale=4)
    blur = array_degrader(BlurSubsample(FromPool(kernel[None].astype(np.float32)), 4))
    small = np.clip(blur(to_floats(hr), rng_of("kernel")), 0, 1)
    grain = _binomial(rng_of("camera", name).standard_normal(small.shape).astype(np.float32))
    sigma = np.sqrt(small / 1500 + (2 / 255) ** 2).astype(np.float32)
    return to_bytes(small + sigma * grain / grain.std())


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
