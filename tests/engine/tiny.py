"""Small networks built by code, shaped like the real ones, with fixed random weights."""

from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper


class Builder:
    """Grows an ONNX graph node by node."""

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[np.generic]) -> str:
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: list[str], **attributes: object) -> str:
        name = f"t{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def conv(self, x: str, channels_in: int, channels_out: int, *, gain: float = 1.0) -> str:
        weight = self.random.normal(0, gain / np.sqrt(9 * channels_in), (channels_out, channels_in, 3, 3))
        bias = np.zeros(channels_out, np.float32)
        constants = [self.constant(weight.astype(np.float32)), self.constant(bias)]
        return self.node("Conv", [x, *constants], pads=[1, 1, 1, 1])

    def twice(self, x: str) -> str:
        scales = self.constant(np.array([1, 1, 2, 2], np.float32))
        return self.node(
            "Resize",
            [x, "", scales],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        )

    def model(self, out: str) -> onnx.ModelProto:
        self.nodes.append(helper.make_node("Identity", [out], ["sr"]))
        lr = helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, "h", "w"])
        sr = helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", 3, "H", "W"])
        graph = helper.make_graph(self.nodes, "tiny", [lr], [sr], self.constants)
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def tiny_rrdb(*, seed: int = 0, blocks: int = 3, width: int = 8) -> onnx.ModelProto:
    """×4: a residual body at LR size, then nearest enlargement and convolutions, as RRDBNet has them."""
    b = Builder(seed)
    first = x = b.conv("lr", 3, width)
    for _ in range(blocks):
        y = b.node("LeakyRelu", [b.conv(x, width, width)], alpha=0.2)
        x = b.node("Add", [x, b.conv(y, width, width, gain=0.3)])
    x = b.node("Add", [first, b.conv(x, width, width)])
    for _ in range(2):
        x = b.node("LeakyRelu", [b.conv(b.twice(x), width, width)], alpha=0.2)
    x = b.conv(x, width, 3)
    return b.model(
        b.node("Add", [b.node("Mul", [x, b.constant(np.float32(0.1))]), b.constant(np.float32(0.5))])
    )


def tiny_compact(*, seed: int = 0, scale: int = 4, width: int = 8, depth: int = 3) -> onnx.ModelProto:
    """×scale: convolutions at LR size, pixel shuffle, plus the nearest-enlarged input, as SRVGGNetCompact has them."""
    b = Builder(seed)
    x = b.conv("lr", 3, width)
    for _ in range(depth):
        slope = b.constant(np.full((width, 1, 1), 0.1, np.float32))
        x = b.node("PRelu", [b.conv(x, width, width), slope])
    x = b.node("DepthToSpace", [b.conv(x, width, 3 * scale * scale, gain=0.2)], blocksize=scale, mode="CRD")
    scales = b.constant(np.array([1, 1, scale, scale], np.float32))
    plain = b.node(
        "Resize",
        ["lr", "", scales],
        mode="nearest",
        coordinate_transformation_mode="asymmetric",
        nearest_mode="floor",
    )
    return b.model(b.node("Add", [x, plain]))


def save(model: onnx.ModelProto, path: Path) -> Path:
    onnx.save(model, str(path))
    return path


def tiny_unshuffle(*, seed: int = 0) -> onnx.ModelProto:
    """×2: pixels are first shuffled into channels, two by two, as the ×2 kind of RRDBNet does."""
    b = Builder(seed)
    x = b.conv(b.node("SpaceToDepth", ["lr"], blocksize=2), 12, 48)
    return b.model(b.node("DepthToSpace", [x], blocksize=4, mode="CRD"))
