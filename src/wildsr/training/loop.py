"""The loop all recipes share: batches in, steps done, health watched, state saved."""

import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wildsr.data import Pair, Sampler, batches
from wildsr.errors import TrainingError
from wildsr.training.checkpoint import save_checkpoint
from wildsr.training.health import UnhealthyError, diagnose
from wildsr.training.reporting import health_line
from wildsr.training.schedule import learning_rate
from wildsr.training.session import Point, Session
from wildsr.training.settings import DataSettings, OptimiserSettings
from wildsr.training.state import State, restore, tensors_of

_WARM_UP = 20
"""Steps before a time budget is turned into a number of steps; the first few are not timed."""

_UNTIMED = 4
_BUDGET_SHARE = 0.95
"""Of a time budget; the rest is for export and card."""


class Step(Protocol):
    """One update of all networks."""

    def __call__(self, pair: Pair, number: int, losses: dict[str, float]) -> None:
        """Do step `number`, writing every loss term into `losses`; raises UnhealthyError before a bad update."""
        ...


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What the loop is told."""

    sampler: Sampler
    """Training samples."""

    data: DataSettings
    """Batch size, workers."""

    optimisers: dict[str, OptimiserSettings]
    """Learning rates by network."""

    validate: Callable[[nn.Module, int], Point] | None = None
    """Judges the averaged generator after a given step; None: no validation."""


def run_loop(session: Session, state: State, step: Step, plan: Plan) -> None:
    """Train until `state.total`, from wherever the state is.

    Raises:
        TrainingError: Too many rollbacks.
        OutputError: A checkpoint can't be written; the one before is intact.
    """
    settings = session.settings
    _take_up(session, state)
    good = tensors_of(state)
    source = batches(
        plan.sampler,
        seed=settings.seed,
        batch=plan.data.batch,
        start=state.step,
        rank=session.fabric.global_rank,
        world=session.fabric.world_size,
        workers=plan.data.workers,
    )
    clock = _Clock(state)
    # Every point of the curves is a mean over this many steps, the last one too: two steps alone look like a disaster.
    recent = deque[dict[str, float]](maxlen=settings.log_every)
    with _interruptible() as interrupted, _closing(source):
        while state.total is None or state.step < state.total:
            pair = _moved(next(source), session.fabric.device)
            losses: dict[str, float] = {}
            for name, optimiser in state.optimisers.items():
                _set_learning_rate(optimiser, learning_rate(plan.optimisers[name], state.step, state.total))
            try:
                step(pair, state.step, losses)
                state.health.seen += 1
                recent.append(losses)
            except UnhealthyError as trouble:
                _roll_back(session, state, pair, losses, good, trouble)
            state.step += 1
            clock.tick()
            if state.total is None and clock.steps >= _WARM_UP:
                _fix_total(session, state, plan, clock)
                good = _keep(session, state)
            last = state.step == state.total
            if plan.validate and (state.step % settings.validate_every == 0 or last):
                session.record({"step": float(state.step), **plan.validate(state.ema.module, state.step)})
            if (state.step % settings.log_every == 0 or last) and recent:
                _log(session, state, plan, recent, clock)
            if state.step % settings.checkpoint_every == 0 or last or interrupted():
                good = _keep(session, state)
            if interrupted() and not last:
                raise TrainingError(
                    f"stopped at step {state.step} of {state.total}", hint="--resume goes on from here"
                )


def _take_up(session: Session, state: State) -> None:
    """Go on from the checkpoint, or fix the number of steps."""
    checkpoint = session.resumed
    if checkpoint is None:
        state.total = None if session.settings.time_budget else session.settings.steps
        return
    restore(state, checkpoint.tensors)
    state.step, state.total = checkpoint.step, checkpoint.total
    state.seconds, state.cpu_seconds = checkpoint.seconds, checkpoint.cpu_seconds
    state.health = checkpoint.health
    session.tell(f"resumed at step {state.step} of {state.total}")


def _keep(session: Session, state: State) -> dict[str, Tensor]:
    """Save, and remember as the state to roll back to."""
    state.health.rollbacks = 0
    if session.leads:
        save_checkpoint(session.folder, state, session.context, keep=session.settings.keep)
    session.fabric.barrier()
    return tensors_of(state)


def _roll_back(
    session: Session,
    state: State,
    pair: Pair,
    losses: dict[str, float],
    good: dict[str, Tensor],
    trouble: UnhealthyError,
) -> None:
    where = diagnose(pair, state.networks, losses) if "exploded" not in str(trouble) else ""
    message = f"step {state.step + 1}: {trouble}" + (f"; first found: {where}" if where else "")
    restore(state, good)
    for optimiser in state.optimisers.values():
        optimiser.zero_grad(set_to_none=True)
    state.health.rollbacks += 1
    state.health.total_rollbacks += 1
    state.health.troubles.append(message)
    if state.health.rollbacks > session.settings.rollbacks:
        raise TrainingError(
            f"gave up after {state.health.rollbacks} rollbacks since the last checkpoint; the last at {message}",
            hint="lower the learning rate, set optimiser.clip, or use fp32 (--set run.precision=fp32)",
        )
    session.tell(f"{message}; rolled back to the last good state, going on with the next batch")


def _log(
    session: Session, state: State, plan: Plan, recent: Collection[dict[str, float]], clock: "_Clock"
) -> None:
    names = {name for losses in recent for name in losses}
    means = {
        name: sum(losses[name] for losses in recent if name in losses)
        / sum(name in losses for losses in recent)
        for name in sorted(names)
    }
    rate = learning_rate(plan.optimisers["generator"], state.step - 1, state.total)
    point = {"step": float(state.step), **means, "learning_rate": rate}
    session.record(point)
    session.tell(health_line(state, session.curves, clock.remaining()))


def _fix_total(session: Session, state: State, plan: Plan, clock: "_Clock") -> None:
    """Turn the time budget into a number of steps, once: schedules and resumed runs rely on it."""
    settings = session.settings
    validation = 0.0
    if plan.validate:
        start = time.monotonic()
        plan.validate(state.ema.module, state.step)
        validation = (time.monotonic() - start) / settings.validate_every
    left = settings.time_budget * _BUDGET_SHARE - state.seconds
    more = session.mean({"steps": max(left, 0) / (clock.pace() + validation)})["steps"]
    state.total = state.step + max(1, int(more))
    session.tell(
        f"{clock.pace():.2f} s a step: {state.total} steps fit into {settings.time_budget / 60:.1f} minutes"
    )


class _Clock:
    """Time of the steps of this process, and the state's total."""

    def __init__(self, state: State) -> None:
        self.steps = 0
        self._state = state
        self._last, self._last_cpu = time.monotonic(), time.process_time()
        self._timed: list[float] = []

    def tick(self) -> None:
        now, cpu = time.monotonic(), time.process_time()
        self.steps += 1
        self._state.seconds += now - self._last
        self._state.cpu_seconds += cpu - self._last_cpu
        self._last_cpu = cpu
        if self.steps > _UNTIMED:
            self._timed = [*self._timed[-199:], now - self._last]
        self._last = now

    def pace(self) -> float:
        """Seconds a step, lately (with validation and checkpoints in between)."""
        return sum(self._timed) / max(len(self._timed), 1)

    def remaining(self) -> float | None:
        """Seconds to the end."""
        if self._state.total is None:
            return None
        return (self._state.total - self._state.step) * self.pace()


def _moved(pair: Pair, device: torch.device) -> Pair:
    if device.type == "cpu":
        return pair
    return Pair(
        lr=pair.lr.to(device, non_blocking=True), hr=pair.hr.to(device, non_blocking=True), names=pair.names
    )


def _set_learning_rate(optimiser: Optimizer, value: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = value


@contextmanager
def _closing(source: Iterator[Pair]) -> Iterator[None]:
    try:
        yield
    finally:
        source.close()  # type: ignore[attr-defined]


@contextmanager
def _interruptible() -> Iterator[Callable[[], bool]]:
    """Turn Ctrl-C and a polite kill into a flag, so that the step is finished and the state saved."""
    asked: list[int] = []

    def note(number: int, _frame: FrameType | None) -> None:
        asked.append(number)
        signal.signal(number, before[signal.Signals(number)])  # a second one stops at once

    before = {}
    with suppress(ValueError):  # only the main thread may set handlers
        for number in (signal.SIGINT, signal.SIGTERM):
            before[number] = signal.signal(number, note)
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
