"""How far a network sees: LR pixels around a result that can change it, read off the graph.

For a plain stack of convolutions the radius is small and tiles with that overlap are exact (compact nets: 18 to 35).
Deep residual nets see hundreds of pixels on paper and a few tens in fact; for them the overlap is a measured one.
"""

import math
from collections.abc import Mapping

import numpy as np
import onnx
from onnx import helper, numpy_helper

_POINTWISE = {
    "Abs",
    "Add",
    "BatchNormalization",
    "Cast",
    "Ceil",
    "Clip",
    "Concat",
    "Constant",
    "Div",
    "Dropout",
}
_POINTWISE |= {
    "Elu",
    "Erf",
    "Exp",
    "Floor",
    "Gelu",
    "HardSigmoid",
    "HardSwish",
    "Identity",
    "LeakyRelu",
    "Log",
}
_POINTWISE |= {
    "Max",
    "Min",
    "Mish",
    "Mul",
    "Neg",
    "PRelu",
    "Pow",
    "Reciprocal",
    "Relu",
    "Round",
    "Selu",
    "Sigmoid",
}
_POINTWISE |= {"Sign", "Softplus", "Softsign", "Split", "Sqrt", "Sub", "Sum", "Tanh"}
_GLOBAL = {
    "GlobalAveragePool",
    "GlobalMaxPool",
    "GlobalLpPool",
    "InstanceNormalization",
    "ReduceMax",
    "ReduceMean",
}


def sees_whole_picture(model: onnx.ModelProto) -> bool:
    """Whether the network pools over the whole picture, so that no overlap makes tiles exact."""
    return any(node.op_type in _GLOBAL for node in model.graph.node)


def receptive_radius(model: onnx.ModelProto) -> int | None:
    """Return the radius in LR pixels, rounded up; None where an operation is not known to be local."""
    constants = {tensor.name: tensor for tensor in model.graph.initializer}
    seen: dict[str, tuple[float, float]] = {}  # tensor → (radius in LR pixels, its pixels per LR pixel)
    seen[model.graph.input[0].name] = (0.0, 1.0)
    for node in model.graph.node:
        before = [seen[name] for name in node.input if name in seen]
        if not before:
            continue  # made of constants
        radius, scale = max(before)[0], before[0][1]
        step = _step(node, constants, scale)
        if step is None or any(other[1] != scale for other in before):
            return None
        for name in node.output:
            seen[name] = (radius + step[0], step[1])
    found = seen.get(model.graph.output[0].name)
    return None if found is None else math.ceil(found[0] - 1e-6)


def _step(
    node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto], scale: float
) -> tuple[float, float] | None:
    """What a node adds to the radius, and the scale of its result."""
    attributes = {a.name: helper.get_attribute_value(a) for a in node.attribute}
    if node.op_type in _POINTWISE:
        return 0.0, scale
    if node.op_type == "Conv" and node.input[1] in constants:
        sides, strides = constants[node.input[1]].dims[2:], attributes.get("strides", [1, 1])
        dilations = attributes.get("dilations", [1, 1])
        if len(set(strides)) > 1:
            return None
        reach = max(side // 2 * dilation for side, dilation in zip(sides, dilations, strict=True))
        return reach / scale, scale / strides[0]
    if node.op_type == "ConvTranspose" and node.input[1] in constants:
        sides, strides = constants[node.input[1]].dims[2:], attributes.get("strides", [1, 1])
        return None if len(set(strides)) > 1 else (max(sides) / (scale * strides[0]), scale * strides[0])
    if node.op_type == "DepthToSpace":
        return 1 / scale, scale * attributes["blocksize"]
    if node.op_type == "SpaceToDepth":
        return attributes["blocksize"] / scale, scale / attributes["blocksize"]
    if node.op_type in ("Resize", "Upsample"):
        return _resize(node, constants, scale, attributes.get("mode", b"nearest"))
    return None


def _resize(
    node: onnx.NodeProto, constants: Mapping[str, onnx.TensorProto], scale: float, mode: bytes
) -> tuple[float, float] | None:
    index = 1 if node.op_type == "Upsample" else 2
    if len(node.input) <= index or node.input[index] not in constants:
        return None
    factors = np.asarray(numpy_helper.to_array(constants[node.input[index]]), np.float64)
    if factors.size != 4 or factors[2] != factors[3] or factors[3] <= 0:
        return None
    taps = {b"nearest": 1.0, b"linear": 1.0, b"cubic": 2.0}.get(mode)
    return None if taps is None else (taps * max(1.0, 1 / factors[3]) / scale, scale * float(factors[3]))
