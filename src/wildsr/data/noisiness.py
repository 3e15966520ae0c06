"""How noisy photos are, roughly: to say when what shall be clean is noisier than what is to be enlarged."""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.data.photos import Photo
from wildsr.imaging.luma import luma

_BLOCK: Final = 16
_FLATTEST: Final = 10
"""Percent of the blocks, the flattest ones: there is little but noise in them."""
_MOST: Final = 24
"""Photos looked at."""
_MORE: Final = 1.2
_VISIBLE: Final = 0.5
"""Levels; below it noise is rounding."""


def noise_level(picture: NDArray[np.uint8]) -> float:
    """Standard deviation of the noise of H×W×3 in levels of luma: of diagonal differences in the flattest blocks."""
    plane = luma(np.asarray(picture, dtype=np.float32))
    a, b, c, d = (
        plane[y : plane.shape[0] // 2 * 2 : 2, x : plane.shape[1] // 2 * 2 : 2] for y, x in np.ndindex(2, 2)
    )
    detail = (a - b - c + d) / 2
    rows, columns = (max(length // _BLOCK, 1) for length in detail.shape)
    side = tuple(min(_BLOCK, length) for length in detail.shape)
    blocks = detail[: rows * side[0], : columns * side[1]].reshape(rows, side[0], columns, side[1])
    return float(np.percentile(blocks.std(axis=(1, 3)), _FLATTEST))


def noisier(clean: Sequence[Photo], source: Sequence[Photo]) -> str | None:
    """A sentence where the photos that shall be clean are noisier than the source's; None where they aren't."""
    levels = [
        float(np.median([noise_level(photo.hr) for photo in photos[:: -(-len(photos) // _MOST)]]))
        for photos in (clean, source)
    ]
    if levels[0] <= max(_MORE * levels[1], _VISIBLE):
        return None
    return (
        f"the HR photos are noisier (about {levels[0]:.1f} levels) than the source photos ({levels[1]:.1f}): the "
        "network will learn to make noise; take cleaner ones, or shrink them by 2"
    )
