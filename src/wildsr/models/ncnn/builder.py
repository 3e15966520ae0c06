"""Grows an ONNX graph while an ncnn graph is read."""

from typing import TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Attribute: TypeAlias = int | float | str | list[int]


class Builder:
    """Nodes and constants of a graph.

    Layers name tensors (ONNX's), files name blobs (ncnn's): `tensor` and `name` lead from one to the other.
    """

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._tensors: dict[str, str] = {}
        self._vectors: set[str] = set()

    def tensor(self, blob: str) -> str:
        """Return the tensor that a blob is."""
        return self._tensors[blob]

    def name(self, tensor: str, blob: str) -> None:
        """Say that a blob is this tensor."""
        self._tensors[blob] = tensor

    def constant(self, value: NDArray[np.float32] | NDArray[np.int64]) -> str:
        """Add a constant and return its name."""
        name = f"c{len(self._constants)}"
        self._constants.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def scalar(self, value: float) -> str:
        """Add a single number and return its name."""
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """Add a list of whole numbers and return its name."""
        return self.constant(np.array(values, np.int64))

    def node(
        self, kind: str, inputs: list[str], **attributes: Attribute
    ) -> str:  # ONNX's attributes are open
        """Add a node and return its output."""
        return self.nodes(kind, inputs, 1, **attributes)[0]

    def nodes(self, kind: str, inputs: list[str], outputs: int, **attributes: Attribute) -> list[str]:
        """Add a node of several outputs and return them."""
        names = [f"t{len(self._nodes)}.{i}" for i in range(outputs)]
        self._nodes.append(helper.make_node(kind, inputs, names, None, None, None, None, **attributes))
        blobs = [name for name in inputs if name[:1] in ("t", "l")]
        if blobs and all(name in self._vectors for name in blobs):
            self._vectors.update(names)
        return names

    def mark_vector(self, tensor: str) -> str:
        """Say that ncnn has one number per channel here; ONNX has N×C×1×1. Returns the tensor."""
        self._vectors.add(tensor)
        return tensor

    def is_vector(self, tensor: str) -> bool:
        """Whether ncnn has one number per channel here."""
        return tensor in self._vectors

    def finish(self, blob_out: str) -> onnx.ModelProto:
        """Return the model: input `lr`, output `sr`, any batch and size."""
        self._nodes.append(helper.make_node("Identity", [self._tensors[blob_out]], ["sr"]))
        graph = helper.make_graph(
            self._nodes,
            "wildsr",
            [helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, "h", "w"])],
            [helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", 3, "sh", "sw"])],
            self._constants,
        )
        return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
