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
    "huge memo slot": b"]r\xff\xff\xff\xff.",
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


def test_containers_that_double_at_each_level_stay_small(tmp_path: Path) -> None:
    tree: list[object] = [1.0]
    for _ in range(90):
        tree = [tree, tree]
    loaded = load_pickle(stored(tmp_path / "w.pickle", pickle.dumps(tree)))
    assert isinstance(loaded, list)
    assert loaded[0] is loaded[1]


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
