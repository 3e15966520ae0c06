"""Settings beyond what can be are refused before anything is decoded; a signal ends a run that waits for a batch."""

import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from torch import nn

from wildsr.data import Sample, batches
from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.recipes import psnr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training import memory
from wildsr.training.config import configure
from wildsr.training.memory import refuse_what_cannot_fit, step_memory
from wildsr.training.settings import DataSettings, RunSettings

Say = Callable[[str], None]


@pytest.mark.parametrize(
    "text",
    [
        "run.threads=100000",
        "run.seed=1e23",
        "run.seed=-1",
        "run.devices=100000",
        "run.log_every=1e30",
        "run.steps=1e30",
        "run.time_budget=inf",
        "data.workers=100000",
        "data.batch=0",
        "data.batch=1e30",
        "optimiser.learning_rate=inf",
        "optimiser.learning_rate=nan",
        "optimiser.clip=nan",
    ],
)
def test_numbers_beyond_reason_are_refused_with_their_name(text: str) -> None:
    with pytest.raises(
        UsageError, match=rf"`{text.split('=', maxsplit=1)[0]}` = .*(Input should be|exceeded maximum size)"
    ):
        configure(PsnrConfig(), sets=[text])


def test_memory_of_a_step_is_counted_from_shapes() -> None:
    """A 3×3 convolution to 8 channels: 224 weights four times, 8·16² numbers a picture; six batches of HR and LR."""
    network = nn.Conv2d(3, 8, 3, padding=1)
    data = DataSettings(patch=32, batch=5)
    batch = 5 * 3 * (32**2 + 16**2)
    assert step_memory({network: 16}, data, scale=2) == 4 * (6 * batch + 4 * 224 + 5 * 8 * 16**2)


@pytest.mark.parametrize("preset", ["rrdb", "rcan", "vdsr", "srvgg-16"])
def test_memory_of_networks_takes_no_memory(preset: str) -> None:
    network = NETWORKS[preset]().requires_grad_(requires_grad=False)
    small, large = (
        step_memory({network: 32}, DataSettings(patch=128, batch=batch), scale=4) for batch in (1, 10**9)
    )
    assert large == small * 10**9
    assert small > 4 * 64 * 32**2


@pytest.mark.parametrize("preset", ["vgg-128", "unet", "patch"])
def test_memory_of_discriminators(preset: str) -> None:
    found = step_memory({DISCRIMINATORS[preset](): 128}, DataSettings(patch=128, batch=16), scale=4)
    assert found > 16 * 4 * 64 * 128**2 / 4


def test_what_cannot_fit_is_refused_with_a_batch_that_does(monkeypatch: pytest.MonkeyPatch) -> None:
    network, data = nn.Conv2d(3, 8, 3, padding=1), DataSettings(patch=32, batch=1000)
    needed = step_memory({network: 16}, data, scale=2)
    monkeypatch.setattr(memory, "free_memory", lambda: needed)
    refuse_what_cannot_fit({network: 16}, data, scale=2)
    monkeypatch.setattr(memory, "free_memory", lambda: needed - 1)
    with pytest.raises(UsageError, match=r"data\.batch 1000 and data\.patch 32 need at least") as caught:
        refuse_what_cannot_fit({network: 16}, data, scale=2)
    assert caught.value.hint == "for example --set data.batch=499"


def test_a_giant_batch_is_refused_before_a_photo_is_opened(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(psnr, "gather", lambda *_, **__: pytest.fail("photos were opened"))
    with pytest.raises(UsageError, match="need at least"):
        psnr.run(configure(tiny, sets=["data.batch=1e9"]), tmp_path / "run", resume=False, say=said)
    assert not (tmp_path / "run").exists()


class _Slow:
    """A sampler whose third sample waits."""

    def __init__(self) -> None:
        self.given: list[int] = []
        self.waits, self.go_on = threading.Event(), threading.Event()

    def sample(self, _seed: int, index: int) -> Sample:
        self.given.append(index)
        if index == 2:
            self.waits.set()
            assert self.go_on.wait(60)
        return Sample(lr=np.zeros((1, 1, 3), np.uint8), hr=np.zeros((2, 2, 3), np.uint8), name="x")


def test_closing_the_loader_ends_a_batch_in_the_making() -> None:
    sampler = _Slow()
    source = batches(sampler, seed=0, batch=2, ahead=2)
    assert len(next(source).names) == 2
    assert sampler.waits.wait(60)
    threading.Timer(0.2, sampler.go_on.set).start()
    source.close()
    assert sampler.given == [0, 1, 2]  # and not 3, the rest of the second batch


def test_a_loader_that_is_asked_to_stop_ends_at_any_moment() -> None:
    """A signal may come between any two instructions: none may leave a lock behind that a thread then waits for."""
    program = Path(__file__).with_name("signals_to_a_loader.py")
    done = subprocess.run(
        [sys.executable, str(program)], capture_output=True, text=True, timeout=200, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "1500 loaders ended\n"


def test_signals_to_trainings() -> None:
    """In a process of its own: a signal that nobody answered would end the whole test run."""
    tests = Path(__file__).with_name("signals_to_trainings.py")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-n", "0", "-p", "no:cacheprovider", str(tests)],
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "8 passed" in done.stdout


def test_settings_have_the_limits_they_name() -> None:
    assert configure(
        PsnrConfig(), sets=["run.threads=1024", "run.seed=4611686018427387904"]
    ).run == RunSettings(steps=PsnrConfig().run.steps, threads=1024, seed=2**62)
