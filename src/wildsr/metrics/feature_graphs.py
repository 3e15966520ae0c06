"""LPIPS and DISTS as ONNX graphs, built from the backbones' layer tables.

A graph takes two batches of pictures as they are in memory (N×H×W×3 levels 0…255, float32) and returns N
distances, so normalisation, features, comparison and means all run inside it.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.backbones import BACKBONES, BackboneName, Conv, MaxPool

if TYPE_CHECKING:
    import onnx

    from wildsr.models.graph_builder import GraphBuilder

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]

OPSET = 18
_LPIPS_SHIFT = (-0.030, -0.088, -0.188)
_LPIPS_SCALE = (0.458, 0.448, 0.450)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def lpips_graph(name: BackboneName, weights: Weights, heads: list[NDArray[np.float32]]) -> "onnx.ModelProto":
    """Return LPIPS v0.1 as a graph of inputs `sr` and `hr`."""
    from wildsr.models.graph_builder import GraphBuilder

    graph = GraphBuilder()
    scale = np.array(_LPIPS_SCALE)
    # levels → [−1, 1] → (x − shift)/scale, as one multiplication and one addition a channel
    x = _pictures(graph, 2 / 255 / scale, (-1 - np.array(_LPIPS_SHIFT)) / scale)
    terms = []
    taps = _backbone(graph, x, name, weights, l2_pooling=False)
    for (tap, _), head in zip(taps, heads, strict=True):
        squares = graph.node("ReduceSum", [graph.node("Mul", [tap, tap]), graph.integers(1)])
        length = graph.node("Add", [graph.node("Sqrt", [squares]), graph.scalar(1e-10)])
        sr, hr = _halves(graph, graph.node("Div", [tap, length]))
        difference = graph.node("Sub", [sr, hr])
        kernel = graph.constant(head.reshape(1, -1, 1, 1))
        weighted = graph.node("Conv", [graph.node("Mul", [difference, difference]), kernel])
        terms.append(graph.node("ReduceMean", [weighted, graph.integers(1, 2, 3)], keepdims=0))
    return _finished(graph, _sum(graph, terms))


def dists_graph(weights: Weights, alpha: NDArray[np.float32], beta: NDArray[np.float32]) -> "onnx.ModelProto":
    """Return DISTS (Ding 2020, Eq. 5–7) as a graph of inputs `sr` and `hr`.

    Args:
        weights: VGG16's.
        alpha: 1475 texture weights: the picture's 3 channels, then those of the five taps.
        beta: 1475 structure weights.
    """
    from wildsr.models.graph_builder import GraphBuilder

    graph = GraphBuilder()
    std = np.array(_IMAGENET_STD)
    unit = _pictures(graph, np.full(3, 1 / 255), np.zeros(3))
    shift = graph.constant((-np.array(_IMAGENET_MEAN) / std).reshape(1, 3, 1, 1))
    x = graph.node("Add", [graph.node("Mul", [unit, graph.constant((1 / std).reshape(1, 3, 1, 1))]), shift])
    total = np.float64(alpha.sum(dtype=np.float64) + beta.sum(dtype=np.float64))
    terms, start = [], 0
    for tap, width in ((unit, 3), *_backbone(graph, x, "vgg16", weights, l2_pooling=True)):
        part = slice(start, start + width)
        terms += _texture_and_structure(graph, tap, alpha[part] / total, beta[part] / total)
        start += width
    similarity = _sum(graph, terms)
    return _finished(graph, graph.node("Sub", [graph.scalar(1.0), similarity]))


def _pictures(graph: "GraphBuilder", scale: NDArray[np.float64], shift: NDArray[np.float64]) -> str:
    """Join both batches, channels first, and map each channel by scale·x + shift."""
    both = graph.node("Concat", ["sr", "hr"], axis=0)
    planes = graph.node("Transpose", [both], perm=[0, 3, 1, 2])
    scaled = graph.node("Mul", [planes, graph.constant(scale.reshape(1, 3, 1, 1))])
    if not shift.any():
        return scaled
    return graph.node("Add", [scaled, graph.constant(shift.reshape(1, 3, 1, 1))])


def _backbone(
    graph: "GraphBuilder", x: str, name: BackboneName, weights: Weights, *, l2_pooling: bool
) -> list[tuple[str, int]]:
    """Append a backbone and return its taps, each with its number of channels."""
    taps, width = [], 3
    for layer in BACKBONES[name]:
        if isinstance(layer, MaxPool):
            if l2_pooling:
                x = _l2_pool(graph, x, width)
            else:
                x = graph.node("MaxPool", [x], kernel_shape=[layer.kernel] * 2, strides=[layer.stride] * 2)
            continue
        x = _convolution(graph, x, layer, weights)
        width = layer.outputs
        if layer.tap:
            taps.append((x, width))
    return taps


def _convolution(graph: "GraphBuilder", x: str, layer: Conv, weights: Weights) -> str:
    kernel = graph.constant(weights[f"features.{layer.index}.weight"])
    bias = graph.constant(weights[f"features.{layer.index}.bias"])
    made = graph.node(
        "Conv",
        [x, kernel, bias],
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        kernel_shape=[layer.kernel] * 2,
    )
    return graph.node("Relu", [made])


def _l2_pool(graph: "GraphBuilder", x: str, width: int) -> str:
    """√(Hanning window ∗ x² + 1e-12) at every second pixel."""
    window = np.hanning(5)[1:-1]
    kernel = np.outer(window, window) / window.sum() ** 2
    filters = graph.constant(np.broadcast_to(kernel, (width, 1, 3, 3)))
    pooled = graph.node(
        "Conv", [graph.node("Mul", [x, x]), filters], group=width, strides=[2, 2], pads=[1] * 4
    )
    return graph.node("Sqrt", [graph.node("Add", [pooled, graph.scalar(1e-12)])])


def _texture_and_structure(
    graph: "GraphBuilder", tap: str, alpha: NDArray[np.float64], beta: NDArray[np.float64]
) -> list[str]:
    """Return Σα·l and Σβ·s of one layer for each picture of the batch."""
    axes = graph.integers(2, 3)
    tiny = graph.scalar(1e-6)
    two = graph.scalar(2.0)
    mean = graph.node("ReduceMean", [tap, axes], keepdims=1)
    centred = graph.node("Sub", [tap, mean])
    variance = graph.node("ReduceMean", [graph.node("Mul", [centred, centred]), axes], keepdims=1)
    covariance = graph.node("ReduceMean", [graph.node("Mul", [*_halves(graph, centred)]), axes], keepdims=1)
    mean_sr, mean_hr = _halves(graph, mean)
    texture = _ratio(graph, graph.node("Mul", [mean_sr, mean_hr]), graph.node("Mul", [mean, mean]), two, tiny)
    structure = _ratio(graph, covariance, variance, two, tiny)
    everything = graph.integers(1, 2, 3)
    return [
        graph.node(
            "ReduceSum",
            [graph.node("Mul", [part, graph.constant(weight.reshape(1, -1, 1, 1))]), everything],
            keepdims=0,
        )
        for part, weight in ((texture, alpha), (structure, beta))
    ]


def _ratio(graph: "GraphBuilder", product: str, squares: str, two: str, tiny: str) -> str:
    """(2·product + c) / (square of sr + square of hr + c)."""
    upper = graph.node("Add", [graph.node("Mul", [product, two]), tiny])
    lower = graph.node("Add", [graph.node("Add", [*_halves(graph, squares)]), tiny])
    return graph.node("Div", [upper, lower])


def _halves(graph: "GraphBuilder", joined: str) -> tuple[str, str]:
    """Split what was joined in `_pictures`."""
    sr, hr = graph.nodes("Split", [joined], 2, axis=0, num_outputs=2)
    return sr, hr


def _sum(graph: "GraphBuilder", terms: list[str]) -> str:
    return graph.node("Sum", terms)


def _finished(graph: "GraphBuilder", distance: str) -> "onnx.ModelProto":
    """Return the model of inputs `sr` and `hr`, N×H×W×3, and one distance for each pair."""
    from onnx.checker import check_model

    pictures = ("n", "h", "w", 3)
    graph.output(distance, "distance")
    model = graph.model(
        "metric", {"sr": pictures, "hr": pictures}, {"distance": ("n",)}, opset=OPSET, ir_version=10
    )
    check_model(model)
    return model
