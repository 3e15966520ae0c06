"""ncnn layers with kernels: Convolution, Deconvolution (both also in groups), InnerProduct."""

import numpy as np

from wildsr.models.ncnn.activations import fused
from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.param import MAX_CHANNELS, Layer
from wildsr.models.ncnn.weights import WeightReader

_SAME_UPPER, _SAME_LOWER = -233, -234


def convolution(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Convolution and ConvolutionDepthWise, with an activation fused in where the file has one."""
    out, kernel, groups, size = _sizes(layer)
    per_output, rest = divmod(size, out * kernel[0] * kernel[1])
    if rest or not per_output:
        raise layer.wrong(f"{size} weights don't make {out} filters of {kernel[0]}×{kernel[1]}")
    if layer.number(19, 0):
        raise layer.wrong("takes its weights from another layer, which isn't supported")
    array = weights.tagged(layer, size).reshape(out, per_output, *kernel)
    constants = [graph.constant(array), *_bias(layer, graph, weights, out, 5)]
    strides, dilations = _pair(layer, 3, 13, 64), _pair(layer, 2, 12, 64)
    x = layer.inputs[0]
    same = layer.number(4, 0)
    if same in (_SAME_UPPER, _SAME_LOWER) and strides != [1, 1]:
        result = graph.node(
            "Conv",
            [x, *constants],
            group=groups,
            strides=strides,
            dilations=dilations,
            auto_pad="SAME_UPPER" if same == _SAME_UPPER else "SAME_LOWER",
        )
    else:
        pads = _pads(layer, kernel, dilations)
        if layer.number(18, 0) and any(pads):
            around = graph.integers(0, 0, *pads[:2], 0, 0, *pads[2:])
            x, pads = graph.node("Pad", [x, around, graph.scalar(layer.number(18, 0))]), [0, 0, 0, 0]
        result = graph.node(
            "Conv", [x, *constants], group=groups, strides=strides, dilations=dilations, pads=pads
        )
    graph.name(fused(layer, graph, result), layer.outputs[0])


def deconvolution(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Deconvolution and DeconvolutionDepthWise (transposed convolutions)."""
    out, kernel, groups, size = _sizes(layer)
    per_output, rest = divmod(size, out * kernel[0] * kernel[1])
    if rest or not per_output:
        raise layer.wrong(f"{size} weights don't make {out} filters of {kernel[0]}×{kernel[1]}")
    if layer.number(20, 0) or layer.number(21, 0) or layer.number(28, 0):
        raise layer.wrong(
            "asks for a fixed output size or for weights of another layer; neither is supported"
        )
    array = weights.tagged(layer, size).reshape(groups, out // groups, per_output, *kernel).swapaxes(1, 2)
    array = np.ascontiguousarray(array).reshape(groups * per_output, out // groups, *kernel)
    constants = [graph.constant(array), *_bias(layer, graph, weights, out, 5)]
    right = layer.integer(18, 0, high=63)
    result = graph.node(
        "ConvTranspose",
        [layer.inputs[0], *constants],
        group=groups,
        strides=_pair(layer, 3, 13, 64),
        dilations=_pair(layer, 2, 12, 64),
        output_padding=[layer.integer(19, right, high=63), right],
        pads=_pads(layer, kernel, [1, 1]),
    )
    graph.name(fused(layer, graph, result), layer.outputs[0])


def inner_product(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """InnerProduct of one number per channel (behind a global pooling): a 1×1 convolution."""
    if not graph.is_vector(layer.inputs[0]):
        raise layer.wrong(
            "works on a whole picture, so on one size only; behind a global pooling it is allowed"
        )
    out = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    size = layer.integer(2, 0, low=1, high=1 << 30)
    if size % out:
        raise layer.wrong(f"{size} weights don't make {out} numbers")
    _refuse_int8(layer)
    array = weights.tagged(layer, size).reshape(out, size // out, 1, 1)
    constants = [graph.constant(array), *_bias(layer, graph, weights, out, 1)]
    result = graph.node("Conv", [layer.inputs[0], *constants])
    graph.name(fused(layer, graph, result), layer.outputs[0])


def _sizes(layer: Layer) -> tuple[int, list[int], int, int]:
    """Filters, kernel (rows, columns), groups, weights in all."""
    out = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    kernel = _pair(layer, 1, 11, 255, default=0)
    groups = layer.integer(7, 1, low=1, high=MAX_CHANNELS) if layer.kind.endswith("DepthWise") else 1
    if out % groups:
        raise layer.wrong(f"{out} filters don't divide into {groups} groups")
    _refuse_int8(layer)
    return out, kernel, groups, layer.integer(6, 0, low=1, high=1 << 30)


def _pair(layer: Layer, wide: int, high: int, most: int, default: int = 1) -> list[int]:
    """Rows and columns of a parameter; the number for rows is that for columns where it is missing."""
    columns = layer.integer(wide, default, low=1, high=most)
    return [layer.integer(high, columns, low=1, high=most), columns]


def _bias(layer: Layer, graph: NcnnGraph, weights: WeightReader, out: int, key: int) -> list[str]:
    return [graph.constant(weights.plain(layer, out))] if layer.integer(key, 0, high=1) else []


def _refuse_int8(layer: Layer) -> None:
    if layer.number(8, 0):
        raise layer.wrong("is quantised to int8; use the fp32 or fp16 files of this model")


def _pads(layer: Layer, kernel: list[int], dilations: list[int]) -> list[int]:
    """Top, left, bottom, right."""
    same = layer.number(4, 0)
    if same in (_SAME_UPPER, _SAME_LOWER) and layer.kind.startswith("Convolution"):
        around = [(side - 1) * step for side, step in zip(kernel, dilations, strict=True)]
        less = [side // 2 for side in around]
        more = [side - half for side, half in zip(around, less, strict=True)]
        return [*less, *more] if same == _SAME_UPPER else [*more, *less]
    left = layer.integer(4, 0, high=255)
    top, right = layer.integer(14, left, high=255), layer.integer(15, left, high=255)
    return [top, left, layer.integer(16, top, high=255), right]
