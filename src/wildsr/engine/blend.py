"""Put super-resolved tiles together: overlaps cross-fade, finished rows leave at once.

Only a tile, one band of finished rows and a strip of `2·fade` rows are ever held, so memory follows the tile and the
picture's width, never its height.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from wildsr.engine.grid import Grid, Span
from wildsr.imaging import FloatArray

Sample = TypeVar("Sample", bound=np.generic)

_ROWS = 64
"""Rows quantised at a time: what lies between stays small enough to be used again at once."""


@dataclass(frozen=True, kw_only=True)
class Strip(Generic[Sample]):
    """What one row of tiles makes, before it has met the rows of tiles above and below it."""

    rows: NDArray[Sample]
    """Its part of the picture; the first rows hold nothing where `head` has them."""

    head: FloatArray
    """Its first `2·fade` rows, to be cross-faded with what the row above made of them; none for the first."""

    tail: FloatArray
    """What it made of the first `2·fade` rows of the row below; none for the last."""


def bands(
    grid: Grid,
    tiles: Iterator[FloatArray],
    *,
    scale: int,
    channels: int,
    fade: int,
    quantise: Callable[[FloatArray], NDArray[Sample]],
) -> Iterator[NDArray[Sample]]:
    """Yield the finished picture in bands of rows, top to bottom.

    Args:
        grid: Tiles of the LR picture.
        tiles: The SR tiles, (scale·rows)×(scale·columns)×channels, row by row; each is changed.
        scale: SR pixels per LR pixel.
        channels: Channels of a rendered tile.
        fade: LR pixels on each side of a cut over which neighbours cross-fade; at most the halo.
        quantise: Turns finished float pixels into what the bands hold.
    """
    made = _strips(
        grid, range(len(grid.rows)), tiles, scale, channels, fade=fade, quantise=quantise, apart=False
    )
    return map(_rows_of, made)


def _rows_of(one: Strip[Sample]) -> NDArray[Sample]:
    return one.rows


def strip(
    grid: Grid,
    index: int,
    tiles: Iterator[FloatArray],
    *,
    scale: int,
    channels: int,
    fade: int,
    quantise: Callable[[FloatArray], NDArray[Sample]],
) -> Strip[Sample]:
    """Return what one row of tiles, its `tiles`, makes by itself; see `bands`, and `joined` for what becomes of it.

    Only where `can_be_parted`.
    """
    return next(
        _strips(
            grid, range(index, index + 1), tiles, scale, channels, fade=fade, quantise=quantise, apart=True
        )
    )


def joined(
    strips: Iterable[Strip[Sample]], quantise: Callable[[FloatArray], NDArray[Sample]]
) -> Iterator[NDArray[Sample]]:
    """Yield what `bands` yields, from all strips of a grid, top to bottom; changes them."""
    tail: FloatArray | None = None
    for one in strips:
        if tail is not None:
            _fade_in(one.head, tail, axis=0)
            one.rows[: one.head.shape[0]] = quantise(one.head)
        tail = one.tail
        yield one.rows


def can_be_parted(grid: Grid, fade: int) -> bool:
    """Whether each row of tiles meets only those next to it, so that strips can be made apart."""
    return all(row.core_stop - row.core_start >= 2 * fade for row in grid.rows)


def _strips(
    grid: Grid,
    indices: range,
    tiles: Iterator[FloatArray],
    scale: int,
    channels: int,
    *,
    fade: int,
    quantise: Callable[[FloatArray], NDArray[Sample]],
    apart: bool,
) -> Iterator[Strip[Sample]]:
    """Yield what rows of tiles make: cross-faded with the row above, or `apart`, with heads."""
    width = grid.columns[-1].stop * scale
    carry: FloatArray | None = None
    for index in indices:
        row, last = grid.rows[index], index == len(grid.rows) - 1
        top = row.core_start - (fade if index else 0)
        bottom = row.core_stop + (0 if last else fade)
        keep = 0 if last else 2 * fade * scale
        head = np.empty((2 * fade * scale if apart and index else 0, width, channels), np.float32)
        tail = np.empty((keep, width, channels), np.float32)
        finished: NDArray[Sample] | None = None
        for left, block in _blocks(grid, row, tiles, scale=scale, fade=fade, top=top, bottom=bottom):
            right = left + block.shape[1]
            head[:, left:right] = block[: head.shape[0]]
            if carry is not None:
                _fade_in(block, carry[:, left:right], axis=0)
            body = block[: block.shape[0] - keep]
            for start in range(0, body.shape[0], _ROWS):
                some = quantise(body[start : start + _ROWS])
                if finished is None:
                    finished = np.empty((body.shape[0], width, channels), some.dtype)
                finished[start : start + _ROWS, left:right] = some
            tail[:, left:right] = block[block.shape[0] - keep :]
        assert finished is not None, "a grid has at least one column"
        carry = None if apart else tail
        yield Strip(rows=finished, head=head, tail=tail)


def _blocks(
    grid: Grid, row: Span, tiles: Iterator[FloatArray], *, scale: int, fade: int, top: int, bottom: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (left SR column, finished columns of one band) with neighbours' overlaps cross-faded."""
    carry: FloatArray | None = None
    for index, column in enumerate(grid.columns):
        last = index == len(grid.columns) - 1
        left = column.core_start - (fade if index else 0)
        right = column.core_stop + (0 if last else fade)
        tile = next(tiles)
        part = tile[
            (top - row.start) * scale : (bottom - row.start) * scale,
            (left - column.start) * scale : (right - column.start) * scale,
        ]
        if carry is not None:
            _fade_in(part, carry, axis=1)
        keep = 0 if last else 2 * fade * scale
        carry = part[:, part.shape[1] - keep :].copy()
        yield left * scale, part[:, : part.shape[1] - keep]
        del tile, part  # not held while the next is made


def _fade_in(block: FloatArray, before: FloatArray, *, axis: int) -> None:
    """Cross-fade the beginning of `block` (in place) with what the tile before it made of the same pixels."""
    length = before.shape[axis]
    if length == 0:
        return
    weight = (np.arange(length, dtype=np.float32) + 0.5) / length
    weight = weight.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    target = block[:length] if axis == 0 else block[:, :length]
    target += (1 - weight) * (before - target)
