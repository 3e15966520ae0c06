"""The one builder of ONNX graphs: names, constants, and a model that runs."""

import numpy as np
import onnx
import pytest

from tests.models.ncnn_files import run_onnx
from wildsr.models.graph_builder import NETWORK_INPUTS, NETWORK_OUTPUTS, GraphBuilder


def network(graph: GraphBuilder) -> onnx.ModelProto:
    return graph.model("test", NETWORK_INPUTS, NETWORK_OUTPUTS, opset=17, ir_version=9, producer="wildsr")


def test_what_is_built_is_what_runs() -> None:
    graph = GraphBuilder()
    half = graph.node("Mul", ["lr", graph.scalar(0.5)])
    top, bottom = graph.nodes("Split", [half, graph.integers(1, 2)], 2, axis=1)
    graph.output(graph.node("Concat", [bottom, top], axis=1), "sr")
    model = network(graph)
    onnx.checker.check_model(model, full_check=True)
    lr = np.random.default_rng(0).random((3, 5, 7), dtype=np.float32)
    np.testing.assert_allclose(run_onnx(model.SerializeToString(), lr), lr[[1, 2, 0]] / 2, rtol=1e-6)
    assert model.producer_name == "wildsr"


def test_equal_constants_are_stored_once_and_others_apart() -> None:
    graph = GraphBuilder()
    assert graph.scalar(1.5) == graph.constant(np.array(1.5))  # float64 becomes float32
    assert graph.scalar(1.0) != graph.integers(1)
    assert graph.constant(np.zeros((2, 3), np.float32)) != graph.constant(np.zeros((3, 2), np.float32))
    turned = np.arange(6, dtype=np.float32).reshape(2, 3).T  # not contiguous
    assert graph.constant(turned) == graph.constant(np.ascontiguousarray(turned))
    stored = network(graph).graph.initializer
    assert [tuple(one.dims) for one in stored] == [(), (), (1,), (2, 3), (3, 2), (3, 2)]


@pytest.mark.parametrize("names", [["c_0", "c_12"], ["conv_0", "clip_1", "lr", ""]])
def test_constants_are_told_from_results(names: list[str]) -> None:
    graph = GraphBuilder()
    assert [graph.is_constant(name) for name in names] == [name.startswith("c_") for name in names]
