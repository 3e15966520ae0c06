"""Files that turn into something else between looking at them and opening them."""

import errno
import io
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from wildsr.assets.pickles import load_pickle
from wildsr.assets.torch_files import load_torch
from wildsr.errors import WildsrError
from wildsr.files import Job, Journal, find_pictures, recorded_settings, sha256_of
from wildsr.files.fingerprint import fingerprint
from wildsr.files.opening import chunks, open_regular, read_bytes, read_text
from wildsr.files.toml import read_toml
from wildsr.imaging.jpeg_tables import jpeg_quality
from wildsr.imaging.reading import open_source
from wildsr.models.ncnn.param import read_param
from wildsr.models.ncnn.weights import WeightReader
from wildsr.models.onnx_checks import parse

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")

READERS: dict[str, Callable[[Path], object]] = {
    "picture": open_source,
    "quality of a JPEG": jpeg_quality,
    "digest": sha256_of,
    "fingerprint": fingerprint,
    "configuration": read_toml,
    "checkpoint": load_torch,
    "pickle": load_pickle,
    "ONNX": parse,
    "ncnn graph": read_param,
    "ncnn weights": WeightReader,
    "bytes": lambda path: read_bytes(path, most=100),
}
"""Readers of what people name; each says an error, or (the JPEG's quality) nothing."""


def no_file(path: Path, kind: str) -> Path:
    if kind == "pipe":
        os.mkfifo(path)
    else:
        path.symlink_to(kind)
    return path


@pytest.mark.timeout(20)
@pytest.mark.parametrize("kind", ["pipe", "/dev/zero", "/dev/tty"])
@pytest.mark.parametrize("name", READERS)
def test_no_reader_waits_for_a_pipe_or_reads_a_device(tmp_path: Path, name: str, kind: str) -> None:
    path = no_file(tmp_path / "a.onnx", kind)
    if name == "quality of a JPEG":
        assert READERS[name](path) is None
        return
    with pytest.raises((WildsrError, OSError), match=r"pipe, device or socket|No such device"):
        READERS[name](path)


@pytest.mark.timeout(20)
def test_a_file_replaced_between_the_look_and_the_opening_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(b"an ordinary file")
    real = os.open

    def replaced(name: str | Path, *rest: int) -> int:
        path.unlink()
        os.mkfifo(path)
        return real(name, *rest)

    monkeypatch.setattr(os, "open", replaced)
    with pytest.raises(OSError, match="pipe, device or socket"):
        open_regular(path)


@pytest.mark.timeout(20)
def test_pictures_found_and_then_replaced_are_named_and_the_rest_goes_on(tmp_path: Path) -> None:
    for name in ("a.png", "b.png"):
        (tmp_path / name).write_bytes(b"\x89PNG\r\n\x1a\n")
    found = find_pictures([tmp_path])
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    jobs = [Job(source=one.path, target=tmp_path / f"{one.path.stem}_x4.png") for one in found.pictures]
    with Journal.open(tmp_path / "journal", {}) as journal:
        with pytest.raises(WildsrError, match=r"a\.png: it is a pipe"):
            journal.begin(jobs[0])
        journal.begin(jobs[1])


@pytest.mark.timeout(20)
def test_a_journal_that_is_a_pipe_is_no_journal(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "journal")
    assert recorded_settings(tmp_path / "journal") is None
    with pytest.raises(WildsrError, match="no ordinary file"):
        Journal.open(tmp_path / "journal", {})


class Growing(io.FileIO):
    """A file to which somebody writes as fast as we read, as the kernel's logs seem to be."""

    asked = 0

    def read(self, size: int | None = -1, /) -> bytes:
        assert size is not None
        self.asked += size
        return b"x" * size


def test_no_more_is_read_than_there_was_at_first(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(3_000_000))
    with Growing(tmp_path / "a") as file:
        assert sum(map(len, chunks(file))) == 3_000_000
        assert file.asked == 3_000_000


class Silent(io.FileIO):
    """A file that has nothing to read yet, as `/proc/kmsg` opened without waiting."""

    def read(self, size: int | None = -1, /) -> bytes:
        return None  # type: ignore[return-value]  # as FileIO really does


def test_a_file_with_nothing_to_read_yet_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"something")
    with Silent(tmp_path / "a") as file, pytest.raises(OSError, match="nothing to read yet") as caught:
        list(chunks(file))
    assert caught.value.errno == errno.EAGAIN


def test_larger_files_than_allowed_are_not_read(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(bytes(101))
    with pytest.raises(OSError, match="it has 101 bytes, and at most 100 are read"):
        read_bytes(tmp_path / "a", most=100)
    assert read_bytes(tmp_path / "a", most=101) == bytes(101)


def test_text_has_plain_line_ends(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes("é\r\nb\rc\n".encode())
    assert read_text(tmp_path / "a", most=100) == "é\nb\nc\n"
    (tmp_path / "a").write_bytes(b"\xff")
    with pytest.raises(ValueError, match="utf-8"):
        read_text(tmp_path / "a", most=100)
