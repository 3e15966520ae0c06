"""Every ncnn layer type, and chains as real models have them, against ncnn itself."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from tests.models.ncnn_files import Net, picture, run_ncnn, run_onnx
from wildsr.models.ncnn import import_ncnn
from wildsr.models.ncnn.layers import LAYERS
from wildsr.models.spec import ModelSpec

pytest.importorskip("ncnn", reason="the ncnn package (extra dev) is not installed")

Build = Callable[[Net], object]
SPEC = ModelSpec(id="any", architecture="graph", scale=1)


def _layer(kind: str, parameters: str = "", channels: int = 12) -> Build:
    def build(net: Net) -> None:
        net.layer(kind, net.conv("data", "a", (3, channels)), "out", parameters)

    return build


def _weighted(kind: str, parameters: str, count: int, low: float = -1, high: float = 1) -> Build:
    def build(net: Net) -> None:
        net.layer(kind, net.conv("data", "a", (3, 12)), "out", parameters)
        net.plain(count, low, high)

    return build


def _two(kind: str, parameters: str, *, positive: bool = False) -> Build:
    def build(net: Net) -> None:
        more = "9=4" if positive else ""
        net.layer("Split", "data", "d1 d2")
        net.conv("d1", "a", (3, 6), more=more)
        net.conv("d2", "b", (3, 6), more=more)
        net.layer(kind, "a b", "out", parameters)

    return build


def _conv(more: str, *, kernel: int = 3, pad: int = 1) -> Build:
    return lambda net: net.conv("data", "out", (3, 8), kernel=kernel, pad=pad, more=more)


def _kernels(kind: str, parameters: str, size: int, out: int) -> Build:
    def build(net: Net) -> None:
        net.conv("data", "a", (3, 12))
        net.layer(kind, "a", "out", parameters)
        net.tagged(size, 0.2)
        net.plain(out)

    return build


def _behind_pooling(*layers: tuple[str, str]) -> Build:
    """Conv, global pooling, layers on the 12 numbers, and their product with what was pooled."""

    def build(net: Net) -> None:
        net.layer("Split", net.conv("data", "a", (3, 12)), "a1 a2")
        net.layer("Pooling", "a1", "v0", "0=1 4=1")
        for index, (kind, parameters) in enumerate(layers):
            net.layer(kind, f"v{index}", f"v{index + 1}", parameters)
            if kind == "InnerProduct":
                net.tagged(144, 0.3)
                net.plain(12)
        net.layer("BinaryOp", f"a2 v{len(layers)}", "out", "0=2")

    return build


def _cut(parameters: str, parts: int) -> Build:
    def build(net: Net) -> None:
        names = [f"p{i}" for i in range(parts)]
        net.layer("Slice", net.conv("data", "a", (3, 12)), " ".join(names), parameters)
        net.layer("Concat", " ".join(reversed(names)), "out")

    return build


def _memory(parameters: str, count: int) -> Build:
    def build(net: Net) -> None:
        net.conv("data", "a", (3, 12))
        net.layer("MemoryData", "", "m", parameters)
        net.plain(count)
        net.layer("BinaryOp", "a m", "out", "0=0")

    return build


def _scale_by_blob(net: Net) -> None:
    net.layer("Split", net.conv("data", "a", (3, 12)), "a1 a2")
    net.layer("Pooling", "a1", "v", "0=1 4=1")
    net.layer("Scale", "a2 v", "out", "0=-233")


CASES: dict[str, Build] = {
    "AbsVal": _layer("AbsVal"),
    "BatchNorm": _weighted("BatchNorm", "0=12 1=0.001", 48, 0.2, 1),
    "Bias": _weighted("Bias", "0=12", 12),
    **{f"BinaryOp {kind}": _two("BinaryOp", f"0={kind}", positive=True) for kind in range(10)},
    **{
        f"BinaryOp {kind} number": _layer("BinaryOp", f"0={kind} 1=1 2=0.3") for kind in (0, 1, 2, 3, 4, 5, 7)
    },
    "Clip": _layer("Clip", "0=-0.1 1=0.2"),
    "Clip one side": _layer("Clip", "1=0.2"),
    "Concat": _two("Concat", "0=0"),
    "Concat rows": _two("Concat", "0=1"),
    "Concat columns": _two("Concat", "0=-1"),
    "Convolution": _conv(""),
    "Convolution relu": _conv("9=1"),
    "Convolution leaky": _conv("9=2 -23310=1,0.2"),
    "Convolution clip": _conv("9=3 -23310=2,-0.1,0.2"),
    "Convolution sigmoid": _conv("9=4"),
    "Convolution mish": _conv("9=5"),
    "Convolution hardswish": _conv("9=6 -23310=2,0.2,0.5"),
    "Convolution dilated": _conv("2=2 12=3", pad=2),
    "Convolution strided": _conv("3=2 13=3"),
    "Convolution lopsided": _conv("14=2 15=0 16=3"),
    "Convolution padded by a value": _conv("18=0.7"),
    "Convolution same upper": _conv("", kernel=4, pad=-233),
    "Convolution same lower": _conv("", kernel=4, pad=-234),
    "Convolution same strided": _conv("3=2", kernel=4, pad=-233),
    "Convolution same lower strided": _conv("3=2", kernel=4, pad=-234),
    "ConvolutionDepthWise": _kernels("ConvolutionDepthWise", "0=12 1=3 4=1 5=1 6=108 7=12", 108, 12),
    "ConvolutionDepthWise groups": _kernels("ConvolutionDepthWise", "0=8 1=3 4=1 5=1 6=216 7=4", 216, 8),
    "Crop": _layer("Crop", "0=1 1=2 2=3 3=-233 4=-233 5=-233 6=2 7=1 8=4"),
    "Crop channels": _layer("Crop", "0=0 1=0 2=3 3=-233 4=-233 5=6"),
    "Crop starts": _layer("Crop", "-23309=2,2,1 -23310=2,9,-2 -23311=2,0,2"),
    "Deconvolution": _kernels("Deconvolution", "0=8 1=4 3=2 4=1 5=1 6=1536", 1536, 8),
    "Deconvolution more": _kernels("Deconvolution", "0=8 1=3 3=2 4=1 5=1 6=864 18=1", 864, 8),
    "DeconvolutionDepthWise": _kernels("DeconvolutionDepthWise", "0=8 1=4 3=2 4=1 5=1 6=384 7=4", 384, 8),
    "Dropout": _layer("Dropout"),
    "ELU": _layer("ELU", "0=0.7"),
    "Eltwise product": _two("Eltwise", "0=0"),
    "Eltwise sum": _two("Eltwise", "0=1 -23301=2,0.2,1.0"),
    "Eltwise plain sum": _two("Eltwise", "0=1"),
    "Eltwise maximum": _two("Eltwise", "0=2"),
    "ExpandDims": _behind_pooling(("ExpandDims", "0=1 1=1")),
    "ExpandDims axes": _behind_pooling(("ExpandDims", "-23303=2,1,2")),
    "Flatten": _behind_pooling(("Flatten", "")),
    "GELU": _layer("GELU"),
    "GELU fast": _layer("GELU", "0=1"),
    "HardSigmoid": _layer("HardSigmoid", "0=0.3 1=0.4"),
    "HardSwish": _layer("HardSwish", "0=0.3 1=0.4"),
    "InnerProduct": _behind_pooling(
        ("InnerProduct", "0=12 1=1 2=144 9=1"), ("InnerProduct", "0=12 1=1 2=144 9=4")
    ),
    "InstanceNorm": _weighted("InstanceNorm", "0=12 1=0.001", 24),
    "Interp nearest": _layer("Interp", "0=1 1=2.0 2=2.0"),
    "Interp nearest down": _layer("Interp", "0=1 1=0.5 2=0.5"),
    "Interp bilinear": _layer("Interp", "0=2 1=3.0 2=2.0"),
    "Interp bilinear aligned": _layer("Interp", "0=2 1=3.0 2=2.0 6=1"),
    "Interp bicubic": _layer("Interp", "0=3 1=2.0 2=2.0"),
    "Interp bicubic half": lambda net: net.layer(
        "Interp",
        net.layer("Interp", net.conv("data", "a", (3, 3)), "b", "0=1 1=4.0 2=4.0"),
        "out",
        "0=3 1=0.5 2=0.5",
    ),
    "Interp bicubic three quarters": lambda net: net.layer(
        "Interp",
        net.layer("Interp", net.conv("data", "a", (3, 3)), "b", "0=1 1=4.0 2=4.0"),
        "out",
        "0=3 1=0.75 2=0.75",
    ),
    "MemoryData": _memory("0=12", 12),
    "MemoryData blob": _memory("0=14 1=11 2=12", 14 * 11 * 12),
    "Mish": _layer("Mish"),
    "Noop": _layer("Noop"),
    "PReLU": _weighted("PReLU", "0=12", 12),
    "PReLU one": _weighted("PReLU", "0=1", 1),
    "Padding": _layer("Padding", "0=1 1=2 2=3 3=4 4=0 5=0.5"),
    "Padding edge": _layer("Padding", "0=1 1=2 2=3 3=4 4=1"),
    "Padding reflect": _layer("Padding", "0=1 1=2 2=3 3=4 4=2"),
    "Padding per channel": _weighted("Padding", "0=1 1=2 2=3 3=4 4=0 6=12", 12),
    **{f"Permute {order}": _layer("Permute", f"0={order}") for order in range(6)},
    "PixelShuffle": _layer("PixelShuffle", "0=2"),
    "PixelShuffle mode 1": _layer("PixelShuffle", "0=2 1=1"),
    "Pooling max": _layer("Pooling", "0=0 1=2 2=2 5=1"),
    "Pooling max full": _layer("Pooling", "0=0 1=3 2=2"),
    "Pooling max padded": _layer("Pooling", "0=0 1=3 2=2 3=1 5=1"),
    "Pooling mean": _layer("Pooling", "0=1 1=3 2=2 5=1"),
    "Pooling mean padded": _layer("Pooling", "0=1 1=3 2=1 3=1 5=1"),
    "Pooling global maximum": lambda net: (
        net.layer("Split", net.conv("data", "a", (3, 12)), "a1 a2"),
        net.layer("Pooling", "a1", "v", "0=0 4=1"),
        net.layer("BinaryOp", "a2 v", "out", "0=0"),
    ),
    "ReLU": _layer("ReLU"),
    "ReLU leaky": _layer("ReLU", "0=0.2"),
    "Reorg": lambda net: net.layer(
        "Reorg", net.layer("Interp", "data", "a", "0=3 1=2.0 2=2.0"), "out", "0=2"
    ),
    "Reorg mode 1": lambda net: net.layer(
        "Reorg", net.layer("Interp", "data", "a", "0=3 1=2.0 2=2.0"), "out", "0=2 1=1"
    ),
    "Reshape": _behind_pooling(("Reshape", "0=1 1=1 2=12"), ("Reshape", "0=12")),
    "Scale": _weighted("Scale", "0=12", 12),
    "Scale offset": _weighted("Scale", "0=12 1=1", 24),
    "Scale by a blob": _scale_by_blob,
    "ShuffleChannel": _layer("ShuffleChannel", "0=3"),
    "ShuffleChannel back": _layer("ShuffleChannel", "0=3 1=1"),
    "Sigmoid": _layer("Sigmoid"),
    "Slice": _cut("-23300=3,-233,-233,-233", 3),
    "Slice sizes": _cut("-23300=3,2,7,-233", 3),
    "Softmax": _layer("Softmax", "0=0 1=1"),
    "Softmax columns": _layer("Softmax", "0=2 1=1"),
    "Softmax of numbers": _behind_pooling(("Softmax", "0=0 1=1")),
    "Split": _two("Eltwise", "0=1"),
    "Squeeze": _behind_pooling(("ExpandDims", "0=1 1=1"), ("Squeeze", "0=1 1=1")),
    "Swish": _layer("Swish"),
    "TanH": _layer("TanH"),
    **{f"UnaryOp {kind}": _layer("UnaryOp", f"0={kind}") for kind in (0, 1, 2, 3, 4, 7, 9, 10, 16)},
    **{
        f"UnaryOp {kind} of positives": lambda net, kind=kind: net.layer(
            "UnaryOp", net.conv("data", "a", (3, 12), more="9=4"), "out", f"0={kind}"
        )
        for kind in (5, 6, 8, 15)
    },
}


def _compare(net: Net, folder: Path) -> None:
    param = net.save(folder)
    model, _ = import_ncnn(param, param.with_suffix(".bin"), SPEC)
    truth = run_ncnn(param, param.with_suffix(".bin"), picture())
    ours = run_onnx(model.SerializeToString(), picture())
    assert ours.shape == truth.shape
    # ncnn approximates exp, tanh and their kin by polynomials
    np.testing.assert_allclose(ours, truth, rtol=2e-3, atol=2e-4)
    assert np.ptp(truth) > 1e-3


@pytest.mark.parametrize("case", CASES)
def test_layer_agrees_with_ncnn(case: str, tmp_path: Path) -> None:
    net = Net()
    CASES[case](net)
    _compare(net, tmp_path)


def test_every_layer_type_has_a_case() -> None:
    assert {case.split()[0] for case in CASES} == set(LAYERS)


def _rrdb(net: Net) -> None:
    """A dense block with residual sums by coefficients, then two nearest enlargements."""
    leaky = "9=2 -23310=1,0.2"
    net.layer("Split", net.conv("data", "f", (3, 8)), "f1 f2 f3 f4 f5")
    net.conv("f1", "g", (8, 4), more=leaky)
    net.layer("Split", "g", "g1 g2")
    net.layer("Concat", "f2 g1", "h")
    net.conv("h", "i", (12, 4), more=leaky)
    net.layer("Concat", "f3 g2 i", "j")
    net.conv("j", "k", (16, 8))
    net.layer("Eltwise", "k f4", "l", "0=1 -23301=2,0.2,1.0")
    net.layer("BinaryOp", "l f5", "m", "0=0")
    net.layer("Interp", "m", "n", "0=1 1=2.0 2=2.0")
    net.conv("n", "o", (8, 8), more=leaky)
    net.layer("Interp", "o", "p", "0=1 1=2.0 2=2.0")
    net.conv("p", "q", (8, 8), more=leaky)
    net.conv("q", "out", (8, 3))


def _srvgg(net: Net, *, down: str = "") -> None:
    """Convolutions with PReLU, pixel shuffle, plus the enlarged input; then smaller again, as ×2 and ×3 have it."""
    net.layer("Split", "data", "d1 d2")
    x, channels = "d1", 3
    for i in range(3):
        net.conv(x, f"c{i}", (channels, 8))
        x, channels = net.layer("PReLU", f"c{i}", f"p{i}", "0=8"), 8
        net.plain(8, 0, 0.3)
    net.layer("PixelShuffle", net.conv(x, "z", (8, 48)), "s", "0=4")
    net.layer("Interp", "d2", "e", "0=1 1=4.0 2=4.0")
    net.layer("BinaryOp", "s e", "sum" if down else "out", "0=0")
    if down:
        net.layer("Interp", "sum", "out", f"0=3 1={down} 2={down}")


@pytest.mark.parametrize("half", [False, True], ids=["fp32", "fp16"])
@pytest.mark.parametrize(
    ("build", "scale"),
    [
        (_rrdb, 4),
        (_srvgg, 4),
        (lambda net: _srvgg(net, down="0.75"), 3),
        (lambda net: _srvgg(net, down="0.5"), 2),
    ],
    ids=["rrdb", "srvgg", "srvgg-x3", "srvgg-x2"],
)
def test_real_chains(build: Build, scale: int, half: bool, tmp_path: Path) -> None:
    net = Net(half=half)
    build(net)
    _compare(net, tmp_path)
    _, spec = import_ncnn(tmp_path / "net.param", tmp_path / "net.bin")
    assert spec.scale == scale


def test_blobs_named_like_tensors(tmp_path: Path) -> None:
    """Names in the file may be those used inside: `t1.0`, `c0`, `lr`, `sr`."""
    net = Net(lines=["Input in 0 1 t1.0"])
    net.conv("t1.0", "c0", (3, 3))
    net.conv("c0", "sr", (3, 3))
    net.layer("Sigmoid", "sr", "lr")
    _compare(net, tmp_path)
