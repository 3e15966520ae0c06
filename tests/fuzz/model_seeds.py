"""Well-formed model files that fuzzing starts from."""

import numpy as np

from tests.engine.tiny import tiny_compact, tiny_rrdb
from tests.fuzz.model_targets import SPLIT
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

SPEC = ModelSpec(
    id="tiny", architecture="graph", scale=2, halo=4, halo_exact=4, arguments={"width": 4, "act": "p"}
)


def specs() -> list[bytes]:
    """Return descriptions of models, as JSON."""
    return [
        SPEC.to_json().encode(),
        b'{"id":"a","architecture":"rrdb"}',
        b'{"id":"a","architecture":"rrdb","scale":1,"tiling":"whole","later":[1]}',
        b"{}",
    ]


def onnx_models() -> list[bytes]:
    """Return tiny networks, with and without a description."""
    small = tiny_compact(scale=2, width=2, depth=1)
    return [
        small.SerializeToString(),
        tiny_compact(scale=1, width=2, depth=1).SerializeToString(),
        tiny_rrdb(blocks=1, width=2).SerializeToString(),
        embed_spec(small, SPEC).SerializeToString(),
    ]


def ncnn_models() -> list[bytes]:
    """Return ncnn graphs with their weights: nets that enlarge in each way, and one for each layer type."""
    first = ["Input in 0 1 x", "Convolution c1 1 1 x a 0=12 1=3 4=1 5=1 6=324 9=2 -23310=1,0.2"]
    weights = _tagged(324) + _plain(12)
    found = [
        _model([*first, "PixelShuffle ps 1 1 a y 0=2"], weights),
        _model(
            [
                "Input in 0 1 x",
                "Split sp 1 2 x x1 x2",
                "Convolution c1 1 1 x1 a 0=3 1=3 4=1 5=0 6=81",
                "BinaryOp add 2 1 a x2 b 0=0",
                "Interp up 1 1 b y 0=1 1=2.0 2=2.0",
            ],
            _tagged(81, half=True),
        ),
        _model(
            ["Input in 0 1 x", "Deconvolution d 1 1 x y 0=3 1=4 3=2 4=1 5=1 6=144"], _tagged(144) + _plain(3)
        ),
        _model(
            [
                "Input in 0 1 x",
                "Split s 1 2 x a b",
                "Concat c 2 1 a b d 0=0",
                "Convolution e 1 1 d y 0=3 1=1 6=18",
            ],
            _tagged(18),
        ),
    ]
    for kind, (numbers, own) in _MORE.items():
        inputs = "2 1 a a" if kind in ("BinaryOp", "Eltwise") else "1 1 a"
        layers = [*first, f"{kind} l {inputs} b {numbers}", "PixelShuffle ps 1 1 b y 0=2"]
        found.append(_model(layers, weights + own))
    return found


def _model(layers: list[str], weights: bytes) -> bytes:
    text = "\n".join(["7767517", f"{len(layers)} {len(layers) + 1}", *layers, ""])
    return text.encode() + SPLIT + weights


def _plain(count: int) -> bytes:
    return np.linspace(-0.5, 0.5, count, dtype="<f4").tobytes()


def _tagged(count: int, *, half: bool = False) -> bytes:
    if half:
        values = np.linspace(-0.5, 0.5, count).astype("<f2").tobytes()
        return (0x01306B47).to_bytes(4, "little") + values + bytes(-len(values) % 4)
    return bytes(4) + _plain(count)


_MORE: dict[str, tuple[str, bytes]] = {
    "BatchNorm": ("0=12 1=0.001", np.full(48, 0.5, "<f4").tobytes()),
    "BinaryOp": ("0=2", b""),
    "Clip": ("0=-1.0 1=1.0", b""),
    "ConvolutionDepthWise": ("0=12 1=3 4=1 5=0 6=108 7=12", _tagged(108)),
    "Dropout": ("", b""),
    "Eltwise": ("0=1", b""),
    "HardSigmoid": ("0=0.2 1=0.5", b""),
    "HardSwish": ("0=0.2 1=0.5", b""),
    "Interp": ("0=2 1=2.0 2=2.0", b""),
    "Mish": ("", b""),
    "Noop": ("", b""),
    "PReLU": ("0=12", _plain(12)),
    "Padding": ("0=1 1=1 2=1 3=1 4=0 5=0.0", b""),
    "Pooling": ("0=0 1=1 2=1", b""),
    "ReLU": ("0=0.1", b""),
    "Scale": ("0=12 1=1", _plain(24)),
    "Sigmoid": ("", b""),
    "Swish": ("", b""),
    "TanH": ("", b""),
    "UnaryOp": ("0=7", b""),
}
"""Parameters and weights of a layer for each remaining type, on 12 channels."""
