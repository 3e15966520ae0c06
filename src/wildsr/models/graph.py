"""Facts read off a network's graph: where to cut it in two, and how much memory it needs.

Networks of the ESRGAN kind do nearly all their work at LR size and then enlarge, and the few layers after the
enlargement take most of the memory (RRDB-23 in fp32: 12.5 kB per LR pixel, 5.4 kB without them). Their receptive field
is only a few LR pixels, so they can run in thin strips while the deep part sees a large tile.
"""

from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper, shape_inference

from wildsr.errors import ModelError

_PROBE = 64
_SMALL = 64  # constants up to this size can decide shapes (scales, axes); larger ones are weights
_ALLOCATOR = 2.7
_POINTWISE = {"Add", "Clip", "Elu", "Identity", "LeakyRelu", "Mul", "PRelu", "Relu", "Sigmoid", "Sub", "Tanh"}
_UPSCALING = {"Resize", "DepthToSpace", "ConvTranspose", "Upsample"}


@dataclass(frozen=True, kw_only=True)
class Split:
    """A network cut in two where a single LR-sized tensor passes."""

    body: onnx.ModelProto
    """LR picture → features at LR size."""

    tail: onnx.ModelProto
    """Features → SR picture."""

    halo: int
    """LR pixels of context the tail needs on each side."""


def split_before_upscaling(model: onnx.ModelProto) -> Split | None:
    """Cut a network in front of its first enlargement; None where no single tensor passes or the tail sees far."""
    nodes = list(model.graph.node)
    first = next((i for i, node in enumerate(nodes) if node.op_type in _UPSCALING), None)
    if first is None or not nodes[first].input:
        return None
    cut = nodes[first].input[0]
    constants = {tensor.name for tensor in model.graph.initializer}
    beyond = _nodes_after(nodes, cut)
    after = [nodes[i] for i in sorted(beyond)]
    inside = {cut} | {name for node in after for name in node.output}
    if any(name and name not in inside | constants for node in after for name in node.input):
        return None  # a skip connection goes around the cut
    if not any(node.op_type == "Conv" for node in after):
        return None  # nothing there is worth being handed over for
    halo = _tail_halo(after, {tensor.name: tensor for tensor in model.graph.initializer})
    channels = _sizes(model).get(cut)
    before = [node for i, node in enumerate(nodes) if i not in beyond]
    if halo is None or channels is None or not any(node.op_type == "Conv" for node in before):
        return None
    features = helper.make_tensor_value_info(cut, onnx.TensorProto.FLOAT, ["n", channels[1], "h", "w"])
    return Split(
        body=_part(model, before, list(model.graph.input), [features]),
        tail=_part(model, after, [features], list(model.graph.output)),
        halo=halo,
    )


def bytes_per_pixel(model: onnx.ModelProto) -> int:
    """Estimate the activation memory of a fp32 run in bytes per LR pixel.

    The largest sum of tensors alive at once, times what OpenVINO was measured to take at most of it: 1.1 (the tail of
    RRDB-23) to 2.6 (its dense blocks).

    Raises:
        ModelError: If the graph's shapes can't be inferred.
    """
    sizes = _sizes(model)
    last_use = {name: i for i, node in enumerate(model.graph.node) for name in node.input}
    ends: dict[int, list[str]] = {}
    for name, last in last_use.items():
        ends.setdefault(last, []).append(name)
    alive: dict[str, float] = {value.name: 3.0 for value in model.graph.input}
    held = peak = sum(alive.values())
    for i, node in enumerate(model.graph.node):
        made = [name for name in node.output if name in sizes]
        for name in made:
            alive[name] = float(np.prod(sizes[name], dtype=np.float64)) / _PROBE**2
            held += alive[name]
        peak = max(peak, held)
        unused = [name for name in made if name not in last_use]
        held -= sum(alive.pop(name, 0.0) for name in (*ends.get(i, ()), *unused))
    if not sizes:
        raise ModelError(
            "the model's tensor sizes can't be inferred", hint="check the file with onnx.checker"
        )
    return int(_ALLOCATOR * 4 * peak)


def _nodes_after(nodes: list[onnx.NodeProto], start: str) -> set[int]:
    """Indices of the nodes that use, directly or not, the tensor `start` (nodes are in topological order)."""
    reached, found = {start}, set()
    for index, node in enumerate(nodes):
        if any(name in reached for name in node.input):
            reached.update(node.output)
            found.add(index)
    return found


def _sizes(model: onnx.ModelProto) -> dict[str, tuple[int, ...]]:
    """Shape of each tensor for a LR picture of 64×64; weights take part by their shape only."""
    picture = helper.make_tensor_value_info(
        model.graph.input[0].name, onnx.TensorProto.FLOAT, (1, 3, _PROBE, _PROBE)
    )
    small = [tensor for tensor in model.graph.initializer if np.prod(tensor.dims) <= _SMALL]
    large = [
        helper.make_tensor_value_info(tensor.name, tensor.data_type, tuple(tensor.dims))
        for tensor in model.graph.initializer
        if np.prod(tensor.dims) > _SMALL
    ]
    outputs = [
        helper.make_tensor_value_info(value.name, onnx.TensorProto.FLOAT, None)
        for value in model.graph.output
    ]
    graph = helper.make_graph(list(model.graph.node), "probe", [picture, *large], outputs, small)
    probe = helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
    inferred = shape_inference.infer_shapes(probe, data_prop=True)
    sizes: dict[str, tuple[int, ...]] = {}
    for value in [*inferred.graph.value_info, *inferred.graph.output]:
        shape = tuple(d.dim_value for d in value.type.tensor_type.shape.dim)
        if shape and all(side > 0 for side in shape):
            sizes[value.name] = shape
    return sizes


def _tail_halo(nodes: list[onnx.NodeProto], constants: dict[str, onnx.TensorProto]) -> int | None:
    """LR pixels the tail sees beyond a pixel, or None where an operation is not known to be local."""
    scale, reach = 1.0, 0.0
    for node in nodes:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        if node.op_type == "Conv":
            if set(attributes.get("strides", [1])) != {1} or node.input[1] not in constants:
                return None
            dilation = max(attributes.get("dilations", [1]))
            reach += max(constants[node.input[1]].dims[2:]) // 2 * dilation / scale
        elif node.op_type == "DepthToSpace":
            scale *= attributes["blocksize"]
        elif node.op_type == "Resize":
            if attributes.get("mode", b"nearest") not in (b"nearest", b"linear"):
                return None
            if len(node.input) < 3 or node.input[2] not in constants:
                return None
            scale *= float(numpy_helper.to_array(constants[node.input[2]])[-1])
            reach += 1 / scale
        elif node.op_type not in _POINTWISE:
            return None
    return int(np.ceil(reach)) + 1


def _part(
    model: onnx.ModelProto,
    nodes: list[onnx.NodeProto],
    inputs: list[onnx.ValueInfoProto],
    outputs: list[onnx.ValueInfoProto],
) -> onnx.ModelProto:
    """Make a model of some of the nodes and the constants they use."""
    used = {name for node in nodes for name in node.input}
    constants = [tensor for tensor in model.graph.initializer if tensor.name in used]
    graph = helper.make_graph(nodes, "part", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)
