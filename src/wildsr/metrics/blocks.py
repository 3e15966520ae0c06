"""Blocking of JPEG: the 8×8 grid it leaves in a picture."""

import numpy as np
from numpy.typing import NDArray


def block_steps(luma: NDArray[np.float32]) -> float:
    """Return how much higher differences are on one phase of an 8-pixel grid than on any other, in levels.

    The grid may start anywhere (cropped JPEGs); a grid of 2 or 4 (enlarged pictures) cancels out.

    Args:
        luma: H×W in levels 0…255, at least 48 pixels a side.
    """
    heights = []
    for plane in (luma, luma.T):
        steps = np.abs(np.diff(plane, axis=1))
        excess = np.clip(steps[:, 1:-1] - (steps[:, :-2] + steps[:, 2:]) / 2, -8, 8).mean(axis=0)
        phases = np.sort([float(np.median(excess[phase::8])) for phase in range(8)])
        heights.append(phases[-1] - phases[-2])
    return round(float(np.mean(heights)), 3)
