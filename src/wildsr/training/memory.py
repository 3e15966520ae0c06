"""What a training step takes at least, known before anything is decoded."""

import copy
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wildsr.errors import UsageError
from wildsr.machine import free_memory
from wildsr.training.settings import DataSettings

_BATCHES = 6
"""Batches in memory: those the loader keeps ready, the one being made, the one being learnt from."""

_COPIES = 4
"""Of every weight: itself, its gradient, Adam's two moments."""

_FLOAT = 4


def step_memory(networks: Mapping[nn.Module, int], data: DataSettings, *, scale: int) -> int:
    """Bytes that a step takes at least: batches, weights and their moments, what layers keep for the gradients.

    Nothing is computed or allocated: the networks run on shapes alone. Sums and activations between modules are not
    counted, so it is an estimate from below.

    Args:
        networks: Each with the side of the pictures it is given.
        data: Batch and patch.
        scale: HR pixels per LR pixel along one side.
    """
    pixels = data.patch**2 + (data.patch // scale) ** 2
    total = _BATCHES * data.batch * 3 * pixels * _FLOAT
    for network, side in networks.items():
        weights = sum(weight.numel() for weight in network.parameters() if weight.requires_grad)
        total += _COPIES * weights * _FLOAT + data.batch * _activations(network, side) * _FLOAT
    return total


def refuse_what_cannot_fit(
    networks: Mapping[nn.Module, int], data: DataSettings, *, scale: int, hint: str | None = None
) -> None:
    """Refuse settings whose steps need more memory than there is.

    Args:
        networks: Each with the side of the pictures it is given.
        data: Batch and patch.
        scale: HR pixels per LR pixel along one side.
        hint: What to do where batch and patch can't be chosen; None suggests a batch that fits.

    Raises:
        UsageError: They do; says how much of both, and a batch that fits.
    """
    there = torch.cuda.mem_get_info()[0] if torch.cuda.is_available() else free_memory()
    needed = step_memory(networks, data, scale=scale)
    if needed > there:
        fitting = int(data.batch * there / (2 * needed))
        hint = hint or (
            f"for example --set data.batch={fitting}" if fitting else "take a smaller data.patch or network"
        )
        raise UsageError(
            f"data.batch {data.batch} and data.patch {data.patch} need at least {needed / 1e9:.3g} GB a step; "
            f"{there / 1e9:.3g} GB are free",
            hint=hint,
        )


def _activations(network: nn.Module, side: int) -> int:
    """Numbers that the layers put out for one picture."""
    counted = 0

    def count(_module: nn.Module, _inputs: tuple[Tensor, ...], output: object) -> None:
        nonlocal counted
        if isinstance(output, Tensor):
            counted += output.numel()

    shadow = copy.deepcopy(network).to("meta").eval()
    for module in shadow.modules():
        if not list(module.children()):
            module.register_forward_hook(count)
    with torch.no_grad():
        shadow(torch.empty(1, 3, side, side, device="meta"))
    return counted
