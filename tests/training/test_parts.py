"""Schedule, averaged weights, health, hardware, curves: each on its own."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from torch import nn

from wildsr.data import Pair
from wildsr.errors import TrainingError
from wildsr.report.curve_sheet import draw_curves
from wildsr.training.durations import duration
from wildsr.training.ema import Ema
from wildsr.training.hardware import chosen_device, chosen_precision, cpu_has_bf16
from wildsr.training.health import Health, UnhealthyError, diagnose, first_bad, gradient_norm
from wildsr.training.reporting import health_line
from wildsr.training.schedule import learning_rate
from wildsr.training.settings import OptimiserSettings, RunSettings
from wildsr.training.state import State


def test_warm_up_rises_and_cosine_falls_to_its_floor() -> None:
    s = OptimiserSettings(learning_rate=1.0, schedule="cosine", warm_up=10, floor=0.1)
    assert learning_rate(s, 0, 100) == pytest.approx(0.1, rel=0.01)
    assert learning_rate(s, 50, 100) == pytest.approx(0.55)
    assert learning_rate(s, 100, 100) == pytest.approx(0.1)
    assert learning_rate(s, 4, None) == pytest.approx(0.5)  # budget not fixed yet: warm-up only
    assert learning_rate(s, 400, None) == 1.0


def test_steps_halve_at_shares_of_the_whole() -> None:
    s = OptimiserSettings(learning_rate=1.0, schedule="steps", milestones=(0.5, 0.75), decay=0.5)
    assert [learning_rate(s, step, 100) for step in (0, 49, 50, 75, 99)] == [1, 1, 0.5, 0.25, 0.25]


def test_cosine_restarts() -> None:
    s = OptimiserSettings(learning_rate=1.0, schedule="cosine", restarts=4)
    values = [learning_rate(s, step, 400) for step in range(400)]
    assert values[0] == values[100] == values[200] == values[300] == 1
    assert max(values[99], values[199]) < 1e-3


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 500), st.sampled_from(["constant", "steps", "cosine"]), st.integers(1, 3))
def test_the_learning_rate_stays_between_nothing_and_its_peak(
    step: int, schedule: str, restarts: int
) -> None:
    s = OptimiserSettings(
        learning_rate=0.3, schedule=schedule, restarts=restarts, milestones=(0.3,), warm_up=7
    )  # type: ignore[arg-type]
    assert 0 <= learning_rate(s, step, 500) <= 0.3


def test_ema_follows_the_formula() -> None:
    torch.manual_seed(0)
    source = nn.Conv2d(1, 1, 1)
    ema = Ema(source, 0.5)
    start = ema.module.weight.clone()
    source.weight.data += 1
    ema.update(1000)
    assert ema.module.weight.item() == pytest.approx((start + 0.5).item())
    assert not ema.module.weight.requires_grad


def test_ema_forgets_the_start_and_copies_buffers() -> None:
    source = nn.BatchNorm2d(2)
    ema = Ema(source, 0.999)
    source.weight.data += 1
    source.running_mean.fill_(7)
    ema.update(0)
    assert ema.module.weight[0].item() == pytest.approx(1 + 0.9)  # decay 1/10 at the first step
    assert ema.module.running_mean[0].item() == 7


def test_ema_of_zero_is_a_copy() -> None:
    source = nn.Conv2d(1, 1, 1)
    ema = Ema(source, 0.0)
    source.weight.data += 3
    ema.update(50)
    assert torch.equal(ema.module.weight, source.weight)


def test_health_accepts_noise_and_names_an_explosion() -> None:
    health = Health()
    for step in range(40):
        health.check({"loss": 1 + 0.5 * math.sin(step)}, explosion=20)
        health.seen += 1
    with pytest.raises(UnhealthyError, match=r"the loss `loss` exploded to 50, \d+ × its mean"):
        health.check({"loss": 50.0}, explosion=20)
    health.check({"loss": 1.1}, explosion=20)  # the bad value left no trace


def test_a_small_term_may_rise_to_what_all_are_together() -> None:
    health = Health()
    for _ in range(30):
        health.check({"pixel": 0.1, "overshoot": 0.004}, explosion=10)
    health.check({"pixel": 0.1, "overshoot": 0.1}, explosion=10)  # 25 times its mean: one edge in the batch
    with pytest.raises(UnhealthyError, match=r"the loss `overshoot` exploded to 0\.2"):
        health.check({"pixel": 0.1, "overshoot": 0.2}, explosion=10)


def test_a_discriminator_that_loses_its_lead_is_no_explosion() -> None:
    health = Health()
    for step in range(400):
        health.check({"discriminator": max(0.05, 0.65 - step / 300)}, explosion=20)
    health.check({"discriminator": 2.8}, explosion=20)  # seen for a batch of 4 amid a mean of 0.1
    with pytest.raises(UnhealthyError, match="exploded"):
        health.check({"discriminator": 15.0}, explosion=20)


def test_a_start_is_no_explosion() -> None:
    health = Health()
    health.check({"loss": 0.001}, explosion=20)
    health.check({"loss": 5.0}, explosion=20)


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_is_named(value: float) -> None:
    with pytest.raises(UnhealthyError, match="the loss `perceptual` is"):
        Health().check({"pixel": 1.0, "perceptual": value}, explosion=20)


def pair(**bad: float) -> Pair:
    tensors = {"lr": torch.rand(2, 3, 4, 4), "hr": torch.rand(2, 3, 4, 4)}
    for name, value in bad.items():
        tensors[name][1, 0, 2, 2] = value
    return Pair(**tensors, names=("first.jpg", "second.jpg"))


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(3, 4, 1), nn.ReLU(), nn.Conv2d(4, 3, 1))


def test_diagnosis_names_the_batch_and_the_photo() -> None:
    assert (
        diagnose(pair(lr=math.nan), {"generator": network()}, {})
        == "NaN in `lr` of the batch (photo second.jpg)"
    )
    assert (
        diagnose(pair(hr=math.inf), {"generator": network()}, {})
        == "Inf in `hr` of the batch (photo second.jpg)"
    )


def test_diagnosis_names_a_weight() -> None:
    net = network()
    net[2].weight.data[0, 0] = math.nan
    assert diagnose(pair(), {"generator": net}, {}) == "NaN in `generator.2.weight` (a weight)"


def test_diagnosis_names_an_activation() -> None:
    net = network()
    net[0].weight.data.fill_(3e38)
    net[0].bias.data.fill_(3e38)
    found = diagnose(pair(), {"generator": net}, {})
    assert found == "Inf in `generator.0`, the output of a Conv2d"


def test_diagnosis_names_a_loss_term_and_a_gradient() -> None:
    net = network()
    assert "loss term `texture` is nan" in diagnose(pair(), {"generator": net}, {"texture": math.nan})
    net[0].bias.grad = torch.full((4,), math.inf)
    assert diagnose(pair(), {"generator": net}, {}) == "Inf in `generator.0.bias` (a gradient)"


def test_first_bad_of_good_tensors_is_nothing() -> None:
    assert first_bad({"a": torch.ones(3)}) is None


def test_gradients_are_clipped_to_their_common_norm() -> None:
    net = network()
    for parameter in net.parameters():
        parameter.grad = torch.ones_like(parameter)
    count = sum(parameter.numel() for parameter in net.parameters())
    assert gradient_norm(net, clip=0.5) == pytest.approx(math.sqrt(count))
    assert gradient_norm(net, clip=0.0) == pytest.approx(0.5)
    net[0].weight.grad[0, 0] = math.nan
    with pytest.raises(UnhealthyError, match="norm of the gradients is nan"):
        gradient_norm(net, clip=0.5)


def test_precision_is_detected_not_assumed() -> None:
    assert chosen_precision(RunSettings(precision="fp32"), "cpu") == "32-true"
    assert chosen_precision(RunSettings(precision="bf16"), "cpu") == "bf16-mixed"
    assert chosen_precision(RunSettings(), "cpu") == ("bf16-mixed" if cpu_has_bf16() else "32-true")


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_a_missing_gpu_is_named() -> None:
    with pytest.raises(TrainingError, match="torch sees no GPU"):
        chosen_device(RunSettings(device="cuda"))
    assert chosen_device(RunSettings()) == "cpu"


def test_curves_are_drawn_one_panel_each(tmp_path: Path) -> None:
    points = [{"step": float(s), "loss": 1 / (s + 1), "learning_rate": 0.1} for s in range(0, 100, 10)]
    points.append({"step": 100.0, "psnr": 30.0})
    assert draw_curves(points, tmp_path / "curves.png") == ["loss", "psnr"]
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.size == (840, 220)
        pixels = np.asarray(picture.convert("RGB"))
    blue = (pixels == (31, 90, 180)).all(axis=2)
    assert blue[:, :420].sum() > 200
    assert blue[:, 420:].sum() > 5
    assert draw_curves([], tmp_path / "none.png") == []
    assert not (tmp_path / "none.png").exists()


def state(step: int = 10) -> State:
    net = network()
    return State(networks={"generator": net}, optimisers={}, ema=Ema(net, 0.0), step=step, total=100)


def test_the_health_line_speaks_plainly() -> None:
    curves = [{"step": float(s), "loss": 0.1 - 0.002 * s} for s in range(1, 12)]
    line = health_line(state(), [*curves[:-1], {"step": 10.0, "psnr": 30.1}, curves[-1]], 125.0)
    assert line == "step 10/100: loss 0.078 | validation 30.10 dB | falling | 2 min 05 s left"


@pytest.mark.parametrize(
    ("wins", "words"), [(0.5, "too weak (right 50%)"), (0.75, "balanced"), (0.99, "too strong (right 99%)")]
)
def test_the_health_line_judges_the_game(wins: float, words: str) -> None:
    assert words in health_line(state(), [{"step": 1.0, "pixel": 0.1, "discriminator_wins": wins}], None)


def test_durations() -> None:
    assert [duration(s) for s in (5, 65, 3600, 7505)] == ["5 s", "1 min 05 s", "1 h 00 min", "2 h 05 min"]
