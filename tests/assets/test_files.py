"""Where the cache is, and that its files are whole or absent."""

import errno
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from wildsr.assets.files import cache_dir, cache_file, digest_of, is_offline, locked
from wildsr.assets.index import index_settings
from wildsr.errors import AssetError
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


def test_a_user_without_a_home_is_told_to_name_a_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", nowhere)
    for name in ("WILDSR_CACHE", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(AssetError, match="could not determine home directory") as caught:
        cache_dir()
    assert "WILDSR_CACHE" in str(caught.value.hint)
    assert index_settings({}).urls == ("",)
    monkeypatch.setenv("WILDSR_CACHE", "~nobody-of-this-name/cache")
    with pytest.raises(AssetError, match="no place for fetched files"):
        cache_dir()


@pytest.mark.skipif(sys.platform == "win32", reason="POSIX permissions")
@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o002, 0o664), (0o077, 0o600)])
def test_files_of_the_cache_follow_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    old = os.umask(umask)
    try:
        with cache_file(tmp_path / "models" / "a.onnx") as file:
            file.write(b"weights")
        with locked(tmp_path / "assets" / ".a.lock"):
            pass
    finally:
        os.umask(old)
    for path in (tmp_path / "models" / "a.onnx", tmp_path / "assets" / ".a.lock"):
        assert path.stat().st_mode & 0o777 == mode


def test_what_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.bin").mkdir()
    (tmp_path / "file").write_bytes(b"")
    for target in (tmp_path / "a.bin", tmp_path / "file" / "b.bin", tmp_path / ("n" * 300) / "c.bin"):
        with pytest.raises(AssetError, match="can't write") as caught, cache_file(target) as file:
            file.write(b"x")
        assert "WILDSR_CACHE" in str(caught.value.hint)


def test_what_cannot_be_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.bin").write_bytes(b"x")
    monkeypatch.setattr(os, "open", refusing(os.open, tmp_path / "a.bin"))
    with pytest.raises(AssetError, match=r"can't read .*a\.bin: Permission denied") as caught:
        digest_of(tmp_path / "a.bin")
    assert "chmod" in str(caught.value.hint)


def refusing(real: Callable[..., int], closed: Path) -> Callable[..., int]:
    """As `os.open` is for a user who may not read a file; the superuser may read all."""

    def opened(path: str | Path, *rest: int) -> int:
        if Path(path) == closed:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return real(path, *rest)

    return opened
