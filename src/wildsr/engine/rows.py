"""The result of a plan, row by row: passes of the network, then a resize where the plan asks for one."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from wildsr.engine.backends import Backend
from wildsr.engine.blend import Strip, bands, can_be_parted, joined, strip
from wildsr.engine.plan import Pass, Plan
from wildsr.engine.render import Tally, TileRenderer
from wildsr.engine.settings import Settings
from wildsr.engine.transparency import fill_transparent
from wildsr.imaging import Depth, FloatArray, Frame, RowResizer, Source
from wildsr.imaging.frame import Rows

_Stored: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16] | FloatArray

IntegerStrip: TypeAlias = Strip[np.uint8 | np.uint16]

_PUSH_ROWS = 64
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


def float_rows(work: Work) -> Iterator[FloatArray]:
    """Yield the result in bands of rows, top to bottom, unrounded in [0, 1]."""
    return cast("Iterator[FloatArray]", _rows(work, None))


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
    made = strip(
        work.plan.passes[0].grid,
        index,
        _renderer(work, source),
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
    if made is None:
        source = fill_transparent(work.source)
        for step in before:
            whole = np.concatenate(list(_pass(work, source, step, between)))
            source = replace(source, samples=whole)
        made = _pass(work, source, last, between if work.plan.resample else depth)
    if not work.plan.resample:
        yield from made
        return
    scale = work.backend.scale
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


def _renderer(work: Work, source: Source) -> TileRenderer:
    return TileRenderer(source, work.backend, work.settings, work.multiple, work.tally, work.source.neutral)


def _pass(work: Work, source: Source, step: Pass, depth: Depth | None) -> Iterator[_Stored]:
    made = bands(
        step.grid,
        _renderer(work, source),
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
