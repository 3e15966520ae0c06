"""LPIPS and DISTS as ONNX graphs, built from the backbones' layer tables.

A graph takes two batches of pictures as they are in memory (N×H×W×3 levels 0…255, float32) and returns N
distances, so normalisation, features, comparison and means all run inside it.
"""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.backbones import BACKBONES, BackboneName, Conv, MaxPool

if TYPE_CHECKING:
    import onnx

Weights: TypeAlias = Mapping[str, NDArray[np.float32]]

OPSET = 18
_LPIPS_SHIFT = (-0.030, -0.088, -0.188)
_LPIPS_SCALE = (0.458, 0.448, 0.450)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


class GraphBuilder:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: dict[str, NDArray[np.float32] | NDArray[np.int64]] = {}

    def node(self, operation: str, *inputs: str, **attributes: int | list[int]) -> str:
        """Add a node with one output."""
        return self.split(operation, inputs, 1, attributes)[0]

    def split(
        self, operation: str, inputs: Sequence[str], outputs: int, attributes: Mapping[str, int | list[int]]
    ) -> list[str]:
        """Add a node with several outputs."""
        from onnx import helper

        names = [f"{operation.lower()}_{len(self.nodes)}_{number}" for number in range(outputs)]
        node = helper.make_node(operation, inputs, names)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self.nodes.append(node)
        return names

    def constant(self, values: object, *, integer: bool = False) -> str:
        """Add an array of float32 (or int64) numbers."""
        name = f"constant_{len(self.constants)}"
        if integer:
            self.constants[name] = np.array(values, np.int64)
        else:
            self.constants[name] = np.array(values, np.float32)
        return name

    def model(self, output: str) -> "onnx.ModelProto":
        """Return the graph of inputs `sr` and `hr` and the given output."""
        import onnx
        from onnx import helper, numpy_helper

        inputs = [
            helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["n", "h", "w", 3])
            for name in ("sr", "hr")
        ]
        outputs = [helper.make_tensor_value_info(output, onnx.TensorProto.FLOAT, ["n"])]
        constants = [numpy_helper.from_array(values, name) for name, values in self.constants.items()]
        graph = helper.make_graph(self.nodes, "metric", inputs, outputs, constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=10)
        onnx.checker.check_model(model)
        return model


def lpips_graph(name: BackboneName, weights: Weights, heads: list[NDArray[np.float32]]) -> "onnx.ModelProto":
    """Return LPIPS v0.1 (ALGORITHMS §11.2) as a graph of inputs `sr` and `hr`."""
    graph = GraphBuilder()
    scale = np.array(_LPIPS_SCALE)
    # levels → [−1, 1] → (x − shift)/scale, as one multiplication and one addition a channel
    x = _pictures(graph, 2 / 255 / scale, (-1 - np.array(_LPIPS_SHIFT)) / scale)
    terms = []
    for tap, head in zip(_backbone(graph, x, name, weights, l2_pooling=False), heads, strict=True):
        squares = graph.node("ReduceSum", graph.node("Mul", tap, tap), graph.constant([1], integer=True))
        length = graph.node("Add", graph.node("Sqrt", squares), graph.constant(1e-10))
        sr, hr = _halves(graph, graph.node("Div", tap, length))
        difference = graph.node("Sub", sr, hr)
        kernel = graph.constant(head.reshape(1, -1, 1, 1))
        weighted = graph.node("Conv", graph.node("Mul", difference, difference), kernel)
        terms.append(graph.node("ReduceMean", weighted, graph.constant([1, 2, 3], integer=True), keepdims=0))
    return graph.model(_sum(graph, terms))


def dists_graph(weights: Weights, alpha: NDArray[np.float32], beta: NDArray[np.float32]) -> "onnx.ModelProto":
    """Return DISTS (Ding 2020, Eq. 5–7) as a graph of inputs `sr` and `hr`.

    Args:
        weights: VGG16's.
        alpha: 1475 texture weights: the picture's 3 channels, then those of the five taps.
        beta: 1475 structure weights.
    """
    graph = GraphBuilder()
    std = np.array(_IMAGENET_STD)
    unit = _pictures(graph, np.full(3, 1 / 255), np.zeros(3))
    shift = graph.constant((-np.array(_IMAGENET_MEAN) / std).reshape(1, 3, 1, 1))
    x = graph.node("Add", graph.node("Mul", unit, graph.constant((1 / std).reshape(1, 3, 1, 1))), shift)
    total = np.float64(alpha.sum(dtype=np.float64) + beta.sum(dtype=np.float64))
    terms, start = [], 0
    for tap in (unit, *_backbone(graph, x, "vgg16", weights, l2_pooling=True)):
        width = 3 if tap == unit else _width(graph, tap)
        part = slice(start, start + width)
        terms += _texture_and_structure(graph, tap, alpha[part] / total, beta[part] / total)
        start += width
    similarity = _sum(graph, terms)
    return graph.model(graph.node("Sub", graph.constant(1.0), similarity))


def _pictures(graph: GraphBuilder, scale: NDArray[np.float64], shift: NDArray[np.float64]) -> str:
    """Join both batches, channels first, and map each channel by scale·x + shift."""
    both = graph.node("Concat", "sr", "hr", axis=0)
    planes = graph.node("Transpose", both, perm=[0, 3, 1, 2])
    scaled = graph.node("Mul", planes, graph.constant(scale.reshape(1, 3, 1, 1)))
    if not shift.any():
        return scaled
    return graph.node("Add", scaled, graph.constant(shift.reshape(1, 3, 1, 1)))


def _backbone(
    graph: GraphBuilder, x: str, name: BackboneName, weights: Weights, *, l2_pooling: bool
) -> list[str]:
    """Append a backbone and return its taps."""
    taps, width = [], 3
    for layer in BACKBONES[name]:
        if isinstance(layer, MaxPool):
            if l2_pooling:
                x = _l2_pool(graph, x, width)
            else:
                x = graph.node("MaxPool", x, kernel_shape=[layer.kernel] * 2, strides=[layer.stride] * 2)
            continue
        x = _convolution(graph, x, layer, weights)
        width = layer.outputs
        if layer.tap:
            taps.append(x)
    return taps


def _convolution(graph: GraphBuilder, x: str, layer: Conv, weights: Weights) -> str:
    kernel = graph.constant(weights[f"features.{layer.index}.weight"])
    bias = graph.constant(weights[f"features.{layer.index}.bias"])
    made = graph.node(
        "Conv",
        x,
        kernel,
        bias,
        strides=[layer.stride] * 2,
        pads=[layer.padding] * 4,
        kernel_shape=[layer.kernel] * 2,
    )
    return graph.node("Relu", made)


def _l2_pool(graph: GraphBuilder, x: str, width: int) -> str:
    """√(Hanning window ∗ x² + 1e-12) at every second pixel."""
    window = np.hanning(5)[1:-1]
    kernel = np.outer(window, window) / window.sum() ** 2
    filters = graph.constant(np.broadcast_to(kernel, (width, 1, 3, 3)))
    pooled = graph.node("Conv", graph.node("Mul", x, x), filters, group=width, strides=[2, 2], pads=[1] * 4)
    return graph.node("Sqrt", graph.node("Add", pooled, graph.constant(1e-12)))


def _texture_and_structure(
    graph: GraphBuilder, tap: str, alpha: NDArray[np.float64], beta: NDArray[np.float64]
) -> list[str]:
    """Return Σα·l and Σβ·s of one layer for each picture of the batch."""
    axes = graph.constant([2, 3], integer=True)
    tiny = graph.constant(1e-6)
    two = graph.constant(2.0)
    mean = graph.node("ReduceMean", tap, axes, keepdims=1)
    centred = graph.node("Sub", tap, mean)
    variance = graph.node("ReduceMean", graph.node("Mul", centred, centred), axes, keepdims=1)
    covariance = graph.node("ReduceMean", graph.node("Mul", *_halves(graph, centred)), axes, keepdims=1)
    mean_sr, mean_hr = _halves(graph, mean)
    texture = _ratio(graph, graph.node("Mul", mean_sr, mean_hr), graph.node("Mul", mean, mean), two, tiny)
    structure = _ratio(graph, covariance, variance, two, tiny)
    everything = graph.constant([1, 2, 3], integer=True)
    return [
        graph.node(
            "ReduceSum",
            graph.node("Mul", part, graph.constant(weight.reshape(1, -1, 1, 1))),
            everything,
            keepdims=0,
        )
        for part, weight in ((texture, alpha), (structure, beta))
    ]


def _ratio(graph: GraphBuilder, product: str, squares: str, two: str, tiny: str) -> str:
    """(2·product + c) / (square of sr + square of hr + c)."""
    upper = graph.node("Add", graph.node("Mul", product, two), tiny)
    lower = graph.node("Add", graph.node("Add", *_halves(graph, squares)), tiny)
    return graph.node("Div", upper, lower)


def _halves(graph: GraphBuilder, joined: str) -> tuple[str, str]:
    """Split what was joined in `_pictures`."""
    sr, hr = graph.split("Split", [joined], 2, {"axis": 0, "num_outputs": 2})
    return sr, hr


def _sum(graph: GraphBuilder, terms: list[str]) -> str:
    return graph.node("Sum", *terms)


def _width(graph: GraphBuilder, tap: str) -> int:
    """Channels of a tap, read off the convolution that made it."""
    relu = next(node for node in graph.nodes if tap in node.output)
    convolution = next(node for node in graph.nodes if relu.input[0] in node.output)
    return int(graph.constants[convolution.input[1]].shape[0])
