"""ncnn layers that calculate with blobs, numbers per channel and constants."""

import numpy as np

from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.param import MAX_CHANNELS, Layer
from wildsr.models.ncnn.weights import WeightReader

_FROM_BLOB = -233
_BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow")
_REVERSED = {7: "Sub", 8: "Div", 9: "Pow"}
_UNARY = {
    0: "Abs",
    1: "Neg",
    2: "Floor",
    3: "Ceil",
    5: "Sqrt",
    7: "Exp",
    8: "Log",
    9: "Sin",
    10: "Cos",
    15: "Reciprocal",
    16: "Tanh",
}


def eltwise(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Eltwise: product, weighted sum or maximum of blobs of one shape."""
    kind = layer.integer(0, 0, high=2)
    factors = layer.lists.get(1, ())
    parts = list(layer.inputs)
    if kind == 1 and factors:
        if len(factors) != len(parts):
            raise layer.wrong(f"has {len(factors)} coefficients for {len(parts)} blobs")
        parts = [
            part if factor == 1 else graph.node("Mul", [part, graph.scalar(factor)])
            for part, factor in zip(parts, factors, strict=True)
        ]
    result = parts[0]
    for part in parts[1:]:
        result = graph.node(("Mul", "Add", "Max")[kind], [result, part])
    graph.name(result, layer.outputs[0])


def binary(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """BinaryOp of two blobs, or of a blob and a number."""
    kind = layer.integer(0, 0, high=9)
    a = layer.inputs[0]
    if layer.integer(1, 0, high=1):
        b = graph.scalar(layer.number(2, 0.0))
    elif len(layer.inputs) == 2:
        b = layer.inputs[1]
    else:
        raise layer.wrong(f"has {len(layer.inputs)} inputs; two are needed")
    result = graph.node(_REVERSED[kind], [b, a]) if kind in _REVERSED else graph.node(_BINARY[kind], [a, b])
    graph.name(result, layer.outputs[0])


def unary(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """UnaryOp."""
    kind = layer.integer(0, 0, high=100)
    x = layer.inputs[0]
    if kind == 4:
        result = graph.node("Mul", [x, x])
    elif kind == 6:
        result = graph.node("Reciprocal", [graph.node("Sqrt", [x])])
    elif kind in _UNARY:
        result = graph.node(_UNARY[kind], [x])
    else:
        raise layer.wrong(f"operation {kind} isn't supported")
    graph.name(result, layer.outputs[0])


def scale(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Scale: a factor per channel (or another blob) and, where it has one, an offset."""
    if layer.number(0, 0) == _FROM_BLOB:
        if len(layer.inputs) != 2 or layer.number(1, 0):
            raise layer.wrong("needs a second blob, and no offset")
        graph.name(graph.node("Mul", list(layer.inputs)), layer.outputs[0])
        return
    count = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    result = graph.node("Mul", [layer.inputs[0], _per_channel(layer, graph, weights, count)])
    if layer.integer(1, 0, high=1):
        result = graph.node("Add", [result, _per_channel(layer, graph, weights, count)])
    graph.name(result, layer.outputs[0])


def bias(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Bias: an offset per channel."""
    count = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    offset = _per_channel(layer, graph, weights, count)
    graph.name(graph.node("Add", [layer.inputs[0], offset]), layer.outputs[0])


def batch_norm(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """BatchNorm with its statistics."""
    count = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    slope, mean, variance, offset = (weights.plain(layer, count) for _ in range(4))
    inputs = [layer.inputs[0], *(graph.constant(values) for values in (slope, offset, mean, variance))]
    epsilon = max(layer.number(1, 0.0), 1e-12)
    graph.name(graph.node("BatchNormalization", inputs, epsilon=epsilon), layer.outputs[0])


def instance_norm(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """InstanceNorm with an affine map per channel."""
    count = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    if not layer.integer(2, 1, high=1):
        raise layer.wrong("has no affine map, which isn't supported")
    slope, offset = (graph.constant(weights.plain(layer, count)) for _ in range(2))
    epsilon = max(layer.number(1, 0.001), 1e-12)
    result = graph.node("InstanceNormalization", [layer.inputs[0], slope, offset], epsilon=epsilon)
    graph.name(result, layer.outputs[0])


def memory_data(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """MemoryData: constants, one per channel or one per number of a C×H×W blob."""
    wide, high, channels = (layer.integer(key, 0, high=1 << 16) for key in range(3))
    if layer.number(11, 0) or (high and not channels) or not wide:
        raise layer.wrong(f"holds {wide}×{high}×{channels} numbers; lists and C×H×W blobs are supported")
    shape = (1, channels, high, wide) if channels else (1, wide, 1, 1)
    count = int(np.prod(shape, dtype=object))
    auto = layer.integer(21, 1, high=1) == 0
    values = weights.tagged(layer, count) if auto else weights.plain(layer, count)
    tensor = graph.constant(values.reshape(shape))
    graph.name(tensor if channels else graph.mark_vector(tensor), layer.outputs[0])


def _per_channel(layer: Layer, graph: NcnnGraph, weights: WeightReader, count: int) -> str:
    return graph.constant(weights.plain(layer, count).reshape(1, count, 1, 1))
