"""Pickles that change the objects that read them, after these were checked."""

import pickle
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest

from wildsr.assets.pickles import load_pickle
from wildsr.assets.torch_files import load_torch
from wildsr.errors import AssetError, ModelError

STORAGE = b"(X\x07\x00\x00\x00storagectorch\nFloatStorage\nX\x01\x00\x00\x000X\x03\x00\x00\x00cpuK\x10tQ"  # 16 numbers
TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\n(" + STORAGE + b"K\x00(K\x10t(K\x01t\x89}tR"


def _state(value: object) -> bytes:
    """What puts a plain value on the pickle machine's stack."""
    return pickle.dumps(value, 2)[2:-1]


def _load(folder: Path, program: bytes) -> object:
    path = folder / "x.pth"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("a/data.pkl", b"\x80\x02" + program + b".")
        bundle.writestr("a/data/0", struct.pack("<16f", *range(16)))
    return load_torch(path)


def test_the_untouched_checkpoint_is_read(tmp_path: Path) -> None:
    np.testing.assert_array_equal(np.asarray(_load(tmp_path, TENSOR)), np.arange(16, dtype=np.float32))


@pytest.mark.parametrize(
    "state",
    [
        {"_offset": -8, "_size": (16,)},  # read 32 bytes beyond the file's numbers before it was refused
        {"_stride": (-1,)},
        (None, {"_offset": -8}),
        {"array": 1},
    ],
    ids=["offset", "stride", "slots", "method"],
)
def test_tensor_changed_after_its_check(tmp_path: Path, state: object) -> None:
    with pytest.raises(ModelError, match="changes what reads it"):
        _load(tmp_path, TENSOR + _state(state) + b"b")


def test_storage_changed(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="changes what reads it"):
        _load(tmp_path, STORAGE + _state({"kind": "DoubleStorage", "key": "../../data.pkl"}) + b"b")


def test_function_changed(tmp_path: Path) -> None:
    program = b"ctorch._utils\n_rebuild_parameter\n" + _state((None, {"__defaults__": (1,)})) + b"b"
    with pytest.raises(ModelError, match="changes what reads it"):
        _load(tmp_path, program)


def test_object_made_without_its_checks(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="NEWOBJ"):
        _load(tmp_path, b"ctorch._utils\n_rebuild_tensor_v2\n)\x81")


def test_dictionary_whose_methods_are_replaced(tmp_path: Path) -> None:
    """State on an OrderedDict is allowed (PyTorch puts its metadata there), and never called."""
    table = b"ccollections\nOrderedDict\n)R" + _state({"items": 1, "array": 2, "_metadata": {}}) + b"b"
    assert _load(tmp_path, table) == {}


def test_numpy_stand_ins(tmp_path: Path) -> None:
    path = tmp_path / "x.pickle"
    for name in (b"cnumpy\nndarray\n", b"cnumpy._core.multiarray\n_reconstruct\n"):
        path.write_bytes(b"\x80\x02" + name + _state({"a": 1}) + b"b.")
        with pytest.raises(AssetError):
            load_pickle(path)
