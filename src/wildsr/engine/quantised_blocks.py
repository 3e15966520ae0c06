"""What of a quantised network harms its result most, and the network with some of it exact again."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

import numpy as np
import onnx

from wildsr.imaging import FloatArray
from wildsr.models.runtimes import openvino

if TYPE_CHECKING:
    import openvino as ov

Block: TypeAlias = tuple[str, ...]
"""Names of convolutions, as OpenVINO has them."""

_MOST: Final = 24
"""Blocks that are tried one by one: each costs a compilation."""

_MOVES: Final = ("Concat", "DepthToSpace", "Interpolate")
_BARE: Final = "/WithoutBiases"
"""OpenVINO parts a convolution from its bias, and gives the rest of the name to the sum of both."""


def sums_of(body: onnx.ModelProto) -> tuple[str, ...]:
    """What adds to a residual network's trunk, by name: rounded after each block, its errors may add up."""
    return tuple(node.output[0] for node in body.graph.node if node.op_type in ("Add", "Mul"))


def blocks_of(body: onnx.ModelProto) -> list[Block]:
    """Convolutions that are connected without a sum in between, neighbours put together where there are many.

    Args:
        body: A graph whose operations are named after what they make.

    Returns:
        Blocks in the order of the graph, at most 24.
    """
    roots: dict[str, str] = {}
    heads: set[str] = set()

    def root(name: str) -> str:
        while roots.setdefault(name, name) != name:
            name = roots[name]
        return name

    constants, inputs = ([one.name for one in part] for part in (body.graph.initializer, body.graph.input))
    apart = {*constants, *inputs, *sums_of(body)}
    for node in body.graph.node:  # what sees nothing but the picture itself is a block of its own
        seen = {*node.input} - {*constants}
        if seen <= {*inputs} or (node.op_type != "Conv" and seen <= heads):
            heads.add(node.output[0])
    apart |= heads
    for node in body.graph.node:
        if node.output[0] not in apart:
            for name in node.input:
                if name and name not in apart:
                    roots[root(name)] = root(node.output[0])
    blocks: dict[str, list[str]] = {}
    for node in body.graph.node:
        if node.op_type == "Conv":
            blocks.setdefault(root(node.output[0]), []).append(node.output[0] + _BARE)
    return _grouped(list(blocks.values()))


def _grouped(blocks: list[list[str]]) -> list[Block]:
    each = -(-len(blocks) // _MOST)
    groups = [blocks[start : start + each] for start in range(0, len(blocks), each)]
    return [tuple(name for block in group for name in block) for group in groups]


def exact_again(whole: "ov.Model", exact: "ov.Model", kept: Block) -> "ov.Model":
    """Return a copy of a quantised network whose named convolutions get exact weights and inputs again.

    Args:
        whole: All quantised.
        exact: The same network before.
        kept: Convolutions to make exact.
    """
    copy, names = whole.clone(), {*kept}
    weights = {
        node.get_friendly_name(): node.input_value(1).get_node()
        for node in exact.get_ordered_ops()
        if node.get_friendly_name() in names
    }
    for node in copy.get_ordered_ops():
        if node.get_friendly_name() in names:
            data = weights[node.get_friendly_name()].get_data()
            node.input(1).replace_source_output(openvino().op.Constant(data).output(0))
            _without_rounding(node.input(0))
    copy.validate_nodes_and_infer_types()
    return copy


def exact_sums(whole: "ov.Model", sums: Sequence[str], *, shared: bool) -> "ov.Model":
    """Return a copy of a quantised network whose named sums take exact numbers.

    Args:
        whole: All quantised.
        sums: Additions, and multiplications before them.
        shared: Also where something else takes the same rounded numbers, which are then there twice. Without it only
            what a convolution makes for the sum is left as it is, in 32 bits: rounding that would cost as long.
    """
    copy, names = whole.clone(), {*sums}
    for node in copy.get_ordered_ops():
        if node.get_friendly_name() in names:
            for place in node.inputs():
                if shared or len(place.get_source_output().get_target_inputs()) == 1:
                    _without_rounding(place)
    copy.validate_nodes_and_infer_types()
    return copy


def centred(made: "ov.Model", exact: "ov.Model", crops: Sequence[FloatArray]) -> "ov.Model":
    """Return a copy of a quantised network whose result is right on average, channel by channel.

    Args:
        made: Quantised.
        exact: The same network before.
        crops: 1×3×h×w on which the averages are taken.
    """
    copy = made.clone()
    last = _last(copy).output(0)
    ours, truth = (_run(_ending_there(model), crops) for model in (made, exact))
    shift = np.mean([(b - a).mean(axis=(0, 2, 3)) for a, b in zip(ours, truth, strict=True)], axis=0)
    takers = last.get_target_inputs()
    constant = openvino().op.Constant(shift[None, :, None, None].astype(np.float32))
    moved = openvino().opset13.add(last, constant).output(0)
    for place in takers:
        place.replace_source_output(moved)
    copy.validate_nodes_and_infer_types()
    return copy


def _last(model: "ov.Model") -> "ov.Node":
    """The last operation that computes: behind it numbers are only moved."""
    node = model.get_results()[0].input_value(0).get_node()
    while node.get_type_name() in _MOVES:
        node = node.input_value(0).get_node()
    return node


def _ending_there(model: "ov.Model") -> "ov.Model":
    copy = model.clone()
    return openvino().Model([_last(copy).output(0)], copy.get_parameters())


def error_of(made: "ov.Model", exact: "ov.Model", crops: Sequence[FloatArray]) -> float:
    """Return the mean squared error of a quantised network against the exact one.

    Args:
        made: Quantised.
        exact: The same network before.
        crops: 1×3×h×w to compare on.
    """
    return _error(made, _run(exact, crops), crops)


def _without_rounding(place: "ov.Input") -> None:
    """Take what rounds to int8 out of what comes in there, through what only moves numbers."""
    node = place.get_source_output().get_node()
    if node.get_type_name() == "FakeQuantize":
        place.replace_source_output(node.input_value(0))
        _without_rounding(place)
    elif node.get_type_name() in _MOVES:
        for inner in node.inputs():
            _without_rounding(inner)


def most_harmful(
    whole: "ov.Model", exact: "ov.Model", blocks: Sequence[Block], crops: Sequence[FloatArray]
) -> list[Block]:
    """Sort blocks by how much nearer to the exact result the network comes with each of them exact.

    Args:
        whole: All quantised.
        exact: The same network before.
        blocks: Of its convolutions.
        crops: 1×3×h×w to compare on.
    """
    truth = _run(exact, crops)
    return sorted(blocks, key=lambda block: _error(exact_again(whole, exact, block), truth, crops))


def _error(made: "ov.Model", truth: Sequence[FloatArray], crops: Sequence[FloatArray]) -> float:
    found = _run(made, crops)
    return float(np.mean([np.mean((a - b) ** 2) for a, b in zip(found, truth, strict=True)]))


def _run(model: "ov.Model", crops: Sequence[FloatArray]) -> list[FloatArray]:
    compiled = openvino().Core().compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    return [np.array(compiled(crop)[0]) for crop in crops]
