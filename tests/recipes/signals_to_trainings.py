"""Tests that send signals to their own process; `test_limits` runs them in one of their own."""

import signal
import threading
import traceback
from collections.abc import Callable, Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from wildsr.data import AlignedCrops, Pair, Sample, batches
from wildsr.errors import TrainingError
from wildsr.recipes import psnr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training import loop
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.interruption import interruptible

Say = Callable[[str], None]
SIGNALS = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)


@pytest.fixture
def late() -> Iterator[list[str]]:
    """Where the program was when a signal came that nobody waited for; it would end the whole test run otherwise."""
    stacks: list[str] = []
    numbers = SIGNALS
    before = {number: signal.getsignal(number) for number in numbers}
    for number in numbers:
        signal.signal(number, lambda _number, frame: stacks.append("".join(traceback.format_stack(frame))))
    yield stacks
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_run_that_waits_for_its_loader(
    tiny: PsnrConfig,
    tmp_path: Path,
    said: Say,
    monkeypatch: pytest.MonkeyPatch,
    late: list[str],
    number: int,
) -> None:
    """Sample 9 never comes: the signal must end the wait, save the four steps done, and the run goes on from there."""
    config = replace(tiny, run=replace(tiny.run, checkpoint_every=100, log_every=3))
    whole = psnr.run(config, tmp_path / "whole", resume=False, say=said)
    original, waits, noted = AlignedCrops.sample, threading.Event(), threading.Event()

    def stuck(self: AlignedCrops, seed: int, index: int) -> Sample:
        if index == 9 and not noted.is_set():
            waits.clear()
            assert waits.wait(60)
            signal.pthread_kill(threading.main_thread().ident or 0, number)
            noted.wait(60)
        return original(self, seed, index)

    def watched(
        *words: Any, asked_to_stop: Callable[[], bool], **options: Any
    ) -> Generator[Pair, None, None]:
        def look() -> bool:
            waits.set()
            if asked_to_stop():
                noted.set()
            return noted.is_set()

        return batches(*words, asked_to_stop=look, **options)

    monkeypatch.setattr(AlignedCrops, "sample", stuck)
    monkeypatch.setattr(loop, "batches", watched)
    before = signal.getsignal(number)
    with pytest.raises(TrainingError, match="stopped at step 4 of 12"):
        psnr.run(config, tmp_path / "run", resume=False, say=said)
    assert signal.getsignal(number) is before
    assert load_checkpoint(checkpoints_in(tmp_path / "run")[-1]).step == 4
    psnr.run(config, tmp_path / "run", resume=True, say=said)
    one, other = (load_checkpoint(checkpoints_in(run)[-1]) for run in (whole, tmp_path / "run"))
    assert all(one.tensors[name].equal(other.tensors[name]) for name in one.tensors)
    curves = [(tmp_path / run / "curves.jsonl").read_bytes() for run in ("whole", "run")]
    assert curves[0] == curves[1]  # the point at step 6 is a mean over 4 to 6, whenever the run stopped
    assert late == []


@pytest.mark.parametrize("number", SIGNALS)
def test_the_late_end_of_a_training_leaves_the_handlers_of_the_next_alone(
    late: list[str], number: int
) -> None:
    outer = signal.getsignal(number)
    old, new = interruptible(), interruptible()
    old.__enter__()
    asked = new.__enter__()
    old.__exit__(None, None, None)
    signal.raise_signal(number)
    assert asked.asked
    assert late == []
    new.__exit__(None, None, None)
    signal.raise_signal(number)  # the old one's handler is back, and hands on what is not its own
    assert len(late) == 1
    assert signal.getsignal(number) is outer


def test_a_training_that_ends_in_another_thread_passes_signals_on(late: list[str]) -> None:
    """A generator nobody closed is closed by the garbage collector, in whichever thread it runs."""
    training = interruptible()
    asked = training.__enter__()
    failed: list[BaseException] = []

    def end() -> None:
        try:
            training.__exit__(None, None, None)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=end)
    thread.start()
    thread.join()
    signal.raise_signal(signal.SIGTERM)
    assert not failed
    assert not asked.asked
    assert len(late) == 1
    signal.raise_signal(signal.SIGINT)
    assert len(late) == 2


def test_what_nohup_switched_off_stays_off(late: list[str]) -> None:
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    with interruptible() as asked:
        signal.raise_signal(signal.SIGHUP)
        assert not asked.asked
        signal.raise_signal(signal.SIGTERM)
        assert asked.asked
    assert signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    assert late == []
