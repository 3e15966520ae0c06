"""Write a file so that its name only ever holds the whole of it.

Written under a temporary name in the same folder, synced, renamed. A crash at any moment leaves the old file
or the new one, and at worst a temporary that `remove_stale_temporaries` knows.
"""

import errno
import io
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from wildsr.errors import OutputError
from wildsr.files.display import shown
from wildsr.files.locking import try_lock
from wildsr.files.refusals import output_error
from wildsr.files.temporaries import temporary_beside

_ONLY_FROM_WRITING: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


class AtomicFile:
    """A file to write to that takes its name when the `with` block ends well, and vanishes when it doesn't.

    Args:
        path: The file to make, in a folder that exists.
        overwrite: Replace an existing file; otherwise it is never touched, even if it appears while we write.

    Raises:
        OutputError: Full disk, missing permission, existing file, vanished folder; named, with the way out.
    """

    def __init__(self, path: Path, *, overwrite: bool = True) -> None:
        self._path = path
        self._overwrite = overwrite
        check_place(path, overwrite=overwrite)
        self._temporary = temporary_beside(path)

    def __enter__(self) -> "AtomicFile":
        flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
        try:
            descriptor = os.open(self._temporary, flags, 0o666)
        except (OSError, ValueError) as error:
            raise output_error(error, self._path) from error
        self._raw = io.FileIO(descriptor, "rb+", closefd=True)
        with suppress(OSError):
            try_lock(descriptor)  # shows that its writer lives
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

    @property
    def path(self) -> Path:
        """The name it will have."""
        return self._path

    @property
    def temporary(self) -> Path:
        """The name it has till then, for a library that wants one; it may be written to from its beginning."""
        return self._temporary

    def write(self, data: bytes) -> int:
        """Write all of `data`."""
        try:
            view = memoryview(data)
            while view:
                view = view[self._raw.write(view) :]
        except OSError as error:
            raise output_error(error, self._path) from error
        return len(data)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to an offset and return it from the beginning."""
        return self._raw.seek(offset, whence)

    def size(self) -> int:
        """Return the bytes written so far."""
        return self._raw.seek(0, io.SEEK_END)

    def read(self, size: int) -> bytes:
        """Return up to `size` bytes of what was written."""
        try:
            return self._raw.read(size)
        except OSError as error:
            raise output_error(error, self._path) from error

    def _commit(self) -> None:
        try:
            os.fsync(self._raw.fileno())
            self._raw.close()
            publish(self._temporary, self._path, overwrite=self._overwrite)
        except OSError as error:
            raise output_error(error, self._path) from error


@contextmanager
def atomic_write(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Lend a temporary path to a library that wants a name; on leaving well it becomes `path`, synced to disk.

    The temporary keeps the extension, which some encoders go by. On any exception it is removed and `path` is
    as before.

    Args:
        path: The file to make, in a folder that exists.
        overwrite: Replace an existing file; otherwise it is never touched, even if it appears while we write.

    Raises:
        OutputError: Full disk, missing permission, existing file, vanished folder; named, with the way out.
    """
    check_place(path, overwrite=overwrite)
    temporary = temporary_beside(path)
    try:
        yield temporary
        _sync(temporary)
        publish(temporary, path, overwrite=overwrite)
    except OSError as error:
        if error.errno in _ONLY_FROM_WRITING or _names(error, temporary):
            raise output_error(error, path) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def check_place(path: Path, *, overwrite: bool) -> None:
    """Raise where a file can't take this name, now rather than when everything is made."""
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except (OSError, ValueError) as error:
        raise output_error(error, path) from error
    if os.path.isdir(path):  # noqa: PTH112 -- unlike pathlib's, False where a link leads in a circle
        raise output_error(OSError(errno.EISDIR, "folder"), path)
    if not overwrite:
        raise output_error(OSError(errno.EEXIST, "exists"), path)
    if not (stat.S_ISREG(mode) or stat.S_ISLNK(mode)):
        raise OutputError(f"can't write {shown(path)}: it is a pipe, device or socket, which stays as it is")


def publish(temporary: Path, path: Path, *, overwrite: bool) -> None:
    """Give a synced temporary its name, and sync that."""
    if overwrite:
        temporary.replace(path)
    else:
        try:
            path.hardlink_to(temporary)  # unlike a rename, a link fails where the name is taken
        except FileExistsError as error:
            raise _appeared(path) from error
        except OSError:  # FAT and some network folders have no hard links
            if os.path.lexists(path):
                raise _appeared(path) from None
            temporary.rename(path)
    sync_folder(path.parent)


def _appeared(path: Path) -> OutputError:
    return OutputError(
        f"can't write {shown(path)}: the file exists; it appeared meanwhile, and was left alone",
        hint="--overwrite replaces it; --suffix or -o gives another name",
    )


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def sync_folder(folder: Path) -> None:
    """Have the names in a folder on the disk."""
    with suppress(OSError):  # some systems can't open or sync a folder; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _names(error: OSError, path: Path) -> bool:
    return os.fspath(path) in (error.filename, error.filename2) or path in (error.filename, error.filename2)
