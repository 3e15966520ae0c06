"""Fuzz targets that need a network: model files of every kind, and the whole way through a tiny one."""

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

import numpy as np

from tests.engine.tiny import save, tiny_compact
from tests.fuzz.checks import LIMITS, check_error, check_picture, listing, scratch
from wildsr.engine import Settings, Size, Upscaler
from wildsr.errors import WildsrError
from wildsr.imaging import Picture, WriteOptions, read
from wildsr.models import Model, ModelSpec, load_model
from wildsr.models.ncnn import import_ncnn

SPLIT = b"\n==weights==\n"
"""Between the graph and the weights of an ncnn model in one input."""

_FORMATS = ("png", "jpeg", "webp", "tiff", "avif")


def spec(data: bytes) -> None:
    """Read what a model says about itself; what is accepted can be written and read again."""
    try:
        found = ModelSpec.from_json(data.decode("utf-8", "surrogateescape"))
    except WildsrError as error:
        check_error(error)
        return
    assert ModelSpec.from_json(found.to_json()) == found
    assert 1 <= found.scale <= 16


def onnx(data: bytes) -> None:
    """Load an ONNX file and, where it is accepted, run it."""
    with scratch() as folder:
        path = folder / "model.onnx"
        path.write_bytes(data)
        try:
            run(load_model(path))
        except WildsrError as error:
            check_error(error)


def ncnn(data: bytes) -> None:
    """Import an ncnn graph with its weights and, where it is accepted, run it."""
    graph, _, weights = data.partition(SPLIT)
    with scratch() as folder:
        (folder / "model.param").write_bytes(graph)
        (folder / "model.bin").write_bytes(weights)
        try:
            model, found = import_ncnn(folder / "model.param", folder / "model.bin")
            save(model, folder / "model.onnx")
            run(Model(spec=found, onnx_path=folder / "model.onnx", sha256="0" * 64))
        except WildsrError as error:
            check_error(error)


def upscale(data: bytes) -> None:
    """Take a picture all the way: read, upscale with a tiny network, write, read again."""
    options = data[:4].ljust(4, b"\0")
    form = _FORMATS[options[0] % len(_FORMATS)]
    with scratch() as folder:
        source, target = folder / "input", folder / f"output.{form}"
        source.write_bytes(data[4:])
        try:
            size = (Size(), Size(scale=options[1] / 64 + 0.01), Size(width=options[1] + 1), Size(max_side=9))
            report = tiny_upscaler(options[2] % 4).upscale_file(
                source,
                target,
                size[options[3] % 4],
                limits=LIMITS,
                options=WriteOptions(strip_metadata=bool(options[3] & 64)),
            )
        except WildsrError as error:
            check_error(error)
            assert listing(folder) == ["input"]
            return
        assert listing(folder) == ["input", target.name]
        picture = read(target)
    check_picture(picture)
    assert (picture.width, picture.height) == (report.plan.width, report.plan.height)


def run(model: Model) -> None:
    """Run a model over a few pixels: refused, or finite numbers of the right shape."""
    pixels = np.linspace(0, 1, 7 * 9 * 3, dtype=np.float32).reshape(7, 9, 3)
    upscaler = Upscaler(model, Settings(precision="fp32", threads=1, color_fix=False))
    result = upscaler(Picture(rgb=pixels))
    check_picture(result)
    assert result.rgb.shape == (7 * model.spec.scale, 9 * model.spec.scale, 3)


@cache
def tiny_upscaler(kind: int) -> Upscaler:
    """Return an upscaler that costs next to nothing, in one of four ways of working."""
    folder = Path(tempfile.mkdtemp(prefix="wildsr-fuzz-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = save(tiny_compact(scale=2, width=4, depth=1), folder / "tiny.onnx")
    found = ModelSpec(id="tiny", architecture="graph", scale=2, halo=4, halo_exact=4)
    settings = (
        Settings(precision="fp32", threads=1),
        Settings(precision="fp32", threads=1, tile=32, tiling="exact"),
        Settings(precision="fp32", threads=1, strength=0.5, color_fix=False),
        Settings(precision="auto", threads=1, ensemble=True),
    )
    return Upscaler(Model(spec=found, onnx_path=path, sha256="0" * 64), settings[kind])
