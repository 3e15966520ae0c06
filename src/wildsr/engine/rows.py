"""The result of a plan, row by row: passes of the network, then a resize where the plan asks for one."""

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from itertools import product
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from wildsr.engine.ahead import one_ahead
from wildsr.engine.backends import Backend
from wildsr.engine.blend import Strip, bands, can_be_parted, joined, strip
from wildsr.engine.grid import Grid
from wildsr.engine.plan import Pass, Plan
from wildsr.engine.render import Tally, TileRenderer
from wildsr.engine.settings import Settings
from wildsr.engine.transparency import fill_transparent
from wildsr.imaging import Depth, FloatArray, Frame, RowResizer, Source
from wildsr.imaging.frame import Rows

_Stored: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | FloatArray

IntegerStrip: TypeAlias = Strip[np.uint8 | np.uint16]

_PUSH_ROWS = 64
_LONG = 2.0
"""Seconds in the network after which the rest of a tile is a few percent, and an interruption would wait long."""
_TOP = {8: np.float32(255), 16: np.float32(65535)}


@dataclass(frozen=True, kw_only=True)
class Work:
    """A picture, how it becomes its result, and the tally kept meanwhile."""

    source: Source
    plan: Plan
    backend: Backend
    settings: Settings
    multiple: int
    tally: Tally


def integer_rows(work: Work) -> Iterator[Rows]:
    """Yield the result in bands of rows, top to bottom, as integers of the source's depth."""
    return cast("Iterator[Rows]", _rows(work, work.source.depth))


def float_rows(work: Work) -> Generator[FloatArray]:
    """Yield the result in bands of rows, top to bottom, unrounded in [0, 1]."""
    return cast("Generator[FloatArray]", _rows(work, None))


def split_planes(pixels: FloatArray) -> tuple[FloatArray, FloatArray | None]:
    """Split H×W×C (1 to 4 channels) into rgb and alpha."""
    channels = pixels.shape[2]
    alpha = np.ascontiguousarray(pixels[..., -1]) if channels in (2, 4) else None
    rgb = pixels[..., :3] if channels >= 3 else np.repeat(pixels[..., :1], 3, axis=2)
    return np.ascontiguousarray(rgb), alpha


def fade_of(halo: int) -> int:
    """LR pixels on each side of a cut over which tiles cross-fade: few, since a pixel there has less context."""
    return min(8, halo // 6)


def frame_of(source: Source, plan: Plan) -> Frame:
    """Return what the file of a result holds beside its rows."""
    return Frame(
        width=plan.width,
        height=plan.height,
        channels=source.channels,
        neutral=source.neutral,
        depth=source.depth,
        metadata=source.metadata,
    )


def can_be_split(plan: Plan) -> bool:
    """Whether rows of tiles can be made apart: one run of the network, and rows that meet only their neighbours."""
    return len(plan.passes) == 1 and can_be_parted(plan.passes[0].grid, fade_of(plan.halo))


def strip_of(work: Work, index: int) -> IntegerStrip:
    """Return what one row of tiles makes, for `joined_rows`; only where `can_be_split`."""
    source, depth = fill_transparent(work.source), _held(work)
    grid = work.plan.passes[0].grid
    with _tiles(work, source, replace(grid, rows=grid.rows[index : index + 1])) as tiles:
        made = strip(
            grid,
            index,
            tiles,
            scale=work.backend.scale,
            channels=source.channels,
            fade=fade_of(work.plan.halo),
            quantise=lambda block: _stored(block, depth),
        )
    return cast("IntegerStrip", made)


def joined_rows(work: Work, strips: Iterable[IntegerStrip]) -> Iterator[Rows]:
    """Yield what `integer_rows` yields, from all strips of the plan, top to bottom."""
    held = _held(work)
    made = joined(strips, lambda block: cast("Rows", _stored(block, held)))
    return cast("Iterator[Rows]", _rows(work, work.source.depth, cast("Iterator[_Stored]", made)))


def _rows(work: Work, depth: Depth | None, made: Iterable[_Stored] | None = None) -> Iterator[_Stored]:
    """Yield bands of the depth asked for; None leaves them in float, and what lies between passes too.

    `made` is what the last pass makes, where it was made elsewhere.
    """
    *before, last = work.plan.passes
    between: Depth | None = None if depth is None else 16
    with ExitStack() as stack:
        if made is None:
            source = fill_transparent(work.source)
            for step in before:
                with _tiles(work, source, step.grid) as tiles:
                    whole = np.concatenate(list(_pass(work, source, step, between, tiles)))
                source = replace(source, samples=whole)
            tiles = stack.enter_context(_tiles(work, source, last.grid))
            made = _pass(work, source, last, between if work.plan.resample else depth, tiles)
        yield from _resized(work, made, depth, between) if work.plan.resample else made


def _resized(
    work: Work, made: Iterable[_Stored], depth: Depth | None, between: Depth | None
) -> Iterator[_Stored]:
    last, scale = work.plan.passes[-1], work.backend.scale
    resizer = RowResizer(
        last.height * scale, last.width * scale, work.plan.height, work.plan.width, method="lanczos3"
    )
    top = np.float32(1) if between is None else _TOP[between]
    colours = work.source.channels - work.source.has_alpha
    for band in made:
        for start in range(0, band.shape[0], _PUSH_ROWS):
            for resized in resizer.push(band[start : start + _PUSH_ROWS].astype(np.float32) / top):
                if work.source.neutral:  # sums in another order round apart
                    resized[..., :colours] = resized[..., :1]
                yield _stored(resized, depth)


def _held(work: Work) -> Depth:
    """Depth of the rows that strips hold."""
    return 16 if work.plan.resample else work.source.depth


@contextmanager
def _tiles(work: Work, source: Source, grid: Grid) -> Iterator[Iterator[FloatArray]]:
    """The SR tiles of a grid, row by row; the network is one tile ahead of the rest until the block is left."""
    renderer = TileRenderer(
        source, work.backend, work.settings, work.multiple, work.tally, work.source.neutral
    )
    order = product(grid.rows, grid.columns)
    with closing(one_ahead(order, renderer.network, worth=lambda raw: raw.seconds < _LONG)) as made:
        yield map(renderer.finish, made)


def _pass(
    work: Work, source: Source, step: Pass, depth: Depth | None, tiles: Iterator[FloatArray]
) -> Iterator[_Stored]:
    made = bands(
        step.grid,
        tiles,
        scale=work.backend.scale,
        channels=source.channels,
        fade=fade_of(work.plan.halo),
        quantise=lambda block: _stored(block, depth),
    )
    return cast("Iterator[_Stored]", made)  # a type variable can't stand for the union of the three kinds


def _stored(block: FloatArray, depth: Depth | None) -> _Stored:
    if depth is None:
        return np.clip(block, 0, 1)
    scaled = block * _TOP[depth]
    np.clip(scaled, 0, _TOP[depth], out=scaled)
    np.rint(scaled, out=scaled)
    return scaled.astype(np.uint8) if depth == 8 else scaled.astype(np.uint16)
