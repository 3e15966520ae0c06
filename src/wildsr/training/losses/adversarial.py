"""Objectives of generative adversarial networks. `real` and `fake` are raw logits of any shape."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor


def _is(logits: Tensor, truth: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))


def _vanilla_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return _is(real, 1) + _is(fake, 0)


def _vanilla_generator(real: Tensor, fake: Tensor) -> Tensor:
    return _is(fake, 1)


def _squares_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return (real - 1).square().mean() + fake.square().mean()


def _squares_generator(real: Tensor, fake: Tensor) -> Tensor:
    return (fake - 1).square().mean()


def _hinge_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + fake).mean()


def _wasserstein_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return fake.mean() - real.mean()


def _minus_mean(real: Tensor, fake: Tensor) -> Tensor:
    return -fake.mean()


def _relativistic_discriminator(real: Tensor, fake: Tensor) -> Tensor:
    return 0.5 * (_is(real - fake.mean(), 1) + _is(fake - real.mean(), 0))


def _relativistic_generator(real: Tensor, fake: Tensor) -> Tensor:
    real = real.detach()
    return 0.5 * (_is(real - fake.mean(), 0) + _is(fake - real.mean(), 1))


@dataclass(frozen=True, kw_only=True)
class Objective:
    """The losses of generator and discriminator."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """(real, fake) → what the discriminator minimises; `fake` must come from a detached picture."""

    generator: Callable[[Tensor, Tensor], Tensor]
    """(real, fake) → what the generator minimises; no gradient flows through `real`."""

    needs_real: bool = False
    """Whether the generator's loss looks at `real`."""

    gradient_penalty: float = 0.0
    """Weight of `gradient_penalty` in the discriminator's loss."""


OBJECTIVES: dict[str, Objective] = {
    "vanilla": Objective(discriminator=_vanilla_discriminator, generator=_vanilla_generator),
    "least-squares": Objective(discriminator=_squares_discriminator, generator=_squares_generator),
    "hinge": Objective(discriminator=_hinge_discriminator, generator=_minus_mean),
    "wasserstein": Objective(
        discriminator=_wasserstein_discriminator, generator=_minus_mean, gradient_penalty=10.0
    ),
    "relativistic": Objective(
        discriminator=_relativistic_discriminator, generator=_relativistic_generator, needs_real=True
    ),
}
"""`wasserstein` is WGAN-GP; `relativistic` the relativistic average objective, half-sums as ESRGAN's code has them."""


def gradient_penalty(
    discriminator: Callable[[Tensor], Tensor], real: Tensor, fake: Tensor, mix: Tensor
) -> Tensor:
    """(‖∇C‖ − 1)² at points between real and fake pictures (Gulrajani et al. 2017).

    Args:
        discriminator: Pictures → logits.
        real: N×3×h×w.
        fake: The same shape, detached.
        mix: N×1×1×1 in [0, 1], the position of each point.
    """
    between = (mix * real + (1 - mix) * fake.detach()).requires_grad_()
    logits = discriminator(between)
    (slope,) = torch.autograd.grad(logits.sum(), between, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (lengths - 1).square().mean()


def win_rate(real: Tensor, fake: Tensor) -> float:
    """Share of logits on the right side of the other kind's mean: .5 is chance, 1 a discriminator that can't lose."""
    real, fake = real.detach(), fake.detach()
    above = (real > fake.mean()).float().mean()
    below = (fake < real.mean()).float().mean()
    return float((above + below) / 2)
