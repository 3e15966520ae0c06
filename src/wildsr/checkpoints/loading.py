"""Starting weights from anywhere: runs, model files, other trainers' checkpoints, the catalog."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from wildsr.assets.torch_files import load_torch
from wildsr.checkpoints.dped_files import SUFFIX as DPED_SUFFIX
from wildsr.checkpoints.dped_files import read_dped
from wildsr.checkpoints.files import network_of, read_safetensors
from wildsr.checkpoints.foreign import recognise, renamed, unwrap
from wildsr.checkpoints.graphs import weights_of_graph
from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.models.catalog import CATALOG
from wildsr.models.spec import ModelSpec
from wildsr.models.two_ends import CRISPEST, TwoEnds, has_two_ends

_PICKLED = (".pth", ".pt", ".ckpt", ".bin")


@dataclass(frozen=True, kw_only=True, eq=False)
class Loaded:
    """A network with its weights."""

    network: nn.Module
    """In evaluation mode, on the CPU."""

    spec: ModelSpec
    """What it is."""


def load_network(source: str | Path) -> Loaded:
    """Load a network that can be trained on.

    Args:
        source: A run's folder (its `model.safetensors`), a model file of ours, a `.pth` or `.safetensors` of another
            trainer, a folder with two ends (the crisp one is taken), or a name of the catalog (whose ncnn weights
            are taken over).

    Raises:
        ModelError: Unknown, damaged or hostile.
        AssetError: Catalog weights that can't be had.
    """
    spec, tensors = _read(source)
    return Loaded(network=network_of(spec, tensors, str(source)).eval(), spec=spec)


def load_weights(network: nn.Module, source: str | Path) -> tuple[str, ...]:
    """Fill a network with all weights of another that have the same name and shape.

    So a ×4 network can start from a trained ×2 one, whose upsampler differs.

    Returns:
        Names of the network's tensors that were not filled.

    Raises:
        ModelError: Nothing fits, or the file can't be trusted.
    """
    _, tensors = _read(source)
    own = network.state_dict()
    fitting = {
        name: tensor.float()
        for name, tensor in tensors.items()
        if name in own and own[name].shape == tensor.shape
    }
    if sum(tensor.numel() for tensor in fitting.values()) * 2 < sum(
        tensor.numel() for tensor in own.values()
    ):
        raise ModelError(
            f"{shown(source)} has other weights than the network: {len(fitting)} of {len(own)} tensors fit",
            hint="choose the network and arguments that the weights were trained with",
        )
    network.load_state_dict({**own, **fitting})
    return tuple(name for name in own if name not in fitting)


def read_tensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a `.pth` or `.safetensors` of whatever network, names as they are.

    Raises:
        ModelError: Not to be trusted, or damaged.
    """
    if path.suffix == ".safetensors":
        return unwrap(read_safetensors(path)[1], str(path))
    return unwrap(_tensors(load_torch(path)), str(path))


def _read(source: str | Path) -> tuple[ModelSpec, dict[str, Tensor]]:
    path = Path(source)
    if str(source) in CATALOG:
        return _from_catalog(str(source))
    if os.path.isdir(path) and has_two_ends(path):  # noqa: PTH112 -- as below
        return tensors_of_ends(TwoEnds(folder=path), CRISPEST)
    # unlike pathlib's, os.path's is False for a name that can't be
    if os.path.isdir(path):  # noqa: PTH112
        path = path / "model.safetensors"
    if not os.path.isfile(path):  # noqa: PTH113
        raise ModelError(
            f"there are no weights at {shown(source)}",
            hint=f"a run's folder, a .safetensors or .pth file, or one of {', '.join(CATALOG)}",
        )
    if path.suffix == ".safetensors":
        spec, tensors = read_safetensors(path)
        if spec is not None:
            return spec, tensors
        content: object = tensors
    elif path.name.endswith(DPED_SUFFIX):
        return _dped_spec(path), read_dped(path)
    elif path.suffix in _PICKLED:
        content = _tensors(load_torch(path))
    else:
        raise ModelError(
            f"{shown(path)} has none of the endings .safetensors, {', '.join(_PICKLED)}",
            hint="an ONNX file runs but can't be trained on; a run's folder has model.safetensors beside it"
            if path.suffix == ".onnx"
            else "a run's folder, or a file of one of these kinds",
        )
    tensors = renamed(unwrap(content, str(source)))
    return recognise(tensors, path.stem), tensors


def _dped_spec(path: Path) -> ModelSpec:
    return ModelSpec(
        id=f"dped-{path.name.removesuffix(DPED_SUFFIX).removesuffix('_orig')}",
        architecture="dped",
        scale=1,
        tiling="whole",
        source=path.name,
    )


def _tensors(content: object) -> object:
    """Arrays as tensors, wherever they are in plain containers."""
    if isinstance(content, np.ndarray):
        return torch.from_numpy(np.array(content))
    if isinstance(content, Mapping):
        return {key: _tensors(value) for key, value in content.items()}
    return content


def _from_catalog(name: str) -> tuple[ModelSpec, dict[str, Tensor]]:
    from wildsr.models.loading import load_model

    model = load_model(name)
    if model.ends is not None:
        return tensors_of_ends(model.ends, CRISPEST)
    spec, tensors = weights_of_graph(model.onnx_path, model.spec)
    return replace(spec, id=name), tensors


def tensors_of_ends(ends: TwoEnds, sharpness: float) -> tuple[ModelSpec, dict[str, Tensor]]:
    """Return what a model with two ends is, and its weights where its dial is.

    Raises:
        ModelError: An end can't be read.
    """
    tensors = {name: torch.from_numpy(array) for name, array in ends.weights(sharpness).items()}
    return ends.spec, tensors


def interpolate(first: Mapping[str, Tensor], second: Mapping[str, Tensor], alpha: float) -> dict[str, Tensor]:
    """(1 − α)·first + α·second, weight by weight (ESRGAN §3.4); α = 0 and 1 give the ends bit for bit.

    Raises:
        ModelError: Networks of other names or shapes, or α outside [0, 1].
    """
    if not 0 <= alpha <= 1:
        raise ModelError(f"alpha is {alpha}; it must lie in [0, 1]")
    shapes = [{name: tensor.shape for name, tensor in side.items()} for side in (first, second)]
    if shapes[0] != shapes[1]:
        raise ModelError("only two models of the same network can be blended; names or shapes differ")
    if alpha in (0, 1):
        return {name: tensor.clone() for name, tensor in (second if alpha else first).items()}
    return {
        name: torch.lerp(tensor, second[name], alpha) if tensor.is_floating_point() else tensor.clone()
        for name, tensor in first.items()
    }
