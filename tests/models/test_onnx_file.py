"""ONNX files people bring: what runs is described rightly, what can't be trusted is refused unread."""

import itertools
import tracemalloc
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from wildsr.errors import ModelError
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec, inspect_onnx, is_ready, load_checked, made_ready

RNG = np.random.default_rng(0)


def read_onnx(path: Path) -> ModelSpec:
    """What `load_model` does with a file of somebody's."""
    return inspect_onnx(load_checked(path), id=path.stem, source=path.name)


def constant(name: str, values: object, kind: type = np.float32) -> onnx.TensorProto:
    return numpy_helper.from_array(np.asarray(values, kind), name)


def conv(name: str, out: int, inputs: int, side: int = 3, kind: type = np.float32) -> onnx.TensorProto:
    return constant(name, RNG.normal(size=(out, inputs, side, side)) * 0.1, kind)


def model(
    nodes: Sequence[onnx.NodeProto],
    constants: Sequence[onnx.TensorProto],
    *,
    size: tuple[object, object] = ("h", "w"),
    kind: int = TensorProto.FLOAT,
    outputs: int = 1,
) -> onnx.ModelProto:
    """A network from `x` to `y`."""
    graph = helper.make_graph(
        list(nodes),
        "test",
        [helper.make_tensor_value_info("x", kind, ["n", 3, *size])],
        [helper.make_tensor_value_info("y", kind, None) for _ in range(outputs)],
        list(constants),
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def node(kind: str, inputs: Sequence[str], output: str = "y", **attributes: object) -> onnx.NodeProto:
    return helper.make_node(kind, list(inputs), [output], **attributes)


def shuffle(scale: int = 2, **options: object) -> onnx.ModelProto:
    """A 3×3 convolution and a pixel shuffle."""
    half = np.float16 if options.get("kind") == TensorProto.FLOAT16 else np.float32
    return model(
        [
            node("Conv", ["x", "w"], "f", pads=[1] * 4),
            node("DepthToSpace", ["f"], blocksize=scale, mode="CRD"),
        ],
        [conv("w", 3 * scale**2, 3, kind=half)],
        **options,  # type: ignore[arg-type]
    )


def saved(path: Path, given: onnx.ModelProto) -> Path:
    path.write_bytes(given.SerializeToString())
    return path


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_scale_and_overlap_are_read_off_the_graph(tmp_path: Path, scale: int) -> None:
    spec = read_onnx(saved(tmp_path / "mine.onnx", shuffle(scale)))
    assert (spec.id, spec.scale, spec.multiple, spec.tiling) == ("mine", scale, 1, "exact")
    assert spec.halo == spec.halo_exact == 1


def test_pixel_unshuffle_needs_even_sides(tmp_path: Path) -> None:
    given = model(
        [
            node("SpaceToDepth", ["x"], "d", blocksize=2),
            node("Conv", ["d", "w"], "f", pads=[1] * 4),
            node("DepthToSpace", ["f"], blocksize=4, mode="CRD"),
        ],
        [conv("w", 48, 12)],
    )
    spec = read_onnx(saved(tmp_path / "m.onnx", given))
    assert (spec.scale, spec.multiple, spec.halo_exact) == (2, 2, 4)


def test_global_pooling_is_only_approximately_tiled(tmp_path: Path) -> None:
    given = model(
        [node("GlobalAveragePool", ["x"], "p"), node("Mul", ["x", "p"])],
        [],
    )
    assert read_onnx(saved(tmp_path / "m.onnx", given)).tiling == "approximate"


def test_deep_nets_get_the_measured_overlap(tmp_path: Path) -> None:
    names = ["x", *(f"t{i}" for i in range(70)), "y"]
    nodes = [node("Conv", [a, "w"], b, pads=[1] * 4) for a, b in itertools.pairwise(names)]
    spec = read_onnx(saved(tmp_path / "m.onnx", model(nodes, [conv("w", 3, 3)])))
    assert (spec.halo, spec.halo_exact) == (48, 64)


def test_own_description_is_used_and_checked(tmp_path: Path) -> None:
    spec = ModelSpec(id="a", architecture="graph", scale=2, halo=7, licence="MIT")
    assert read_onnx(saved(tmp_path / "m.onnx", embed_spec(shuffle(2), spec))) == spec
    with pytest.raises(ModelError, match="says it enlarges ×2"):
        read_onnx(saved(tmp_path / "m.onnx", embed_spec(shuffle(3), spec)))


def test_fixed_size_and_half_precision_are_made_ready(tmp_path: Path) -> None:
    from wildsr.models.runtimes import openvino

    given = shuffle(2, size=(32, 32), kind=TensorProto.FLOAT16)
    assert not is_ready(given)
    ready = made_ready(given)
    assert is_ready(ready)
    onnx.checker.check_model(ready, full_check=True)
    path = saved(tmp_path / "m.onnx", ready)
    assert read_onnx(path).scale == 2
    compiled = openvino().compile_model(path, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    picture = RNG.random((1, 3, 9, 13), np.float32)
    result = compiled(picture)[0]
    assert result.shape == (1, 3, 18, 26)
    assert result.dtype == np.float32
    whole = openvino().compile_model(saved(tmp_path / "f.onnx", as_float(ready)), "CPU")(picture)[0]
    assert np.abs(result - whole).max() < 2e-2


def as_float(half: onnx.ModelProto) -> onnx.ModelProto:
    weights = numpy_helper.to_array(half.graph.initializer[0]).astype(np.float32)
    full = shuffle(2)
    full.graph.initializer[0].CopyFrom(numpy_helper.from_array(weights, "w"))
    return full


def test_one_size_only(tmp_path: Path) -> None:
    given = model(
        [node("Reshape", ["x", "s"], "r"), node("Identity", ["r"])],
        [constant("s", [1, 3, 64, 64], np.int64)],
        size=(64, 64),
    )
    with pytest.raises(ModelError, match=r"one size only|don't fit together"):
        read_onnx(saved(tmp_path / "m.onnx", given))


def lying(dims: Sequence[int], held: int) -> onnx.TensorProto:
    return TensorProto(name="w", data_type=TensorProto.FLOAT, dims=dims, raw_data=bytes(4 * held))


def external() -> onnx.ModelProto:
    given = shuffle()
    tensor = given.graph.initializer[0]
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="../../etc/passwd")
    return given


def with_functions() -> onnx.ModelProto:
    given = shuffle()
    given.functions.append(helper.make_function("own", "F", ["a"], ["b"], [], [helper.make_opsetid("", 17)]))
    return given


def with_branch() -> onnx.ModelProto:
    branch = helper.make_graph(
        [node("Identity", ["x"], "b")], "branch", [], [helper.make_empty_tensor_value_info("b")]
    )
    return model([node("If", ["c"], then_branch=branch, else_branch=branch)], [constant("c", True, np.bool_)])


def many_nodes() -> onnx.ModelProto:
    given = shuffle()
    given.graph.node.extend([node("Relu", ["x"], f"r{i}") for i in range(50_001)])
    return given


EXPANDED = [1, 3, 1_000_000, 1_000_000]
HOSTILE: dict[str, tuple[Callable[[], onnx.ModelProto], str]] = {
    "weights elsewhere": (external, "another file"),
    "weights that claim 4 TB": (
        lambda: model([node("Conv", ["x", "w"])], [lying([1_000_000, 1_000_000, 1, 1], 9)]),
        "claim 1000000000000 numbers and hold 9",
    ),
    "weights of negative size": (
        lambda: model([node("Conv", ["x", "w"])], [lying([-1, 3], 3)]),
        "impossible",
    ),
    "picture expanded to 12 TB": (
        lambda: model([node("Expand", ["x", "s"])], [constant("s", EXPANDED, np.int64)]),
        r"at most|don't fit",
    ),
    "constant of 12 TB": (
        lambda: model(
            [node("ConstantOfShape", ["s"], "c"), node("ReduceMax", ["c"], "m"), node("Add", ["x", "m"])],
            [constant("s", EXPANDED, np.int64)],
        ),
        "makes a tensor of 1×3×1000000×1000000",
    ),
    "tiled 10^12 times": (
        lambda: model([node("Tile", ["x", "s"])], [constant("s", [1, 1, 10**6, 10**6], np.int64)]),
        "makes a tensor",
    ),
    "enlarged a million times": (
        lambda: model([node("Resize", ["x", "", "s"])], [constant("s", [1, 1, 1e6, 1e6])]),
        r"makes a tensor|can't be known",
    ),
    "padded by 10^9": (
        lambda: model([node("Pad", ["x", "p"])], [constant("p", [0, 0, 0, 0, 0, 0, 10**9, 10**9], np.int64)]),
        "makes a tensor",
    ),
    "size made of the picture's content": (
        lambda: model(
            [
                node("ReduceMax", ["x"], "m", keepdims=0),
                node("Cast", ["m"], "i", to=TensorProto.INT64),
                node("Expand", ["i", "one"], "v"),
                node("ConstantOfShape", ["v"]),
            ],
            [constant("one", [4], np.int64)],
        ),
        "can't be known",
    ),
    "foreign operator": (lambda: model([node("Run", ["x"], domain="evil")], []), "foreign operator"),
    "functions": (with_functions, "functions of its own"),
    "control flow": (with_branch, r"control flow|graph of its own"),
    "chance": (lambda: model([node("RandomNormalLike", ["x"])], []), "random"),
    "too many operations": (many_nodes, "50003 operations"),
    "no operations": (lambda: model([], []), "0 operations"),
    "two outputs": (lambda: model([node("Relu", ["x"])], [], outputs=2), "2 outputs"),
    "one channel": (
        lambda: model([node("Conv", ["x", "w"])], [conv("w", 1, 3, 1)]),
        "3 channels enlarged",
    ),
    "a picture made smaller": (
        lambda: model([node("MaxPool", ["x"], kernel_shape=[2, 2], strides=[2, 2])], []),
        "3 channels enlarged",
    ),
    "stretched": (
        lambda: model([node("Resize", ["x", "", "s"])], [constant("s", [1, 1, 2, 3])]),
        "3 channels enlarged",
    ),
    "channels that don't fit": (
        lambda: model([node("Conv", ["x", "w"])], [conv("w", 3, 5)]),
        "don't fit together",
    ),
    "whole numbers instead of floats": (
        lambda: model([node("Relu", ["x"])], [], kind=TensorProto.INT32),
        "int32",
    ),
    "a cycle": (
        lambda: model([node("Add", ["x", "b"], "a"), node("Add", ["a", "a"], "b")], []),
        "no operation before it",
    ),
    "nodes out of order": (
        lambda: model([node("Relu", ["a"]), node("Relu", ["x"], "a")], []),
        "no operation before it",
    ),
    "a tensor made twice": (
        lambda: model([node("Relu", ["x"]), node("Sigmoid", ["x"])], []),
        "a second time",
    ),
    "a result nobody makes": (lambda: model([node("Relu", ["x"], "z")], []), "nothing makes the result"),
    "two weights of one name": (
        lambda: model([node("Conv", ["x", "w"])], [conv("w", 3, 3), conv("w", 3, 3)]),
        "of one name",
    ),
    "an opset of the future": (lambda: with_opset(99), "opset 99"),
    "an opset of the past": (lambda: with_opset(1), "opset 1;"),
    "no opset": (lambda: with_opset(None), "opset none"),
    "pooling over a billion pixels": (
        lambda: model([node("MaxPool", ["x"], kernel_shape=[10**9] * 2, pads=[10**9 - 1] * 2 + [0, 0])], []),
        "at most 4096",
    ),
    "two pictures at once": (lambda: taking(2, 3), "takes 2×3"),
    "pictures of six channels": (lambda: taking(None, 6), "6×"),
    "terminal escapes": (lambda: model([node("Relu", ["\x1b[2J"])], []), r"\\x1b"),
}


def with_opset(version: int | None) -> onnx.ModelProto:
    given = shuffle()
    del given.opset_import[:]
    if version is not None:
        given.opset_import.append(helper.make_opsetid("", version))
    return given


def taking(batch: int | None, channels: int) -> onnx.ModelProto:
    given = shuffle()
    sides = given.graph.input[0].type.tensor_type.shape.dim
    if batch is not None:
        sides[0].dim_value = batch
    sides[1].dim_value = channels
    return given


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_graph_is_refused_before_allocation(tmp_path: Path, name: str) -> None:
    make, told = HOSTILE[name]
    path = saved(tmp_path / "m.onnx", make())
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=told):
            read_onnx(path)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 50_000_000


@pytest.mark.parametrize("content", [b"", b"not a model", bytes(1000), b"\x08\x09\x12\xff\xff\xff\x7f"])
def test_other_content(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "m.onnx").write_bytes(content)
    with pytest.raises(ModelError, match=r"m\.onnx"):
        read_onnx(tmp_path / "m.onnx")


def test_cut_short(tmp_path: Path) -> None:
    whole = shuffle(4).SerializeToString()
    for length in range(0, len(whole), 97):
        (tmp_path / "m.onnx").write_bytes(whole[:length])
        with pytest.raises(ModelError):
            read_onnx(tmp_path / "m.onnx")


def test_file_too_large_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "m.onnx"
    with path.open("wb") as file:
        file.truncate(2_000_000_000)  # sparse
    with pytest.raises(ModelError, match="at most"):
        read_onnx(path)
