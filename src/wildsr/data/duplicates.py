"""Pictures that show the same: what is judged on must not have been learnt from."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.data.photos import Photo
from wildsr.imaging.luma import luma

Bits: TypeAlias = NDArray[np.bool_]

_SIDE: Final = 32
_KEPT: Final = 8
_MOST_BITS: Final = 10
"""Of 63, in which two hashes of one picture may differ."""
_LEAST_CORRELATION: Final = 0.95
"""Of two thumbnails of one picture; skies and horizons have similar hashes."""


def near_duplicates(judged: Sequence[Photo], learnt: Sequence[Photo]) -> list[tuple[str, str]]:
    """Pairs of names (judged, learnt from) of photos that show the same.

    Compared are perceptual hashes (signs of the lowest frequencies of a thumbnail), and where they agree the
    thumbnails: other sizes, compression, small changes of brightness and colour don't hide a copy; a crop does.
    """
    thumbnails = [[_thumbnail(photo.hr) for photo in photos] for photos in (judged, learnt)]
    if not all(thumbnails):
        return []
    hashes = [np.stack([_hash(one) for one in side]) for side in thumbnails]
    differing = (hashes[0][:, None] != hashes[1][None]).sum(axis=2)
    return [
        (judged[row].name, learnt[column].name)
        for row, column in np.argwhere(differing <= _MOST_BITS)
        if _correlation(thumbnails[0][row], thumbnails[1][column]) >= _LEAST_CORRELATION
    ]


def _thumbnail(picture: NDArray[np.uint8]) -> NDArray[np.float32]:
    """32×32 luma: means over the cells of a grid, of at most 8×8 pixels each."""
    rows, columns = (_places(length) for length in picture.shape[:2])
    cells = luma(np.asarray(picture[rows][:, columns], dtype=np.float32))
    small: NDArray[np.float32] = cells.reshape(_SIDE, 8, _SIDE, 8).mean(axis=(1, 3))
    return small


def _places(length: int) -> NDArray[np.intp]:
    """Eight pixels of each of 32 cells of an axis."""
    edges = np.linspace(0, length, _SIDE + 1)
    ends = [np.linspace(low, max(high - 1, low), 8) for low, high in pairwise(edges)]
    return np.minimum(np.concatenate(ends).astype(np.intp), length - 1)


def _hash(thumbnail: NDArray[np.float32]) -> Bits:
    place = np.arange(_SIDE)
    basis = np.cos(np.pi * (2 * place[None] + 1) * np.arange(_KEPT)[:, None] / (2 * _SIDE))
    low = (basis @ thumbnail @ basis.T).ravel()[1:]
    bits: Bits = low > np.median(low)
    return bits


def _correlation(one: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    a, b = one - one.mean(), other - other.mean()
    return float((a * b).sum() / np.sqrt((a * a).sum() * (b * b).sum() + 1e-12))
