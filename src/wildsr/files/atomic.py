"""Write a file so that its name only ever holds the whole of it.

Written under a temporary name in the same folder, synced, renamed. A crash at any moment leaves the old file
or the new one, and at worst a temporary that `remove_stale_temporaries` knows.
"""

import errno
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError
from wildsr.files.display import shown
from wildsr.files.processes import is_dead, own_tag

PREFIX: Final = ".wildsr-"
"""Names of wildsr's own files (temporaries, journals) begin so; they are never taken for pictures."""

_TEMPORARY: Final = re.compile(r"\.wildsr-tmp-([0-9a-f]{6}-\d+-\d+)-[0-9a-f]{8}(\.[^/]*)?")
_STREAMED: Final = re.compile(r"\.wildsr-[0-9a-f]{16}\.part")
_FULL: Final = "free some space or choose another folder (-o), then run again: what is done stays done"
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
    errno.ENOENT: ("the folder does not exist any more", "make it again, or choose another with -o"),
    errno.ENOTDIR: ("a part of the path is a file, not a folder", "choose another folder with -o"),
    errno.EISDIR: ("there is a folder of that name", "choose another name with -o or --suffix"),
    errno.ENAMETOOLONG: (
        "the name is too long for this file system",
        "choose a shorter one with -o or --suffix",
    ),
    errno.EEXIST: ("the file exists", "--overwrite replaces it; --suffix or -o gives another name"),
}
_ONLY_FROM_WRITING: Final = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS))


@contextmanager
def atomic_write(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Lend a temporary path to write to; on leaving without an exception it becomes `path`, synced to disk.

    The temporary keeps the extension, which some encoders go by. On any exception it is removed and `path` is
    as before.

    Args:
        path: The file to make, in a folder that exists.
        overwrite: Replace an existing file; otherwise it is never touched, even if it appears while we write.

    Raises:
        OutputError: Full disk, missing permission, existing file, vanished folder; named, with the way out.
    """
    if not overwrite and os.path.lexists(path):
        raise output_error(OSError(errno.EEXIST, "exists"), path)
    temporary = path.parent / f"{PREFIX}tmp-{own_tag()}-{secrets.token_hex(4)}{path.suffix[:16]}"
    try:
        yield temporary
        _sync(temporary)
        _rename(temporary, path, overwrite=overwrite)
        _sync_folder(path.parent)
    except OSError as error:
        if error.errno in _ONLY_FROM_WRITING or _names(error, temporary):
            raise output_error(error, path) from error
        raise
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def output_error(error: OSError, path: Path) -> OutputError:
    """Turn the system's error into a sentence that names the file and the way out."""
    reason, hint = _REASONS.get(error.errno or 0, (error.strerror or str(error), None))
    return OutputError(f"can't write {shown(path)}: {reason}", hint=hint)


def remove_stale_temporaries(folder: Path) -> list[Path]:
    """Remove the temporaries that killed processes of this machine left in a folder, and return them.

    Those of running processes and of other machines stay.
    """
    removed = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            match = _TEMPORARY.fullmatch(path.name)
            ours = match is not None and is_dead(match[1])
            if ours or (_STREAMED.fullmatch(path.name) and _is_unlocked(path)):
                with suppress(OSError):
                    path.unlink()
                    removed.append(path)
    return removed


def _is_unlocked(path: Path) -> bool:
    """Tell whether nobody writes a temporary of `wildsr.imaging`: it stays locked while its writer lives."""
    try:
        import fcntl

        descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    except (ImportError, OSError):
        return os.name == "nt"  # Windows itself refuses to remove an open file
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(descriptor)
    return True


def _rename(temporary: Path, path: Path, *, overwrite: bool) -> None:
    if overwrite:
        temporary.replace(path)
        return
    try:
        path.hardlink_to(temporary)  # unlike a rename, a link fails where the name is taken
    except FileExistsError as error:
        raise output_error(error, path) from error
    except OSError:  # FAT and some network folders have no hard links
        if os.path.lexists(path):
            raise output_error(OSError(errno.EEXIST, "exists"), path) from None
        temporary.rename(path)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    with suppress(OSError):  # some systems can't open or sync a folder; the file itself is safe
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _names(error: OSError, path: Path) -> bool:
    return os.fspath(path) in (error.filename, error.filename2) or path in (error.filename, error.filename2)
