"""`wildsr models import` with files and names that are meant to harm."""

import os
import pickle
import sys
import zipfile
from pathlib import Path

import pytest

from tests.cli.invoke import invoke
from tests.models.test_onnx_file import saved, shuffle

PAIRS = b"K\x01q\x00" + b"h\x00h\x00\x86q\x00" * 60
PROGRAMS = {
    "a set of pairs of pairs": b"\x80\x04\x8f(" + PAIRS + b"\x90.",
    "a table whose key is pairs of pairs": b"\x80\x02}(" + PAIRS[:3] + b"\x85K\x01u.",
    "lists in lists": b"\x80\x02" + b"]" * 100_000 + b"a" * 99_999 + b".",
    "numbers as names": pickle.dumps({"params": {1: {2: 3}}}, 2),
    "a table of nothing": pickle.dumps({"state_dict": None}, 2),
    "text": pickle.dumps("x" * 100_000, 2),
}


@pytest.mark.train
@pytest.mark.parametrize("name", PROGRAMS)
def test_hostile_checkpoints_are_named_and_nothing_is_written(tmp_path: Path, name: str) -> None:
    pytest.importorskip("torch", reason="the train extra is not installed")
    path, output = tmp_path / "weights.pth", tmp_path / "out.onnx"
    with zipfile.ZipFile(path, "w") as bundle:
        bundle.writestr("archive/data.pkl", PROGRAMS[name])
    done = invoke("models", "import", path, "-o", output)
    assert done.code == 1
    assert "weights.pth" in done.err
    assert not output.exists()


@pytest.mark.parametrize("name", ["n" * 5000 + ".onnx", "d/" * 3000 + "x.onnx"], ids=["long", "deep"])
def test_a_name_that_is_too_long_is_said(tmp_path: Path, name: str) -> None:
    path = saved(tmp_path / "m.onnx", shuffle(2))
    done = invoke("models", "import", path, "-o", tmp_path / name)
    assert done.code == 1
    assert "too long" in done.err
    given = invoke("models", "import", tmp_path / name, "-o", tmp_path / "out.onnx")
    assert given.code == 1
    assert "there is no model" in given.err


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600)])
def test_imported_models_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    path = saved(tmp_path / "m.onnx", shuffle(2))
    old = os.umask(umask)
    try:
        done = invoke("models", "import", path, "-o", tmp_path / "new" / "out.onnx")
    finally:
        os.umask(old)
    assert done.code == 0, done.err
    assert (tmp_path / "new" / "out.onnx").stat().st_mode & 0o777 == mode
