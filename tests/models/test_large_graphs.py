"""Graphs of thousands of operations: bounded, and read in steps that grow with their number alone."""

import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType

import numpy as np
import onnx
import pytest

from wildsr.errors import ModelError
from wildsr.models import graph as graph_facts
from wildsr.models.graph import bytes_per_pixel
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, GraphBuilder
from wildsr.models.onnx_checks import MAX_NODES, parse
from wildsr.models.reach import reach_of


def many_at_once(count: int) -> onnx.ModelProto:
    """All features stay alive until the last operation adds them up."""
    graph = GraphBuilder()
    features = [graph.node("Relu", ["lr"]) for _ in range(count)]
    graph.output(graph.node("Sum", features), "sr")
    return graph.model("many", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=17, ir_version=9)


def lines_run(file: str, action: Callable[[], object]) -> int:
    """Lines of one source file that an action runs through."""
    count = 0

    def local(frame: FrameType, event: str, _: object) -> object:
        nonlocal count
        count += event == "line"
        return local

    def watch(frame: FrameType, event: str, argument: object) -> object:
        return local(frame, event, argument) if frame.f_code.co_filename == file else None

    before = sys.gettrace()
    sys.settrace(watch)  # type: ignore[arg-type]
    try:
        action()
    finally:
        sys.settrace(before)
    return count


@pytest.mark.parametrize("action", [bytes_per_pixel, reach_of])
def test_work_grows_with_the_number_of_operations(
    action: Callable[[onnx.ModelProto], object],
) -> None:
    few, many = many_at_once(50), many_at_once(400)
    file = str(sys.modules[action.__module__].__file__)
    assert lines_run(file, lambda: action(many)) < 9 * lines_run(file, lambda: action(few))


def test_memory_is_that_of_all_that_is_alive_at_once() -> None:
    # 100 features of three channels in fp32, and their sum
    expected = graph_facts._ALLOCATOR * 4 * 3 * (100 + 1)
    assert bytes_per_pixel(many_at_once(100)) == int(expected)


def test_a_chain_needs_two_at_a_time() -> None:
    graph, x = GraphBuilder(), "lr"
    for _ in range(20):
        x = graph.node("Relu", [x])
    graph.output(x, "sr")
    model = graph.model("chain", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=17, ir_version=9)
    assert bytes_per_pixel(model) == int(graph_facts._ALLOCATOR * 4 * 3 * 2)


def test_too_many_operations_are_named_before_anything_is_inferred(tmp_path: Path) -> None:
    graph, x = GraphBuilder(), "lr"
    weights = graph.constant(np.ones((3, 3, 1, 1), np.float32))
    for _ in range(MAX_NODES):
        x = graph.node("Conv", [x, weights])
    graph.output(x, "sr")
    model = graph.model("long", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=17, ir_version=9)
    (tmp_path / "long.onnx").write_bytes(model.SerializeToString())
    with pytest.raises(ModelError, match="the graph has 5001 operations; from 1 to 5000 are allowed"):
        parse(tmp_path / "long.onnx")
