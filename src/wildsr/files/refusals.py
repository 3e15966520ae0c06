"""What the system says when it refuses to write, in words that name the file and the way out."""

import errno
from pathlib import Path
from typing import Final

from wildsr.errors import NoSpaceError, OutputError
from wildsr.files.display import shown

_FULL: Final = "free some space or choose another folder (-o), then run again: what is done stays done"
_NO_SPACE: Final = frozenset((errno.ENOSPC, errno.EDQUOT))
_REASONS: Final = {
    errno.ENOSPC: ("the disk is full", _FULL),
    errno.EDQUOT: ("the disk quota is used up", _FULL),
    errno.EFBIG: (
        "the file is larger than this file system allows",
        "choose another folder (-o) or format (-f)",
    ),
    errno.EROFS: ("the file system is read-only", "choose another folder with -o"),
    errno.EACCES: ("permission denied", "choose another folder with -o"),
    errno.EPERM: ("permission denied", "choose another folder with -o"),
    errno.ENOENT: ("the folder does not exist", "make it, or choose another with -o"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another folder with -o"),
    errno.EISDIR: ("there is a folder of that name", "choose another name with -o or --suffix"),
    errno.ENAMETOOLONG: (
        "the name is too long for this file system",
        "choose a shorter one with -o or --suffix",
    ),
    errno.EEXIST: ("the file exists", "--overwrite replaces it; --suffix or -o gives another name"),
}


def output_error(error: OSError | ValueError, path: Path) -> OutputError:
    """Turn the system's error into a sentence that names the file and the way out.

    Args:
        error: What was raised; a ValueError is Python's for a NUL in a name.
        path: The file that was to be written.
    """
    if not isinstance(error, OSError):
        return OutputError(f"can't write {shown(path)}: {error}")
    kind = NoSpaceError if error.errno in _NO_SPACE else OutputError
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), None))
    return kind(f"can't write {shown(path)}: {reason}", hint=hint)
