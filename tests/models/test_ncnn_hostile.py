"""ncnn files that are damaged or mean ill: refused with a ModelError, before anything is allocated."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.models.ncnn_files import Net
from wildsr.errors import ModelError
from wildsr.models.ncnn import import_ncnn
from wildsr.models.ncnn.layers import LAYERS


def _net() -> Net:
    net = Net()
    net.conv("data", "a", (3, 12), more="9=2 -23310=1,0.2")
    net.layer("PixelShuffle", "a", "out", "0=2")
    return net


def _import(folder: Path, graph: str | bytes, weights: bytes = b"") -> None:
    param = folder / "m.param"
    param.write_bytes(graph if isinstance(graph, bytes) else graph.encode())
    param.with_suffix(".bin").write_bytes(weights)
    import_ncnn(param, param.with_suffix(".bin"))


def _graph(*layers: str) -> str:
    return "\n".join(["7767517", f"{len(layers)} {len(layers)}", *layers])


INPUT = "Input in 0 1 x"
CONV = "Convolution c 1 1 x y 0=3 1=3 4=1 5=1 6=81"
GRAPHS: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "no ncnn graph"),
    "other file": ("<html>", "no ncnn graph"),
    "binary": (b"7767517\n\xff\xfe", "no text"),
    "header alone": ("7767517", "no ncnn graph"),
    "no counts": ("7767517\nx y", "second line"),
    "counts too long": ("7767517\n" + "9" * 5000 + " 1", "second line"),
    "cut short": ("7767517\n3 3\n" + INPUT, "promises 3 layers"),
    "no layers": ("7767517\n0 0", "0 inputs and 0 results"),
    "unknown layer": (_graph(INPUT, "Nonsense n 1 1 x y"), "aren't supported"),
    "terminal escapes": (_graph(INPUT, "\x1b[2J \x1b[31m 1 1 x y"), r"\\x1b"),
    "cycle": (_graph(INPUT, "ReLU a 1 1 z y", "ReLU b 1 1 y z"), "no layer before it makes"),
    "itself": (_graph(INPUT, "ReLU a 1 1 y y"), "no layer before it makes"),
    "blob made twice": (_graph(INPUT, "ReLU a 1 1 x y", "ReLU b 1 1 x y"), "a second time"),
    "two inputs": (_graph(INPUT, "Input b 0 1 z", "BinaryOp c 2 1 x z y"), "2 inputs"),
    "no input": (_graph("MemoryData m 0 1 x 0=3"), "0 inputs"),
    "two outputs": (_graph(INPUT, "Split s 1 2 x y z"), "2 results"),
    "layer without input": (_graph(INPUT, "ReLU a 0 1 y"), "0 inputs and 1 outputs|2 results"),
    "more outputs than it has": (_graph(INPUT, "ReLU a 1 2 x y z", "BinaryOp b 2 1 y z o"), "2 outputs"),
    "few words": (_graph(INPUT, "ReLU a"), "can't be read"),
    "promised blobs": (_graph(INPUT, "ReLU a 1 999999999 x y"), "can't be read"),
    "negative blobs": (_graph(INPUT, "ReLU a -1 1 x y"), "can't be read"),
    "NaN": (_graph(INPUT, "ReLU a 1 1 x y 0=nan"), "finite"),
    "infinity": (_graph(INPUT, "Clip a 1 1 x y 0=-inf"), "finite"),
    "not a number": (_graph(INPUT, "ReLU a 1 1 x y 0=zero"), "can't be read"),
    "list length": (_graph(INPUT, "Eltwise a 1 1 x y -23301=900000000,1"), "can't be read"),
    "fraction": (_graph(INPUT, "PReLU a 1 1 x y 0=1.5"), "whole number"),
    "a million channels": (_graph(INPUT, CONV.replace("0=3", "0=1000000")), "parameter 0"),
    "a billion weights": (_graph(INPUT, CONV.replace("6=81", "6=1000000026")), "needs|weights"),
    "kernel of 10000": (_graph(INPUT, CONV.replace("1=3", "1=10000")), "parameter 1"),
    "padding of a million": (_graph(INPUT, "Padding p 1 1 x y 0=1000000"), "parameter 0"),
    "a hundred million times larger": (_graph(INPUT, "Interp i 1 1 x y 0=1 1=1e8 2=1e8"), "factors"),
    "resize to a size": (_graph(INPUT, "Interp i 1 1 x y 0=1 3=99 4=99"), "fixed size"),
    "negative factor": (_graph(INPUT, "Interp i 1 1 x y 0=1 1=-2 2=-2"), "factors"),
    "shuffle of 10000": (_graph(INPUT, "PixelShuffle p 1 1 x y 0=10000"), "parameter 0"),
    "memory of a terabyte": (
        _graph(INPUT, "MemoryData m 0 1 z 0=65536 1=65536 2=64", "BinaryOp b 2 1 x z y"),
        "needs",
    ),
    "int8": (_graph(INPUT, CONV + " 8=2"), "int8"),
    "InnerProduct of the picture": (_graph(INPUT, "InnerProduct p 1 1 x y 0=3 1=0 2=9"), "one size only"),
    "Reshape of the picture": (_graph(INPUT, "Reshape r 1 1 x y 0=48 1=48 2=3"), "another shape"),
    "fixed crop": (_graph(INPUT, "Crop r 1 1 x y 3=10 4=10 5=3"), "pictures of any size"),
    "grows a thousandfold": (
        _graph(
            INPUT, *(f"Interp i{i} 1 1 {'x' if not i else f'y{i}'} y{i + 1} 0=1 1=16 2=16" for i in range(20))
        ),
        "numbers a pixel",
    ),
}


@pytest.mark.parametrize("case", GRAPHS)
def test_graph_is_refused_cheaply(case: str, tmp_path: Path) -> None:
    graph, said = GRAPHS[case]
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match=said) as caught:
            _import(tmp_path, graph)
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 1500


def _cut(data: bytes) -> bytes:
    return data[:-4]


def _longer(data: bytes) -> bytes:
    return data + bytes(4)


def _nan(data: bytes) -> bytes:
    return data[:8] + b"\x00\x00\xc0\x7f" + data[12:]


def _unknown_tag(data: bytes) -> bytes:
    return b"\x12\x34\x56\x78" + data[4:]


def _int8_tag(data: bytes) -> bytes:
    return (0x000D4B38).to_bytes(4, "little") + data[4:]


@pytest.mark.parametrize(
    ("damage", "said"),
    [
        (_cut, "needs"),
        (_longer, "don't belong together|uses"),
        (_nan, "not finite"),
        (_unknown_tag, "unknown kind"),
        (_int8_tag, "int8"),
        (lambda data: b"", "needs"),
    ],
    ids=["cut", "longer", "nan", "tag", "int8", "empty"],
)
def test_weights_are_refused(damage: Callable[[bytes], bytes], said: str, tmp_path: Path) -> None:
    param = _net().save(tmp_path)
    weights = param.with_suffix(".bin")
    weights.write_bytes(damage(weights.read_bytes()))
    with pytest.raises(ModelError, match=said):
        import_ncnn(param, weights)


def test_a_billion_weights_in_a_sparse_file_are_refused_before_reading(tmp_path: Path) -> None:
    """The file really is 4 GB long, but no filter has that many weights."""
    param = tmp_path / "m.param"
    param.write_text(_graph(INPUT, CONV.replace("6=81", "6=1000000001")))
    with param.with_suffix(".bin").open("wb") as file:
        file.truncate(4_000_000_100)
    tracemalloc.start()
    try:
        with pytest.raises(ModelError, match="at most 1,000,000,000 are read"):
            import_ncnn(param, param.with_suffix(".bin"))
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("extension", [".param", ".bin"])
def test_folder_instead_of_a_file(extension: str, tmp_path: Path) -> None:
    param = _net().save(tmp_path)
    path = param.with_suffix(extension)
    path.unlink()
    path.mkdir()
    with pytest.raises(ModelError, match="can't be read"):
        import_ncnn(param, param.with_suffix(".bin"))


@pytest.mark.parametrize("extension", [".param", ".bin"])
def test_missing_file(extension: str, tmp_path: Path) -> None:
    param = _net().save(tmp_path)
    param.with_suffix(extension).unlink()
    with pytest.raises(ModelError, match="can't be read"):
        import_ncnn(param, param.with_suffix(".bin"))


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything"
)
def test_forbidden_file(tmp_path: Path) -> None:
    param = _net().save(tmp_path)
    param.chmod(0)
    with pytest.raises(ModelError, match="can't be read"):
        import_ncnn(param, param.with_suffix(".bin"))


def test_graph_of_absurd_length(tmp_path: Path) -> None:
    param = tmp_path / "m.param"
    with param.open("wb") as file:
        file.truncate(20_000_000)
    with pytest.raises(ModelError, match="at most"):
        import_ncnn(param, param)


lines = st.lists(
    st.one_of(
        st.text(max_size=60),
        st.builds(
            "{} l {} {} {} {}={}".format,
            st.sampled_from(sorted(LAYERS)),
            st.integers(-1, 3),
            st.integers(-1, 3),
            st.text("xyz ", max_size=8),
            st.integers(-23320, 30),
            st.floats() | st.integers() | st.text("0123456789,.-e", max_size=12),
        ),
    ),
    max_size=6,
)


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=60,
)
@given(lines, st.binary(max_size=64))
def test_random_graphs(tmp_path: Path, body: list[str], weights: bytes) -> None:
    graph = _graph(INPUT, *(line.replace("\n", " ") for line in body))
    try:
        _import(tmp_path, graph.encode("utf-8", "surrogatepass"), weights)
    except ModelError as error:
        assert str(error)  # noqa: PT017 -- any other exception fails the test


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
    deadline=None,
    max_examples=60,
)
@given(st.data())
def test_mutated_graphs(tmp_path: Path, data: st.DataObject) -> None:
    net = _net()
    words = "\n".join(["7767517", "3 3", *net.lines]).replace("\n", " \n ").split(" ")
    for _ in range(data.draw(st.integers(1, 3))):
        place = data.draw(st.integers(0, len(words) - 1))
        words[place] = data.draw(
            st.sampled_from(
                ["", "\n", "0=99", "1=0", "6=4294967296", "6=-1", "4=-233", "3=0", "x", "1e999", *words]
            )
        )
    try:
        _import(tmp_path, " ".join(words), net.weights)
    except ModelError as error:
        assert str(error)  # noqa: PT017 -- any other exception fails the test
