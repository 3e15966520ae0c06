"""A file that appears whole or not at all: written beside its place, synced, then renamed into it."""

import io
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from wildsr.errors import OutputError


class AtomicFile:
    """Write to a temporary neighbour; on success it takes the target's name, on any exception it is removed.

    Use as a context manager; the rename happens on leaving the block without an exception. What the system
    refuses is an OutputError that names the file.
    """

    def __init__(self, path: str | Path, *, overwrite: bool = True) -> None:
        self._path = Path(path)
        self._overwrite = overwrite
        try:
            _check_place(self._path, overwrite)
        except (OSError, ValueError) as error:  # ValueError: a NUL in the name
            raise output_error(self._path, error) from error
        self._temporary = self._path.parent / f".wildsr-{secrets.token_hex(8)}.part"

    def __enter__(self) -> "AtomicFile":
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self._temporary, flags, 0o666)
        except (OSError, ValueError) as error:
            raise output_error(self._path, error) from error
        self._raw = io.FileIO(descriptor, "rb+", closefd=True)
        _lock(descriptor)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        finally:
            self._raw.close()
            with suppress(OSError):
                self._temporary.unlink(missing_ok=True)

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        try:
            view = memoryview(data)
            while view:
                view = view[self._raw.write(view) :]
        except OSError as error:
            raise output_error(self._path, error) from error
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return it from the beginning."""
        return self._raw.seek(offset, whence)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of what was written."""
        try:
            return self._raw.read(size)
        except OSError as error:
            raise output_error(self._path, error) from error

    def _commit(self) -> None:
        try:
            os.fsync(self._raw.fileno())
            self._raw.close()
            if self._overwrite:
                self._temporary.replace(self._path)
            else:
                _rename_new(self._temporary, self._path)
            _sync_folder(self._path.parent)
        except OSError as error:
            raise output_error(self._path, error) from error


def _lock(descriptor: int) -> None:
    """Mark a temporary as being written: the system unlocks it when the process dies, so leftovers show."""
    with suppress(ImportError, OSError):  # Windows doesn't let open files be removed, which does as well
        import fcntl

        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _check_place(path: Path, overwrite: bool) -> None:
    """Raise where a file can't take this name, now rather than when everything is made."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    if path.is_dir():
        raise OutputError(f"{path} is a folder; a file name was expected")
    if not overwrite:
        raise OutputError(f"{path} exists", hint="choose another name, or allow overwriting")
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OutputError(f"{path} is a pipe, device or socket; it can't be replaced by a picture")


def output_error(path: Path, error: OSError | ValueError) -> OutputError:
    """Return the OutputError that says in words why `path` can't be written."""
    reason = (error.strerror if isinstance(error, OSError) else None) or str(error)
    hints = {
        28: "free some space, or write elsewhere",
        13: "write elsewhere, or change the folder's permissions",
    }
    hints[30] = "write elsewhere: this place is read-only"
    code = error.errno if isinstance(error, OSError) else None
    name = str(path).encode("utf-8", "backslashreplace").decode("utf-8").replace("\0", "\\0")
    return OutputError(f"can't write {name}: {reason[:1].lower()}{reason[1:]}", hint=hints.get(code or 0))


def _rename_new(temporary: Path, path: Path) -> None:
    """Give the finished file its name only if nobody took it meanwhile."""
    try:
        os.link(temporary, path)
    except FileExistsError as error:
        raise OutputError(f"{path} appeared meanwhile; it was left alone") from error
    except OSError:  # a file system without hard links
        if path.exists():
            raise OutputError(f"{path} appeared meanwhile; it was left alone") from None
        temporary.replace(path)


def _sync_folder(folder: Path) -> None:
    """Make the rename itself survive a power cut, where the system lets folders be synced."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
