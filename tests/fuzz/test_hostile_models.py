"""Model files made to hurt: refused when they are loaded, before anything of that size exists."""

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import psutil
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.fuzz.model_seeds import SPEC
from wildsr.errors import ModelError
from wildsr.models import load_model
from wildsr.models.onnx_file import embed_spec

Node = onnx.NodeProto
node = helper.make_node


def model(nodes: list[Node], constants: dict[str, object]) -> onnx.ModelProto:
    """Return a graph from `lr` to `sr` that says of itself that it is an ordinary model."""
    lr = helper.make_tensor_value_info("lr", TensorProto.FLOAT, ["n", 3, "h", "w"])
    sr = helper.make_tensor_value_info("sr", TensorProto.FLOAT, ["n", 3, "H", "W"])
    weights = [numpy_helper.from_array(np.asarray(value), name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "hostile", [lr], [sr], weights)
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    return embed_spec(made, SPEC)


def averaged(huge: Node, constants: dict[str, object], **reduce: object) -> onnx.ModelProto:
    """Hide a huge tensor `k` behind its average, so that what goes in and comes out looks harmless."""
    return model(
        [
            huge,
            node("ReduceMean", ["k"], ["m"], keepdims=1, **reduce),
            node("Mul", ["lr", "m"], ["x"]),
            node("Resize", ["x", "", "twice"], ["sr"], mode="nearest"),
        ],
        {**constants, "twice": np.array([1, 1, 2, 2], np.float32)},
    )


def endless_loop() -> onnx.ModelProto:
    info = helper.make_tensor_value_info
    body = helper.make_graph(
        [node("Identity", ["go"], ["go_on"]), node("Identity", ["value"], ["next"])],
        "body",
        [
            info("i", TensorProto.INT64, []),
            info("go", TensorProto.BOOL, []),
            info("value", TensorProto.FLOAT, None),
        ],
        [info("go_on", TensorProto.BOOL, []), info("next", TensorProto.FLOAT, None)],
    )
    loop = node("Loop", ["times", "true", "lr"], ["sr"], body=body)
    return model([loop], {"times": np.int64(2**62), "true": np.bool_(True)})


def claimed_weights(*sides: int) -> onnx.ModelProto:
    """Weights that claim sizes and hold nothing."""
    made = model([node("Conv", ["lr", "w"], ["sr"])], {})
    made.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=sides)
    return made


def sides(*numbers: int) -> np.ndarray:
    return np.array(numbers, np.int64)


CASES: dict[str, Callable[[], onnx.ModelProto]] = {
    "constant": lambda: averaged(node("ConstantOfShape", ["s"], ["k"]), {"s": sides(1, 1, 100_000, 100_000)}),
    "expand": lambda: averaged(
        node("Expand", ["one", "s"], ["k"]),
        {"one": np.ones((1, 1, 1, 1), np.float32), "s": sides(1, 1, 100_000, 100_000)},
    ),
    "tile": lambda: averaged(
        node("Tile", ["lr", "s"], ["k"]), {"s": sides(1, 1, 30_000, 30_000)}, axes=[2, 3]
    ),
    "range": lambda: averaged(
        node("Range", ["a", "b", "c"], ["k"]), {"a": np.float32(0), "b": np.float32(1e10), "c": np.float32(1)}
    ),
    "pad": lambda: averaged(
        node("Pad", ["lr", "p"], ["k"]), {"p": sides(0, 0, 100_000, 100_000, 0, 0, 0, 0)}, axes=[2, 3]
    ),
    "resize": lambda: averaged(
        node("Resize", ["lr", "", "s"], ["k"], mode="nearest"),
        {"s": np.array([1, 1, 20_000, 20_000], np.float32)},
        axes=[2, 3],
    ),
    "convolution-pads": lambda: averaged(
        node("Conv", ["lr", "w"], ["k"], pads=[200_000] * 4),
        {"w": np.ones((3, 3, 1, 1), np.float32)},
        axes=[2, 3],
    ),
    "concat": lambda: averaged(node("Concat", ["lr"] * 60_000, ["k"], axis=1), {}, axes=[1]),
    "endless-loop": endless_loop,
    "claimed-weights": lambda: claimed_weights(1 << 20, 3, 1 << 10, 1 << 10),
    "claimed-weights-beyond-64-bits": lambda: claimed_weights(1 << 32, 1 << 32, 3, 3),
    "claimed-weights-below-zero": lambda: claimed_weights(8, 3, -1, 3),
    "random": lambda: model([node("RandomNormalLike", ["lr"], ["sr"])], {}),
    "circle": lambda: model(
        [node("Add", ["lr", "b"], ["a"]), node("Relu", ["a"], ["b"]), node("Relu", ["b"], ["sr"])], {}
    ),
    "nothing-comes-out": lambda: model([node("Relu", ["lr"], ["x"])], {}),
}


@pytest.mark.parametrize("case", sorted(CASES))
def test_refused_without_time_or_memory(case: str, tmp_path: Path) -> None:
    path = tmp_path / "hostile.onnx"
    path.write_bytes(CASES[case]().SerializeToString())
    process = psutil.Process()
    before, start = process.memory_info().rss, time.process_time()
    with pytest.raises(ModelError):
        load_model(path)
    assert time.process_time() - start < 5
    assert process.memory_info().rss - before < 200e6
