"""How far networks see, on paper and in fact: a pixel beyond the radius changes nothing, one within may."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.engine.tiny import Builder, tiny_compact, tiny_rrdb
from tests.models.ncnn_files import Net, run_onnx
from wildsr.models.ncnn import import_ncnn
from wildsr.models.onnx_file import discovered_spec
from wildsr.models.reach import reach_of


def _conv(b: Builder, x: str, inputs: int, outputs: int, side: int, **attributes: object) -> str:
    weight = b.random.uniform(0.5, 1, (outputs, inputs, side, side)).astype(np.float32)
    return b.node("Conv", [x, b.constant(weight)], **attributes)


def _stack(count: int) -> onnx.ModelProto:
    b, x = Builder(0), "lr"
    for _ in range(count):
        x = _conv(b, x, 3, 3, 3, pads=[1] * 4)
    return b.model(x)


def _reflected() -> onnx.ModelProto:
    b, x = Builder(0), "lr"
    for _ in range(3):
        pads = b.constant(np.array([0, 0, 2, 2, 0, 0, 2, 2], np.int64))
        x = _conv(b, b.node("Pad", [x, pads], mode="reflect"), 3, 3, 5)
    return b.model(x)


def _dilated() -> onnx.ModelProto:
    b = Builder(0)
    return b.model(_conv(b, "lr", 3, 3, 3, pads=[3] * 4, dilations=[3, 3]))


def _at_sr_size() -> onnx.ModelProto:
    """Two 3×3 convolutions at ×2: one LR pixel."""
    b = Builder(0)
    x = _conv(b, _conv(b, b.twice("lr"), 3, 3, 3, pads=[1] * 4), 3, 3, 3, pads=[1] * 4)
    return b.model(x)


def _unshuffled() -> onnx.ModelProto:
    b = Builder(0)
    x = b.node("SpaceToDepth", ["lr"], blocksize=2)
    x = _conv(b, x, 12, 12, 3, pads=[1] * 4)
    return b.model(b.node("DepthToSpace", [x], blocksize=2, mode="CRD"))


def _strided() -> onnx.ModelProto:
    """A convolution of stride 2 and a transposed one back."""
    b = Builder(0)
    x = _conv(b, "lr", 3, 3, 3, pads=[1] * 4, strides=[2, 2])
    weight = b.constant(b.random.uniform(0.5, 1, (3, 3, 4, 4)).astype(np.float32))
    return b.model(b.node("ConvTranspose", [x, weight], strides=[2, 2], pads=[1] * 4))


def _resized(mode: str, factor: float, how: str = "half_pixel") -> onnx.ModelProto:
    b = Builder(0)
    x = b.twice(b.twice("lr"))
    scales = b.constant(np.array([1, 1, factor, factor], np.float32))
    return b.model(b.node("Resize", [x, "", scales], mode=mode, coordinate_transformation_mode=how))


def _pooled() -> onnx.ModelProto:
    b = Builder(0)
    return b.model(b.node("AveragePool", ["lr"], kernel_shape=[5, 5], pads=[2] * 4))


LOCAL: dict[str, tuple[Callable[[], onnx.ModelProto], int]] = {
    "one convolution": (lambda: _stack(1), 1),
    "twenty convolutions": (lambda: _stack(20), 20),
    "reflection": (_reflected, 6),
    "dilation": (_dilated, 3),
    "at SR size": (_at_sr_size, 1),
    "unshuffle": (_unshuffled, 3),
    "stride": (_strided, 3),
    "pooling": (_pooled, 2),
    "compact": (lambda: tiny_compact(depth=3), 5),
    "rrdb": (lambda: tiny_rrdb(blocks=3), 9),
    "nearest": (lambda: _resized("nearest", 2, "asymmetric"), 0),
    "bicubic half": (lambda: _resized("cubic", 0.5), 1),
    "bicubic three quarters": (lambda: _resized("cubic", 0.75), 1),
    "bilinear": (lambda: _resized("linear", 2), 1),
}


@pytest.mark.parametrize("name", LOCAL)
def test_radius_is_right_and_no_larger_than_needed(name: str) -> None:
    build, radius = LOCAL[name]
    model = build()
    reach = reach_of(model)
    assert reach.tiling == "exact"
    assert reach.radius is not None
    measured = _measured(model)
    assert measured <= reach.radius
    assert reach.radius == radius


def _measured(model: onnx.ModelProto) -> int:
    """Farthest LR pixel, over even and odd places, that changes the part of the result that belongs to another."""
    size, worst = 96, 0
    picture = np.random.default_rng(1).random((3, 8, size), dtype=np.float32)
    content = model.SerializeToString()
    base = run_onnx(content, picture)
    scale = base.shape[2] // size
    for at in (48, 49):
        changed = picture.copy()
        changed[:, :, at] += 3
        columns = np.flatnonzero(np.abs(run_onnx(content, changed) - base).max(axis=(0, 1)) > 1e-6) // scale
        worst = max(worst, *(abs(int(column) - at) for column in columns))
    return worst


@pytest.mark.parametrize(
    ("kind", "tiling"),
    [
        ("GlobalAveragePool", "approximate"),
        ("GlobalMaxPool", "whole"),
        ("ReduceMean", "approximate"),
        ("ReduceMax", "whole"),
        ("Softmax", "whole"),
        ("InstanceNormalization", "whole"),
        ("Transpose", "approximate"),
    ],
)
def test_what_sees_the_whole_picture(kind: str, tiling: str) -> None:
    b = Builder(0)
    x = b.conv("lr", 3, 3)
    one = [b.constant(np.ones(3, np.float32)) for _ in range(2)]
    options: dict[str, tuple[list[str], dict[str, object]]] = {
        "ReduceMean": ([], {"axes": [2, 3]}),
        "ReduceMax": ([], {"axes": [2, 3]}),
        "Softmax": ([], {"axis": -1}),
        "InstanceNormalization": (one, {}),
        "Transpose": ([], {"perm": [0, 1, 3, 2]}),
    }
    more, attributes = options.get(kind, ([], {}))
    y = b.node(kind, [x, *more], **attributes)
    if kind == "Transpose":
        y = b.node(kind, [y], **attributes)
    reach = reach_of(b.model(b.node("Mul", [x, y])))
    assert (reach.radius, reach.tiling) == (None, tiling)


def test_along_channels_is_local() -> None:
    b = Builder(0)
    x = b.node("Softmax", [b.conv("lr", 3, 4)], axis=1)
    mean = b.node("ReduceMean", [x], axes=[1])
    joined = b.node("Concat", [x, mean], axis=1)
    model = b.model(b.conv(joined, 5, 3))
    assert (reach_of(model).radius, reach_of(model).tiling) == (2, "exact")


def test_halo_leaves_room_for_the_cross_fade() -> None:
    """Sixteen inner convolutions see 18 pixels: 21 of overlap, 3 of which are faded (engine.rows.fade_of)."""
    from wildsr.engine.rows import fade_of

    for count in range(1, 65):
        spec = discovered_spec(_stack(count), id="a", source="b")
        assert spec.halo_exact - fade_of(spec.halo_exact) >= count
        assert spec.halo_exact - fade_of(spec.halo_exact) <= count + 1
        assert spec.halo == min(48, spec.halo_exact)
    assert discovered_spec(_stack(18), id="a", source="b").halo == 21
    deep = discovered_spec(_stack(65), id="a", source="b")
    assert (deep.halo, deep.halo_exact, deep.tiling) == (48, 64, "exact")


def test_ncnn_unshuffle_is_understood(tmp_path: Path) -> None:
    """Reorg in ncnn's own order of channels becomes reshapes, which leave rows and columns alone."""
    net = Net()
    net.layer("Reorg", "data", "a", "0=2")
    net.conv("a", "b", (12, 48))
    net.layer("PixelShuffle", "b", "out", "0=4")
    param = net.save(tmp_path)
    _, spec = import_ncnn(param, param.with_suffix(".bin"))
    assert (spec.scale, spec.multiple, spec.tiling) == (2, 2, "exact")
    assert spec.halo_exact == 4
    assert spec.halo_exact % spec.multiple == 0


def test_constants_may_be_nodes() -> None:
    nodes = [
        helper.make_node(
            "Constant", [], ["scales"], value=numpy_helper.from_array(np.array([1, 1, 2, 2], np.float32))
        ),
        helper.make_node(
            "Resize",
            ["x", "", "scales"],
            ["y"],
            mode="nearest",
            coordinate_transformation_mode="asymmetric",
            nearest_mode="floor",
        ),
    ]
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", 3, None, None]) for name in "xy"]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    assert reach_of(model).radius == 0
