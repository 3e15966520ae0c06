"""Is the training well? Detects what is not finite or explodes, names it, and says so in plain words."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn

from wildsr.data import Pair

Hook: TypeAlias = Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]


class UnhealthyError(Exception):
    """A step that must not count; the message names the tensor. Raised and caught inside the training loop."""


@dataclass
class Health:
    """What is remembered between steps; part of every checkpoint."""

    means: dict[str, float] = field(default_factory=dict)
    """Running mean of every loss term's size."""

    peaks: dict[str, float] = field(default_factory=dict)
    """The largest running mean each of them has had."""

    seen: int = 0
    """Steps in the means."""

    rollbacks: int = 0
    """Rollbacks since the last checkpoint that was reached without one."""

    total_rollbacks: int = 0
    """Rollbacks in all."""

    reasons: list[str] = field(default_factory=list)
    """What each rollback was for."""

    recent: list[dict[str, float]] = field(default_factory=list)
    """Losses of the last steps, of which the curves' next point is the mean."""

    def check(self, losses: Mapping[str, float], explosion: float) -> None:
        """Take in a step's losses.

        Args:
            losses: By name.
            explosion: How many times its running mean a loss may be.

        Raises:
            UnhealthyError: A loss is not finite, or exploded; a small term may rise to what all terms are together.
        """
        together = sum(self.means.get(name, 0.0) for name in losses)
        for name, value in losses.items():
            if not math.isfinite(value):
                raise UnhealthyError(f"the loss `{name}` is {value}")
            usual = max(self.means.get(name, math.inf), _OF_PEAK * self.peaks.get(name, 0.0), _TINY)
            if self.seen >= _SETTLED and abs(value) > max(explosion * usual, together):
                raise UnhealthyError(
                    f"the loss `{name}` exploded to {value:.4g}, {abs(value) / usual:.0f} × its mean"
                )
        for name, value in losses.items():
            self.means[name] = abs(value) + (self.means.get(name, abs(value)) - abs(value)) * _MEMORY
            self.peaks[name] = max(self.means[name], self.peaks.get(name, 0.0))
        self.seen += 1


_SETTLED = 20
"""Steps before an explosion can be told from a start."""

_MEMORY = 0.98
_OF_PEAK = 0.5
"""A loss that fell far is judged by this part of its highest mean: a discriminator that was winning for a while may
be undecided again, which is no explosion."""
_TINY = 1e-3
"""Losses below this are not judged by their ratio: an adversarial term may pass through 0."""


def first_bad(tensors: Mapping[str, Tensor]) -> str | None:
    """Name and kind of the first tensor with a NaN or an infinity in it."""
    for name, tensor in tensors.items():
        if not bool(torch.isfinite(tensor).all()):
            kind = "NaN" if bool(torch.isnan(tensor).any()) else "Inf"
            return f"{kind} in `{name}`"
    return None


def diagnose(pair: Pair, networks: Mapping[str, nn.Module], losses: Mapping[str, float]) -> str:
    """Find where a bad value came from: batch, weights, activations, loss terms, gradients, in that order.

    Args:
        pair: The batch of the step.
        networks: By name; the one called `generator` is run once more on the batch.
        losses: The step's loss terms, as far as they were computed.
    """
    for label, tensor in (("lr", pair.lr), ("hr", pair.hr)):
        for item, name in enumerate(pair.names):
            found = first_bad({label: tensor[item]})
            if found:
                return f"{found} of the batch (photo {name})"
    for network, module in networks.items():
        weights = {f"{network}.{name}": tensor.detach() for name, tensor in module.named_parameters()}
        found = first_bad(weights)
        if found:
            return f"{found} (a weight)"
    found = _bad_activation(networks["generator"], pair.lr)
    if found:
        return found
    for name, value in losses.items():
        if not math.isfinite(value):
            return f"the loss term `{name}` is {value}"
    for network, module in networks.items():
        gradients = {
            f"{network}.{name}": weight.grad
            for name, weight in module.named_parameters()
            if weight.grad is not None
        }
        found = first_bad(gradients)
        if found:
            return f"{found} (a gradient)"
    return "a value that is not finite"


def _bad_activation(network: nn.Module, lr: Tensor) -> str | None:
    found: list[str] = []

    def watch(name: str) -> Hook:
        def hook(module: nn.Module, _inputs: tuple[Tensor, ...], output: Tensor) -> None:
            if not found and isinstance(output, Tensor) and first_bad({name: output.detach()}):
                found.append(f"{first_bad({name: output.detach()})}, the output of a {type(module).__name__}")

        return hook

    with _hooked(network, watch), torch.no_grad():
        network(lr)
    return found[0] if found else None


@contextmanager
def _hooked(network: nn.Module, watch: Callable[[str], Hook]) -> Iterator[None]:
    handles = [
        module.register_forward_hook(watch(f"generator.{name}"))
        for name, module in network.named_modules()
        if name and not list(module.children())
    ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def gradient_norm(network: nn.Module, clip: float) -> float:
    """Norm of all gradients together, which are scaled down to `clip` where it is larger (0: never).

    Raises:
        UnhealthyError: It is not finite.
    """
    gradients = [weight.grad for weight in network.parameters() if weight.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients))
    if not math.isfinite(norm):
        raise UnhealthyError(f"the norm of the gradients is {norm}")
    if clip and norm > clip:
        torch._foreach_mul_(gradients, clip / norm)
    return norm
