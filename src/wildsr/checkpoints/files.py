"""Model files that train: safetensors with the ModelSpec in the header."""

from collections.abc import Mapping
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from wildsr.checkpoints.building import build_network
from wildsr.errors import ModelError
from wildsr.files import atomic_write, shown
from wildsr.files.opening import open_regular
from wildsr.models.spec import METADATA_KEY, ModelSpec


def save_model(path: Path, network: nn.Module, spec: ModelSpec) -> None:
    """Write a network's weights and its spec; the file is whole or not there.

    Raises:
        OutputError: Full disk, missing permission.
    """
    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in network.state_dict().items()}
    content = save(tensors, metadata={METADATA_KEY: spec.to_json()})
    with atomic_write(path) as temporary:
        temporary.write_bytes(content)


def read_safetensors(path: Path) -> tuple[ModelSpec | None, dict[str, Tensor]]:
    """Tensors of any safetensors file, and its spec where it has one.

    Raises:
        ModelError: Not a safetensors file, or a damaged one.
    """
    try:
        open_regular(path).close()  # the library would wait for a pipe
        with safe_open(path, framework="pt") as file:
            text = (file.metadata() or {}).get(METADATA_KEY)
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 -- not a mapping
    except (SafetensorError, OSError, ValueError, MemoryError) as error:
        raise ModelError(f"{shown(path)} can't be read as safetensors: {error}") from error
    try:
        return (ModelSpec.from_json(text) if text else None), tensors
    except ModelError as error:
        raise ModelError(f"{shown(path)}: {error}") from error


def fill(network: nn.Module, tensors: Mapping[str, Tensor], source: str) -> nn.Module:
    """Put weights into a network of the same names and shapes.

    Raises:
        ModelError: Missing, unknown, misshapen or non-finite weights; the first few are named.
    """
    own = network.state_dict()
    wrong = [f"{name} is missing" for name in own if name not in tensors]
    wrong += [f"{name} is not known" for name in tensors if name not in own]
    for name, tensor in own.items():
        given = tensors.get(name)
        if given is None:
            continue
        if given.shape != tensor.shape:
            wrong.append(f"{name} has shape {tuple(given.shape)}, not {tuple(tensor.shape)}")
        elif not bool(torch.isfinite(given.float()).all()):
            wrong.append(f"{name} has values that are not finite")
    if wrong:
        listed = "; ".join(wrong[:5]) + (f"; and {len(wrong) - 5} more" if len(wrong) > 5 else "")
        raise ModelError(f"{shown(source)} doesn't fit the network: {listed}")
    network.load_state_dict(
        {name: tensor.float() if tensor.is_floating_point() else tensor for name, tensor in tensors.items()}
    )
    return network


def network_of(spec: ModelSpec, tensors: Mapping[str, Tensor], source: str) -> nn.Module:
    """Build what the spec says, after checking on paper that the weights fit it."""
    with torch.device("meta"):
        shapes = {name: tensor.shape for name, tensor in build_network(spec).state_dict().items()}
    if shapes != {name: tensor.shape for name, tensor in tensors.items()}:
        fill(_Shapes(shapes), tensors, source)
    return fill(build_network(spec), tensors, source)


class _Shapes(nn.Module):
    """Stands for a network of which only the shapes are known; its weights take no memory."""

    def __init__(self, shapes: Mapping[str, torch.Size]) -> None:
        super().__init__()
        self._shapes = shapes

    def state_dict(self) -> dict[str, Tensor]:  # type: ignore[override]
        return {name: torch.empty(shape, device="meta") for name, shape in self._shapes.items()}
