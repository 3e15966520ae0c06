"""Two networks and a luminance rule as one ONNX file (Ren et al., CVPRW 2020).

The file takes two things: `lr`, a picture or a tile of it, and `luminance`, the median luma of the whole picture. So
whoever runs it on tiles still decides once a picture, and no tile can decide otherwise. Both networks are in it under
names that begin with `relativistic/` and `standard/`, and the last nodes are the rule:

    dark = luminance < γ
    sr = (α if dark else 1) · relativistic/sr + (β if dark else 0) · standard/sr

The engine takes such a file apart into its two networks, so that each is cut, tiled and checked like any other, and
the second one only runs on dark pictures.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from wildsr.errors import ModelError, UsageError
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS
from wildsr.models.onnx_checks import picture_input

LUMINANCE: Final = "luminance"
BRANCHES: Final = ("relativistic", "standard")
"""y_R and y_S."""
_PICTURE: Final = "lr"
_RESULT: Final = "sr"
_RULE: Final = ("alpha", "beta", "gamma")


@dataclass(frozen=True, kw_only=True)
class FusionRule:
    """Samsung's luminance rule (Ren et al. 2020): dark pictures get α·y_R + β·y_S, others y_R alone.

    The paper's α, β and γ are not known; the defaults are a guess that keeps brightness.
    """

    alpha: float = 0.5
    """Weight of the main model's result (y_R) in dark pictures."""

    beta: float = 0.5
    """Weight of the second model's result (y_S) in dark pictures."""

    gamma: float = 60.0
    """A picture is dark when the median of its full-range BT.601 luma is below this, on 0–255."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and np.isfinite(self.beta) and abs(self.alpha + self.beta) > 1e-6):
            raise UsageError(
                f"fusion weights alpha {self.alpha} and beta {self.beta} must be finite and not cancel out",
                hint="alpha + beta = 1 keeps the picture's brightness",
            )
        if not np.isfinite(self.gamma):
            raise UsageError(
                f"gamma is {self.gamma}; it must be a number",
                hint="luma is 0 to 255; 256 takes every picture for dark",
            )

    def applies(self, median_luma: float) -> bool:
        """Whether a picture with this median luma (0–255) is dark; exactly γ is not."""
        return median_luma < self.gamma


@dataclass(frozen=True, kw_only=True, eq=False)
class Parts:
    """What a fused file is made of."""

    main: onnx.ModelProto
    """y_R: `lr` in, one picture out."""

    second: onnx.ModelProto
    """y_S."""

    rule: FusionRule
    """When and how they are fused."""


def fuse(main: onnx.ModelProto, second: onnx.ModelProto, rule: FusionRule) -> onnx.ModelProto:
    """Put two networks of one scale into one file.

    Args:
        main: y_R; one picture in, one out.
        second: y_S.
        rule: Its numbers are kept in float32, as the file computes with them.

    Raises:
        ModelError: The two are written in different versions of ONNX.
    """
    opsets = [[(one.domain, one.version) for one in model.opset_import] for model in (main, second)]
    if opsets[0] != opsets[1]:
        raise ModelError("only two networks of one ONNX version can be fused", hint="export both anew")
    nodes: list[onnx.NodeProto] = []
    constants: list[onnx.TensorProto] = []
    for branch, model in zip(BRANCHES, (main, second), strict=True):
        known = {picture_input(model).name: _PICTURE, "": "", model.graph.output[0].name: _end(branch)}
        for node in model.graph.node:
            kept = onnx.NodeProto()
            kept.CopyFrom(node)
            kept.name = f"{branch}/{node.name}" if node.name else ""
            kept.input[:] = [known.get(name, f"{branch}/{name}") for name in node.input]
            kept.output[:] = [known.get(name, f"{branch}/{name}") for name in node.output]
            nodes.append(kept)
        for tensor in model.graph.initializer:
            weight = onnx.TensorProto()
            weight.CopyFrom(tensor)
            weight.name = f"{branch}/{tensor.name}"
            constants.append(weight)
    rule_nodes, rule_constants = _rule_graph(rule)
    inputs = [
        helper.make_tensor_value_info(_PICTURE, TensorProto.FLOAT, list(NETWORK_INPUTS[_PICTURE])),
        helper.make_tensor_value_info(LUMINANCE, TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info(_RESULT, TensorProto.FLOAT, list(NETWORK_OUTPUTS[_RESULT]))]
    graph = helper.make_graph([*nodes, *rule_nodes], "fusion", inputs, outputs, [*constants, *rule_constants])
    return helper.make_model(
        graph, opset_imports=list(main.opset_import), ir_version=main.ir_version, producer_name="wildsr"
    )


def is_fused(model: onnx.ModelProto) -> bool:
    """Whether a file wants to be told the picture's luminance."""
    return any(value.name == LUMINANCE for value in model.graph.input)


def take_apart(model: onnx.ModelProto) -> Parts:
    """Give back the two networks and the rule of a file that `fuse` made.

    Raises:
        ModelError: It was made in another way.
    """
    graph = model.graph
    numbers = {tensor.name: tensor for tensor in graph.initializer if tensor.name in _RULE}
    if set(numbers) != set(_RULE) or any(
        list(tensor.dims) != [1] or tensor.data_type != TensorProto.FLOAT for tensor in numbers.values()
    ):
        raise ModelError(f"a network that takes `{LUMINANCE}` must have the constants {', '.join(_RULE)}")
    # by way of text: 0.45 as it was given, not 0.44999998807907104
    alpha, beta, gamma = (float(str(numpy_helper.to_array(numbers[name])[0])) for name in _RULE)
    try:
        rule = FusionRule(alpha=alpha, beta=beta, gamma=gamma)
    except UsageError as error:
        raise ModelError(f"the network's rule of fusion can't be used: {error}") from error
    expected, _ = _rule_graph(rule)
    ends, rest = graph.node[-len(expected) :], graph.node[: -len(expected)]
    if [one.SerializeToString() for one in ends] != [one.SerializeToString() for one in expected]:
        raise ModelError(f"the network takes `{LUMINANCE}` and does something unknown with it")
    parts = [_branch(model, branch, [node for node in rest if _is_of(node, branch)]) for branch in BRANCHES]
    if sum(len(one.graph.node) for one in parts) != len(rest):
        raise ModelError("the network has operations that belong to neither of the two it fuses")
    return Parts(main=parts[0], second=parts[1], rule=rule)


def _branch(model: onnx.ModelProto, branch: str, nodes: list[onnx.NodeProto]) -> onnx.ModelProto:
    names = {name for node in nodes for name in node.input}
    foreign = next((n for n in names if n not in ("", _PICTURE) and not n.startswith(f"{branch}/")), None)
    if foreign is not None or not any(_end(branch) in node.output for node in nodes):
        raise ModelError(f"the network `{branch}` of the two that are fused can't be taken out of the file")
    constants = [tensor for tensor in model.graph.initializer if tensor.name.startswith(f"{branch}/")]
    picture = next((value for value in model.graph.input if value.name == _PICTURE), None)
    if picture is None:
        raise ModelError(
            f"a fused network takes `{_PICTURE}` and `{LUMINANCE}`; this one has no `{_PICTURE}`"
        )
    sr = helper.make_tensor_value_info(_end(branch), TensorProto.FLOAT, list(NETWORK_OUTPUTS[_RESULT]))
    graph = helper.make_graph(nodes, branch, [picture], [sr], constants)
    return helper.make_model(graph, opset_imports=list(model.opset_import), ir_version=model.ir_version)


def _is_of(node: onnx.NodeProto, branch: str) -> bool:
    return all(name.startswith(f"{branch}/") or not name for name in node.output)


def _end(branch: str) -> str:
    return f"{branch}/{_RESULT}"


def _rule_graph(rule: FusionRule) -> tuple[list[onnx.NodeProto], list[onnx.TensorProto]]:
    """The last nodes of a fused file, and their constants."""
    numbers = {"alpha": rule.alpha, "beta": rule.beta, "gamma": rule.gamma, "one": 1.0, "zero": 0.0}
    constants = [
        numpy_helper.from_array(np.array([value], np.float32), name) for name, value in numbers.items()
    ]
    nodes = [
        helper.make_node("Less", [LUMINANCE, "gamma"], ["dark"]),
        helper.make_node("Where", ["dark", "alpha", "one"], ["weight_r"]),
        helper.make_node("Where", ["dark", "beta", "zero"], ["weight_s"]),
        helper.make_node("Mul", [_end(BRANCHES[0]), "weight_r"], ["share_r"]),
        helper.make_node("Mul", [_end(BRANCHES[1]), "weight_s"], ["share_s"]),
        helper.make_node("Add", ["share_r", "share_s"], [_RESULT]),
    ]
    return nodes, constants
