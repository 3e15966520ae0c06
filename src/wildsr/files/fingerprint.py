"""What a file held when we saw it."""

import os
from dataclasses import dataclass
from pathlib import Path

from wildsr.files.digest import sha256_of_open
from wildsr.files.opening import open_regular


@dataclass(frozen=True, kw_only=True)
class Fingerprint:
    """Content, and the marks by which an untouched file is known without reading it again."""

    sha256: str
    """Of the content, hexadecimal."""

    size: int
    """Bytes."""

    mtime_ns: int
    """Last change of the content, which programs can set."""

    ctime_ns: int
    """Last change of anything, which they can't."""

    inode: int
    """The file's number on its disk."""


def fingerprint(path: Path) -> Fingerprint:
    """Read a file and take its fingerprint.

    Raises:
        OSError: It can't be read, or is no ordinary file.
    """
    with open_regular(path) as file:
        # before reading: a change while we read must show as a difference later
        before = os.fstat(file.fileno())
        digest = sha256_of_open(file)
    return Fingerprint(
        sha256=digest,
        size=before.st_size,
        mtime_ns=before.st_mtime_ns,
        ctime_ns=before.st_ctime_ns,
        inode=before.st_ino,
    )


def unchanged(path: Path, recorded: Fingerprint | None, *, verify: bool = False) -> bool:
    """Tell whether a file still holds what it held.  False where it can't be read.

    Args:
        path: The file.
        recorded: Its earlier fingerprint, or None for a file never seen.
        verify: Read it even if size, times and inode are as they were.
    """
    if recorded is None:
        return False
    try:
        now = path.stat()
        if now.st_size != recorded.size:
            return False
        marks = (now.st_mtime_ns, now.st_ctime_ns, now.st_ino)
        if not verify and marks == (recorded.mtime_ns, recorded.ctime_ns, recorded.inode):
            return True
        return fingerprint(path).sha256 == recorded.sha256
    except OSError:
        return False
