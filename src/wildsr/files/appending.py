"""A file that only grows, line by line, and belongs to one process at a time."""

import errno
import os
import stat
import sys
from contextlib import suppress
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError
from wildsr.files.display import shown
from wildsr.files.locking import try_lock
from wildsr.files.refusals import output_error


class AppendOnly:
    """An open file, locked.

    The system frees the lock when the process ends, in whatever way, so a killed run never leaves one behind.
    """

    def __init__(self, path: Path, descriptor: int) -> None:
        self.path: Final = path
        self.size = os.fstat(descriptor).st_size
        """Bytes, all of them synced."""
        self._descriptor: int | None = descriptor
        self._torn = False

    @classmethod
    def open(cls, path: Path) -> "AppendOnly":
        """Open or make a file and lock it.

        Raises:
            OutputError: Another process holds it, or it can't be opened or is no ordinary file.
        """
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        for name in (
            "O_NOFOLLOW",
            "O_NONBLOCK",
            "O_BINARY",
        ):  # never through a link, never waiting for a pipe
            flags |= getattr(os, name, 0)
        while True:
            try:
                descriptor = os.open(path, flags, 0o666)
            except OSError as error:
                if error.errno == errno.ELOOP:
                    raise OutputError(f"{shown(path)} is a link, not a file", hint="move it away") from None
                raise output_error(error, path) from error
            try:
                if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                    raise OutputError(f"{shown(path)} is no ordinary file", hint="move it away")
                _lock(descriptor, path)
                if _is_at(descriptor, path):
                    return cls(path, descriptor)
            except BaseException:
                os.close(descriptor)
                raise
            os.close(descriptor)  # set aside by another run between opening and locking

    def append(self, line: bytes) -> None:
        """Add a line and sync it; on failure the file is cut back to whole lines.

        Raises:
            OutputError: Full disk and the like.
        """
        descriptor = self._open_descriptor()
        data = (b"\n" if self._torn else b"") + line
        try:
            _write_all(descriptor, data)
            os.fsync(descriptor)
        except OSError as error:
            try:
                os.ftruncate(descriptor, self.size)
            except OSError:
                self._torn = True
            raise output_error(error, self.path) from error
        self.size = os.fstat(descriptor).st_size
        self._torn = False

    def cut(self, size: int) -> None:
        """Drop everything after the first `size` bytes.

        Raises:
            OutputError: The system refuses.
        """
        if size != self.size:
            try:
                os.ftruncate(self._open_descriptor(), size)
            except OSError as error:
                raise output_error(error, self.path) from error
            self.size = size

    def set_aside(self) -> Path:
        """Give the file a numbered name that is free (`name.1.ext`), close it, and return the new name.

        Raises:
            OutputError: It can't be renamed.
        """
        number = 1
        while True:
            aside = self.path.with_name(f"{self.path.stem}.{number}{self.path.suffix}")
            if not os.path.lexists(aside):
                break
            number += 1
        if sys.platform == "win32":
            self.close()  # an open file can't be renamed there
        try:
            self.path.rename(aside)
        except OSError as error:
            raise output_error(error, aside) from error
        finally:
            self.close()
        return aside

    def close(self) -> None:
        """Close and unlock; may be called again."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def _open_descriptor(self) -> int:
        if self._descriptor is None:
            raise ValueError(f"{self.path} is closed")
        return self._descriptor


def _write_all(descriptor: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]


def _is_at(descriptor: int, path: Path) -> bool:
    with suppress(OSError):
        return os.path.samestat(os.fstat(descriptor), path.stat())
    return False


def _lock(descriptor: int, path: Path) -> None:
    try:
        if try_lock(descriptor) is not False:
            return
    except OSError as error:
        raise output_error(error, path) from error
    raise OutputError(
        f"another run is using {shown(path)}", hint="wait for it to end, or choose another folder with -o"
    )
