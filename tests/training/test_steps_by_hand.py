"""One step of a training, seen from outside: weights move by the formula, and a bad loss moves none."""

from dataclasses import dataclass, field
from typing import Any

import pytest
import torch
from lightning_fabric import Fabric
from torch import Tensor, nn

from wildsr.data import Pair
from wildsr.errors import TrainingError, UsageError
from wildsr.networks import DISCRIMINATORS
from wildsr.training.adversary import adversarial_loss, new_discriminator, teach_discriminator
from wildsr.training.ema import Ema
from wildsr.training.losses import OBJECTIVES
from wildsr.training.settings import OptimiserSettings, RunSettings
from wildsr.training.state import restore, tensors_of
from wildsr.training.step import Step
from wildsr.training.trainable import Trainable, frozen, start_state, trainable


@dataclass
class Alone:
    """The part of a session that steps look at: one process on the CPU."""

    settings: RunSettings = field(default_factory=lambda: RunSettings(ema=0.5))
    fabric: Fabric = field(default_factory=lambda: Fabric(accelerator="cpu", devices=1))

    def mean(self, values: dict[str, float]) -> dict[str, float]:
        return values


class Scaled(nn.Module):
    """Multiplies by a weight."""

    def __init__(self, start: float = 2.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(start))

    def forward(self, x: Tensor) -> Tensor:
        return x * self.weight


SGD = OptimiserSettings(kind="sgd", learning_rate=0.1, momentum=0.0)


def batch(value: float = 1.0) -> Pair:
    return Pair(lr=torch.full((2, 3, 4, 4), value), hr=torch.zeros(2, 3, 4, 4), names=("a", "b"))


def begin(settings: OptimiserSettings = SGD, pair: Pair | None = None) -> tuple[Any, Trainable, Any, Step]:
    session: Any = Alone()
    generator = trainable(session, "generator", Scaled(), settings)
    state = start_state(session, generator)
    return session, generator, state, Step(session, state, pair or batch())


def weight(trained: Trainable) -> float:
    return float(trained.network.weight.detach())  # type: ignore[union-attr,operator]


def test_a_step_goes_against_the_gradient_of_the_sum() -> None:
    """∂(w² + 3w)/∂w = 2w + 3 = 7 at w = 2; 2 − .1·7 = 1.3."""
    _, generator, _, step = begin()
    sr = generator(step.lr)
    step.minimise(generator, {"square": sr.square().mean(), "slope": 3 * sr.mean()})
    assert weight(generator) == pytest.approx(1.3)
    assert step.losses == pytest.approx({"square": 4.0, "slope": 6.0})
    assert step.rejected is None


def test_gradients_do_not_pile_up() -> None:
    _, generator, _, step = begin()
    for wanted in (2 - 0.1 * 4, 1.6 - 0.1 * 3.2):
        step.minimise(generator, {"square": generator(step.lr).square().mean()})
        assert weight(generator) == pytest.approx(wanted)


def test_a_long_gradient_is_clipped() -> None:
    _, generator, _, step = begin(OptimiserSettings(kind="sgd", learning_rate=0.1, momentum=0.0, clip=0.5))
    step.minimise(generator, {"slope": 100 * generator(step.lr).mean()})
    assert weight(generator) == pytest.approx(2 - 0.1 * 0.5)


@pytest.mark.parametrize("bad", [float("nan"), float("inf")])
def test_a_bad_loss_moves_nothing_and_names_the_photo(bad: float) -> None:
    pair = batch()
    pair.lr[1, 0, 2, 2] = bad
    _, generator, state, step = begin(pair=pair)
    step.minimise(generator, {"l2": generator(step.lr).square().mean()})
    assert weight(generator) == 2
    assert step.rejected is not None
    assert "photo b" in step.rejected
    assert state.health.seen == 0


def test_after_a_rejection_the_second_network_is_not_moved_either() -> None:
    session, generator, _, step = begin()
    other = trainable(session, "discriminator", Scaled(3.0), SGD)
    step.minimise(generator, {"loss": generator(step.lr).mean() * float("nan")})
    reason = step.rejected
    step.minimise(other, {"discriminator": other(step.lr).mean()})
    assert weight(other) == 3
    assert "discriminator" not in step.losses
    assert step.rejected == reason


def test_an_explosion_is_rejected_by_its_size_alone() -> None:
    session, generator, state, _ = begin()
    for _ in range(25):
        Step(session, state, batch()).minimise(generator, {"l": 0 * generator(batch().lr).mean() + 1})
    step = Step(session, state, batch())
    before = weight(generator)
    step.minimise(generator, {"l": generator(step.lr).mean() * 1e6})
    assert step.rejected is not None
    assert "exploded" in step.rejected
    assert "first found" not in step.rejected
    assert weight(generator) == before


def test_randomness_depends_on_seed_and_step_alone() -> None:
    def draw(seed: int, number: int) -> float:
        session: Any = Alone(settings=RunSettings(seed=seed))
        generator = trainable(session, "generator", Scaled(), SGD)
        state = start_state(session, generator)
        state.step = number
        return float(torch.rand(1, generator=Step(session, state, batch()).random()))

    assert draw(1, 5) == draw(1, 5)
    assert len({draw(1, 5), draw(1, 6), draw(2, 5)}) == 3


def test_frozen_weights_collect_nothing_and_let_gradients_through() -> None:
    network, x = Scaled(), torch.ones(1, requires_grad=True)
    with frozen(network):
        network(x).sum().backward()
    assert network.weight.grad is None
    assert float(x.grad) == 2.0  # type: ignore[arg-type]
    assert network.weight.requires_grad
    with pytest.raises(ZeroDivisionError), frozen(network):
        raise ZeroDivisionError
    assert network.weight.requires_grad


@pytest.mark.parametrize(("kind", "expected"), [("adam", "Adam"), ("sgd", "SGD")])
def test_the_optimiser_is_the_one_asked_for(kind: str, expected: str) -> None:
    settings = OptimiserSettings(kind=kind, learning_rate=0.25, weight_decay=0.125)  # type: ignore[arg-type]
    trained = trainable(Alone(), "generator", Scaled(), settings)  # type: ignore[arg-type]
    (group,) = trained.optimiser.param_groups
    assert expected in type(trained.optimiser).__name__
    assert (group["lr"], group["weight_decay"]) == (0.25, 0.125)


def test_the_first_step_of_adam_is_as_long_as_its_rate() -> None:
    """m̂/√v̂ is the gradient's sign in the first step."""
    _, generator, _, step = begin(OptimiserSettings(learning_rate=0.01))
    step.minimise(generator, {"l": 5 * generator(step.lr).mean()})
    assert weight(generator) == pytest.approx(1.99, abs=1e-5)


def test_a_state_comes_back_from_its_tensors() -> None:
    session, generator, state, step = begin(OptimiserSettings(learning_rate=0.01))
    step.minimise(generator, {"l": generator(step.lr).square().mean()})
    kept = tensors_of(state)
    draw = torch.rand(3)
    assert "network/generator/weight" in kept
    assert "network/ema/weight" in kept
    assert {one for one in kept if one.startswith("optimiser/")} == {
        f"optimiser/generator/0/{slot}" for slot in ("step", "exp_avg", "exp_avg_sq")
    }

    def onwards() -> float:
        Step(session, state, batch()).minimise(generator, {"l": generator(batch().lr).square().mean()})
        return weight(generator)

    first = onwards()
    assert onwards() != first
    restore(state, kept)
    assert weight(generator) == float(kept["network/generator/weight"])
    torch.testing.assert_close(torch.rand(3), draw, rtol=0, atol=0)
    assert onwards() == first


def test_tensors_kept_do_not_follow_the_training() -> None:
    _, generator, state, step = begin()
    kept = tensors_of(state)
    step.minimise(generator, {"l": generator(step.lr).mean()})
    assert float(kept["network/generator/weight"]) == 2.0


def test_tensors_of_another_network_are_refused_by_name() -> None:
    session, _, state, _ = begin()
    other = start_state(session, trainable(session, "generator", nn.Linear(2, 2), SGD))
    with pytest.raises(TrainingError, match="the checkpoint doesn't fit the generator"):
        restore(state, tensors_of(other))


def test_the_average_starts_at_the_weights() -> None:
    _, generator, state, _ = begin()
    assert isinstance(state.ema, Ema)
    assert float(state.ema.module.weight) == weight(generator)  # type: ignore[arg-type]
    assert state.schedules == {"generator": SGD}


class Judge(nn.Module):
    """Mean of a picture times a weight: one logit a picture."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(1.0))
        self.calls: list[float] = []

    def forward(self, x: Tensor) -> Tensor:
        self.calls.append(float(x.detach().mean()))
        return x.mean(dim=(1, 2, 3)) * self.weight


def test_the_generators_loss_moves_no_judge() -> None:
    judge, fake = Judge(), torch.full((2, 3, 4, 4), 0.25, requires_grad=True)
    loss = adversarial_loss(OBJECTIVES["vanilla"], judge, fake, torch.ones(2, 3, 4, 4))
    loss.backward()
    assert float(loss.detach()) == pytest.approx(float(torch.nn.functional.softplus(torch.tensor(-0.25))))
    assert judge.weight.grad is None
    assert fake.grad is not None
    assert judge.calls == [0.25]  # real pictures aren't looked at where the loss needs none


def test_the_relativistic_loss_looks_at_real_pictures() -> None:
    judge, fake = Judge(), torch.full((2, 3, 4, 4), 0.25, requires_grad=True)
    adversarial_loss(OBJECTIVES["relativistic"], judge, fake, torch.ones(2, 3, 4, 4))
    assert judge.calls == [0.25, 1.0]


def test_a_taught_judge_tells_the_two_apart_better() -> None:
    session, _, state, _ = begin()
    judge = trainable(session, "discriminator", Judge(), SGD)
    step = Step(session, state, batch())
    fake, real = torch.full((2, 3, 4, 4), -0.5), torch.full((2, 3, 4, 4), 0.5)
    teach_discriminator(step, judge, OBJECTIVES["vanilla"], fake, real)
    # d/dw [softplus(−w/2) + softplus(−w/2)] = −σ(−½) = −.3775 at w = 1
    assert weight(judge) == pytest.approx(1 + 0.1 * 0.37754)
    assert step.losses["discriminator_wins"] == 1.0
    assert step.losses["discriminator"] == pytest.approx(2 * 0.47408, rel=1e-4)


@pytest.mark.parametrize("name", ["vgg-small", "patch", "unet-small"])
def test_a_new_discriminator_is_seeded_behind_the_run(name: str) -> None:
    torch.manual_seed(0)
    before = torch.get_rng_state()
    one, same, other = (new_discriminator(name, patch=64, batch=2, seed=seed) for seed in (4, 4, 5))  # type: ignore[arg-type]
    assert torch.equal(torch.get_rng_state(), before)
    pairs = list(zip(one.parameters(), same.parameters(), other.parameters(), strict=True))
    assert all(torch.equal(first, second) for first, second, _ in pairs)
    assert any(not torch.equal(first, third) for first, _, third in pairs)
    assert one(torch.zeros(1, 3, 64, 64)).shape[0] == 1


@pytest.mark.parametrize("patch", [64, 96])
def test_discriminators_with_dense_heads_take_the_patch(patch: int) -> None:
    judge = new_discriminator("vgg-small", patch=patch, batch=2, seed=0)
    assert judge(torch.zeros(2, 3, patch, patch)).shape == (2, 1)
    with pytest.raises(RuntimeError):
        judge(torch.zeros(2, 3, patch + 32, patch + 32))


@pytest.mark.parametrize(
    ("name", "patch", "batch", "fits"),
    [
        ("vgg-128", 24, 4, False),
        ("vgg-128", 32, 4, True),
        ("vgg-128", 32, 1, False),  # one value a channel has no variance
        ("vgg-small", 16, 2, False),
        ("enhancenet", 24, 2, False),
        ("enhancenet", 96, 1, True),
        ("patch", 16, 2, False),
        ("patch", 24, 2, True),
        ("srgan", 24, 2, False),
        ("srgan", 96, 2, True),
        ("dped", 64, 2, False),
        ("dped", 100, 2, True),
        ("unet-small", 16, 1, True),
    ],
)
def test_patches_that_a_discriminator_cannot_judge_are_refused_before_anything_runs(
    name: str, patch: int, batch: int, fits: bool
) -> None:
    """What is said beforehand is what happens: the network is run on such patches too."""
    if fits:
        judge = new_discriminator(name, patch=patch, batch=batch, seed=0)  # type: ignore[arg-type]
        assert judge(torch.zeros(batch, 3, patch, patch)).shape[0] == batch
        return
    with pytest.raises(
        UsageError, match=rf"`{name}` can't judge {batch} patches of {patch} × {patch}"
    ) as caught:
        new_discriminator(name, patch=patch, batch=batch, seed=0)  # type: ignore[arg-type]
    assert "data.patch" in str(caught.value.hint)


@pytest.mark.parametrize("name", sorted(DISCRIMINATORS))
def test_every_discriminator_takes_the_recipes_patches(name: str) -> None:
    """At the side that recipes have by default; dped's is its own."""
    patch = 100 if name == "dped" else 128
    judge = new_discriminator(name, patch=patch, batch=4, seed=0)  # type: ignore[arg-type]
    assert all(weight.device.type == "cpu" for weight in judge.parameters())
