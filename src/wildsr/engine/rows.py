"""The result of a plan, row by row: passes of the network, then a resize where the plan asks for one."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias, cast

import numpy as np
from numpy.typing import NDArray

from wildsr.engine.backends import Backend
from wildsr.engine.blend import bands
from wildsr.engine.plan import Pass, Plan
from wildsr.engine.render import Tally, TileRenderer
from wildsr.engine.settings import Settings
from wildsr.engine.transparency import fill_transparent
from wildsr.imaging import Depth, FloatArray, RowResizer, Source

IntRows: TypeAlias = NDArray[np.uint8] | NDArray[np.uint16]

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


def result_rows(work: Work) -> Iterator[IntRows]:
    """Yield the result in bands of rows, top to bottom, as integers of the source's depth."""
    *before, last = work.plan.passes
    source = fill_transparent(work.source)
    for step in before:
        whole = np.concatenate(list(_pass(work, source, step, depth=16)))
        source = replace(source, samples=whole, depth=16)
    depth = work.source.depth
    if not work.plan.resample:
        yield from _pass(work, source, last, depth=depth)
        return
    scale = work.backend.scale
    resizer = RowResizer(
        last.height * scale, last.width * scale, work.plan.height, work.plan.width, method="lanczos3"
    )
    for band in _pass(work, source, last, depth=16):
        for top in range(0, band.shape[0], _PUSH_ROWS):
            rows = band[top : top + _PUSH_ROWS].astype(np.float32) / _TOP[16]
            for made in resizer.push(rows):
                yield _quantise(made, depth)


def fade_of(halo: int) -> int:
    """LR pixels on each side of a cut over which tiles cross-fade: few, since a pixel there has less context."""
    return min(8, halo // 6)


def _pass(work: Work, source: Source, step: Pass, *, depth: Depth) -> Iterator[IntRows]:
    render = TileRenderer(source, work.backend, work.settings, work.multiple, work.tally)
    made = bands(
        step.grid,
        render,
        scale=work.backend.scale,
        channels=source.channels,
        fade=fade_of(work.plan.halo),
        quantise=lambda block: _quantise(block, depth),
    )
    return cast("Iterator[IntRows]", made)  # a type variable can't stand for the union of the two depths


def _quantise(block: FloatArray, depth: Depth) -> IntRows:
    scaled = block * _TOP[depth]
    np.clip(scaled, 0, _TOP[depth], out=scaled)
    np.rint(scaled, out=scaled)
    return scaled.astype(np.uint8) if depth == 8 else scaled.astype(np.uint16)
