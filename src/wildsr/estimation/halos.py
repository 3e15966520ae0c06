"""Halos at the edges of a camera's photos, by which one that sharpens is told from one that doesn't.

Across a straight edge between two plain sides a lens gives a profile that only rises. Unsharp masking with a radius of
more than a pixel makes it overshoot on both sides; with a smaller one it merely looks less blurred, and a plain kernel
describes it as well.
"""

import numpy as np

from wildsr.estimation.edges import AT, FEWEST, PLAIN, Edges


def overshoot(edges: Edges) -> float | None:
    """Measure by how much edges overshoot, both sides together, in units of their height.

    The median profile of all edges counts. Photos blurred here and not sharpened have −.01 to 0, real cameras that
    sharpen .03 to .15.

    Args:
        edges: Of one camera's photos.

    Returns:
        Highest point beyond the bright side's plain, plus depth below the dark side's; None with fewer than 60 edges.
    """
    if len(edges.luma) < FEWEST:
        return None
    typical = np.median(edges.luma, axis=0)
    bright, dark = ((side * AT >= 1) & (side * AT <= PLAIN) for side in (1, -1))
    return float(typical[bright].max() - 1 - typical[dark].min())
