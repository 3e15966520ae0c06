"""Which state of a fine-tuning is kept, how long a budget must be, and times as people write them."""

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from wildsr.errors import TrainingError, UsageError
from wildsr.training import budget
from wildsr.training.budget import check_budget
from wildsr.training.durations import duration, seconds
from wildsr.training.ema import Ema
from wildsr.training.selection import Chosen, Snapshots
from wildsr.training.settings import DataSettings


class Run:
    """The part of a session that snapshots look at."""

    leads = True

    def __init__(self, folder: Path) -> None:
        self.folder, self.curves = folder, []
        self.fabric = self

    def record(self, point: dict[str, float]) -> None:
        self.curves.append(point)

    def barrier(self) -> None:
        """One process waits for nobody."""


def network(weight: float) -> nn.Module:
    layer = nn.Linear(1, 1, bias=False)
    nn.init.constant_(layer.weight, weight)
    return layer


def lpips_by_weight(net: nn.Module, _step: int) -> dict[str, float]:
    """Best at weight .75; PSNR falls by 1 dB for each unit of weight."""
    weight = float(net.weight.detach())  # type: ignore[operator,union-attr]
    return {"lpips": 0.2 + abs(weight - 0.75), "psnr": 30 - weight}


def tuned(folder: Path, *weights: float) -> tuple[Snapshots, Any, nn.Module]:
    """A run whose start has weight 0, and whose states at steps 10, 20 … have the given ones."""
    run: Any = Run(folder)
    net = network(0.0)
    kept = Snapshots(run, lpips_by_weight, net)
    for number, weight in enumerate(weights, 1):
        nn.init.constant_(net.weight, weight)  # type: ignore[arg-type]
        run.record({"step": 10.0 * number, **kept.validate(net, 10 * number)})
    return kept, run, net


def test_the_best_state_is_chosen(tmp_path: Path) -> None:
    kept, _, net = tuned(tmp_path, 0.2, 0.7, 2.0)
    chosen = kept.choose(net, blends=(), psnr_loss=5)
    assert (chosen.step, chosen.alpha, chosen.better) == (20, 1.0, True)
    assert float(kept.weights(chosen)["weight"]) == pytest.approx(0.7)
    assert chosen.in_words().startswith("chosen: step 20; on degraded photos held out LPIPS 0.9500 → 0.2500")


def test_a_blend_may_be_better_than_the_state(tmp_path: Path) -> None:
    kept, _, net = tuned(tmp_path, 1.0)
    chosen = kept.choose(net, blends=(0.25, 0.5, 0.75), psnr_loss=5)
    assert (chosen.step, chosen.alpha) == (10, 0.75)
    assert float(kept.weights(chosen)["weight"]) == pytest.approx(0.75)
    assert "75% of it with 25% of the start" in chosen.in_words()


def test_psnr_may_fall_only_so_far(tmp_path: Path) -> None:
    kept, _, net = tuned(tmp_path, 0.3, 0.7)
    assert kept.choose(net, blends=(), psnr_loss=0.5).step == 10
    start = kept.choose(net, blends=(), psnr_loss=0.1)
    assert (start.step, start.better) == (0, False)
    assert float(kept.weights(start)["weight"]) == 0
    assert "no state is better than the start" in start.in_words()


@pytest.mark.parametrize(("grid", "allowed"), [(0.55, True), (0.59, True), (0.61, False)])
def test_a_grid_may_not_grow(tmp_path: Path, grid: float, allowed: bool) -> None:
    """The start's .5 by a tenth and .05 more: up to .6."""
    kept, run, net = tuned(tmp_path, 0.7)
    run.curves[0]["grid"], run.curves[1]["grid"] = 0.5, grid
    assert kept.choose(net, blends=(), psnr_loss=5).better is allowed


def test_a_resumed_run_judges_its_start_once(tmp_path: Path) -> None:
    _, run, _ = tuned(tmp_path, 0.7)
    asked: list[int] = []

    def judge(net: nn.Module, step: int) -> dict[str, float]:
        asked.append(step)
        return lpips_by_weight(net, step)

    again = Snapshots(run, judge, network(0.0))
    assert asked == []
    assert again.choose(network(0.0), blends=(), psnr_loss=5).step == 10


def test_a_state_that_is_gone_is_named(tmp_path: Path) -> None:
    kept, _, net = tuned(tmp_path, 0.7)
    chosen = kept.choose(net, blends=(), psnr_loss=5)
    kept.remove()
    assert not (tmp_path / "snapshots").exists()
    kept.remove()
    with pytest.raises(TrainingError, match="the state after step 10 is gone"):
        kept.weights(chosen)


def test_the_starts_weights_are_a_copy(tmp_path: Path) -> None:
    kept, _, _ = tuned(tmp_path, 5.0)
    point = {"lpips": 1.0, "psnr": 1.0}
    start = Chosen(step=0, alpha=0.0, scores=point, start=point)
    assert float(kept.weights(start)["weight"]) == 0


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("40m", 2400),
        ("1h30m", 5400),
        ("90s", 90),
        ("2400", 2400),
        ("1.5 h", 5400),
        (" 10 MIN ", 600),
        ("1h 2m 3s", 3723),
    ],
)
def test_times_are_read(text: str, wanted: float) -> None:
    assert seconds(text) == wanted


@pytest.mark.parametrize(
    "text", ["", "h", "-5m", "5 days", "1e3", "5m!", "m5", "1.2.3s", "9" * 13, "1h30", "40 20", "5 10m"]
)
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(UsageError, match="is not a time"):
        seconds(text)


@given(st.integers(0, 10**6))
def test_what_is_written_can_be_read(whole: int) -> None:
    unit = 60 if whole >= 3600 else 1
    assert abs(seconds(duration(whole)) - whole) < unit


class Told(list[str]):
    def __call__(self, line: str) -> None:
        self.append(line)


def check(monkeypatch: pytest.MonkeyPatch, time: float, *, share: float = 0.5) -> Told:
    """Steps take a second."""
    monkeypatch.setattr(budget, "seconds_per_step", lambda *_, **__: (1.0, 0.0))
    said = Told()
    check_budget(time, nn.Identity(), DataSettings(), scale=4, share=share, say=said)
    return said


def test_long_budgets_and_none_at_all_are_not_spoken_of(monkeypatch: pytest.MonkeyPatch) -> None:
    assert check(monkeypatch, 1000) == []
    assert check(monkeypatch, 0) == []


def test_a_budget_that_holds_little_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    (line,) = check(monkeypatch, 998)
    assert "16 min 38 s hold about 499 steps of the shortest stage" in line
    assert check(monkeypatch, 40)


def test_a_budget_that_holds_nothing_is_refused_with_one_that_would_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="38 s hold about 19 steps") as caught:
        check(monkeypatch, 38)
    assert "at least 16 min 40 s" in str(caught.value.hint)
    with pytest.raises(UsageError):
        check(monkeypatch, 100, share=0.1)


def test_averages_of_whole_numbers_are_copied() -> None:
    """Batch norm counts its batches in an integer, which has no average."""
    norm = nn.BatchNorm1d(2)
    ema = Ema(norm, 0.9)
    norm(torch.randn(8, 2))
    ema.update(0)
    assert int(ema.module.num_batches_tracked) == 1  # type: ignore[arg-type,operator]
