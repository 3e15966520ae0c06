"""A file that only grows: whole lines, one owner, nothing lost to a full disk."""

import errno
import os
from pathlib import Path

import pytest

from wildsr.errors import OutputError
from wildsr.files.appending import AppendOnly
from wildsr.files.resume import differences


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "log.jsonl"


def test_lines_follow_each_other_over_several_openings(path: Path) -> None:
    for line in (b"one\n", b"two\n"):
        file = AppendOnly.open(path)
        file.append(line)
        file.close()
    assert path.read_bytes() == b"one\ntwo\n"


def test_the_size_is_what_is_on_the_disk(path: Path) -> None:
    path.write_bytes(b"12345\n")
    file = AppendOnly.open(path)
    assert file.size == 6
    file.append(b"67\n")
    assert file.size == path.stat().st_size == 9
    file.cut(6)
    assert file.size == path.stat().st_size == 6
    file.append(b"8\n")
    assert path.read_bytes() == b"12345\n8\n"
    file.close()


def test_a_second_owner_is_refused_until_the_first_is_done(path: Path) -> None:
    first = AppendOnly.open(path)
    with pytest.raises(OutputError, match=r"another run is using .*log\.jsonl") as caught:
        AppendOnly.open(path)
    assert "-o" in str(caught.value.hint)
    first.close()
    AppendOnly.open(path).close()


def test_a_closed_file_takes_nothing_and_may_be_closed_again(path: Path) -> None:
    file = AppendOnly.open(path)
    file.close()
    file.close()
    with pytest.raises(ValueError, match="is closed"):
        file.append(b"late\n")
    assert path.read_bytes() == b""


def test_links_folders_and_pipes_are_no_files(tmp_path: Path) -> None:
    (tmp_path / "victim").write_bytes(b"mine")
    (tmp_path / "link").symlink_to(tmp_path / "victim")
    with pytest.raises(OutputError, match="is a link, not a file"):
        AppendOnly.open(tmp_path / "link")
    assert (tmp_path / "victim").read_bytes() == b"mine"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OutputError, match="no ordinary file"):
        AppendOnly.open(tmp_path / "pipe")
    with pytest.raises(OutputError):
        AppendOnly.open(tmp_path)
    with pytest.raises(OutputError):
        AppendOnly.open(tmp_path / "missing" / "file")


def test_a_full_disk_leaves_whole_lines(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of a line is written, then there is no space; the half is cut off again."""
    file = AppendOnly.open(path)
    file.append(b"first\n")
    write = os.write
    calls: list[int] = []

    def short(descriptor: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 1:
            return write(descriptor, bytes(data)[:3])
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "write", short)
    with pytest.raises(OutputError, match="the disk is full"):
        file.append(b"second\n")
    monkeypatch.undo()
    assert calls == [7, 4]
    assert path.read_bytes() == b"first\n"
    file.append(b"third\n")
    assert path.read_bytes() == b"first\nthird\n"
    file.close()


def test_where_a_torn_line_cannot_be_cut_the_next_begins_on_a_new_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendOnly.open(path)
    write = os.write

    def torn(descriptor: int, data: bytes) -> int:
        write(descriptor, bytes(data)[:3])
        raise OSError(errno.EIO, "Input/output error")

    def refuse(_descriptor: int, _size: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "write", torn)
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(OutputError):
        file.append(b"second\n")
    monkeypatch.undo()
    file.append(b"third\n")
    file.append(b"fourth\n")
    assert path.read_bytes() == b"sec\nthird\nfourth\n"
    file.close()


def test_files_set_aside_are_numbered_and_freed(path: Path) -> None:
    for number in (1, 2, 3):
        file = AppendOnly.open(path)
        file.append(b"run %d\n" % number)
        assert file.set_aside().name == f"log.{number}.jsonl"
    assert not path.exists()
    assert (path.parent / "log.2.jsonl").read_bytes() == b"run 2\n"
    AppendOnly.open(path.parent / "log.1.jsonl").close()


def test_a_file_that_cannot_be_set_aside_is_freed_all_the_same(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = AppendOnly.open(path)

    def refuse(_self: Path, _target: Path) -> None:
        raise OSError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(OutputError, match=r"[Pp]ermission denied"):
        file.set_aside()
    AppendOnly.open(path).close()


@pytest.mark.parametrize(
    ("before", "now", "words"),
    [
        ({"scale": 4}, {"scale": 4.0}, []),
        ({"scale": 4}, {"scale": 2}, ["scale was 4, now 2"]),
        ({"gray": True}, {"gray": 1}, ["gray was true, now 1"]),
        ({"n": "2"}, {"n": 2}, ['n was "2", now 2']),
        ({}, {"seed": None}, ["seed was not set, now null"]),
        ({"tiles": [1, 2]}, {"tiles": (1.0, 2.0)}, []),
        ({"a": {"y": 1, "x": 2}}, {"a": {"x": 2, "y": 1}}, []),
        ({"big": 2**53 + 1}, {"big": 2**53}, [f"big was {2**53 + 1}, now {2**53}"]),
        ({"b": 1, "a": 1}, {"b": 2, "a": 2}, ["a was 1, now 2", "b was 1, now 2"]),
    ],
)
def test_settings_differ_by_value_not_by_how_they_are_written(
    before: dict[str, object], now: dict[str, object], words: list[str]
) -> None:
    assert differences(before, now) == words
    assert differences(before, now, ignored={*before, *now}) == []
