"""Where the cache is, and that its files are whole or absent."""

import sys
from pathlib import Path

import pytest

from wildsr.assets.files import cache_dir, cache_file, is_offline
from wildsr.files import AtomicFile, sha256_of


def test_cache_folder_by_variable_and_platform(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(Path, "home", lambda: tmp_path)
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "own"))
    assert cache_dir() == tmp_path / "own"
    monkeypatch.delenv("WILDSR_CACHE")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    assert cache_dir() == tmp_path / ".cache" / "wildsr"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert cache_dir() == tmp_path / "xdg" / "wildsr"
    monkeypatch.setattr(sys, "platform", "darwin")
    assert cache_dir() == tmp_path / "Library" / "Caches" / "wildsr"
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.setenv("LOCALAPPDATA", str(tmp_path / "local"))
    assert cache_dir() == tmp_path / "local" / "wildsr"


@pytest.mark.parametrize(("value", "expected"), [("1", True), ("Yes", True), ("0", False), ("", False)])
def test_offline_variable(monkeypatch: pytest.MonkeyPatch, value: str, expected: bool) -> None:
    monkeypatch.setenv("WILDSR_OFFLINE", value)
    assert is_offline(None) is expected
    assert is_offline(not expected) is not expected


def interrupted(file: AtomicFile) -> None:
    file.write(b"half of the n")
    raise KeyboardInterrupt


def test_interrupted_write_leaves_nothing_and_keeps_the_old(tmp_path: Path) -> None:
    target = tmp_path / "deep" / "file.bin"
    with cache_file(target) as file:
        file.write(b"old")
    with pytest.raises(KeyboardInterrupt), cache_file(target) as file:
        interrupted(file)
    assert target.read_bytes() == b"old"
    assert list(target.parent.iterdir()) == [target]


def test_digest(tmp_path: Path) -> None:
    # printf abc | sha256sum
    (tmp_path / "abc").write_bytes(b"abc")
    assert sha256_of(tmp_path / "abc") == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
