"""Pickles give arrays or an error; nothing in them is ever run."""

import contextlib
import io
import pickle
import struct
import tempfile
import zipfile
from collections import OrderedDict
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.assets import pickle_machine
from wildsr.assets.pickles import load_pickle
from wildsr.assets.torch_files import load_torch
from wildsr.errors import AssetError, ModelError

FIRED: list[str] = []


def fire() -> None:
    FIRED.append("code ran")


class Bomb:
    def __reduce__(self) -> tuple[object, ...]:
        return fire, ()


def stored(path: Path, payload: bytes) -> Path:
    path.write_bytes(payload)
    return path


@pytest.mark.parametrize("protocol", range(6))
def test_arrays_and_containers_come_back(tmp_path: Path, protocol: int) -> None:
    tree = {
        "weights": np.arange(24, dtype=np.float32).reshape(2, 3, 4),
        "columns": np.asfortranarray(np.arange(6.0).reshape(2, 3)),
        "big-endian": np.arange(3, dtype=">i4"),
        "nested": [{"half": np.array([0.5, 1.5], np.float16)}, (1, 2.5, "x", None, True)],
    }
    loaded = load_pickle(stored(tmp_path / "w.pickle", pickle.dumps(tree, protocol)))
    assert isinstance(loaded, dict)
    np.testing.assert_array_equal(loaded["weights"], tree["weights"])
    np.testing.assert_array_equal(loaded["columns"], tree["columns"])
    np.testing.assert_array_equal(loaded["big-endian"], [0, 1, 2])
    np.testing.assert_array_equal(loaded["nested"][0]["half"], [0.5, 1.5])
    assert loaded["nested"][1] == (1, 2.5, "x", None, True)


@pytest.mark.parametrize("protocol", range(6))
def test_code_in_a_pickle_never_runs(tmp_path: Path, protocol: int) -> None:
    FIRED.clear()
    path = stored(tmp_path / "w.pickle", pickle.dumps({"w": np.zeros(3), "bomb": Bomb()}, protocol))
    with pytest.raises(AssetError, match="no business with"):
        load_pickle(path)
    with pytest.raises(ModelError):
        load_torch(path)
    assert FIRED == []


PAYLOADS = {
    "os.system": b"cos\nsystem\n(S'true'\ntR.",
    "builtins.eval": b"cbuiltins\neval\n(S'1'\ntR.",
    "numpy.load": b"cnumpy\nload\n(S'/etc/passwd'\ntR.",
    "dotted name": b"\x80\x04\x8c\x05numpy\x8c\x0cndarray.dump\x93.",
    "old-style instance": b"(ios\nsystem\n.",
    "extension registry": b"\x80\x02\x82\x01.",
    "array class called": b"cnumpy\nndarray\n((I99999999999\ntR.",
    "object dtype": b"cnumpy\ndtype\n(S'O8'\nI0\nI1\ntR.",
    "wide dtype": b"cnumpy\ndtype\n(S'V2000000000'\nI0\nI1\ntR.",
    "set": b"\x80\x04\x8f.",
    "tuple as a key": b"}(K\x01K\x02tK\x01s.",
    "number as a key that collides": b"}L4611686018427387902L\nK\x01s.",
    "number of a thousand digits": b"L" + b"9" * 1000 + b"L\n.",
    "number of ten thousand digits": b"L" + b"9" * 10_000 + b"L\n.",
    "list in a list in a list": b"]" * 1000 + b"a" * 999 + b".",
    "takes more than there is": b"K\x01\x87.",
    "appends to a number": b"K\x01K\x01a.",
    "mark without a mark": b"K\x01t.",
    "unknown place": b"h\x07.",
    "attributes of a number": b"K\x01}b.",
    "claims 1 TB of bytes": b"\x80\x04\x8e" + struct.pack("<Q", 1 << 40) + b"x.",
    "claims 4 GB of text": b"\x80\x04X" + struct.pack("<I", 0xFFFFFFFF) + b"x.",
    "persistent id": b"\x80\x02S'x'\nQ.",
    "no end": b"\x80\x04]",
    "empty": b"",
    "text": b"not a pickle at all",
    "list that holds itself": b"]\x94h\x00a.",
}


@pytest.mark.parametrize("name", PAYLOADS)
def test_hostile_pickle(tmp_path: Path, name: str) -> None:
    path = stored(tmp_path / "w.pickle", PAYLOADS[name])
    with pytest.raises(AssetError):
        load_pickle(path)
    with pytest.raises(ModelError):
        load_torch(path)


def test_array_larger_than_its_data(tmp_path: Path) -> None:
    good = pickle.dumps(np.arange(4, dtype=np.float32), 2)
    shaped = good.replace(b"K\x04\x85", b"J\xff\xff\xff\x7f\x85", 1)
    assert shaped != good
    with pytest.raises(AssetError):
        load_pickle(stored(tmp_path / "w.pickle", shaped))


def test_containers_that_double_at_each_level_are_refused(tmp_path: Path) -> None:
    tree: list[object] = [1.0]
    for _ in range(40):
        tree = [tree, tree]
    with pytest.raises(AssetError, match="again and again"):
        load_pickle(stored(tmp_path / "w.pickle", pickle.dumps(tree)))


def test_what_is_shared_stays_shared(tmp_path: Path) -> None:
    weights = np.arange(3.0)
    loaded = load_pickle(stored(tmp_path / "w.pickle", pickle.dumps([weights, weights, {"again": weights}])))
    assert isinstance(loaded, list)
    assert loaded[0] is loaded[1] is loaded[2]["again"]
    loaded[0][0] = 5  # a copy of its own, no view into the file


def test_a_memory_of_four_billion_places_takes_none(tmp_path: Path) -> None:
    assert load_pickle(stored(tmp_path / "w.pickle", b"]r\xff\xff\xff\xff.")) == []


@given(st.binary(max_size=300))
def test_any_bytes_give_a_named_error_or_a_value(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = stored(Path(folder) / "x.pth", data)
        with contextlib.suppress(AssetError):
            load_pickle(path)
        with contextlib.suppress(ModelError):
            load_torch(path)


def checkpoint(size: tuple[int, ...], stride: tuple[int, ...], numbers: int, *, offset: int = 0) -> bytes:
    """A zip checkpoint with one tensor, written opcode by opcode so that it can lie."""

    def whole(values: tuple[int, ...]) -> bytes:
        return b"(" + b"".join(b"I%d\n" % value for value in values) + b"t"

    count = b"I%d\n" % numbers
    storage = b"(S'storage'\nctorch\nFloatStorage\nS'0'\nS'cpu'\n" + count + b"tQ"
    rebuild = b"ctorch._utils\n_rebuild_tensor_v2\n("
    tensor = (
        rebuild
        + storage
        + b"I%d\n" % offset
        + whole(size)
        + whole(stride)
        + b"I00\nccollections\nOrderedDict\n)RtR"
    )
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("archive/data.pkl", b"\x80\x02}S'w'\n" + tensor + b"s.")
        bundle.writestr("archive/data/0", np.arange(numbers, dtype=np.float32).tobytes())
    return file.getvalue()


def test_checkpoint_with_a_strided_tensor(tmp_path: Path) -> None:
    loaded = load_torch(stored(tmp_path / "w.pth", checkpoint((3, 2), (1, 3), 6)))
    assert isinstance(loaded, dict)
    np.testing.assert_array_equal(loaded["w"], np.arange(6).reshape(2, 3).T)


@pytest.mark.parametrize(
    ("size", "stride", "offset"),
    [
        ((10**6, 10**6), (0, 0), 0),
        ((7,), (1,), 0),
        ((2, 3), (3, 1), 1),
        ((-1,), (1,), 0),
        ((2,), (-1,), 1),
        ((2,), (1, 1), 0),
    ],
    ids=[
        "expanded to 4 TB",
        "longer than its data",
        "begins too late",
        "negative size",
        "negative stride",
        "ranks differ",
    ],
)
def test_checkpoint_whose_tensor_lies(
    tmp_path: Path, size: tuple[int, ...], stride: tuple[int, ...], offset: int
) -> None:
    path = stored(tmp_path / "w.pth", checkpoint(size, stride, 6, offset=offset))
    with pytest.raises(ModelError):
        load_torch(path)


def many_views(count: int) -> bytes:
    """One tensor of 40 kB under many names, as a pickle's memory lets one say it in 6 bytes a name."""
    file = io.BytesIO()
    whole = checkpoint((10_000,), (1,), 10_000)
    with zipfile.ZipFile(io.BytesIO(whole)) as bundle:
        first = bundle.read("archive/data.pkl")
        numbers = bundle.read("archive/data/0")
    program = first.removesuffix(b"s.") + b"q\x00s"
    program += b"".join(b"S'%d'\nh\x00s" % number for number in range(count)) + b"."
    with zipfile.ZipFile(file, "w") as bundle:
        bundle.writestr("archive/data.pkl", program)
        bundle.writestr("archive/data/0", numbers)
    return file.getvalue()


def test_views_of_one_tensor_count_as_often_as_they_are_named(tmp_path: Path) -> None:
    few = load_torch(stored(tmp_path / "few.pth", many_views(3)))
    assert isinstance(few, dict)
    assert few["w"] is few["2"]
    with pytest.raises(ModelError, match=r"bytes would become 800,\d+"):
        load_torch(stored(tmp_path / "many.pth", many_views(20_000)))


def test_parts_of_a_file_that_share_their_bytes_are_refused(tmp_path: Path) -> None:
    data = bytearray(checkpoint((6,), (1,), 6))
    entry = data.rindex(b"PK\x01\x02")  # the last entry of the zip's directory: archive/data/0
    data[entry + 20 : entry + 28] = struct.pack("<II", 10_000, 10_000)
    with pytest.raises(ModelError, match="together are larger than the file"):
        load_torch(stored(tmp_path / "w.pth", bytes(data)))


def test_a_text_made_again_and_again_is_refused(tmp_path: Path) -> None:
    # 100,000 times a megabyte of bytes, each made by a call of six bytes
    program = b"c_codecs\nencode\nq\x00(X" + struct.pack("<I", 1 << 20) + b"x" * (1 << 20) + b"tq\x01R0"
    program += b"h\x00h\x01R0" * 100_000 + b"N."
    with pytest.raises(AssetError, match="more than its size allows"):
        load_pickle(stored(tmp_path / "w.pickle", program))


def test_no_more_operations_than_weights_need(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pickle_machine, "MAX_OPERATIONS", 100)
    with pytest.raises(AssetError, match="more than 100 operations"):
        load_pickle(stored(tmp_path / "w.pickle", b"N0" * 51 + b"N."))


@pytest.mark.parametrize("levels", [30, 5000])
def test_pairs_of_pairs_are_never_hashed(tmp_path: Path, levels: int) -> None:
    """As members of a set or keys of a table they take 2^levels steps to look up."""
    pairs = b"K\x01q\x000" + b"h\x00h\x00\x86q\x000" * levels + b"h\x00"
    for program in (b"\x80\x04\x8f(" + pairs + b"\x90.", b"\x80\x04}" + pairs + b"K\x01s."):
        with pytest.raises(AssetError, match=r"EMPTY_SET|key of type tuple"):
            load_pickle(stored(tmp_path / "w.pickle", program))


def test_compressed_checkpoint_is_refused_unread(tmp_path: Path) -> None:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as bundle:
        bundle.writestr("archive/data.pkl", b"\x80\x02}.")
        bundle.writestr("archive/data/0", bytes(50_000_000))
    with pytest.raises(ModelError, match="compressed"):
        load_torch(stored(tmp_path / "w.pth", file.getvalue()))


@pytest.mark.train
@pytest.mark.parametrize("legacy", [False, True])
def test_checkpoints_written_by_torch(tmp_path: Path, legacy: bool) -> None:
    torch = pytest.importorskip("torch", reason="the train extra is not installed")
    torch.manual_seed(0)
    weights = OrderedDict(
        transposed=torch.randn(3, 4).t(),
        integers=torch.arange(5),
        short=torch.randn(2, 2).bfloat16(),
        parameter=torch.nn.Parameter(torch.randn(2)),
        empty=torch.zeros(0, 3),
        scalar=torch.tensor(3.0),
    )
    path = tmp_path / "w.pth"
    torch.save({"params_ema": weights, "iter": 5}, path, _use_new_zipfile_serialization=not legacy)
    loaded = load_torch(path)
    assert isinstance(loaded, dict)
    assert loaded["iter"] == 5
    for name, tensor in weights.items():
        expected = tensor.detach() if name == "integers" else tensor.detach().float()
        np.testing.assert_array_equal(loaded["params_ema"][name], expected.numpy(), err_msg=name)
