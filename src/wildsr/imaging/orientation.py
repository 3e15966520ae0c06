"""EXIF orientation: eight ways a camera was held."""

import numpy as np

from wildsr.imaging.picture import Samples


def apply_orientation(samples: Samples, orientation: int) -> Samples:
    """Return H×W×C samples as they are meant to be looked at.

    Args:
        samples: Pixels as stored.
        orientation: EXIF tag 0x0112, 1 to 8; 5 to 8 swap height and width.
    """
    if orientation >= 5:
        samples = samples.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        samples = samples[:, ::-1]
    if orientation in (3, 4, 7, 8):
        samples = samples[::-1]
    return np.ascontiguousarray(samples)
