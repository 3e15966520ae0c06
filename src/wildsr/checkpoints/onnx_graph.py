"""Translate a network into ONNX, operation by operation.

The networks of the literature are made of some twenty operations. Translating those takes a few seconds for the
deepest of them, where torch's general exporter took a hundred, and gives the plain graph that the engine knows how to
split and tile.
"""

import operator
from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import onnx
import torch
import torch.nn.functional as F
from torch import Tensor, fx, nn

from wildsr.errors import ModelError
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, GraphBuilder
from wildsr.networks.dped import InstanceNorm
from wildsr.networks.enlarge import Bicubic

_OPSET = 17
Value: TypeAlias = "str | float | int"


class _Tracer(fx.Tracer):
    """Keeps whole what is translated whole."""

    def is_leaf_module(self, m: nn.Module, module_qualified_name: str) -> bool:
        return isinstance(m, Bicubic | InstanceNorm) or super().is_leaf_module(m, module_qualified_name)


def translate(network: nn.Module) -> onnx.ModelProto:
    """Translate a network in evaluation mode: input `lr` n×3×h×w, output `sr`.

    Raises:
        ModelError: An operation that is not in the tables.
    """
    traced = _Tracer().trace(network)
    modules = dict(network.named_modules())
    writer = GraphBuilder()
    names: dict[fx.Node, Value] = {}

    def given(argument: object) -> object:
        if isinstance(argument, fx.Node):
            return names[argument]
        if isinstance(argument, tuple | list):
            return [given(item) for item in argument]
        return argument

    for node in traced.nodes:
        arguments = [given(argument) for argument in node.args]
        options = {key: given(value) for key, value in node.kwargs.items()}
        if node.op == "placeholder":
            names[node] = "lr"
        elif node.op == "get_attr":
            names[node] = _tensor(writer, _attribute(network, str(node.target)))
        elif node.op == "call_module":
            names[node] = _module(writer, modules[str(node.target)], str(arguments[0]))
        elif node.op == "output":
            writer.output(str(arguments[0]), "sr")
        else:
            names[node] = _function(writer, node.target, arguments, options)
    return writer.model(
        "network", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=_OPSET, ir_version=8, producer="wildsr"
    )


def _attribute(network: nn.Module, path: str) -> Tensor:
    found: object = network
    for part in path.split("."):
        found = getattr(found, part)
    assert isinstance(found, Tensor)
    return found


def _module(writer: GraphBuilder, module: nn.Module, x: str) -> str:
    for kind, translate_one in MODULES.items():
        if isinstance(module, kind):
            return translate_one(writer, module, x)
    raise ModelError(
        f"a {type(module).__name__} can't be exported to ONNX; known are {', '.join(k.__name__ for k in MODULES)}"
    )


def _function(
    writer: GraphBuilder, target: object, arguments: list[object], options: dict[str, object]
) -> Value:
    translate_one = FUNCTIONS.get(target)
    if translate_one is None:
        raise ModelError(f"the operation {getattr(target, '__name__', target)} can't be exported to ONNX")
    result: Value = translate_one(writer, *arguments, **options)
    return result


def _tensor(w: GraphBuilder, tensor: Tensor) -> str:
    """A parameter or buffer as a constant."""
    return w.constant(tensor.detach().cpu().float().numpy())


def _operand(w: GraphBuilder, value: Value) -> str:
    """Name of a tensor, or of a number made constant."""
    return value if isinstance(value, str) else w.scalar(value)


def _conv(w: GraphBuilder, m: nn.Conv2d, x: str) -> str:
    inputs = [x, _tensor(w, m.weight)] + ([_tensor(w, m.bias)] if m.bias is not None else [])
    pads = [int(p) for p in m.padding] * 2
    return w.node("Conv", inputs, pads=pads, strides=list(m.stride), group=m.groups)


def _batch_norm(w: GraphBuilder, m: nn.BatchNorm2d, x: str) -> str:
    assert m.running_mean is not None
    assert m.running_var is not None
    parts = [_tensor(w, t) for t in (m.weight, m.bias, m.running_mean, m.running_var)]
    return w.node("BatchNormalization", [x, *parts], epsilon=m.eps)


def _instance_norm(w: GraphBuilder, m: InstanceNorm, x: str) -> str:
    return w.node("InstanceNormalization", [x, _tensor(w, m.weight), _tensor(w, m.bias)], epsilon=m.epsilon)


def _prelu(w: GraphBuilder, m: nn.PReLU, x: str) -> str:
    return w.node("PRelu", [x, _tensor(w, m.weight.view(-1, 1, 1))])


def _shuffle(w: GraphBuilder, x: str, factor: int) -> str:
    return w.node("DepthToSpace", [x], blocksize=factor, mode="CRD")


def _unshuffle(w: GraphBuilder, x: str, factor: int) -> str:
    """SpaceToDepth of each channel: of all at once it would order by position first, torch by channel first.

    Reordering with a Gather is valid ONNX, but OpenVINO 2026.4 computes SpaceToDepth, Gather, Conv wrongly.
    """
    folded = []
    for channel in range(3):
        ends = (w.integers(channel), w.integers(channel + 1), w.integers(1))
        folded.append(w.node("SpaceToDepth", [w.node("Slice", [x, *ends])], blocksize=factor))
    return w.node("Concat", folded, axis=1)


def _interpolate(
    w: GraphBuilder, x: str, *, scale_factor: float, mode: str, align_corners: bool | None = None, **_: object
) -> str:
    assert not align_corners
    scales = w.constant(np.array([1, 1, scale_factor, scale_factor], dtype=np.float32))
    if mode == "nearest":
        return w.node(
            "Resize",
            [x, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )
    return w.node("Resize", [x, "", scales], mode="linear", coordinate_transformation_mode="half_pixel")


def _bicubic(w: GraphBuilder, m: Bicubic, x: str) -> str:
    """Mirror two pixels at every side, convolve each channel with one filter a phase, shuffle."""
    for axis in (2, 3):
        x = _mirrored(w, x, axis)
    filters = m.filters.repeat(3, 1, 1, 1)
    return _shuffle(w, w.node("Conv", [x, _tensor(w, filters)], group=3), m.scale)


def _mirrored(w: GraphBuilder, x: str, axis: int) -> str:
    """One pixel repeated at both ends, then the neighbour of each end; a single pixel is its own neighbour."""
    pads = [0] * 8
    pads[axis] = pads[axis + 4] = 1
    edged = w.node("Pad", [x, w.integers(*pads)], mode="edge")
    first = w.node("Slice", [edged, w.integers(2), w.integers(3), w.integers(axis)])
    last = w.node("Slice", [edged, w.integers(-3), w.integers(-2), w.integers(axis)])
    return w.node("Concat", [first, edged, last], axis=axis)


def _binary(operation: str) -> Callable[..., str]:
    return lambda w, a, b: w.node(operation, [_operand(w, a), _operand(w, b)])


def _unary(operation: str) -> Callable[..., str]:
    return lambda w, x, **_: w.node(operation, [x])


MODULES: dict[type[nn.Module], Callable[..., str]] = {
    nn.Conv2d: _conv,
    nn.BatchNorm2d: _batch_norm,
    InstanceNorm: _instance_norm,
    nn.PReLU: _prelu,
    nn.LeakyReLU: lambda w, m, x: w.node("LeakyRelu", [x], alpha=m.negative_slope),
    nn.ReLU: lambda w, m, x: w.node("Relu", [x]),
    nn.Sigmoid: lambda w, m, x: w.node("Sigmoid", [x]),
    nn.AdaptiveAvgPool2d: lambda w, m, x: w.node("GlobalAveragePool", [x]),
    nn.PixelShuffle: lambda w, m, x: _shuffle(w, x, m.upscale_factor),
    Bicubic: _bicubic,
}

FUNCTIONS: dict[object, Callable[..., Value]] = {
    operator.add: _binary("Add"),
    operator.sub: _binary("Sub"),
    operator.mul: _binary("Mul"),
    operator.truediv: _binary("Div"),
    torch.cat: lambda w, tensors, dim: w.node("Concat", list(tensors), axis=dim),
    torch.tanh: _unary("Tanh"),
    torch.sigmoid: _unary("Sigmoid"),
    F.relu: _unary("Relu"),
    F.leaky_relu: lambda w, x, negative_slope, **_: w.node("LeakyRelu", [x], alpha=negative_slope),
    F.interpolate: _interpolate,
    F.pixel_shuffle: _shuffle,
    F.pixel_unshuffle: _unshuffle,
    "sum": lambda w, x, dim, keepdim: w.node("ReduceSum", [x, w.integers(dim)], keepdims=int(keepdim)),
}
