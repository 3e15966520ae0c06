"""Put super-resolved tiles together: overlaps cross-fade, finished rows leave at once.

Only a tile, one band of finished rows and a strip of `2·fade` rows are ever held, so memory follows the tile and the
picture's width, never its height.
"""

from collections.abc import Callable, Iterator
from typing import TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from wildsr.engine.grid import Grid, Span
from wildsr.imaging import FloatArray

RenderTile: TypeAlias = Callable[[Span, Span], FloatArray]
"""Row span, column span → SR tile, (scale·rows)×(scale·columns)×channels."""
Sample = TypeVar("Sample", bound=np.generic)


def bands(
    grid: Grid,
    render: RenderTile,
    *,
    scale: int,
    channels: int,
    fade: int,
    quantise: Callable[[FloatArray], NDArray[Sample]],
) -> Iterator[NDArray[Sample]]:
    """Yield the finished picture in bands of rows, top to bottom.

    Args:
        grid: Tiles of the LR picture.
        render: Gives the SR tile of a row span and a column span.
        scale: SR pixels per LR pixel.
        channels: Channels of a rendered tile.
        fade: LR pixels on each side of a cut over which neighbours cross-fade; at most the halo.
        quantise: Turns finished float pixels into what the bands hold.
    """
    width = grid.columns[-1].stop * scale
    carry: FloatArray | None = None
    for index, row in enumerate(grid.rows):
        last = index == len(grid.rows) - 1
        top = row.core_start - (fade if index else 0)
        bottom = row.core_stop + (0 if last else fade)
        keep = 0 if last else 2 * fade * scale
        strip = np.empty((keep, width, channels), np.float32)
        finished: NDArray[Sample] | None = None
        for left, block in _blocks(grid, row, render, scale=scale, fade=fade, top=top, bottom=bottom):
            right = left + block.shape[1]
            if carry is not None:
                _fade_in(block, carry[:, left:right], axis=0)
            body = quantise(block[: block.shape[0] - keep])
            if finished is None:
                finished = np.empty((body.shape[0], width, channels), body.dtype)
            finished[:, left:right] = body
            strip[:, left:right] = block[block.shape[0] - keep :]
        carry = strip
        assert finished is not None, "a grid has at least one column"
        yield finished


def _blocks(
    grid: Grid, row: Span, render: RenderTile, *, scale: int, fade: int, top: int, bottom: int
) -> Iterator[tuple[int, FloatArray]]:
    """Yield (left SR column, finished columns of one band) with neighbours' overlaps cross-faded."""
    carry: FloatArray | None = None
    for index, column in enumerate(grid.columns):
        last = index == len(grid.columns) - 1
        left = column.core_start - (fade if index else 0)
        right = column.core_stop + (0 if last else fade)
        tile = render(row, column)
        part = tile[
            (top - row.start) * scale : (bottom - row.start) * scale,
            (left - column.start) * scale : (right - column.start) * scale,
        ]
        if not last or carry is not None:
            part = part.copy()
        if carry is not None:
            _fade_in(part, carry, axis=1)
        keep = 0 if last else 2 * fade * scale
        carry = part[:, part.shape[1] - keep :]
        yield left * scale, part[:, : part.shape[1] - keep]


def _fade_in(block: FloatArray, before: FloatArray, *, axis: int) -> None:
    """Cross-fade the beginning of `block` (in place) with what the tile before it made of the same pixels."""
    length = before.shape[axis]
    if length == 0:
        return
    weight = (np.arange(length, dtype=np.float32) + 0.5) / length
    weight = weight.reshape((-1, 1, 1) if axis == 0 else (1, -1, 1))
    target = block[:length] if axis == 0 else block[:, :length]
    target += (1 - weight) * (before - target)
