"""The cache on disk: where it is, whole files or none, one writer at a time."""

import errno
import hashlib
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from wildsr.errors import AssetError

_CHUNK = 1 << 20
_LOCK_POLL_SECONDS = 0.1


def cache_dir() -> Path:
    """Return the folder that fetched and imported files live in (it may not exist yet).

    `WILDSR_CACHE` if set, else `wildsr` in the platform's cache folder: `LOCALAPPDATA` on Windows,
    `~/Library/Caches` on macOS, `XDG_CACHE_HOME` or `~/.cache` elsewhere.
    """
    if own := os.environ.get("WILDSR_CACHE"):
        return Path(own).expanduser().absolute()
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = str(Path.home() / "Library" / "Caches")
    else:
        base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(base) / "wildsr"


def is_offline(offline: bool | None) -> bool:
    """Return `offline`, or where it is None what `WILDSR_OFFLINE` says (1, true, yes or on)."""
    if offline is not None:
        return offline
    return os.environ.get("WILDSR_OFFLINE", "").strip().lower() in {"1", "true", "yes", "on"}


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, in hex."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


@contextmanager
def atomic_file(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that becomes `target` when the block ends well, and vanishes when it doesn't.

    Raises:
        AssetError: Full disk or a folder that can't be written, named.
    """
    with disk_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".tmp", dir=target.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(target)
        except BaseException:
            with suppress(OSError):
                temporary.unlink()
            raise


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into an AssetError that names the folder and the way out."""
    other = "choose another folder (the cache's is set by WILDSR_CACHE)"
    try:
        yield
    except OSError as error:
        if error.errno in {errno.ENOSPC, errno.EDQUOT}:
            raise AssetError(f"no space left in {folder}", hint=f"free some space, or {other}") from error
        if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}:
            raise AssetError(f"can't write to {folder}: {error.strerror}", hint=other) from error
        raise


def require_space(folder: Path, needed: int) -> None:
    """Refuse before the work begins when `needed` bytes won't fit on the disk of `folder`.

    Raises:
        AssetError: Not enough room.
    """
    with disk_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise AssetError(
            f"no space left in {folder}: {needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free",
            hint="free some space, or set WILDSR_CACHE to a folder on another disk",
        )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` (made when missing); wait while another process holds it.

    The operating system drops the lock when its holder dies, so a killed download never blocks the next one.
    """
    with disk_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    with file:
        while not _try_lock(file):
            time.sleep(_LOCK_POLL_SECONDS)
        yield  # closing the file drops the lock


if sys.platform == "win32":

    def _try_lock(file: IO[bytes]) -> bool:
        import msvcrt

        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except OSError:
            return False
        return True

else:

    def _try_lock(file: IO[bytes]) -> bool:
        import fcntl

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
