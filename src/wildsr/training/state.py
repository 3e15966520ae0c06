"""Everything a training is made of at one step, and the flat dictionary of tensors that it is stored as."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from wildsr.errors import TrainingError
from wildsr.training.ema import Ema
from wildsr.training.health import Health
from wildsr.training.settings import OptimiserSettings


@dataclass
class State:
    """Changes at every step."""

    networks: dict[str, nn.Module]
    """Bare networks by name; one is called `generator`."""

    optimisers: dict[str, Optimizer]
    """By the name of the network they move."""

    ema: Ema
    """The generator's averaged weights."""

    schedules: dict[str, OptimiserSettings] = field(default_factory=dict)
    """Learning rate over the steps, by the same names."""

    health: Health = field(default_factory=Health)
    """Running means, rollbacks."""

    step: int = 0
    """Steps done; also the loader's position."""

    total: int | None = None
    """Steps in all; None until a time budget has fixed them."""

    seconds: float = 0.0
    """Time spent so far, over all resumes."""

    cpu_seconds: float = 0.0
    """Processor time of the first process, all its threads together."""


def tensors_of(state: State) -> dict[str, Tensor]:
    """Copies of all tensors: networks, averaged weights, optimisers, the random state."""
    tensors: dict[str, Tensor] = {"random/torch": torch.get_rng_state()}
    if torch.cuda.is_available():
        tensors["random/cuda"] = torch.cuda.get_rng_state()
    for name, network in [*state.networks.items(), ("ema", state.ema.module)]:
        for key, tensor in network.state_dict().items():
            tensors[f"network/{name}/{key}"] = _copy(tensor)
    for name, optimiser in state.optimisers.items():
        for index, slots in optimiser.state_dict()["state"].items():
            for slot, tensor in slots.items():
                if isinstance(tensor, Tensor):
                    tensors[f"optimiser/{name}/{index}/{slot}"] = _copy(tensor)
    return tensors


def restore(state: State, tensors: Mapping[str, Tensor]) -> None:
    """Put back what `tensors_of` gave; step, total and health are left alone.

    Raises:
        TrainingError: The tensors are those of other networks.
    """
    for name, network in [*state.networks.items(), ("ema", state.ema.module)]:
        prefix = f"network/{name}/"
        own = {key.removeprefix(prefix): tensor for key, tensor in tensors.items() if key.startswith(prefix)}
        try:
            network.load_state_dict(own)
        except RuntimeError as error:
            raise TrainingError(f"the checkpoint doesn't fit the {name}: {error}") from error
    for name, optimiser in state.optimisers.items():
        optimiser.load_state_dict(
            {"state": _slots(name, tensors), "param_groups": optimiser.state_dict()["param_groups"]}
        )
    torch.set_rng_state(tensors["random/torch"].cpu())
    if torch.cuda.is_available() and "random/cuda" in tensors:
        torch.cuda.set_rng_state(tensors["random/cuda"].cpu())


def _slots(name: str, tensors: Mapping[str, Tensor]) -> dict[int, dict[str, Tensor]]:
    slots: dict[int, dict[str, Tensor]] = {}
    prefix = f"optimiser/{name}/"
    for key, tensor in tensors.items():
        if key.startswith(prefix):
            index, slot = key.removeprefix(prefix).split("/", 1)
            slots.setdefault(int(index), {})[slot] = tensor.clone()
    return slots


def _copy(tensor: Tensor) -> Tensor:
    return tensor.detach().clone(memory_format=torch.contiguous_format)
