"""Atomic writes: the whole file or none, whatever happens while writing."""
# ruff: noqa: PT012 -- the exception comes out of the block

import errno
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.errors import OutputError
from wildsr.files import AtomicFile, atomic_write, output_error, remove_stale_temporaries
from wildsr.files.locking import try_lock
from wildsr.files.processes import is_dead, own_tag
from wildsr.imaging import Frame, write_rows


def listing(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_the_name_holds_the_whole_file_or_nothing(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    with atomic_write(target) as temporary:
        assert temporary.parent == tmp_path
        assert temporary.name.startswith(".wildsr-")
        assert temporary.suffix == ".png"
        temporary.write_bytes(b"new")
        assert not target.exists()
    assert target.read_bytes() == b"new"
    assert listing(tmp_path) == ["a.png"]


@pytest.mark.parametrize("failure", [ValueError("x"), KeyboardInterrupt(), SystemExit(1)])
def test_any_exception_leaves_the_old_file_and_no_temporary(tmp_path: Path, failure: BaseException) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(type(failure)), atomic_write(target) as temporary:
        temporary.write_bytes(b"half")
        raise failure
    assert target.read_bytes() == b"old"
    assert listing(tmp_path) == ["a.png"]


def test_replaces_only_when_asked(tmp_path: Path) -> None:
    target = tmp_path / "a.png"
    target.write_bytes(b"old")
    with pytest.raises(OutputError, match="the file exists"), atomic_write(target, overwrite=False):
        pytest.fail("must refuse before the work is done")
    with atomic_write(target) as temporary:
        temporary.write_bytes(b"new")
    assert target.read_bytes() == b"new"


@pytest.mark.parametrize("hard_links", [True, False])
def test_never_replaces_a_file_that_appears_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, hard_links: bool
) -> None:
    if not hard_links:  # FAT

        def link(*_: object, **__: object) -> None:
            raise PermissionError(errno.EPERM, "Operation not permitted")

        monkeypatch.setattr(os, "link", link)
    target = tmp_path / "a.png"
    with (
        pytest.raises(OutputError, match="the file exists"),
        atomic_write(target, overwrite=False) as temporary,
    ):
        temporary.write_bytes(b"ours")
        target.write_bytes(b"theirs")
    assert target.read_bytes() == b"theirs"
    with atomic_write(tmp_path / "b.png", overwrite=False) as temporary:
        temporary.write_bytes(b"ours")
    assert (tmp_path / "b.png").read_bytes() == b"ours"
    assert listing(tmp_path) == ["a.png", "b.png"]


def test_a_full_disk_is_named(small_disk: Path) -> None:
    (small_disk / "a.png").write_bytes(b"old")
    with (
        pytest.raises(OutputError, match=r"a\.png: the disk is full") as caught,
        atomic_write(small_disk / "a.png") as temporary,
    ):
        temporary.write_bytes(bytes(1 << 20))
    assert "free some space" in str(caught.value.hint)
    assert (small_disk / "a.png").read_bytes() == b"old"
    assert listing(small_disk) == ["a.png"]


def test_a_read_only_disk_is_named(read_only_disk: Path) -> None:
    with pytest.raises(OutputError, match="read-only"), atomic_write(read_only_disk / "old.png") as temporary:
        temporary.write_bytes(b"new")
    assert (read_only_disk / "old.png").read_bytes() == b"old"


def test_a_vanished_folder_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="folder does not exist"),
        atomic_write(tmp_path / "x" / "a.png") as temporary,
    ):
        temporary.write_bytes(b"")


def test_a_folder_in_the_place_of_the_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with (
        pytest.raises(OutputError, match="there is a folder of that name"),
        atomic_write(tmp_path / "a.png") as temporary,
    ):
        temporary.write_bytes(b"")
    assert listing(tmp_path) == ["a.png"]


def test_a_name_too_long_is_named(tmp_path: Path) -> None:
    with (
        pytest.raises(OutputError, match="too long"),
        atomic_write(tmp_path / ("n" * 300 + ".png")) as temporary,
    ):
        temporary.write_bytes(b"")
    assert listing(tmp_path) == []


def test_nothing_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OutputError), atomic_write(tmp_path / "a.png"):
        pass
    assert listing(tmp_path) == []


def test_an_error_of_the_input_stays_what_it_is(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), atomic_write(tmp_path / "a.png"):
        (tmp_path / "input.jpg").read_bytes()


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "disk is full"),
        (errno.EDQUOT, "quota"),
        (errno.EROFS, "read-only"),
        (errno.EACCES, "permission denied"),
        (errno.EFBIG, "larger than this file system"),
        (errno.EIO, "Input/output error"),
    ],
)
def test_reasons_are_named(number: int, words: str) -> None:
    error = output_error(OSError(number, os.strerror(number)), Path("new\nline.png"))
    assert words in str(error)
    assert r"new\nline.png" in str(error)


DIE_WHILE_WRITING = """
import os, sys
from pathlib import Path
from wildsr.files import atomic_write
with atomic_write(Path(sys.argv[1])) as temporary:
    temporary.write_bytes(b"half")
    os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_temporaries_of_dead_processes_are_removed_and_no_others(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(tmp_path / "a.png")], check=False)
    (stale,) = tmp_path.iterdir()
    assert stale.name.startswith(".wildsr-tmp-")
    other_machine = tmp_path / ".wildsr-tmp-000000-1-1-12345678.png"
    other_machine.write_bytes(b"")
    user_file = tmp_path / ".wildsr-tmp-notes.txt"
    user_file.write_bytes(b"")
    dropped = tmp_path / f"{stale.name[:-12]}00000000.png"
    dropped.mkdir()
    with atomic_write(tmp_path / "b.png") as live:
        live.write_bytes(b"b")
        assert not stale.exists()
        subprocess.run([sys.executable, "-c", DIE_WHILE_WRITING, str(tmp_path / "a.png")], check=False)
        with atomic_write(tmp_path / "c.png") as another:  # looked for once, since a folder may be large
            another.write_bytes(b"c")
        (later,) = set(tmp_path.glob(".wildsr-tmp-*-*-*-*.png")) - {live, other_machine, dropped}
        assert remove_stale_temporaries(tmp_path) == [later]
    assert other_machine.exists()
    assert user_file.exists()
    assert remove_stale_temporaries(tmp_path / "missing") == []


DIE_WHILE_STREAMING = """
import os, sys
import numpy as np
from wildsr.imaging import Frame, write_rows
def rows():
    yield np.zeros((1, 8, 3), np.uint8)
    os.kill(os.getpid(), 9)
write_rows(rows(), Frame(width=8, height=8, channels=3), sys.argv[1])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_leftovers_of_the_streaming_writer_are_removed_unless_it_still_writes(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", DIE_WHILE_STREAMING, str(tmp_path / "a.png")], check=False)
    (stale,) = tmp_path.iterdir()

    def rows() -> Iterator[NDArray[np.uint8]]:
        assert not stale.exists()
        (own,) = listing(tmp_path)
        assert own.startswith(".wildsr-tmp-")
        assert remove_stale_temporaries(tmp_path) == []
        yield np.zeros((8, 8, 3), np.uint8)

    write_rows(rows(), Frame(width=8, height=8, channels=3), tmp_path / "b.png")
    assert listing(tmp_path) == ["b.png"]


@pytest.mark.skipif(sys.platform != "linux", reason="start times are read from /proc")
def test_a_reused_process_number_is_not_mistaken_for_its_owner() -> None:
    host, pid, start = own_tag().split("-")
    assert not is_dead(f"{host}-{pid}-{start}")
    assert is_dead(f"{host}-{pid}-{int(start) + 1}")  # as every run in a container has the same number
    assert is_dead(f"{host}-{2**22 + 7}-1")  # beyond the highest pid Linux gives
    assert not is_dead(f"{'0' * 6}-{pid}-{int(start) + 1}")
    assert not is_dead("nonsense")
    assert not is_dead(f"{host}-{10**30}-1")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_refused_before_any_work(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.csv")
    with pytest.raises(OutputError, match="pipe"), atomic_write(tmp_path / "a.csv"):
        pytest.fail("must refuse before the work is done")
    assert (tmp_path / "a.csv").is_fifo()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
def test_permissions_follow_the_umask(tmp_path: Path) -> None:
    old = os.umask(0o027)
    try:
        with AtomicFile(tmp_path / "a.bin") as file:
            file.write(b"x")
    finally:
        os.umask(old)
    assert (tmp_path / "a.bin").stat().st_mode & 0o777 == 0o640


@pytest.mark.skipif(sys.platform == "win32", reason="Windows itself keeps open files")
def test_another_machines_temporary_goes_after_a_day_without_its_writer(tmp_path: Path) -> None:
    fresh, old, written = (tmp_path / f".wildsr-tmp-000000-1-1-0000000{number}.png" for number in range(3))
    for path in (fresh, old, written):
        path.write_bytes(b"half")
    for path in (old, written):
        os.utime(path, (0, 0))
    with written.open("rb") as file:
        assert try_lock(file.fileno()) is True
        assert remove_stale_temporaries(tmp_path) == [old]
    assert remove_stale_temporaries(tmp_path) == [written]
    assert fresh.exists()
