"""Pictures as if they had been exposed otherwise."""

import numpy as np

from wildsr.imaging.colour import srgb_encoded, srgb_linear
from wildsr.imaging.picture import FloatArray


def exposed(encoded: FloatArray, stops: float) -> FloatArray:
    """Return an sRGB picture with its linear light times 2^stops, not clipped.

    Args:
        encoded: sRGB samples in [0, 1], any shape.
        stops: Exposure steps; -1 halves the light.
    """
    light = srgb_linear(np.asarray(encoded, dtype=np.float32)) * np.float32(2.0**stops)
    return srgb_encoded(light)
