"""One function per ncnn layer type: reads its weights, emits ONNX nodes. A new layer is a function and a line in LAYERS.

Parameter numbers are ncnn's (its operator documentation); blobs are C×H×W there and N×C×H×W here.
"""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from wildsr.models.ncnn.builder import Builder
from wildsr.models.ncnn.param import Layer
from wildsr.models.ncnn.weights import WeightReader

Emit: TypeAlias = Callable[[Layer, Builder, WeightReader], None]
_MAX_CHANNELS = 1 << 14


def convolution(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Convolution and ConvolutionDepthWise, with an activation fused in where the file has one."""
    out = layer.integer(0, 0, low=1, high=_MAX_CHANNELS)
    kernel_w = layer.integer(1, 0, low=1, high=255)
    kernel_h = layer.integer(11, kernel_w, low=1, high=255)
    groups = layer.integer(7, 1, low=1, high=_MAX_CHANNELS) if layer.kind == "ConvolutionDepthWise" else 1
    size = layer.integer(6, 0, low=1, high=1 << 30)
    per_output, rest = divmod(size, out * kernel_h * kernel_w)
    if rest or out % groups or not per_output:
        raise layer.wrong(
            f"{size} weights don't make {out} filters of {kernel_h}×{kernel_w} in {groups} groups"
        )
    if layer.integer(8, 0, high=1000):
        raise layer.wrong("is quantised to int8; use the fp32 or fp16 files of this model")
    kernel = weights.tagged(layer, size).reshape(out, per_output, kernel_h, kernel_w)
    inputs = [layer.inputs[0], graph.constant(kernel)]
    if layer.integer(5, 0, high=1):
        inputs.append(graph.constant(weights.plain(layer, out)))
    pads = _pads(layer)
    stride, dilation = layer.integer(3, 1, low=1, high=64), layer.integer(2, 1, low=1, high=64)
    result = graph.node(
        "Conv",
        inputs,
        group=groups,
        strides=[layer.integer(13, stride, low=1, high=64), stride],
        dilations=[layer.integer(12, dilation, low=1, high=64), dilation],
        pads=pads,
    )
    graph.name(activation(layer, graph, result), layer.outputs[0])


def deconvolution(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Deconvolution (transposed convolution)."""
    out = layer.integer(0, 0, low=1, high=_MAX_CHANNELS)
    kernel_w = layer.integer(1, 0, low=1, high=255)
    kernel_h = layer.integer(11, kernel_w, low=1, high=255)
    size = layer.integer(6, 0, low=1, high=1 << 30)
    channels, rest = divmod(size, out * kernel_h * kernel_w)
    if rest or not channels:
        raise layer.wrong(f"{size} weights don't make {out} filters of {kernel_h}×{kernel_w}")
    if layer.integer(20, 0, high=4096) or layer.integer(21, 0, high=4096):
        raise layer.wrong("asks for a fixed output size, which isn't supported")
    kernel = weights.tagged(layer, size).reshape(out, channels, kernel_h, kernel_w).swapaxes(0, 1)
    inputs = [layer.inputs[0], graph.constant(np.ascontiguousarray(kernel))]
    if layer.integer(5, 0, high=1):
        inputs.append(graph.constant(weights.plain(layer, out)))
    stride, dilation = layer.integer(3, 1, low=1, high=64), layer.integer(2, 1, low=1, high=64)
    right = layer.integer(18, 0, high=64)
    result = graph.node(
        "ConvTranspose",
        inputs,
        strides=[layer.integer(13, stride, low=1, high=64), stride],
        dilations=[layer.integer(12, dilation, low=1, high=64), dilation],
        output_padding=[layer.integer(19, right, high=64), right],
        pads=_pads(layer),
    )
    graph.name(activation(layer, graph, result), layer.outputs[0])


def _pads(layer: Layer) -> list[int]:
    left = layer.integer(4, 0, high=255)
    top = layer.integer(14, left, high=255)
    right, bottom = layer.integer(15, left, high=255), layer.integer(16, top, high=255)
    if layer.number(18, 0) and layer.kind != "Deconvolution":
        raise layer.wrong("pads with a value other than 0, which isn't supported")
    return [top, left, bottom, right]


def activation(layer: Layer, graph: Builder, x: str) -> str:
    """The activation fused into a layer: parameter 9, its numbers in list 10."""
    kind = layer.integer(9, 0, high=100)
    numbers = layer.lists.get(10, ())
    if kind == 0:
        return x
    if kind == 1:
        return graph.node("Relu", [x])
    if kind == 2 and len(numbers) == 1:
        return graph.node("LeakyRelu", [x], alpha=numbers[0])
    if kind == 3 and len(numbers) == 2:
        return graph.node("Clip", [x, graph.scalar(numbers[0]), graph.scalar(numbers[1])])
    if kind == 4:
        return graph.node("Sigmoid", [x])
    if kind == 5:
        return graph.mish(x)
    if kind == 6 and len(numbers) == 2:
        return graph.hard_swish(x, *numbers)
    raise layer.wrong(f"fused activation {kind} with {len(numbers)} numbers isn't supported")


def relu(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """ReLU, leaky where it has a slope."""
    slope = layer.number(0, 0.0)
    x = layer.inputs[0]
    result = graph.node("LeakyRelu", [x], alpha=slope) if slope else graph.node("Relu", [x])
    graph.name(result, layer.outputs[0])


def prelu(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """PReLU with one slope or one per channel."""
    count = layer.integer(0, 0, low=1, high=_MAX_CHANNELS)
    slope = weights.plain(layer, count).reshape(count, 1, 1)
    graph.name(graph.node("PRelu", [layer.inputs[0], graph.constant(slope)]), layer.outputs[0])


def _simple(kind: str) -> Emit:
    def emit(layer: Layer, graph: Builder, weights: WeightReader) -> None:
        graph.name(graph.node(kind, [layer.inputs[0]]), layer.outputs[0])

    return emit


def clip(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Clip between two numbers."""
    low, high = graph.scalar(layer.number(0, -3.4e38)), graph.scalar(layer.number(1, 3.4e38))
    graph.name(graph.node("Clip", [layer.inputs[0], low, high]), layer.outputs[0])


def hard_sigmoid(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """HardSigmoid: clip(α·x + β, 0, 1)."""
    result = graph.node(
        "HardSigmoid", [layer.inputs[0]], alpha=layer.number(0, 0.2), beta=layer.number(1, 0.5)
    )
    graph.name(result, layer.outputs[0])


def hard_swish(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """HardSwish: x · clip(α·x + β, 0, 1)."""
    graph.name(
        graph.hard_swish(layer.inputs[0], layer.number(0, 0.2), layer.number(1, 0.5)), layer.outputs[0]
    )


def swish(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Swish: x · sigmoid(x)."""
    x = layer.inputs[0]
    graph.name(graph.node("Mul", [x, graph.node("Sigmoid", [x])]), layer.outputs[0])


def mish(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Mish: x · tanh(softplus(x))."""
    graph.name(graph.mish(layer.inputs[0]), layer.outputs[0])


def eltwise(layer: Layer, graph: Builder, weights: WeightReader) -> None:
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


_BINARY = ("Add", "Sub", "Mul", "Div", "Max", "Min", "Pow")


def binary(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """BinaryOp of two blobs, or of a blob and a number."""
    kind = layer.integer(0, 0, high=8)
    a = layer.inputs[0]
    if layer.integer(1, 0, high=1):
        b = graph.scalar(layer.number(2, 0.0))
    elif len(layer.inputs) == 2:
        b = layer.inputs[1]
    else:
        raise layer.wrong(f"has {len(layer.inputs)} inputs; two are needed")
    if kind >= len(_BINARY):
        a, b, kind = b, a, 1 if kind == 7 else 3  # reversed subtraction and division
    graph.name(graph.node(_BINARY[kind], [a, b]), layer.outputs[0])


_UNARY = {
    0: "Abs",
    1: "Neg",
    2: "Floor",
    3: "Ceil",
    5: "Sqrt",
    7: "Exp",
    8: "Log",
    15: "Reciprocal",
    16: "Tanh",
}


def unary(layer: Layer, graph: Builder, weights: WeightReader) -> None:
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


def concat(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Concat along channels, rows or columns."""
    axis = layer.integer(0, 0, low=-3, high=2)
    graph.name(graph.node("Concat", list(layer.inputs), axis=1 + axis % 3), layer.outputs[0])


def split(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Split: the same blob under several names."""
    for name in layer.outputs:
        graph.alias(layer.inputs[0], name)


def interp(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Interp: nearest, bilinear or bicubic resizing by factors."""
    kind = layer.integer(0, 0, low=1, high=3)
    if layer.number(3, 0) or layer.number(4, 0) or len(layer.inputs) > 1:
        raise layer.wrong("resizes to a fixed size; only factors work for pictures of any size")
    high, wide = layer.number(1, 1.0), layer.number(2, 1.0)
    if not (1 / 16 <= high <= 16 and 1 / 16 <= wide <= 16):
        raise layer.wrong(f"resizes by {high:g} and {wide:g}; factors from 1/16 to 16 are allowed")
    graph.name(
        graph.resize(layer.inputs[0], high, wide, kind=kind, aligned=bool(layer.integer(6, 0, high=1))),
        layer.outputs[0],
    )


def pixel_shuffle(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """PixelShuffle."""
    mode = "DCR" if layer.integer(1, 0, high=1) else "CRD"
    result = graph.node(
        "DepthToSpace", [layer.inputs[0]], blocksize=layer.integer(0, 1, low=1, high=16), mode=mode
    )
    graph.name(result, layer.outputs[0])


def padding(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Padding of rows and columns: constant, repeated or mirrored."""
    top, bottom, left, right = (layer.integer(key, 0, high=1024) for key in range(4))
    mode = ("constant", "edge", "reflect")[layer.integer(4, 0, high=2)]
    pads = graph.constant(np.array([0, 0, top, left, 0, 0, bottom, right], np.int64))
    value = [graph.scalar(layer.number(5, 0.0))] if mode == "constant" else []
    graph.name(graph.node("Pad", [layer.inputs[0], pads, *value], mode=mode), layer.outputs[0])


def pooling(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Pooling: global, or windows without padding."""
    average = layer.integer(0, 0, high=1) == 1
    if layer.integer(4, 0, high=1):
        result = graph.node("GlobalAveragePool" if average else "GlobalMaxPool", [layer.inputs[0]])
    else:
        if layer.number(3, 0):
            raise layer.wrong("pads before pooling, which isn't supported")
        kernel, stride = layer.integer(1, 1, low=1, high=255), layer.integer(2, 1, low=1, high=64)
        kernels = [layer.integer(11, kernel, low=1, high=255), kernel]
        strides = [layer.integer(12, stride, low=1, high=64), stride]
        ceil = int(layer.integer(5, 0, high=3) == 0)
        kind = "AveragePool" if average else "MaxPool"
        result = graph.node(kind, [layer.inputs[0]], kernel_shape=kernels, strides=strides, ceil_mode=ceil)
    graph.name(result, layer.outputs[0])


def scale(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Scale: a factor per channel and, where it has one, an offset."""
    count = layer.integer(0, 0, low=1, high=_MAX_CHANNELS)
    result = graph.node(
        "Mul", [layer.inputs[0], graph.constant(weights.plain(layer, count).reshape(1, count, 1, 1))]
    )
    if layer.integer(1, 0, high=1):
        offset = weights.plain(layer, count).reshape(1, count, 1, 1)
        result = graph.node("Add", [result, graph.constant(offset)])
    graph.name(result, layer.outputs[0])


def batch_norm(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """BatchNorm with its statistics."""
    count = layer.integer(0, 0, low=1, high=_MAX_CHANNELS)
    slope, mean, variance, bias = (weights.plain(layer, count) for _ in range(4))
    inputs = [layer.inputs[0], *(graph.constant(values) for values in (slope, bias, mean, variance))]
    graph.name(
        graph.node("BatchNormalization", inputs, epsilon=max(layer.number(1, 0.0), 1e-12)), layer.outputs[0]
    )


def same(layer: Layer, graph: Builder, weights: WeightReader) -> None:
    """Layers that do nothing when a network runs."""
    graph.alias(layer.inputs[0], layer.outputs[0])


LAYERS: dict[str, Emit] = {
    "BatchNorm": batch_norm,
    "BinaryOp": binary,
    "Clip": clip,
    "Concat": concat,
    "Convolution": convolution,
    "ConvolutionDepthWise": convolution,
    "Deconvolution": deconvolution,
    "Dropout": same,
    "Eltwise": eltwise,
    "HardSigmoid": hard_sigmoid,
    "HardSwish": hard_swish,
    "Interp": interp,
    "Mish": mish,
    "Noop": same,
    "PReLU": prelu,
    "Padding": padding,
    "PixelShuffle": pixel_shuffle,
    "Pooling": pooling,
    "ReLU": relu,
    "Scale": scale,
    "Sigmoid": _simple("Sigmoid"),
    "Split": split,
    "Swish": swish,
    "TanH": _simple("Tanh"),
    "UnaryOp": unary,
}
"""What emits each layer type."""
