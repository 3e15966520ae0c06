"""The cache on disk: where it is, whole files or none, one writer at a time."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wildsr.errors import AssetError, OutputError
from wildsr.files.atomic import AtomicFile
from wildsr.files.digest import sha256_of
from wildsr.files.display import shown
from wildsr.files.locking import try_lock
from wildsr.files.refusals import output_error

_LOCK_POLL_SECONDS = 0.1


def cache_dir() -> Path:
    """Return the folder that fetched and imported files live in (it may not exist yet).

    `WILDSR_CACHE` if set, else `wildsr` in the platform's cache folder: `LOCALAPPDATA` on Windows,
    `~/Library/Caches` on macOS, `XDG_CACHE_HOME` or `~/.cache` elsewhere.

    Raises:
        AssetError: None of these is set, and this user has no home folder.
    """
    try:
        if own := os.environ.get("WILDSR_CACHE"):
            return Path(own).expanduser().absolute()
        if sys.platform == "win32":
            base = os.environ.get("LOCALAPPDATA") or str(Path.home() / "AppData" / "Local")
        elif sys.platform == "darwin":
            base = str(Path.home() / "Library" / "Caches")
        else:
            base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    except (RuntimeError, ValueError) as error:  # a user without a home folder
        raise AssetError(
            f"there is no place for fetched files: {str(error)[:1].lower()}{str(error)[1:]}",
            hint="set WILDSR_CACHE to a folder that can be written",
        ) from error
    return Path(base) / "wildsr"


def is_offline(offline: bool | None) -> bool:
    """Return `offline`, or where it is None what `WILDSR_OFFLINE` says (1, true, yes or on)."""
    if offline is not None:
        return offline
    return os.environ.get("WILDSR_OFFLINE", "").strip().lower() in {"1", "true", "yes", "on"}


@contextmanager
def cache_file(target: Path) -> Iterator[AtomicFile]:
    """Open a file of the cache that becomes `target` when the block ends well, and vanishes when it doesn't.

    Raises:
        AssetError: Full disk or a folder that can't be written, named.
    """
    with cache_errors(target.parent):
        target.parent.mkdir(parents=True, exist_ok=True)
        with AtomicFile(target) as file:
            yield file


@contextmanager
def cache_errors(folder: Path) -> Iterator[None]:
    """Turn what the file system refuses into an AssetError that names the place and the way out."""
    hint = "free some space, or choose another folder for the cache with WILDSR_CACHE"
    try:
        yield
    except OutputError as error:
        raise AssetError(str(error), hint=hint) from error
    except OSError as error:
        if error.errno is None or isinstance(error, ConnectionError | TimeoutError):
            raise  # the network's, not the disk's
        raise AssetError(str(output_error(error, folder)), hint=hint) from error


def digest_of(path: Path) -> str:
    """Return the SHA-256 of a file of the cache.

    Raises:
        AssetError: It can't be read, as another user's may not be.
    """
    try:
        return sha256_of(path)
    except OSError as error:
        raise AssetError(
            f"can't read {shown(path)}: {error.strerror or error}",
            hint="make it readable (chmod a+r), delete it, or choose another cache with WILDSR_CACHE",
        ) from error


def require_space(folder: Path, needed: int) -> None:
    """Refuse before the work begins when `needed` bytes won't fit on the disk of `folder`.

    Raises:
        AssetError: Not enough room.
    """
    with cache_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        free = shutil.disk_usage(folder).free
    if free < needed:
        raise AssetError(
            f"no space left in {shown(folder)}: {needed / 1e6:.0f} MB needed, {free / 1e6:.0f} MB free",
            hint="free some space, or set WILDSR_CACHE to a folder on another disk",
        )


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold an exclusive lock on the file `path` (made when missing); wait while another process holds it.

    The operating system drops the lock when its holder dies, so a killed download never blocks the next one.
    """
    with cache_errors(path.parent):
        path.parent.mkdir(parents=True, exist_ok=True)
        file = path.open("a+b")
    with file:
        while try_lock(file.fileno()) is False:
            time.sleep(_LOCK_POLL_SECONDS)
        yield  # closing the file drops the lock
