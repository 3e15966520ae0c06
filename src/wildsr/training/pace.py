"""How long a training step and a validation will take here, measured before anything is begun."""

import time
from collections.abc import Callable

import torch
from torch import Tensor, nn

_TRIES = 2
"""The first also pays for what is done once."""


def seconds_per_step(
    network: nn.Module,
    *,
    scale: int,
    patch: int,
    batch: int,
    loss: Callable[[Tensor, Tensor], Tensor] | None = None,
) -> tuple[float, float]:
    """Time forward and backward passes on noise.

    Args:
        network: LR → SR, on the device it will train on; its gradients are cleared afterwards.
        scale: HR pixels per LR pixel along one side.
        patch: Side of the training crops in HR pixels.
        batch: Crops a step.
        loss: (SR, HR) → what is minimised; None: the mean, which costs nothing.

    Returns:
        Seconds of one step, and of its forward pass alone.
    """
    device = next(network.parameters()).device
    lr = torch.rand(batch, 3, patch // scale, patch // scale, device=device)
    hr = torch.rand(batch, 3, patch, patch, device=device)
    forward = rest = 0.0
    for _ in range(_TRIES):
        begun = time.monotonic()
        sr: Tensor = network(lr)
        between = time.monotonic()
        minimised = sr.mean() if loss is None else loss(sr, hr)
        minimised.backward()  # type: ignore[no-untyped-call]
        forward, rest = between - begun, time.monotonic() - between
    network.zero_grad(set_to_none=True)
    return forward + rest, forward
