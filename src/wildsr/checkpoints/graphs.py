"""Weights of an imported graph (ncnn's, as ONNX) back into a network of ours, for fine-tuning."""

import math
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor, fx, nn

from wildsr.checkpoints.building import build_network
from wildsr.errors import ModelError
from wildsr.models.spec import ModelSpec


def weights_of_graph(path: Path, spec: ModelSpec) -> tuple[ModelSpec, dict[str, Tensor]]:
    """Take the convolutions and PReLUs of a graph, in order, as those of the network its spec names.

    Args:
        path: ONNX file.
        spec: Names the architecture; sizes are found in the graph.

    Returns:
        The spec with the network's arguments, and its weights under our names.

    Raises:
        ModelError: The graph's layers are not those of the network.
    """
    layers = _layers(onnx.load(str(path)).graph)
    spec = _sized(spec, layers)
    with torch.device("meta"):
        network = build_network(spec)
    own = network.state_dict()
    names = _names_in_order(network)
    if len(names) != len(layers):
        raise ModelError(
            f"{spec.id}: the graph has {len(layers)} layers, `{spec.architecture}` has {len(names)}"
        )
    tensors: dict[str, Tensor] = {}
    for name, parts in zip(names, layers, strict=True):
        for kind, array in zip(("weight", "bias"), parts, strict=False):
            tensor = torch.from_numpy(np.array(array, dtype=np.float32))
            key = f"{name}.{kind}"
            if key not in own or own[key].numel() != tensor.numel():
                raise ModelError(
                    f"{spec.id}: the graph's {tuple(array.shape)} is not the {key} of `{spec.architecture}`"
                )
            tensors[key] = tensor.reshape(own[key].shape)
    return spec, tensors


def _layers(graph: onnx.GraphProto) -> list[list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]:
    constants = {tensor.name: tensor for tensor in graph.initializer}
    layers = []
    for node in graph.node:
        if node.op_type in ("Conv", "PRelu") and node.input[1] in constants:
            layers.append(
                [numpy_helper.to_array(constants[name]) for name in node.input[1:] if name in constants]
            )
    return layers


def _sized(
    spec: ModelSpec, layers: list[list[np.ndarray[tuple[int, ...], np.dtype[np.float32]]]]
) -> ModelSpec:
    """Compact networks differ in their last layer: 3·scale² channels."""
    arguments = dict(spec.arguments)
    if spec.architecture.startswith("srvgg"):
        arguments["scale"] = math.isqrt(layers[-1][0].shape[0] // 3)
    return ModelSpec(
        id=spec.id,
        architecture=spec.architecture,
        arguments=arguments,
        scale=int(arguments.get("scale", spec.scale)),
        multiple=spec.multiple,
        halo=spec.halo,
        halo_exact=spec.halo_exact,
        tiling=spec.tiling,
        licence=spec.licence,
        source=spec.source,
        training=spec.training,
    )


def _names_in_order(network: nn.Module) -> list[str]:
    """Names of convolutions and PReLUs in the order they run."""
    modules = dict(network.named_modules())
    traced = fx.Tracer().trace(network)
    return [
        str(node.target)
        for node in traced.nodes
        if node.op == "call_module" and isinstance(modules[str(node.target)], nn.Conv2d | nn.PReLU)
    ]
