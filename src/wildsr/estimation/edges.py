"""Profiles across the isolated straight edges of a camera's photos, which tell what a camera does to edges.

Where a steep place lies between two plain sides, what is seen across it is the camera's own doing: its blur, and what
it sharpens (`halos`) or blurs of colour alone (`colour`) afterwards.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, map_coordinates

from wildsr.errors import InputError
from wildsr.imaging import FloatArray, open_source
from wildsr.imaging.luma import luma

Floats: TypeAlias = NDArray[np.float64]

FEWEST: Final = 60
"""Edges from which something can be said."""
STEP: Final = 0.5
"""Pixels between two places of a profile."""

_SIDE: Final = 1536
"""Of the middle of a photo that is looked at, in pixels."""
_REACH: Final = 9
"""Pixels to each side of an edge that are looked at; from `PLAIN` on they must be plain."""
PLAIN: Final = 5
_CANDIDATES: Final = 4000
_MOST: Final = 500
"""Steepest places of a photo that are tried, and edges that count: no photo outweighs the others by far."""
_STEEPEST: Final = 4 / 255
_LEAST: Final = 25 / 255
"""Least slope a pixel, and least height of an edge."""
_UNEVEN: Final = 0.06
"""Largest standard deviation of a plain side, in units of the edge's height."""
_CLIPPED: Final = (5 / 255, 250 / 255)
_COLOURED: Final = 15 / 255
_UNEVEN_COLOUR: Final = 0.15
"""Least difference of the colours of both sides (Euclidean, luma taken off), and the unevenness of each that it may
have: colour is noisier."""

AT: Final[Floats] = np.arange(-_REACH, _REACH + STEP / 2, STEP)
"""Pixels from the edge, along the columns of profiles; the bright side is positive."""
_DARK, _BRIGHT = AT <= -PLAIN, AT >= PLAIN


@dataclass(frozen=True, kw_only=True, eq=False)
class Edges:
    """Profiles of all edges that were found; 0 is the plain of the dark side, 1 that of the bright one."""

    luma: Floats
    """n × len(`AT`)."""

    coloured: NDArray[np.bool_]
    """n: whether colour changes across the edge too."""

    colour: Floats
    """n × len(`AT`): along the difference of the sides' colours, luma taken off; means nothing where not `coloured`."""


def find_edges(photos: Sequence[Path]) -> Edges:
    """Look for edges in the middles of photos.

    Args:
        photos: Of one camera; what can't be read is left out.
    """
    found = [_edges(picture) for path in photos if (picture := _middle(path)) is not None]
    none = (np.zeros((0, len(AT))), np.zeros(0, bool), np.zeros((0, len(AT))))
    profiles, coloured, colour = (np.concatenate(parts) for parts in zip(none, *found, strict=True))
    return Edges(luma=profiles, coloured=coloured, colour=colour)


def _middle(path: Path) -> FloatArray | None:
    try:
        return open_source(path).middle(_SIDE)
    except InputError:
        return None


def _edges(picture: FloatArray) -> tuple[Floats, NDArray[np.bool_], Floats]:
    """Profiles of luma, whether there is colour, and its profiles."""
    plane = luma(picture)
    if min(plane.shape) <= 2 * _REACH:
        return np.zeros((0, len(AT))), np.zeros(0, bool), np.zeros((0, len(AT)))
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
    line = place[:, crest, None] + across[:, crest, None] * AT
    found = map_coordinates(plane, line, order=1, output=np.float64)
    dark, bright = found[:, _DARK], found[:, _BRIGHT]
    low, height = dark.mean(axis=1), bright.mean(axis=1) - dark.mean(axis=1)
    good = height > _LEAST
    good &= np.maximum(dark.std(axis=1), bright.std(axis=1)) < _UNEVEN * height
    good &= (dark.min(axis=1) > _CLIPPED[0]) & (bright.max(axis=1) < _CLIPPED[1])
    chosen = np.flatnonzero(good)[:_MOST]
    profiles = (found[chosen] - low[chosen, None]) / height[chosen, None]
    return profiles, *_colour(picture, line[:, chosen], found[chosen])


def _colour(picture: FloatArray, line: Floats, plane: Floats) -> tuple[NDArray[np.bool_], Floats]:
    """Whether colour changes across edges, and how: along the difference of the plain sides."""
    channels = [map_coordinates(picture[..., one], line, order=1, output=np.float64) for one in range(3)]
    colour = np.stack(channels, axis=-1) - plane[..., None]
    dark = colour[:, _DARK].mean(axis=1)
    step = colour[:, _BRIGHT].mean(axis=1) - dark
    length = np.linalg.norm(step, axis=1)
    along = step / np.maximum(length, 1e-6)[:, None] ** 2
    profiles = np.einsum("npc,nc->np", colour - dark[:, None], along)
    uneven = np.maximum(profiles[:, _DARK].std(axis=1), profiles[:, _BRIGHT].std(axis=1))
    return (length > _COLOURED) & (uneven < _UNEVEN_COLOUR), profiles
