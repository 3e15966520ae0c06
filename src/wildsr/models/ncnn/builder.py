"""Grows an ONNX graph while an ncnn graph is read."""

from collections.abc import Sequence

import numpy as np
import onnx
from numpy.typing import NDArray

from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, Attribute, GraphBuilder


class NcnnGraph:
    """An ONNX graph that is asked for by ncnn's names and shapes.

    Layers name tensors (ONNX's), files name blobs (ncnn's): `tensor` and `name` lead from one to the other.
    """

    def __init__(self) -> None:
        self._graph = GraphBuilder()
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
        return self._graph.constant(value)

    def scalar(self, value: float) -> str:
        """Add a single number and return its name."""
        return self._graph.scalar(value)

    def integers(self, *values: int) -> str:
        """Add a list of whole numbers and return its name."""
        return self._graph.integers(*values)

    def node(self, kind: str, inputs: Sequence[str], **attributes: Attribute) -> str:
        """Add a node and return its output."""
        return self._inherit(inputs, [self._graph.node(kind, inputs, **attributes)])[0]

    def nodes(self, kind: str, inputs: Sequence[str], outputs: int, **attributes: Attribute) -> list[str]:
        """Add a node of several outputs and return them."""
        return self._inherit(inputs, self._graph.nodes(kind, inputs, outputs, **attributes))

    def mark_vector(self, tensor: str) -> str:
        """Say that ncnn has one number per channel here; ONNX has N×C×1×1. Returns the tensor."""
        self._vectors.add(tensor)
        return tensor

    def is_vector(self, tensor: str) -> bool:
        """Whether ncnn has one number per channel here."""
        return tensor in self._vectors

    def finish(self, blob_out: str) -> onnx.ModelProto:
        """Return the model: input `lr`, output `sr`, any batch and size."""
        self._graph.output(self._tensors[blob_out], "sr")
        return self._graph.model("wildsr", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=17, ir_version=9)

    def _inherit(self, inputs: Sequence[str], outputs: list[str]) -> list[str]:
        """What is made of vectors alone is one."""
        blobs = [name for name in inputs if name and not self._graph.is_constant(name)]
        if blobs and all(name in self._vectors for name in blobs):
            self._vectors.update(outputs)
        return outputs
