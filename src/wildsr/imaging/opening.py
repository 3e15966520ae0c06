"""Opening a file that may be anything: only regular files of an allowed size get further."""

import io
import os
import stat
from pathlib import Path
from typing import Protocol

from wildsr.errors import InputError
from wildsr.files.display import shown
from wildsr.imaging.limits import Limits


class BinaryFile(Protocol):
    """What is read of an open file, or of bytes that stand for one."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        ...

    def read(self, size: int = -1, /) -> bytes:
        """As `io.RawIOBase.read`: fewer bytes than asked for only where the file ends."""
        ...


def open_file(path: str | Path, limits: Limits) -> io.FileIO:
    """Open a picture file for reading.

    A pipe, device or socket is refused without waiting for it (the open itself never blocks).

    Raises:
        InputError: Nothing there, not a regular file, empty, or not readable.
        LimitError: Larger than `limits.max_file_bytes`.
    """
    name = display_name(path)
    flags = (
        os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
    )
    try:
        _check_kind(name, Path(path).stat().st_mode)
        descriptor = os.open(path, flags)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"can't open {name}: {reason[:1].lower()}{reason[1:]}") from error
    file = io.FileIO(descriptor, "rb", closefd=True)
    try:
        status = os.fstat(descriptor)
        _check_kind(name, status.st_mode)
        if status.st_size == 0:
            raise InputError(f"{name} is empty (0 bytes)", hint="copy or download it again")
        limits.check_file(name, status.st_size)
    except BaseException:
        file.close()
        raise
    return file


def display_name(path: str | Path) -> str:
    """Return a path's last part as text that can always be printed."""
    return shown(Path(path).name or path)


def _check_kind(name: str, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise InputError(f"{name} is a folder; a picture file was expected")
    if not stat.S_ISREG(mode):
        raise InputError(f"{name} is a pipe, device or socket; a regular picture file was expected")
