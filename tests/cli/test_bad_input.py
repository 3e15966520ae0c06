"""Every bad input of USERS.md through the program, by name: a result or a named error, and the rest is done.

Folders that can't be read or written, full disks and hostile journals are in `tests/e2e/test_disasters.py`.
"""

import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper
from PIL import Image

from tests.cli.invoke import invoke
from tests.e2e.conftest import files, photo
from tests.engine.tiny import save, tiny_compact
from tests.imaging.nasty import NASTY
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ×2 model with next to no work in it, for pictures of 65,500 pixels."""
    spec = ModelSpec(id="tiny", architecture="graph", scale=2, halo=4, halo_exact=4)
    network = tiny_compact(scale=2, width=4, depth=1)
    return save(embed_spec(network, spec), tmp_path_factory.mktemp("model") / "tiny.onnx")


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path.parent / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    return tmp_path


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", NASTY)
def test_picture(name: str, here: Path, model: Path) -> None:
    case = NASTY[name]
    (here / "bad").mkdir()
    given = f"bad/{case.file_name}"
    if "\0" not in given:
        case.write(Path(given))
    photo(here / "good.png")
    options = ["-m", str(model), "-o", "out", "--json", "--suffix", "_sr", "--", given, "good.png"]
    done = invoke("upscale", *options)
    if "\0" in given:
        assert done.code == 2
        assert "NUL" in done.err
        assert not (here / "out").exists()
        return
    made = files(here / "out")
    assert "good_sr.png" in made
    account = done.json
    assert isinstance(account["results"], list)
    assert len(made) == len(account["results"])  # no file but the results
    assert account["stopped"] is None
    if case.outcome == "result":
        assert done.code == 0, done.err
        assert len(made) == 2
        if case.size:
            with Image.open(here / "out" / f"{Path(case.file_name).stem}_sr.png") as image:
                image.load()
                assert image.size == (2 * case.size[0], 2 * case.size[1])
    elif name == "folder":  # a folder is no bad picture, and this one is empty
        assert (done.code, len(made)) == (0, 1)
    else:
        assert done.code == 1
        (failure,) = account["failed"]  # type: ignore[misc]
        assert failure["source"] == given  # type: ignore[index]
        assert failure["reason"]  # type: ignore[index]
        assert "unexpected" not in str(failure)
        assert "failed: bad/" in done.err
        assert len(made) == 1


def test_the_table_of_pictures_is_not_empty() -> None:
    assert len(NASTY) >= 100


@pytest.mark.parametrize("given", ["../outside/a.png", "in/../../outside/a.png"])
def test_dots_in_names(given: str, here: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name may lead upwards, the result lands in the folder asked for all the same."""
    photo(here / "outside" / "a.png")
    (here / "work" / "in").mkdir(parents=True)
    monkeypatch.chdir(here / "work")
    done = invoke("upscale", given, "-m", model, "-o", "out", "-s", "2")
    assert done.code == 0, done.err
    assert list(files(here / "work")) == ["out/a_x2.png"]
    assert list(files(here / "outside")) == ["a.png"]
    refused = invoke("upscale", given, "-m", model, "-o", "out", "--suffix", "/../../x")
    assert refused.code == 2
    assert list(files(here / "work")) == ["out/a_x2.png"]


def beyond_webp(here: Path) -> list[str]:
    photo(here / "wide.png", size=(9000, 2))
    return ["wide.png", "-f", "webp"]


def beyond_jpeg(here: Path) -> list[str]:
    photo(here / "wide.png", size=(33000, 2))
    return ["wide.png", "-f", "jpg"]


@pytest.mark.parametrize("case", [beyond_webp, beyond_jpeg])
def test_output_beyond_a_format(case: Callable[[Path], list[str]], here: Path, model: Path) -> None:
    done = invoke("upscale", "-m", model, "-o", "out", *case(here))
    assert done.code == 1
    assert "failed: " in done.err
    assert "hint: " in done.err
    assert not list((here / "out").glob("*"))


class Payload:
    """What a hostile pickle runs when it is loaded."""

    def __reduce__(self) -> tuple[Callable[..., None], tuple[str, str]]:
        return (_write, ("owned.txt", "owned"))


def _write(name: str, text: str) -> None:
    Path(name).write_text(text)


def network(
    *nodes: onnx.NodeProto, constants: list[onnx.TensorProto] | None = None, domain: str = ""
) -> bytes:
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        list(nodes),
        "hostile",
        [value("lr", TensorProto.FLOAT, ["n", 3, "h", "w"])],
        [value("sr", TensorProto.FLOAT, ["n", 3, "H", "W"])],
        constants or [],
    )
    opsets = [helper.make_opsetid("", 17), *([helper.make_opsetid(domain, 1)] if domain else [])]
    data: bytes = helper.make_model(graph, opset_imports=opsets, ir_version=9).SerializeToString()
    return data


def huge_tile() -> bytes:
    repeats = helper.make_tensor("repeats", TensorProto.INT64, [4], [1, 1, 2**31, 2**31])
    return network(helper.make_node("Tile", ["lr", "repeats"], ["sr"]), constants=[repeats])


def huge_weight() -> bytes:
    weight = onnx.TensorProto(
        name="w", data_type=TensorProto.FLOAT, dims=[2**40, 3, 3, 3], raw_data=b"\0" * 64
    )
    return network(helper.make_node("Conv", ["lr", "w"], ["sr"], pads=[1, 1, 1, 1]), constants=[weight])


def outside_weight() -> bytes:
    weight = onnx.TensorProto(name="w", data_type=TensorProto.FLOAT, dims=[3, 3, 3, 3])
    weight.data_location = TensorProto.EXTERNAL
    weight.external_data.add(key="location", value="../../../../etc/passwd")
    return network(helper.make_node("Conv", ["lr", "w"], ["sr"], pads=[1, 1, 1, 1]), constants=[weight])


def lying_spec() -> bytes:
    lie = ModelSpec(id="lie", architecture="graph", scale=4, halo=4, halo_exact=4)
    data: bytes = embed_spec(tiny_compact(scale=2), lie).SerializeToString()
    return data


def not_finite() -> bytes:
    nan = helper.make_tensor("nan", TensorProto.FLOAT, [1], [float("nan")])
    scales = helper.make_tensor("scales", TensorProto.FLOAT, [4], [1, 1, 2, 2])
    nodes = [
        helper.make_node("Resize", ["lr", "", "scales"], ["big"], mode="nearest"),
        helper.make_node("Add", ["big", "nan"], ["sr"]),
    ]
    return network(*nodes, constants=[nan, scales])


HOSTILE_ONNX: dict[str, Callable[[], bytes]] = {
    "empty": lambda: b"",
    "junk": lambda: np.random.default_rng(0).bytes(5000),
    "truncated": lambda: tiny_compact().SerializeToString()[:2000],
    "pickle": lambda: pickle.dumps(Payload()),
    "no_operation": network,
    "loop_in_the_graph": lambda: network(
        helper.make_node("Relu", ["b"], ["a"]),
        helper.make_node("Relu", ["a"], ["b"]),
        helper.make_node("Add", ["lr", "a"], ["sr"]),
    ),
    "foreign_operator": lambda: network(
        helper.make_node("Run", ["lr"], ["sr"], domain="evil"), domain="evil"
    ),
    "unknown_operator": lambda: network(helper.make_node("LaunchMissiles", ["lr"], ["sr"])),
    "huge_tile": huge_tile,
    "huge_weight": huge_weight,
    "weight_in_another_file": outside_weight,
    "lying_spec": lying_spec,
    "not_finite": not_finite,
}

PARAM = "7767517\n3 3\nInput data 0 1 data\n"
HOSTILE_NCNN: dict[str, tuple[bytes, bytes]] = {
    "empty": (b"", b""),
    "no_magic": (b"hello\n3 3\n", b""),
    "negative_counts": (b"7767517\n-3 -3\n", b""),
    "huge_counts": (b"7767517\n999999999 999999999\n", b""),
    "huge_convolution": (
        f"{PARAM}Convolution a 1 1 data a 0=2147483647 1=2147483647 5=1 6=2147483647\n".encode(),
        bytes(64),
    ),
    "negative_convolution": (f"{PARAM}Convolution a 1 1 data a 0=-3 1=3 5=1 6=-81\n".encode(), bytes(64)),
    "unknown_layer": (f"{PARAM}LaunchMissiles a 1 1 data a\n".encode(), b""),
    "missing_input": (f"{PARAM}ReLU a 1 1 nowhere a\n".encode(), b""),
    "weights_cut_short": (f"{PARAM}Convolution a 1 1 data a 0=3 1=3 4=1 5=1 6=81\n".encode(), bytes(10)),
    "weights_not_finite": (
        f"{PARAM}Convolution a 1 1 data a 0=3 1=3 4=1 5=1 6=81\n".encode(),
        bytes(4) + struct.pack("<84f", *[float("nan")] * 84),
    ),
    "no_text": (bytes(range(256)) * 20, bytes(64)),
}


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HOSTILE_ONNX)
def test_hostile_onnx(name: str, here: Path) -> None:
    photo(here / "a.png")
    (here / "hostile.onnx").write_bytes(HOSTILE_ONNX[name]())
    _refused(here, "hostile.onnx")


@pytest.mark.timeout(240)
@pytest.mark.parametrize("name", HOSTILE_NCNN)
def test_hostile_ncnn(name: str, here: Path) -> None:
    photo(here / "a.png")
    param, weights = HOSTILE_NCNN[name]
    (here / "hostile.param").write_bytes(param)
    (here / "hostile.bin").write_bytes(weights)
    _refused(here, "hostile.param")


@pytest.mark.parametrize("name", ["hostile.pth", "hostile.safetensors", "hostile.bin", "folder"])
def test_files_that_are_no_models(name: str, here: Path) -> None:
    photo(here / "a.png")
    if name == "folder":
        (here / name).mkdir()
    else:
        (here / name).write_bytes(pickle.dumps(Payload()))
    _refused(here, name)


def _refused(here: Path, model: str) -> None:
    before = set(files(here))
    done = invoke("upscale", "a.png", "-m", model)
    assert done.code == 1
    assert done.out == ""
    assert "error: " in done.err or "failed: a.png: " in done.err
    assert "unexpected" not in done.err
    assert set(files(here)) == before
