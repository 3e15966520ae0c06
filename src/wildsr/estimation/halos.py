"""Halos at the edges of a camera's photos, by which one that sharpens is told from one that doesn't.

Across a straight edge between two plain sides a lens gives a profile that only rises. Unsharp masking with a radius of
more than a pixel makes it overshoot on both sides; with a smaller one it merely looks less blurred, and a plain kernel
describes it as well.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from wildsr.errors import InputError
from wildsr.imaging import FloatArray, open_source
from wildsr.imaging.luma import luma

FEWEST: Final = 60
"""Edges from which something can be said."""

_SIDE: Final = 1536
"""Of the middle of a photo that is looked at, in pixels."""
_REACH: Final = 9
"""Pixels to each side of an edge that are looked at; the last four must be plain."""
_PLAIN: Final = 5
_CANDIDATES: Final = 4000
_MOST: Final = 500
"""Steepest places of a photo that are tried, and edges that count: no photo outweighs the others by far."""
_STEEPEST: Final = 4 / 255
_STEP: Final = 25 / 255
"""Least slope a pixel, and least height of an edge."""
_UNEVEN: Final = 0.06
"""Largest standard deviation of a plain side, in units of the edge's height."""
_CLIPPED: Final = (5 / 255, 250 / 255)


def overshoot(photos: Sequence[Path]) -> float | None:
    """Measure by how much edges overshoot, both sides together, in units of their height.

    The median profile of all edges of all photos counts. Photos blurred here and not sharpened have −.01 to 0, real
    cameras that sharpen .03 to .15.

    Args:
        photos: Of one camera; what can't be read is left out.

    Returns:
        Highest point beyond the bright side's plain, plus depth below the dark side's; None with fewer than 60 edges.
    """
    found = [_edges(plane) for path in photos if (plane := _middle(path)) is not None]
    profiles = np.concatenate(found) if found else np.zeros((0, 1))
    if len(profiles) < FEWEST:
        return None
    typical = np.median(profiles, axis=0)
    at = _positions()
    bright, dark = ((side * at >= 1) & (side * at <= _PLAIN) for side in (1, -1))
    return float(typical[bright].max() - 1 - typical[dark].min())


def _positions() -> NDArray[np.float64]:
    return np.arange(-_REACH, _REACH + 0.25, 0.5)


def _middle(path: Path) -> FloatArray | None:
    try:
        return luma(open_source(path).middle(_SIDE))
    except InputError:
        return None


def _edges(plane: FloatArray) -> NDArray[np.float64]:
    """Profiles across a plane's isolated edges, from 0 on the dark plain to 1 on the bright one."""
    at = _positions()
    none = np.zeros((0, len(at)))
    if min(plane.shape) <= 2 * _REACH:
        return none
    down, right = np.gradient(gaussian_filter(plane.astype(np.float64), 1.0))
    slope = np.hypot(down, right)
    inner = slope[_REACH:-_REACH, _REACH:-_REACH]
    order = np.argsort(-inner, axis=None, kind="stable")[:_CANDIDATES]
    rows, columns = (axis + _REACH for axis in np.unravel_index(order, inner.shape))
    steep = slope[rows, columns] > _STEEPEST
    rows, columns = rows[steep], columns[steep]
    across = np.stack([down[rows, columns], right[rows, columns]]) / slope[rows, columns]
    place = np.stack([rows, columns]).astype(np.float64)
    ahead, behind = (map_coordinates(slope, place + side * across, order=1) for side in (1, -1))
    crest = (slope[rows, columns] >= ahead) & (slope[rows, columns] >= behind)
    place, across = place[:, crest], across[:, crest]
    found = map_coordinates(plane, place[..., None] + across[..., None] * at, order=1, output=np.float64)
    dark, bright = found[:, at <= -_PLAIN], found[:, at >= _PLAIN]
    low, height = dark.mean(axis=1), bright.mean(axis=1) - dark.mean(axis=1)
    good = height > _STEP
    good &= np.maximum(dark.std(axis=1), bright.std(axis=1)) < _UNEVEN * height
    good &= (dark.min(axis=1) > _CLIPPED[0]) & (bright.max(axis=1) < _CLIPPED[1])
    profiles: NDArray[np.float64] = (found[good] - low[good, None]) / height[good, None]
    return profiles[:_MOST]
