"""ncnn layers that work on each number by itself, and the activations fused into other layers."""

from collections.abc import Callable

from wildsr.models.ncnn.builder import NcnnGraph
from wildsr.models.ncnn.param import MAX_CHANNELS, Layer
from wildsr.models.ncnn.weights import WeightReader


def fused(layer: Layer, graph: NcnnGraph, x: str) -> str:
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
        return _mish(graph, x)
    if kind == 6 and len(numbers) == 2:
        return _hard_swish(graph, x, numbers[0], numbers[1])
    raise layer.wrong(f"fused activation {kind} with {len(numbers)} numbers isn't supported")


def simple(kind: str) -> Callable[[Layer, NcnnGraph, WeightReader], None]:
    """Return what emits one ONNX node of this kind, without parameters."""

    def emit(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
        graph.name(graph.node(kind, [layer.inputs[0]]), layer.outputs[0])

    return emit


def relu(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """ReLU, leaky where it has a slope."""
    slope = layer.number(0, 0.0)
    x = layer.inputs[0]
    result = graph.node("LeakyRelu", [x], alpha=slope) if slope else graph.node("Relu", [x])
    graph.name(result, layer.outputs[0])


def prelu(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """PReLU with one slope or one per channel."""
    count = layer.integer(0, 0, low=1, high=MAX_CHANNELS)
    slope = weights.plain(layer, count).reshape(count, 1, 1)
    graph.name(graph.node("PRelu", [layer.inputs[0], graph.constant(slope)]), layer.outputs[0])


def elu(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """ELU."""
    graph.name(graph.node("Elu", [layer.inputs[0]], alpha=layer.number(0, 0.1)), layer.outputs[0])


def gelu(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """GELU, exact or by its tanh approximation (Hendrycks, Gimpel 2016)."""
    x = layer.inputs[0]
    if layer.integer(0, 0, high=1):
        cube = graph.node("Mul", [graph.node("Mul", [x, x]), graph.node("Mul", [x, graph.scalar(0.044715)])])
        inner = graph.node("Mul", [graph.node("Add", [x, cube]), graph.scalar(0.7978845608)])
        curve = graph.node("Tanh", [inner])
    else:
        curve = graph.node("Erf", [graph.node("Mul", [x, graph.scalar(0.7071067812)])])
    half = graph.node("Mul", [x, graph.scalar(0.5)])
    result = graph.node("Mul", [half, graph.node("Add", [curve, graph.scalar(1.0)])])
    graph.name(result, layer.outputs[0])


def clip(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Clip between two numbers."""
    low, high = graph.scalar(layer.number(0, -3.4e38)), graph.scalar(layer.number(1, 3.4e38))
    graph.name(graph.node("Clip", [layer.inputs[0], low, high]), layer.outputs[0])


def hard_sigmoid(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """HardSigmoid: clip(α·x + β, 0, 1)."""
    alpha, beta = layer.number(0, 0.2), layer.number(1, 0.5)
    graph.name(graph.node("HardSigmoid", [layer.inputs[0]], alpha=alpha, beta=beta), layer.outputs[0])


def hard_swish(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """HardSwish: x · clip(α·x + β, 0, 1)."""
    result = _hard_swish(graph, layer.inputs[0], layer.number(0, 0.2), layer.number(1, 0.5))
    graph.name(result, layer.outputs[0])


def swish(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Swish: x · sigmoid(x)."""
    x = layer.inputs[0]
    graph.name(graph.node("Mul", [x, graph.node("Sigmoid", [x])]), layer.outputs[0])


def mish(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Mish: x · tanh(softplus(x))."""
    graph.name(_mish(graph, layer.inputs[0]), layer.outputs[0])


def softmax(layer: Layer, graph: NcnnGraph, weights: WeightReader) -> None:
    """Softmax over channels, rows or columns."""
    axis = layer.integer(0, 0, low=-3, high=2)
    if graph.is_vector(layer.inputs[0]):
        axis = 0
    graph.name(graph.node("Softmax", [layer.inputs[0]], axis=1 + axis % 3), layer.outputs[0])


def _mish(graph: NcnnGraph, x: str) -> str:
    return graph.node("Mul", [x, graph.node("Tanh", [graph.node("Softplus", [x])])])


def _hard_swish(graph: NcnnGraph, x: str, alpha: float, beta: float) -> str:
    return graph.node("Mul", [x, graph.node("HardSigmoid", [x], alpha=alpha, beta=beta)])
