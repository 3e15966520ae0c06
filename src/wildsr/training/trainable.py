"""A network in training: what computes, what moves its weights, and how fast."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.optim import SGD, Adam, Optimizer

from wildsr.training.ema import Ema
from wildsr.training.session import Session
from wildsr.training.settings import OptimiserSettings
from wildsr.training.state import State


@dataclass(frozen=True, kw_only=True, eq=False)
class Trainable:
    """A network with its optimiser, on the run's device and in its precision. Calling it runs the network."""

    name: str
    """`generator`, `discriminator`, …: its name in checkpoints and messages."""

    network: nn.Module
    """The bare network: for gradients of gradients, and to pass gradients through without collecting them."""

    wrapped: nn.Module
    """The same, data-parallel and in mixed precision where the run is."""

    optimiser: Optimizer
    """Moves the weights."""

    settings: OptimiserSettings
    """Learning rate over the steps, clipping."""

    def __call__(self, picture: Tensor) -> Tensor:
        """Run the network; the result is float32."""
        result: Tensor = self.wrapped(picture)
        return result.float()


def trainable(session: Session, name: str, network: nn.Module, settings: OptimiserSettings) -> Trainable:
    """Give a network its optimiser, and put both on the run's device.

    Args:
        session: The run.
        name: For checkpoints and messages.
        network: On the CPU.
        settings: How its weights are moved.
    """
    computing = _compiled(network) if session.settings.compile else network
    wrapped, optimiser = session.fabric.setup(computing, _optimiser(network, settings))
    return Trainable(name=name, network=network, wrapped=wrapped, optimiser=optimiser, settings=settings)


def start_state(session: Session, generator: Trainable, *others: Trainable) -> State:
    """The state of a training before its first step; the generator's weights are averaged over the steps."""
    ema = Ema(generator.network, session.settings.ema)
    ema.module.to(session.fabric.device)
    all_of_them = (generator, *others)
    return State(
        networks={one.name: one.network for one in all_of_them},
        optimisers={one.name: one.optimiser for one in all_of_them},
        schedules={one.name: one.settings for one in all_of_them},
        ema=ema,
    )


@contextmanager
def frozen(network: nn.Module) -> Iterator[None]:
    """Let gradients pass through a network without collecting any for its weights."""
    network.requires_grad_(requires_grad=False)
    try:
        yield
    finally:
        network.requires_grad_(requires_grad=True)


def _optimiser(network: nn.Module, settings: OptimiserSettings) -> Optimizer:
    if settings.kind == "sgd":
        return SGD(
            network.parameters(),
            lr=settings.learning_rate,
            momentum=settings.momentum,
            weight_decay=settings.weight_decay,
        )
    return Adam(
        network.parameters(),
        lr=settings.learning_rate,
        betas=settings.betas,
        weight_decay=settings.weight_decay,
        fused=True,
    )


def _compiled(network: nn.Module) -> nn.Module:
    compiled = torch.compile(network)
    assert isinstance(compiled, nn.Module)
    return compiled
