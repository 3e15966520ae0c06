"""Grows an ONNX graph while an ncnn graph is read."""

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Attribute = int | float | str | list[int]


class Builder:
    """Nodes and constants of a graph; ncnn's blob names are mapped to ONNX's tensor names."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._names: dict[str, str] = {}

    def constant(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant and return its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def scalar(self, value: float) -> str:
        """Add a single number and return its name."""
        return self.constant(np.array(value, np.float32))

    def node(
        self, kind: str, inputs: list[str], **attributes: Attribute
    ) -> str:  # ONNX's attributes are open
        """Add a node over blobs or tensors and return its output."""
        output = f"t{len(self._nodes)}"
        self._nodes.append(
            helper.make_node(kind, [self._names.get(name, name) for name in inputs], [output], **attributes)
        )
        return output

    def name(self, tensor: str, blob: str) -> None:
        """Say that a blob is this tensor."""
        self._names[blob] = tensor

    def alias(self, blob: str, other: str) -> None:
        """Say that two blobs are the same."""
        self._names[other] = self._names.get(blob, blob)

    def mish(self, x: str) -> str:
        """Add x · tanh(softplus(x))."""
        return self.node("Mul", [x, self.node("Tanh", [self.node("Softplus", [x])])])

    def hard_swish(self, x: str, alpha: float, beta: float) -> str:
        """Add x · clip(α·x + β, 0, 1)."""
        return self.node("Mul", [x, self.node("HardSigmoid", [x], alpha=alpha, beta=beta)])

    def resize(self, x: str, high: float, wide: float, *, kind: int, aligned: bool) -> str:
        """Add a resize by factors: kind 1 nearest, 2 bilinear, 3 bicubic (a = −.75, not antialiased)."""
        scales = self.constant(np.array([1, 1, high, wide], np.float32))
        if kind == 1:
            return self.node(
                "Resize",
                [x, "", scales],
                mode="nearest",
                coordinate_transformation_mode="asymmetric",
                nearest_mode="floor",
            )
        where = "align_corners" if aligned else "half_pixel"
        if kind == 2:
            return self.node("Resize", [x, "", scales], mode="linear", coordinate_transformation_mode=where)
        return self.node(
            "Resize", [x, "", scales], mode="cubic", cubic_coeff_a=-0.75, coordinate_transformation_mode=where
        )

    def finish(self, blob_in: str, blob_out: str) -> onnx.ModelProto:
        """Return the model: input `lr`, output `sr`, any batch and size."""
        self._nodes.append(helper.make_node("Identity", [self._names.get(blob_out, blob_out)], ["sr"]))
        for node in self._nodes:
            for i, name in enumerate(node.input):
                if name == blob_in:
                    node.input[i] = "lr"
        graph = helper.make_graph(
            self._nodes,
            "wildsr",
            [helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, "h", "w"])],
            [helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", 3, "sh", "sw"])],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
