"""Measure how a model runs fastest on this machine: backend and precision first, then threads, then the tile."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from wildsr.engine.backends import RUNTIMES, Backend, Execution, open_backend
from wildsr.errors import WildsrError
from wildsr.files import counted
from wildsr.machine import cores
from wildsr.models import Model
from wildsr.models.quantised import quantised
from wildsr.models.tuned import Tuned, remember, this_machine

SECONDS: Final = 50.0
"""Time for all measurements; what would not fit is left out."""

_FIRST_SIDE: Final = 96
_SIDES: Final = (128, 192, 256, 384, 512)
_WORTH: Final = 0.97
"""A change that saves less than this share of the time is noise."""

Say = Callable[[str], None]
Clock = Callable[[], float]


@dataclass(frozen=True, kw_only=True)
class Timing:
    """One combination and what it took."""

    execution: Execution
    """What ran."""

    side: int
    """Of the tile, in LR pixels."""

    seconds: float
    """Of one tile, the better of two."""

    def per_pixel(self, halo: int) -> float:
        """Seconds per LR pixel of a photo, the overlap counted."""
        inner = max(self.side - 2 * halo, 1)
        return self.seconds / inner**2


def tune(model: Model, *, say: Say, budget: float = SECONDS, clock: Clock = time.perf_counter) -> Tuned:
    """Measure, remember and return the fastest way to run a model.

    Args:
        model: The model; what is found holds for all of the same network.
        say: Takes a line for each measurement.
        budget: Seconds; the first measurement is made in any case.
        clock: Tells the time.

    Raises:
        BackendError: Nothing runs the model.
        AssetError: The cache can't be written.
    """
    end = clock() + budget
    multiple = model.spec.multiple
    best: Timing | None = None
    last: WildsrError | None = None
    for execution in _candidates(model):
        try:
            backend = open_backend(model, execution)
            timing = _timed(backend, execution, _whole(_FIRST_SIDE, multiple), clock)
        except WildsrError as error:  # a runtime that isn't installed, or can't load this model
            last = error
            continue
        say(_line(timing))
        best = timing if best is None or timing.seconds < _WORTH * best.seconds else best
        if clock() > end:
            break
    if best is None:
        raise last if last is not None else AssertionError("OpenVINO is always there")
    best = _with_fewer_threads(model, best, end, say, clock)
    best = _with_tile(model, best, end, say, clock)
    found = Tuned(
        backend=best.execution.backend,
        precision=best.execution.precision,
        threads=best.execution.threads or cores(),
        tile_pixels=best.side**2,
        seconds_per_megapixel=1e6 * best.per_pixel(model.spec.halo),
        machine=this_machine(),
    )
    remember(model, found)
    return found


def _candidates(model: Model) -> Iterator[Execution]:
    """Backends and precisions of the CPU, all with all cores; int8 where it passes the bar."""
    record = quantised(model)
    for runtime in RUNTIMES.values():
        if "cpu" not in runtime.devices:
            continue
        for precision in runtime.precisions():
            yield Execution(backend=runtime.name, device="cpu", precision=precision, threads=cores())
        if runtime.quantises and record is not None and record.passes:
            yield Execution(backend=runtime.name, device="cpu", precision="int8", threads=cores())


def _with_fewer_threads(model: Model, best: Timing, end: float, say: Say, clock: Clock) -> Timing:
    """Half the threads are faster where two of them share a core."""
    threads = (best.execution.threads or cores()) // 2
    if threads < 1 or clock() + 4 * best.seconds > end:
        return best
    execution = replace(best.execution, threads=threads)
    timing = _timed(open_backend(model, execution), execution, best.side, clock)
    say(_line(timing))
    return timing if timing.seconds < _WORTH * best.seconds else best


def _with_tile(model: Model, best: Timing, end: float, say: Say, clock: Clock) -> Timing:
    """The side beyond which a larger tile gains nothing; the last one tried where time runs out."""
    halo, backend = model.spec.halo, open_backend(model, best.execution)
    for side in (_whole(one, model.spec.multiple) for one in _SIDES):
        expected = best.seconds * (side / best.side) ** 2
        if clock() + 2 * expected > end:
            break
        timing = _timed(backend, best.execution, side, clock)
        say(_line(timing))
        if timing.per_pixel(halo) < best.per_pixel(halo):
            best = timing
    return best


def _timed(backend: Backend, execution: Execution, side: int, clock: Clock) -> Timing:
    tile = np.random.default_rng(0).random((1, 3, side, side), dtype=np.float32)
    taken = []
    for _ in range(2):
        start = clock()
        backend.run(tile)
        taken.append(clock() - start)
    return Timing(execution=execution, side=side, seconds=min(taken))


def _whole(side: int, multiple: int) -> int:
    return -(-side // multiple) * multiple


def _line(timing: Timing) -> str:
    runs = timing.execution
    rate = timing.side**2 / timing.seconds / 1e6
    return (
        f"{runs.backend} {runs.precision}, {counted(runs.threads or 1, 'thread')}, tile {timing.side}×{timing.side}: "
        f"{timing.seconds:.2f} s, {rate:.3f} MP/s"
    )
