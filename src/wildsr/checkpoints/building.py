"""From a ModelSpec to its network."""

import inspect

import torch
from torch import nn

from wildsr.errors import ModelError
from wildsr.models.spec import ModelSpec, Tiling
from wildsr.networks import NETWORKS

_LARGEST = 1024
"""No argument of a network (width, blocks, …) is larger; a hostile file must not build giants."""


def build_network(spec: ModelSpec) -> nn.Module:
    """Build what a spec describes, with fresh weights.

    Raises:
        ModelError: An architecture or argument that isn't known, or a size beyond reason.
    """
    constructor = NETWORKS.get(spec.architecture)
    if constructor is None:
        raise ModelError(
            f"the architecture `{spec.architecture}` is not one that can be trained; known are {', '.join(NETWORKS)}"
        )
    known = inspect.signature(constructor).parameters
    for name, value in spec.arguments.items():
        if name not in known:
            raise ModelError(f"`{spec.architecture}` has no argument `{name}`; it has {', '.join(known)}")
        if isinstance(value, int | float) and not 0 <= value <= _LARGEST:
            raise ModelError(
                f"`{spec.architecture}`: {name} = {value} is beyond what is allowed (0 to {_LARGEST})"
            )
    try:
        return constructor(**spec.arguments)
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError, KeyError, IndexError) as error:
        raise ModelError(f"`{spec.architecture}` can't be built with {spec.arguments}: {error}") from error


def scale_of(network: nn.Module) -> int:
    """SR pixels per LR pixel along one side, found by running the network on 8×8 pixels."""
    was_training = network.training
    network.eval()
    parameter = next(network.parameters())
    with torch.no_grad():
        side = network(torch.zeros(1, 3, 8, 8, device=parameter.device)).shape[-1]
    network.train(was_training)
    return int(side) // 8


def multiple_of(network: nn.Module) -> int:
    """Input sides must be multiples of this many LR pixels."""
    return int(getattr(network, "fold", 1))


def tiling_of(network: nn.Module) -> Tiling:
    """How a network bears tiles: instance norms set the picture's colours by all of it, pooling changes little."""
    kinds = {type(module).__name__ for module in network.modules()}
    if "InstanceNorm" in kinds:
        return "whole"
    return "approximate" if is_global(network) else "exact"


def is_global(network: nn.Module) -> bool:
    """Whether something in the network looks at the whole picture at once (pooling, instance norms)."""
    return any(type(module).__name__ in ("AdaptiveAvgPool2d", "InstanceNorm") for module in network.modules())
