"""Where to look: the window of a picture with the largest sum, and what pictures differ in."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging.luma import luma

_GRID = 4
"""Windows begin at multiples of this, so that whole LR pixels of ×2 and ×4 fit them."""


def brightness(pixels: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
    """Return luma in [0, 1] of an H×W×3 picture (uint8, or float in [0, 1])."""
    scale = np.float32(1 / 255 if pixels.dtype == np.uint8 else 1)
    return luma(pixels.astype(np.float32) * scale)


def difference(planes: Sequence[NDArray[np.float32]]) -> NDArray[np.float32]:
    """Return the variance between planes of one size, pixel by pixel; of one plane alone its local contrast."""
    if len(planes) > 1:
        spread: NDArray[np.float32] = np.var(np.stack(planes), axis=0)
        return spread
    plane = planes[0]
    return np.abs(np.diff(plane, axis=0, append=plane[-1:])) + np.abs(
        np.diff(plane, axis=1, append=plane[:, -1:])
    )


def strongest_window(plane: NDArray[np.float32], height: int, width: int) -> tuple[int, int, float]:
    """Return top, left and mean of the window of a size with the largest sum.

    Args:
        plane: Values, H×W.
        height: Of the window, at most H.
        width: Of the window, at most W.
    """
    sums = np.pad(plane, ((1, 0), (1, 0))).cumsum(0, dtype=np.float64).cumsum(1)
    windows = (
        sums[height:, width:] - sums[:-height, width:] - sums[height:, :-width] + sums[:-height, :-width]
    )
    windows = windows[::_GRID, ::_GRID]
    top, left = np.unravel_index(int(windows.argmax()), windows.shape)
    return _GRID * int(top), _GRID * int(left), float(windows[top, left]) / (height * width)
