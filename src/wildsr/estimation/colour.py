"""How much more a camera blurs colour than brightness.

A sensor sees each colour at every second or fourth pixel only, cameras smooth colour against noise, and JPEG mostly
keeps it at half the size. So where brightness and colour change at the same edge, the profile of colour is that of
brightness, blurred once more.
"""

from typing import Final

import numpy as np
from scipy.ndimage import gaussian_filter1d

from wildsr.estimation.edges import FEWEST, STEP, Edges

_WIDEST: Final = 4.0
"""Pixels; the plain sides of an edge begin not much farther from it."""


def colour_blur(edges: Edges) -> float | None:
    """Measure the blur of colour beside that of brightness.

    The median profiles of all edges at which colour changes too are compared: σ of the Gaussian that makes of that of
    luma the one nearest (least squares) to that of colour.

    Args:
        edges: Of one camera's photos.

    Returns:
        σ in pixels of the photos, 0 to 4; None with fewer than 60 coloured edges.
    """
    if edges.coloured.sum() < FEWEST:
        return None
    luma, colour = (np.median(one[edges.coloured], axis=0) for one in (edges.luma, edges.colour))
    widths = np.arange(0, _WIDEST + 0.025, 0.05)
    blurred = [gaussian_filter1d(luma, width / STEP, mode="nearest") if width else luma for width in widths]
    return float(widths[np.argmin([np.square(one - colour).sum() for one in blurred])])
