"""Objectives of generative adversarial networks. `real` and `made` are raw logits of any shape."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

ObjectiveName: TypeAlias = Literal["vanilla", "least-squares", "hinge", "wasserstein", "relativistic"]


def _is(logits: Tensor, truth: float) -> Tensor:
    return F.binary_cross_entropy_with_logits(logits, torch.full_like(logits, truth))


def _vanilla_discriminator(real: Tensor, made: Tensor) -> Tensor:
    return _is(real, 1) + _is(made, 0)


def _vanilla_generator(real: Tensor, made: Tensor) -> Tensor:
    return _is(made, 1)


def _squares_discriminator(real: Tensor, made: Tensor) -> Tensor:
    return (real - 1).square().mean() + made.square().mean()


def _squares_generator(real: Tensor, made: Tensor) -> Tensor:
    return (made - 1).square().mean()


def _hinge_discriminator(real: Tensor, made: Tensor) -> Tensor:
    return F.relu(1 - real).mean() + F.relu(1 + made).mean()


def _wasserstein_discriminator(real: Tensor, made: Tensor) -> Tensor:
    return made.mean() - real.mean()


def _minus_mean(real: Tensor, made: Tensor) -> Tensor:
    return -made.mean()


def _relativistic_discriminator(real: Tensor, made: Tensor) -> Tensor:
    return 0.5 * (_is(real - made.mean(), 1) + _is(made - real.mean(), 0))


def _relativistic_generator(real: Tensor, made: Tensor) -> Tensor:
    real = real.detach()
    return 0.5 * (_is(real - made.mean(), 0) + _is(made - real.mean(), 1))


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Both sides of one game."""

    discriminator: Callable[[Tensor, Tensor], Tensor]
    """(real, made) → what the discriminator minimises; `made` must come from a detached picture."""

    generator: Callable[[Tensor, Tensor], Tensor]
    """(real, made) → what the generator minimises; no gradient flows through `real`."""

    needs_real: bool = False
    """Whether the generator's side looks at `real`."""

    gradient_penalty: float = 0.0
    """Weight of `gradient_penalty` in the discriminator's loss."""


OBJECTIVES: dict[ObjectiveName, Objective] = {
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
    discriminator: Callable[[Tensor], Tensor], real: Tensor, made: Tensor, mix: Tensor
) -> Tensor:
    """(‖∇C‖ − 1)² at points between real and made pictures (Gulrajani et al. 2017).

    Args:
        discriminator: Pictures → logits.
        real: N×3×h×w.
        made: The same shape, detached.
        mix: N×1×1×1 in [0, 1], the position of each point.
    """
    between = (mix * real + (1 - mix) * made.detach()).requires_grad_()
    logits = discriminator(between)
    (slope,) = torch.autograd.grad(logits.sum(), between, create_graph=True)
    lengths: Tensor = torch.linalg.vector_norm(slope.flatten(1), dim=1)
    return (lengths - 1).square().mean()


def win_rate(real: Tensor, made: Tensor) -> float:
    """Share of logits on the right side of the other kind's mean: .5 is chance, 1 a discriminator that can't lose."""
    real, made = real.detach(), made.detach()
    above = (real > made.mean()).float().mean()
    below = (made < real.mean()).float().mean()
    return float((above + below) / 2)
