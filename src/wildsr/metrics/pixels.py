"""Input of metrics: validation of arrays, border cropping, and the luminance planes of the papers.

A picture is H×W×3 RGB, uint8 or float32 in [0, 1]. The official values of every metric are of 8-bit pictures;
a float picture is measured at its own precision, except where the official definition itself rounds
(`gray_8bit`).
"""

from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.imaging.luma import BT601_STUDIO

Image: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
Plane: TypeAlias = NDArray[np.float64]

# MATLAB's rgb2gray: the Y row of the NTSC matrix, to double precision (they sum to 1)
_GRAY = (0.298936021293775390, 0.587043074451121360, 0.114020904255103250)


def checked(picture: Image, metric: str, minimum: tuple[int, int] = (1, 1)) -> Image:
    """Return `picture` if `metric` can be computed on it.

    Args:
        picture: H×W×3, uint8 or float32 in [0, 1].
        metric: Name for the message.
        minimum: Least (shorter, longer) side in pixels; it counts in either orientation.

    Raises:
        MetricError: Another shape or type, values that are not finite or outside [0, 1], or too few pixels.
    """
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[2] != 3:
        shape = getattr(picture, "shape", type(picture).__name__)
        raise MetricError(
            f"{metric}: a picture is H×W×3 (RGB), not {shape}",
            hint="repeat a gray picture three times: np.stack([gray] * 3, axis=-1)",
        )
    if picture.dtype not in (np.uint8, np.float32):
        raise MetricError(
            f"{metric}: a picture is uint8 or float32 in [0, 1], not {picture.dtype}",
            hint="convert it first; 16-bit pixels: (picture / 65535).astype(np.float32)",
        )
    sides = sorted(picture.shape[:2])
    if sides[0] < minimum[0] or sides[1] < minimum[1]:
        raise MetricError(
            f"{metric}: {picture.shape[1]}×{picture.shape[0]} pixels are too few; "
            f"it needs at least {minimum[1]}×{minimum[0]}"
        )
    if picture.dtype == np.float32:
        low, high = float(picture.min()), float(picture.max())
        if not (low >= 0 and high <= 1):
            raise MetricError(
                f"{metric}: float pixels must be numbers in [0, 1]; these reach from {low:g} to {high:g}",
                hint="np.clip the picture, or divide by its largest level",
            )
    return picture


def checked_pair(sr: Image, hr: Image, metric: str, minimum: tuple[int, int] = (1, 1)) -> tuple[Image, Image]:
    """Return both pictures if they are valid and of one size.

    Raises:
        MetricError: As `checked`, or the sizes differ.
    """
    checked(sr, metric, minimum)
    checked(hr, metric, minimum)
    if sr.shape != hr.shape:
        raise MetricError(
            f"{metric}: sizes differ, {sr.shape[1]}×{sr.shape[0]} against {hr.shape[1]}×{hr.shape[0]}; "
            "nothing is cropped or resized silently"
        )
    return sr, hr


def crop_border(picture: Image, border: int) -> Image:
    """Return `picture` without `border` pixels on each side (BasicSR's and the papers' `crop_border`).

    Raises:
        MetricError: A negative border, or nothing would be left.
    """
    if border < 0 or 2 * border >= min(picture.shape[:2]):
        raise MetricError(
            f"a border of {border} pixels can't be cropped from {picture.shape[1]}×{picture.shape[0]}; "
            f"it must be between 0 and {(min(picture.shape[:2]) - 1) // 2}"
        )
    return picture[border : picture.shape[0] - border, border : picture.shape[1] - border]


def levels(picture: Image) -> Plane:
    """Return the pixels as float64 levels 0…255, H×W×3."""
    values = picture.astype(np.float64)
    if picture.dtype != np.uint8:
        values *= 255.0
    return values


def luma(picture: Image) -> Plane:
    """Return Y of BT.601 studio swing, 16…235, not rounded: the Y of the SR papers (BasicSR)."""
    scale = 255.0 if picture.dtype == np.uint8 else 1.0
    plane = _weighted(picture, (BT601_STUDIO[0] / scale, BT601_STUDIO[1] / scale, BT601_STUDIO[2] / scale))
    plane += 16.0
    return plane


def luma_8bit(picture: Image) -> Plane:
    """Return `luma` rounded half up, as rgb2ycbcr gives it for uint8 pictures."""
    return _rounded(luma(picture))


def gray_8bit(picture: Image) -> Plane:
    """Return MATLAB's rgb2gray of the 8-bit picture: full range 0…255, rounded half up."""
    scale = 1.0 if picture.dtype == np.uint8 else 255.0
    return _rounded(_weighted(picture, (_GRAY[0] * scale, _GRAY[1] * scale, _GRAY[2] * scale)))


def _weighted(picture: Image, weights: tuple[float, float, float]) -> Plane:
    plane: Plane = picture[..., 0] * np.float64(weights[0])
    for channel in (1, 2):
        plane += picture[..., channel] * np.float64(weights[channel])
    return plane


def _rounded(plane: Plane) -> Plane:
    plane += 0.5
    return np.floor(plane, out=plane)
