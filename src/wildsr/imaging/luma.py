"""Luma by ITU-R BT.601, the brightness JPEG, television and the super-resolution literature weigh colours by."""

from typing import Final

import numpy as np

from wildsr.imaging.picture import FloatArray

BT601: Final = (0.299, 0.587, 0.114)
"""Weights of R, G and B in full range; they sum to 1."""

BT601_STUDIO: Final = (65.481, 128.553, 24.966)
"""Weights of R, G and B in [0, 1] in studio swing: Y = 16 + their sum, from 16 to 235 (MATLAB's rgb2ycbcr)."""

_WEIGHTS: Final = np.array(BT601, np.float32)


def luma(rgb: FloatArray) -> FloatArray:
    """Return H×W full-range BT.601 luma of H×W×3 float32 RGB, on the same scale."""
    plane: FloatArray = rgb @ _WEIGHTS
    return plane
