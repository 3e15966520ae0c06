"""MATLAB files: what they hold comes back, and a hostile one is an error, whatever it does to its reader."""

import contextlib
import importlib.util
import random
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from scipy.io import savemat

from wildsr.errors import MetricError
from wildsr.metrics import matlab, matlab_child
from wildsr.metrics.matlab import read_mat

HEADER = b"MATLAB 5.0 MAT-file".ljust(124) + b"\x00\x01IM"
CELL, DOUBLES = 1, 6


def element(kind: int, body: bytes, length: int | None = None) -> bytes:
    """A tagged element; `length` is what it claims to have."""
    return struct.pack("<II", kind, len(body) if length is None else length) + body + bytes(-len(body) % 8)


def matrix(kind: int, shape: tuple[int, ...], name: bytes, *parts: bytes) -> bytes:
    flags = element(6, struct.pack("<II", kind, 0))
    return element(
        14, flags + element(5, struct.pack(f"<{len(shape)}i", *shape)) + element(1, name) + b"".join(parts)
    )


NUMBER = matrix(DOUBLES, (1, 1), b"", element(9, struct.pack("<d", 7.0)))


def nested_cells(depth: int) -> bytes:
    inner = element(6, struct.pack("<II", CELL, 0)) + element(5, struct.pack("<2i", 1, 1)) + element(1, b"")
    heads, length = [], len(NUMBER)
    for _ in range(depth):
        length += len(inner)
        heads.append(struct.pack("<II", 14, length) + inner)
        length += 8
    return HEADER + b"".join(reversed(heads)) + NUMBER


def bomb(size: int) -> bytes:
    """A compressed array of zeros of `size` bytes."""
    squeeze = zlib.compressobj(9)
    front = (
        element(6, struct.pack("<II", DOUBLES, 0))
        + element(5, struct.pack("<2i", 1, size // 8))
        + element(1, b"a")
    )
    body = squeeze.compress(
        struct.pack("<II", 14, len(front) + 8 + size) + front + struct.pack("<II", 9, size)
    )
    body += b"".join(squeeze.compress(bytes(1 << 20)) for _ in range(size >> 20)) + squeeze.flush()
    return HEADER + struct.pack("<II", 15, len(body)) + body


@pytest.mark.parametrize("compressed", [False, True])
def test_arrays_come_back_by_their_place(tmp_path: Path, compressed: bool) -> None:
    cell = np.empty((1, 3), object)
    cell[0, 0], cell[0, 1], cell[0, 2] = np.arange(3.0), "text", {"deep": np.eye(2)}
    doubles = np.random.default_rng(0).normal(size=(3, 4))
    values = {
        "doubles": doubles,
        "singles": np.arange(8, dtype=np.float32).reshape(2, 2, 2),
        "bytes": np.arange(7, dtype=np.uint8),
        "longs": np.array([[-(2**40), 2**40]]),
        "truths": np.array([[True, False]]),
        "name": "hello",
        "cell": cell,
        "record": {"alpha": 1.5, "inner": {"b": np.eye(2)}},
        "empty": np.zeros((0, 3)),
    }
    savemat(tmp_path / "all.mat", values, do_compression=compressed)
    found = read_mat(tmp_path / "all.mat")
    assert set(found) == {
        "doubles", "singles", "bytes", "longs", "truths", "empty",
        "cell[0]", "cell[2].deep", "record.alpha", "record.inner.b",
    }  # fmt: skip
    assert all(array.dtype == np.float64 for array in found.values())
    np.testing.assert_array_equal(found["doubles"], doubles)
    np.testing.assert_array_equal(found["singles"], values["singles"])
    np.testing.assert_array_equal(found["longs"], [[-(2**40), 2**40]])
    np.testing.assert_array_equal(found["cell[0]"], [[0, 1, 2]])
    np.testing.assert_array_equal(found["cell[2].deep"], np.eye(2))
    assert found["record.alpha"].item() == 1.5
    assert found["empty"].shape == (0, 3)


def test_other_files_are_not_mat_files(tmp_path: Path) -> None:
    (tmp_path / "new.mat").write_bytes(b"MATLAB 7.3 MAT-file" + bytes(500))
    with pytest.raises(MetricError, match=r"7\.3") as caught:
        read_mat(tmp_path / "new.mat")
    assert caught.value.hint == "save it in MATLAB with -v7"
    (tmp_path / "other.mat").write_bytes(b"hello")
    with pytest.raises(MetricError, match="not a MATLAB level-5 file"):
        read_mat(tmp_path / "other.mat")
    with pytest.raises(MetricError, match="can't read"):
        read_mat(tmp_path / "none.mat")


def test_without_scipy_the_way_out_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savemat(tmp_path / "a.mat", {"a": np.eye(2)})
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MetricError, match="takes SciPy, which is not installed") as caught:
        read_mat(tmp_path / "a.mat")
    assert caught.value.hint == "pip install 'wildsr[metrics]', or save the arrays as .npz"


def test_objects_of_a_class_are_refused(tmp_path: Path) -> None:
    opaque = element(
        14, element(6, struct.pack("<II", 17, 0)) + b"".join(element(1, b"text") for _ in range(3)) + NUMBER
    )
    (tmp_path / "object.mat").write_bytes(HEADER + opaque)
    with pytest.raises(
        MetricError, match="is an object of a class; save its properties as plain arrays instead"
    ):
        read_mat(tmp_path / "object.mat")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        # SciPy's reader ends by a segmentation fault, and would take the program with it
        pytest.param(nested_cells(20_000), "its reader crashed", id="nested"),
        pytest.param(HEADER + matrix(CELL, (2**15, 2**15), b"c"), "more than 2 GB", id="cells"),
        pytest.param(
            HEADER + matrix(DOUBLES, (2**15, 2**15), b"a", element(9, bytes(8), 2**32 - 8)), "", id="claim"
        ),
        pytest.param(HEADER + matrix(DOUBLES, (3, 3), b"a", element(9, bytes(8))), "", id="too few numbers"),
        pytest.param(HEADER + matrix(DOUBLES, (-3, -3), b"a", element(9, bytes(72))), "", id="negative"),
        pytest.param(HEADER + matrix(DOUBLES, (1, 1), b"a", element(99, bytes(8))), "", id="unknown type"),
        pytest.param(HEADER + element(15, b"no zlib stream"), "", id="not compressed"),
        pytest.param(HEADER + struct.pack("<II", 14, 2**31), "", id="cut"),
    ],
)
@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_hostile_files_are_errors(tmp_path: Path, content: bytes, message: str) -> None:
    (tmp_path / "bad.mat").write_bytes(content)
    with pytest.raises(MetricError, match=rf"bad\.mat is a broken MATLAB file: .*{message}"):
        read_mat(tmp_path / "bad.mat")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_a_bomb_stops_at_the_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "bomb.mat").write_bytes(bomb(128 << 20))
    monkeypatch.setattr(matlab, "_MEMORY", 64 << 20)
    with pytest.raises(MetricError, match="memory"):
        read_mat(tmp_path / "bomb.mat")
    monkeypatch.undo()
    assert read_mat(tmp_path / "bomb.mat")["a"].size == 1 << 24


def test_too_large_a_file_is_not_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savemat(tmp_path / "a.mat", {"a": np.eye(2)})
    monkeypatch.setattr(matlab, "_MOST_BYTES", 100)
    with pytest.raises(MetricError, match="parameter files have 0 MB at most"):
        read_mat(tmp_path / "a.mat")


def test_a_reader_that_does_not_end_is_stopped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    savemat(tmp_path / "a.mat", {"a": np.eye(2)})

    def endless(*_: object, **__: object) -> None:
        raise subprocess.TimeoutExpired("reader", 120)

    monkeypatch.setattr(subprocess, "run", endless)
    with pytest.raises(MetricError, match="reading it did not end"):
        read_mat(tmp_path / "a.mat")


def test_damaged_files_are_errors_or_other_numbers(tmp_path: Path) -> None:
    """A changed number is no damage one can see; anything else must be the one named error."""
    savemat(tmp_path / "good.mat", {"a": np.eye(3), "s": {"b": "x", "c": np.arange(4.0)}})
    raw = (tmp_path / "good.mat").read_bytes()
    dice = random.Random(0)
    for number in range(12):
        changed = bytearray(raw)
        for _ in range(dice.randint(1, 4)):
            changed[dice.randrange(128, len(changed))] = dice.randrange(256)
        (tmp_path / f"{number}.mat").write_bytes(
            changed[: dice.choice([len(changed), dice.randrange(128, len(changed))])]
        )
        with contextlib.suppress(MetricError):
            assert all(array.dtype == np.float64 for array in read_mat(tmp_path / f"{number}.mat").values())


def test_the_child_flattens_structs_of_several() -> None:
    records = np.zeros((1, 2), dtype=[("x", object)])
    records[0, 0]["x"], records[0, 1]["x"] = np.array([[1]]), np.array([[2]])
    assert {name: array.item() for name, array in matlab_child.flat("s", records)} == {
        "s[0].x": 1,
        "s[1].x": 2,
    }
