"""Opening what may be anything: a file can turn into a pipe or a device between looking at it and opening it.

So its kind is asked of what is open, opening never waits, and no more is read than the file had then.
"""

import errno
import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CHUNK: Final = 1 << 20
_FLAGS: Final = (
    os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
)


def open_regular(path: str | Path) -> io.FileIO:
    """Open an ordinary file for reading; neither this nor reading from it ever waits for somebody to write.

    Raises:
        OSError: Nothing there, not readable, or no ordinary file, in words for people.
        ValueError: A NUL in the name.
    """
    _check_kind(Path(path).stat().st_mode, path)  # opening some devices does something
    descriptor = os.open(path, _FLAGS)
    file = io.FileIO(descriptor, "rb", closefd=True)
    try:
        _check_kind(os.fstat(descriptor).st_mode, path)
    except BaseException:
        file.close()
        raise
    return file


def read_bytes(path: Path, *, most: int) -> bytes:
    """Return the content of an ordinary file, no more than it had when it was opened.

    Raises:
        OSError: As `open_regular`, or more than `most` bytes.
        ValueError: A NUL in the name.
    """
    with open_regular(path) as file:
        size = os.fstat(file.fileno()).st_size
        if size > most:
            raise OSError(errno.EFBIG, f"it has {size:,} bytes, and at most {most:,} are read", str(path))
        return b"".join(chunks(file))


def read_text(path: Path, *, most: int) -> str:
    """Return an ordinary file's content as UTF-8 text, lines ending in newlines.

    Raises:
        OSError: As `read_bytes`.
        ValueError: No UTF-8, or a NUL in the name.
    """
    return read_bytes(path, most=most).decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")


def chunks(file: io.FileIO) -> Iterator[bytes]:
    """Yield the rest of an open file, up to the size it has now.

    Raises:
        OSError: It can't be read, or has nothing to read yet, as the kernel's own logs.
    """
    left = os.fstat(file.fileno()).st_size - file.tell()
    while left > 0:
        data = file.read(min(_CHUNK, left))
        if data is None:
            raise OSError(errno.EAGAIN, "it has nothing to read yet", str(file.name))
        if not data:
            return
        left -= len(data)
        yield data


def _check_kind(mode: int, path: str | Path) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder, and a file was expected", str(path))
    if not stat.S_ISREG(mode):
        raise OSError(
            errno.EINVAL, "it is a pipe, device or socket, and an ordinary file was expected", str(path)
        )
