"""The loop all recipes share: gives them batches, watches over their steps, rolls back, saves, validates."""

import time
from collections.abc import Callable, Collection, Generator, Iterator
from contextlib import ExitStack, closing
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wildsr.data import Pair, Sampler, batches
from wildsr.errors import TrainingError
from wildsr.training.checkpoint import save_checkpoint
from wildsr.training.clock import Clock
from wildsr.training.interruption import interruptible
from wildsr.training.reporting import health_line
from wildsr.training.schedule import learning_rate
from wildsr.training.session import Point, Session
from wildsr.training.settings import DataSettings
from wildsr.training.state import State, restore, tensors_of
from wildsr.training.step import Step

Validate: TypeAlias = Callable[[nn.Module, int], Point]
"""(averaged generator, step) → figures."""

_WARM_UP = 20
"""Steps before a time budget is turned into a number of steps; the first few are not timed."""

_BUDGET_SHARE = 0.95
"""Of a time budget; the rest is for export and card."""


def steps(
    session: Session, state: State, sampler: Sampler, data: DataSettings, *, validate: Validate | None = None
) -> Iterator[Step]:
    """Yield the steps of a training, from wherever it is (a checkpoint, or its start) to its end.

    The recipe computes its losses from `step.lr` and `step.hr` and hands them to `step.minimise`. When it asks for the
    next step, the loop averages weights, goes back to the last good state if the step was rejected, and validates,
    logs and saves when it is time.

    Args:
        session: The run; closing it ends the iteration, its threads and its handling of signals.
        state: From `start_state`; changed in place.
        sampler: Training samples.
        data: Batch size, threads that cut crops.
        validate: Judges the averaged generator; None: no validation.

    Raises:
        TrainingError: Too many rollbacks; or stopped by a signal, with the state saved.
        OutputError: A checkpoint can't be written; the one before is intact.
    """
    return session.resources.enter_context(closing(_steps(session, state, sampler, data, validate)))


def _steps(
    session: Session, state: State, sampler: Sampler, data: DataSettings, validate: Validate | None
) -> Generator[Step, None, None]:
    settings = session.settings
    _take_up(session, state)
    good = tensors_of(state)
    clock = Clock(state)
    with interruptible() as interruption, ExitStack() as stack:
        source = batches(
            sampler,
            seed=settings.seed,
            batch=data.batch,
            start=state.step,
            rank=session.fabric.global_rank,
            world=session.fabric.world_size,
            workers=data.workers,
            asked_to_stop=lambda: interruption.asked,
        )
        stack.enter_context(closing(source))
        while state.total is None or state.step < state.total:
            _set_learning_rates(state)
            batch = next(source, None)
            if batch is None:
                _keep(session, state)
                raise _stopped(state)
            step = Step(session, state, _moved(batch, session.fabric.device))
            yield step
            if step.rejected is None:
                state.ema.update(state.step)
                state.health.seen += 1
                # Every point of the curves is a mean over as many steps, the last too: two alone look like a disaster.
                state.health.recent = [*state.health.recent, step.losses][-settings.log_every :]
            else:
                _roll_back(session, state, step.rejected, good)
            state.step += 1
            clock.tick()
            if state.total is None and clock.steps >= _WARM_UP:
                _fix_total(session, state, validate, clock)
                good = _keep(session, state)
            last = state.step == state.total
            if validate and (state.step % settings.validate_every == 0 or last):
                session.record({"step": float(state.step), **validate(state.ema.module, state.step)})
            if (state.step % settings.log_every == 0 or last) and state.health.recent:
                _log(session, state, state.health.recent, clock)
            if state.step % settings.checkpoint_every == 0 or last or interruption.asked:
                good = _keep(session, state)
            if interruption.asked and not last:
                raise _stopped(state)


def _stopped(state: State) -> TrainingError:
    return TrainingError(
        f"stopped at step {state.step} of {state.total or '?'}", hint="--resume goes on from here"
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


def _roll_back(session: Session, state: State, reason: str, good: dict[str, Tensor]) -> None:
    message = f"step {state.step + 1}: {reason}"
    restore(state, good)
    for optimiser in state.optimisers.values():
        optimiser.zero_grad(set_to_none=True)
    state.health.rollbacks += 1
    state.health.total_rollbacks += 1
    state.health.reasons.append(message)
    if state.health.rollbacks > session.settings.rollbacks:
        raise TrainingError(
            f"gave up after {state.health.rollbacks} rollbacks since the last checkpoint; the last at {message}",
            hint="lower the learning rate, set optimiser.clip, or use fp32 (--set run.precision=fp32)",
        )
    session.tell(f"{message}; rolled back to the last good state, going on with the next batch")


def _log(session: Session, state: State, recent: Collection[dict[str, float]], clock: Clock) -> None:
    names = {name for losses in recent for name in losses}
    means = {
        name: sum(losses[name] for losses in recent if name in losses)
        / sum(name in losses for losses in recent)
        for name in sorted(names)
    }
    rate = learning_rate(state.schedules["generator"], state.step - 1, state.total)
    point = {"step": float(state.step), **means, "learning_rate": rate}
    session.record(point)
    session.tell(health_line(state, session.curves, clock.remaining()))


def _fix_total(session: Session, state: State, validate: Validate | None, clock: Clock) -> None:
    """Turn the time budget into a number of steps, once: schedules and resumed runs rely on it."""
    settings = session.settings
    validation = 0.0
    if validate:
        start = time.monotonic()
        validate(state.ema.module, state.step)
        validation = (time.monotonic() - start) / settings.validate_every
    left = settings.time_budget * _BUDGET_SHARE - state.seconds
    more = session.mean({"steps": max(left, 0) / (clock.pace() + validation)})["steps"]
    state.total = state.step + max(1, int(more))
    session.tell(
        f"{clock.pace():.2f} s a step: {state.total} steps fit into {settings.time_budget / 60:.1f} minutes"
    )


def _moved(pair: Pair, device: torch.device) -> Pair:
    if device.type == "cpu":
        return pair
    return Pair(
        lr=pair.lr.to(device, non_blocking=True), hr=pair.hr.to(device, non_blocking=True), names=pair.names
    )


def _set_learning_rates(state: State) -> None:
    for name, optimiser in state.optimisers.items():
        _set_learning_rate(optimiser, learning_rate(state.schedules[name], state.step, state.total))


def _set_learning_rate(optimiser: Optimizer, value: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = value
