"""Opening a file that may be anything: only regular files of an allowed size get further."""

import io
import os
from pathlib import Path
from typing import Protocol

from wildsr.errors import InputError
from wildsr.files.display import shown
from wildsr.files.opening import open_regular
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
    try:
        file = open_regular(path)
    except (OSError, ValueError) as error:  # ValueError: a NUL in the name
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise InputError(f"can't open {name}: {reason[:1].lower()}{reason[1:]}") from error
    try:
        size = os.fstat(file.fileno()).st_size
        if size == 0:
            raise InputError(f"{name} is empty (0 bytes)", hint="copy or download it again")
        limits.check_file(name, size)
    except BaseException:
        file.close()
        raise
    return file


def display_name(path: str | Path) -> str:
    """Return a path's last part as text that can always be printed."""
    return shown(Path(path).name or path)
