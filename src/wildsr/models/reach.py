"""How far a network sees: LR pixels around a result that can change it, read off the graph.

For a plain stack of convolutions the radius is small and tiles with that overlap are exact (compact nets: 18 to 35).
Deep residual nets see hundreds of pixels on paper and a few tens in fact; for them the overlap is a measured one.

Along one side, number o of a tensor with `scale` numbers per LR pixel depends on the LR pixels from o/scale − left to
o/scale + right. Each operation adds to both; a padding followed by a convolution without one shifts and comes back.
"""

import math
from dataclasses import dataclass

import numpy as np
import onnx
from onnx import helper, numpy_helper

from wildsr.errors import ModelError
from wildsr.models.onnx_checks import inferred_shapes, picture_input
from wildsr.models.spec import Tiling

_PROBE = (64, 128)
_POINTWISE_NAMES = (
    "Abs Add BatchNormalization Cast Ceil Celu Clip Cos Div Dropout Elu Equal Erf Exp Floor Gelu Greater "
    "HardSigmoid HardSwish Identity LeakyRelu Less Log Max Mean Min Mish Mul Neg Not PRelu Pow Reciprocal Relu "
    "Round Selu Sigmoid Sign Sin Softplus Softsign Sqrt Sub Sum Tanh ThresholdedRelu Where"
)
_POINTWISE = frozenset(_POINTWISE_NAMES.split())
_STATISTICS = frozenset({"GlobalMaxPool", "GlobalLpPool", "InstanceNormalization", "GroupNormalization"})
"""Whatever part of a picture they see decides the result: tiles would differ from each other visibly."""

_Number = int | float


@dataclass(frozen=True)
class Seen:
    """What a tensor depends on along a side, in LR pixels, and its numbers per LR pixel."""

    left: float
    right: float
    scale: float

    def reaching(self, left: _Number, right: _Number, factor: _Number = 1) -> "Seen":
        """Return it after an operation that reaches so many of its own numbers, and enlarges by `factor`."""
        return Seen(self.left + left / self.scale, self.right + right / self.scale, self.scale * factor)


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How a network can be tiled."""

    radius: int | None
    """LR pixels on each side of a LR pixel that its part of the result depends on; None where it isn't known."""

    tiling: Tiling
    """`exact` for local networks, `approximate` for means over the picture and what isn't understood, `whole` for
    normalisation by the picture's own statistics."""


def reach_of(model: onnx.ModelProto) -> Reach:
    """Follow the picture through a graph.

    Raises:
        ModelError: If its shapes don't fit together.
    """
    walk = _Walk(model)
    for node in model.graph.node:
        walk.step(node)
    if walk.tiling != "exact":
        return Reach(radius=None, tiling=walk.tiling)
    found = walk.seen.get(model.graph.output[0].name)
    if found is None:
        return Reach(radius=None, tiling="approximate")
    beyond = found.right + 1 - 1 / found.scale  # from the last result of a LR pixel
    return Reach(radius=max(0, math.floor(found.left + 1e-6), math.floor(beyond + 1e-6)), tiling="exact")


class _Walk:
    """What is known of each tensor, while nodes are met in order; None marks what isn't understood."""

    def __init__(self, model: onnx.ModelProto) -> None:
        self.constants = {tensor.name: tensor for tensor in model.graph.initializer}
        self.shapes = inferred_shapes(model, *_PROBE)
        self.seen: dict[str, Seen | None] = {picture_input(model).name: Seen(0, 0, 1)}
        self.tiling: Tiling = "exact"

    def step(self, node: onnx.NodeProto) -> None:
        """Add a node's outputs."""
        before = [self.seen[name] for name in node.input if name in self.seen]
        if node.op_type == "Constant" and node.attribute[0].HasField("t"):
            self.constants[node.output[0]] = node.attribute[0].t
        if not before or node.op_type == "Shape":
            return  # numbers that don't depend on the picture's content
        try:
            after = self._after(node, _joined(before))
        except (AttributeError, IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
            # whether attributes are there, and of which type, is known only where each is used
            raise ModelError(
                f"an operation {node.op_type} has attributes that don't fit it",
                hint="the file may be damaged",
            ) from error
        self.seen.update(dict.fromkeys(node.output, after))

    def _after(self, node: onnx.NodeProto, seen: Seen | None) -> Seen | None:
        attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
        kind = node.op_type
        if kind in _STATISTICS:
            self.tiling = "whole"
        elif kind == "GlobalAveragePool" and self.tiling == "exact":
            self.tiling = "approximate"
        if kind == "GlobalAveragePool" or seen is None or kind in _POINTWISE:
            return seen
        if kind in ("Concat", "Split", "Softmax", "LogSoftmax", "ReduceMean", "ReduceMax", "ReduceSum"):
            return self._along_axes(node, attributes, seen)
        if kind in ("Reshape", "Transpose", "Squeeze", "Unsqueeze"):
            return seen if self._keeps_pixels(node, attributes) else None
        if kind in ("Conv", "MaxPool", "AveragePool", "ConvTranspose"):
            return self._window(node, attributes, seen)
        if kind == "DepthToSpace":
            block = attributes["blocksize"]
            return seen.reaching((block - 1) / block, 0, block)
        if kind == "SpaceToDepth":
            return seen.reaching(0, attributes["blocksize"] - 1, 1 / attributes["blocksize"])
        if kind == "Pad":
            pads = self._numbers(node, 1)
            return None if pads is None or len(pads) != 8 else _shifted(seen, pads[2:4], pads[:2])
        if kind == "Slice":
            return self._slice(node, seen)
        return self._resize(node, attributes, seen) if kind in ("Resize", "Upsample") else None

    def _along_axes(self, node: onnx.NodeProto, attributes: dict[str, object], seen: Seen) -> Seen | None:
        """Operations that are local along channels only."""
        default = {"Split": 0, "Softmax": -1, "LogSoftmax": -1}.get(node.op_type)
        given = attributes.get("axes", attributes.get("axis", default))
        if given is None and len(node.input) > 1:
            given = self._numbers(node, 1)
        rank = len(self.shapes.get(node.output[0], ())) or 4
        numbers = given if isinstance(given, list) else [given]
        axes = {int(axis) % rank for axis in numbers if isinstance(axis, int | float)}
        if axes and axes <= {0, 1}:
            return seen
        if node.op_type not in ("Concat", "Split"):
            self.tiling = (
                "approximate" if node.op_type == "ReduceMean" and self.tiling == "exact" else "whole"
            )
        return None

    def _keeps_pixels(self, node: onnx.NodeProto, attributes: dict[str, list[int]]) -> bool:
        """Whether rows and columns stay the last two axes."""
        before, after = (self.shapes.get(name, ()) for name in (node.input[0], node.output[0]))
        before = before or (1, 3, *_PROBE) if len(self.seen) == 1 else before
        if node.op_type == "Transpose":
            rank = len(attributes["perm"])
            return list(attributes["perm"][-2:]) == [rank - 2, rank - 1]
        return len(before) >= 4 and len(after) >= 4 and before[-2:] == after[-2:]

    def _window(self, node: onnx.NodeProto, attributes: dict[str, list[int]], seen: Seen) -> Seen | None:
        if node.op_type in ("Conv", "ConvTranspose"):
            if node.input[1] not in self.constants:
                return None
            kernel = list(self.constants[node.input[1]].dims[2:])
        else:
            kernel = list(attributes["kernel_shape"])
        strides, dilations = attributes.get("strides", [1, 1]), attributes.get("dilations", [1, 1])
        if len(kernel) != 2 or len(set(strides)) != 1:
            return None
        extents = [(side - 1) * step for side, step in zip(kernel, dilations, strict=True)]
        pads = list(attributes.get("pads", [0, 0, 0, 0]))[:2]
        if attributes.get("auto_pad", b"NOTSET") not in (b"NOTSET", b"VALID"):
            return seen.reaching(max(extents), max(extents), _factor(node, strides[0]))
        behind = max(extent - pad for extent, pad in zip(extents, pads, strict=True))
        if node.op_type == "ConvTranspose":
            return seen.reaching(behind / strides[0], max(pads) / strides[0], strides[0])
        return seen.reaching(max(pads), behind, 1 / strides[0])

    def _slice(self, node: onnx.NodeProto, seen: Seen) -> Seen | None:
        starts, axes = self._numbers(node, 1), self._numbers(node, 3)
        steps = self._numbers(node, 4) if len(node.input) > 4 else [1]
        if starts is None or axes is None or steps is None or set(steps) != {1}:
            return None
        moved = {int(axis) % 4: int(start) for start, axis in zip(starts, axes, strict=False)}
        if any(start < 0 for axis, start in moved.items() if axis > 1):
            return None
        return _shifted(seen, [-moved.get(2, 0), -moved.get(3, 0)], [0, 0])

    def _resize(self, node: onnx.NodeProto, attributes: dict[str, object], seen: Seen) -> Seen | None:
        factors = self._numbers(node, 1 if node.op_type == "Upsample" else 2)
        if factors is None or len(factors) != 4 or factors[2] != factors[3] or not factors[3] > 0:
            return None
        factor, mode = float(factors[3]), attributes.get("mode", b"nearest")
        how = attributes.get("coordinate_transformation_mode", b"half_pixel")
        if node.op_type == "Upsample":
            how = b"asymmetric"
        if how not in (b"asymmetric", b"half_pixel", b"pytorch_half_pixel"):
            return None  # depends on the picture's size
        shift = 0.0 if how == b"asymmetric" else 0.5 / factor - 0.5
        if mode == b"nearest" and not shift and attributes.get("nearest_mode", b"floor") == b"floor":
            return seen.reaching(1 - 1 / factor if factor.is_integer() else 1, 0, factor)
        taps = {b"nearest": 1, b"linear": 1, b"cubic": 2}[mode if isinstance(mode, bytes) else b"cubic"]
        width = taps * (max(1.0, 1 / factor) if attributes.get("antialias") else 1)
        return seen.reaching(width - shift, width + shift, factor)

    def _numbers(self, node: onnx.NodeProto, index: int) -> list[float] | None:
        """A constant input as a list."""
        if len(node.input) <= index or node.input[index] not in self.constants:
            return None
        values = np.asarray(numpy_helper.to_array(self.constants[node.input[index]]), np.float64)
        return [float(value) for value in values.ravel()]


def _joined(before: list[Seen | None]) -> Seen | None:
    """What a tensor made of several depends on."""
    known = [seen for seen in before if seen is not None]
    if len(known) < len(before) or len({seen.scale for seen in known}) != 1:
        return None
    return Seen(max(seen.left for seen in known), max(seen.right for seen in known), known[0].scale)


def _shifted(seen: Seen, before: list[float], channels: list[float]) -> Seen | None:
    """The same tensor with rows and columns added in front (or cut off, where negative)."""
    if any(channels):
        return None
    return seen.reaching(max(before), -min(before))


def _factor(node: onnx.NodeProto, stride: int) -> float:
    return stride if node.op_type == "ConvTranspose" else 1 / stride
