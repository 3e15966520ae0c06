"""Grow an ONNX graph node by node."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

Attribute: TypeAlias = int | float | str | list[int]
Sides: TypeAlias = Sequence[int | str]
"""Lengths of a tensor's axes: numbers, or names of those that may be of any length."""

NETWORK_INPUTS: Final[Mapping[str, Sides]] = {"lr": ("n", 3, "h", "w")}
NETWORK_OUTPUTS: Final[Mapping[str, Sides]] = {"sr": ("n", 3, "sh", "sw")}
"""What a super-resolution network takes and gives: pictures of any number and size."""


class GraphBuilder:
    """Collects nodes and constants; every method returns the name of what it made."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._constants: list[onnx.TensorProto] = []
        self._known: dict[str, str] = {}

    def node(self, kind: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """Add a node of one output; ONNX's attributes are open, and so are ours."""
        name = f"{kind.lower()}_{len(self._nodes)}"
        self._add(kind, inputs, [name], attributes)
        return name

    def nodes(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Attribute) -> list[str]:
        """Add a node of several outputs."""
        names = [f"{kind.lower()}_{len(self._nodes)}_{number}" for number in range(outputs)]
        self._add(kind, inputs, names, attributes)
        return names

    def output(self, tensor: str, name: str) -> None:
        """Give a tensor the name it goes by outside the graph."""
        self._add("Identity", [tensor], [name], {})

    def constant(self, value: NDArray[np.generic]) -> str:
        """Add an array, once for equal ones; floating-point numbers become float32."""
        if np.issubdtype(value.dtype, np.floating):
            value = value.astype(np.float32, copy=False)
        value = np.ascontiguousarray(value).reshape(value.shape)  # a single number stays one
        digest = hashlib.sha256(f"{value.dtype}{value.shape}".encode())
        digest.update(value.data)
        key = digest.hexdigest()
        if key not in self._known:
            self._known[key] = f"c_{len(self._constants)}"
            self._constants.append(numpy_helper.from_array(value, self._known[key]))
        return self._known[key]

    def scalar(self, value: float) -> str:
        """Add a single float32 number."""
        return self.constant(np.array(value, np.float32))

    def integers(self, *values: int) -> str:
        """Add a list of whole numbers."""
        return self.constant(np.array(values, np.int64))

    def is_constant(self, tensor: str) -> bool:
        """Whether a tensor is one of the constants."""
        return tensor.startswith("c_")

    def model(
        self,
        name: str,
        inputs: Mapping[str, Sides],
        outputs: Mapping[str, Sides],
        *,
        opset: int,
        ir_version: int,
        producer: str = "",
    ) -> onnx.ModelProto:
        """Return the finished graph as a model of float32 inputs and outputs.

        Args:
            name: The graph's.
            inputs: Names and axes of what goes in.
            outputs: Names and axes of what comes out.
            opset: Version of ONNX's operators that the nodes are of.
            ir_version: Version of the file format.
            producer: Named in the file.
        """
        given, made = (
            [
                helper.make_tensor_value_info(key, TensorProto.FLOAT, list(sides))
                for key, sides in ends.items()
            ]
            for ends in (inputs, outputs)
        )
        graph = helper.make_graph(self._nodes, name, given, made, self._constants)
        opsets = [helper.make_opsetid("", opset)]
        return helper.make_model(graph, opset_imports=opsets, ir_version=ir_version, producer_name=producer)

    def _add(
        self, kind: str, inputs: Sequence[str], outputs: list[str], attributes: Mapping[str, Attribute]
    ) -> None:
        node = helper.make_node(kind, list(inputs), outputs)
        node.attribute.extend(helper.make_attribute(key, value) for key, value in attributes.items())
        self._nodes.append(node)
