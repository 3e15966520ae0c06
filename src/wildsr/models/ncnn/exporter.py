"""An ONNX graph as an ncnn model (`.param` and `.bin`), with the blob names that Upscayl and realesrgan-ncnn expect.

Written are the operations of plain super-resolution networks: convolutions, their activations, sums, products with a
number, concatenations, nearest enlargement and pixel shuffle.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import helper, numpy_helper

from wildsr.errors import ModelError

INPUT: Final = "data"
OUTPUT: Final = "output"

_MAGIC: Final = 7767517
_FP16: Final = 0x01306B47
_ADD, _MUL = 0, 2
_LEAKY: Final = 2
_NEAREST: Final = 1


@dataclass
class _Writer:
    """Collects layers and weights."""

    constants: dict[str, NDArray[np.generic]]
    half: bool
    fused: dict[str, onnx.NodeProto]
    """Output of a convolution → the leaky ReLU that is its only reader."""

    layers: list[list[str]] = field(default_factory=list)
    """Type, inputs, outputs (each joined by blanks) and parameters."""

    weights: list[bytes] = field(default_factory=list)

    def layer(self, kind: str, inputs: list[str], output: str, parameters: str = "") -> None:
        self.layers.append([kind, " ".join(inputs), output, parameters])

    def number(self, name: str) -> float | None:
        """The value of a constant that is one number."""
        value = self.constants.get(name)
        return float(value.reshape(())) if value is not None and value.size == 1 else None

    def array(self, node: onnx.NodeProto, position: int) -> NDArray[np.float32]:
        """The constant that a node takes there."""
        name = node.input[position] if position < len(node.input) else ""
        if name not in self.constants:
            raise _unable(node, "weights that are computed")
        return np.asarray(self.constants[name], np.float32)


def export_ncnn(model: onnx.ModelProto, *, half: bool = True) -> tuple[str, bytes]:
    """Translate a network.

    Args:
        model: Maps LR RGB in [0, 1], N×3×h×w, to SR RGB.
        half: Store the convolutions' weights in half precision.

    Returns:
        Text of the `.param` file and content of the `.bin` file.

    Raises:
        ModelError: An operation that is not written; it is named.
    """
    graph = model.graph
    nodes = [node for node in graph.node if node.op_type != "Constant"]
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    for node in graph.node:
        if node.op_type == "Constant":
            constants[node.output[0]] = numpy_helper.to_array(helper.get_attribute_value(node.attribute[0]))
    readers = Counter(name for node in nodes for name in node.input)
    fused = {
        node.input[0]: node
        for node in nodes
        if node.op_type == "LeakyRelu"
        and readers[node.input[0]] == 1
        and _made_by(nodes, node.input[0], "Conv")
    }
    writer = _Writer(constants=constants, half=half, fused=fused)
    names = {graph.input[0].name: INPUT, graph.output[0].name: OUTPUT}
    for node in nodes:
        if node.op_type not in _OPERATIONS:
            raise _unable(node, "an operation that is not written")
        if not any(node is one for one in fused.values()):
            _OPERATIONS[node.op_type](writer, node)
    layers = _with_splits([["Input", "", graph.input[0].name, ""], *writer.layers], graph.output[0].name)
    return _text(layers, names), b"".join(writer.weights)


def _conv(writer: _Writer, node: onnx.NodeProto) -> None:
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    kernel = writer.array(node, 1)
    out, _, height, width = kernel.shape
    pads = attributes.get("pads", [0] * 4)
    strides, dilations = (attributes.get(name, [1, 1]) for name in ("strides", "dilations"))
    if (
        height != width
        or len({*pads}) > 1
        or attributes.get("group", 1) != 1
        or {*strides, *dilations} != {1}
    ):
        raise _unable(node, "strides, dilations, groups or unequal sides")
    parameters = f"0={out} 1={width} 4={pads[0]} 5={int(len(node.input) > 2)} 6={kernel.size}"
    result = node.output[0]
    if result in writer.fused:
        activation = writer.fused[result]
        slope = next((one.f for one in activation.attribute if one.name == "alpha"), 0.01)
        parameters += f" 9={_LEAKY} -23310=1,{slope:.9g}"
        result = activation.output[0]
    writer.layer("Convolution", [node.input[0]], result, parameters)
    if writer.half:
        content = kernel.astype("<f2").tobytes()
        writer.weights.append(_FP16.to_bytes(4, "little") + content + bytes(-len(content) % 4))
    else:
        writer.weights.append(bytes(4) + kernel.astype("<f4").tobytes())
    if len(node.input) > 2:
        writer.weights.append(writer.array(node, 2).astype("<f4").tobytes())


def _leaky(writer: _Writer, node: onnx.NodeProto) -> None:
    slope = next((one.f for one in node.attribute if one.name == "alpha"), 0.01)
    writer.layer("ReLU", [node.input[0]], node.output[0], f"0={slope:.9g}")


def _prelu(writer: _Writer, node: onnx.NodeProto) -> None:
    slopes = writer.array(node, 1).reshape(-1)
    writer.layer("PReLU", [node.input[0]], node.output[0], f"0={slopes.size}")
    writer.weights.append(slopes.astype("<f4").tobytes())


def _binary(operation: int) -> Callable[[_Writer, onnx.NodeProto], None]:
    def write(writer: _Writer, node: onnx.NodeProto) -> None:
        tensors = [name for name in node.input if name not in writer.constants]
        numbers = [writer.number(name) for name in node.input if name in writer.constants]
        if len(tensors) == 1 and numbers[0] is not None:
            writer.layer("BinaryOp", tensors, node.output[0], f"0={operation} 1=1 2={numbers[0]:.9g}")
        elif len(tensors) == 2:
            writer.layer("BinaryOp", tensors, node.output[0], f"0={operation}")
        else:
            raise _unable(node, "an array of constants")

    return write


def _concat(writer: _Writer, node: onnx.NodeProto) -> None:
    if helper.get_attribute_value(node.attribute[0]) != 1:
        raise _unable(node, "another axis than the channels'")
    writer.layer("Concat", list(node.input), node.output[0], "0=0")


def _resize(writer: _Writer, node: onnx.NodeProto) -> None:
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    scales = writer.array(node, 2).tolist()
    plain = attributes.get("mode", b"nearest") == b"nearest" and attributes.get("nearest_mode") == b"floor"
    if not plain or attributes.get("coordinate_transformation_mode") != b"asymmetric":
        raise _unable(node, "another enlargement than the nearest pixel's")
    writer.layer("Interp", [node.input[0]], node.output[0], f"0={_NEAREST} 1={scales[2]:g} 2={scales[3]:g}")


def _shuffle(writer: _Writer, node: onnx.NodeProto) -> None:
    attributes = {one.name: helper.get_attribute_value(one) for one in node.attribute}
    if attributes.get("mode", b"DCR") != b"CRD":
        raise _unable(node, "another order of channels than PyTorch's")
    writer.layer("PixelShuffle", [node.input[0]], node.output[0], f"0={attributes['blocksize']}")


def _identity(writer: _Writer, node: onnx.NodeProto) -> None:
    writer.layer("Noop", [node.input[0]], node.output[0])


_OPERATIONS: Final[dict[str, Callable[[_Writer, onnx.NodeProto], None]]] = {
    "Add": _binary(_ADD),
    "Concat": _concat,
    "Conv": _conv,
    "DepthToSpace": _shuffle,
    "Identity": _identity,
    "LeakyRelu": _leaky,
    "Mul": _binary(_MUL),
    "PRelu": _prelu,
    "Resize": _resize,
}


def _with_splits(layers: list[list[str]], result: str) -> list[list[str]]:
    """Give each blob one reader, as ncnn wants it: what several read is split into copies."""
    readers = Counter(name for _, inputs, _, _ in layers for name in inputs.split())
    seen: Counter[str] = Counter()
    made: list[list[str]] = []
    for kind, inputs, output, parameters in layers:
        taken = []
        for name in inputs.split():
            taken.append(f"{name}_{seen[name]}" if readers[name] > 1 else name)
            seen[name] += 1
        made.append([kind, " ".join(taken), output, parameters])
        if readers[output] > 1:
            if output == result:
                raise ModelError("a network whose result is also used inside can't be written for ncnn")
            made.append(["Split", output, " ".join(f"{output}_{i}" for i in range(readers[output])), ""])
    return made


def _text(layers: list[list[str]], names: dict[str, str]) -> str:
    blobs = sum(len(output.split()) for _, _, output, _ in layers)
    lines = [str(_MAGIC), f"{len(layers)} {blobs}"]
    for number, (kind, inputs, outputs, parameters) in enumerate(layers):
        given, made = ([names.get(name, name) for name in part.split()] for part in (inputs, outputs))
        lines.append(
            " ".join(
                [
                    f"{kind:<16}",
                    f"{kind.lower()}_{number:<4}",
                    f"{len(given)} {len(made)}",
                    *given,
                    *made,
                    parameters,
                ]
            )
        )
    return "\n".join(line.rstrip() for line in lines) + "\n"


def _made_by(nodes: list[onnx.NodeProto], name: str, kind: str) -> bool:
    return any(name in node.output and node.op_type == kind for node in nodes)


def _unable(node: onnx.NodeProto, what: str) -> ModelError:
    return ModelError(
        f"the network can't be written for ncnn: {node.op_type} with {what}"
        if what != "an operation that is not written"
        else f"the network can't be written for ncnn: {node.op_type} is {what}",
        hint="export it with --to onnx",
    )
