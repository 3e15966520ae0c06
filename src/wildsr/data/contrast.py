"""How much contrast a picture shows at a coarse scale, which neither noise nor a camera's sharpness changes much."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.data.sampling import Pixels
from wildsr.imaging.luma import luma

CELL: Final = 4
"""Side in pixels of the squares whose means count."""
_FLOOR: Final = 0.5


def coarse_contrast(picture: Pixels) -> NDArray[np.float32]:
    """Logarithm of the steps between neighbouring means of 4×4 pixels, of luma and of two differences of colours.

    Args:
        picture: H×W×3 bytes, 8 pixels a side at least.
    """
    rgb = np.asarray(picture, dtype=np.float32)
    height, width = (length // CELL for length in rgb.shape[:2])
    cells = rgb[: height * CELL, : width * CELL].reshape(height, CELL, width, CELL, 3).mean(axis=(1, 3))
    planes = np.stack([luma(cells), cells[..., 0] - cells[..., 1], cells[..., 2] - cells[..., 1]])
    steps = (np.abs(np.diff(planes, axis=axis)).mean(axis=(1, 2)) for axis in (1, 2))
    found: NDArray[np.float32] = np.log(sum(steps) / 2 + np.float32(_FLOOR))
    return found


def nearest(wanted: NDArray[np.float32], among: NDArray[np.float32]) -> int:
    """Which of several contrasts (N×3) is nearest to another; luma counts twice."""
    apart = (among - wanted) ** 2
    apart[:, 0] *= 2
    return int(apart.sum(axis=1).argmin())
