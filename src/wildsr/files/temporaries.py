"""The names of half-written files, and the removal of those whose writer died."""

import os
import re
import secrets
import shutil
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from wildsr.files.locking import try_lock
from wildsr.files.processes import is_dead, is_of_this_machine, own_tag
from wildsr.files.tile_commit import settle

PREFIX: Final = ".wildsr-"
"""Names of wildsr's own files (temporaries, journals) begin so; they are never taken for pictures."""

TEMPORARY: Final = re.compile(r"\.wildsr-tmp-([0-9a-f]{6}-\d+-\d+)-[0-9a-f]{8}(\.[^/]*)?")
"""Names that `temporary_beside` gives; the group names the process that writes."""
_A_DAY: Final = 86_400
_SWEPT: Final[set[Path]] = set()


def temporary_beside(path: Path) -> Path:
    """Return an unused name in the folder of `path`, with its extension, which some encoders go by.

    The first time for a folder, what killed processes left there is removed.
    """
    folder = path.parent.absolute()
    if folder not in _SWEPT:
        _SWEPT.add(folder)
        remove_stale_temporaries(folder)
    return path.parent / f"{PREFIX}tmp-{own_tag()}-{secrets.token_hex(4)}{path.suffix[:16]}"


def remove_stale_temporaries(folder: Path) -> list[Path]:
    """Remove the temporaries that killed processes left in a folder, and return them; half-named tiles are settled.

    Those of running processes stay: the name tells the process, and most are locked while they are written.
    Another machine's (on a shared folder) or container's must also have been untouched for a day.
    """
    removed = []
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            match = TEMPORARY.fullmatch(path.name)
            if match is not None and _is_stale(path, match[1]):
                with suppress(OSError):
                    if _is_tiles(path):
                        settle(path)
                        shutil.rmtree(path)
                    else:
                        path.unlink()
                    removed.append(path)
    return removed


def _is_stale(path: Path, tag: str) -> bool:
    with suppress(OSError):
        if is_of_this_machine(tag):
            return is_dead(tag) and _is_unlocked(path)
        return time.time() - path.lstat().st_mtime > _A_DAY and _is_unlocked(path)
    return False


def _is_tiles(path: Path) -> bool:
    return path.suffix.lower() == ".dzi" and path.is_dir() and not path.is_symlink()


def _is_unlocked(path: Path) -> bool:
    if _is_tiles(path):  # folders aren't locked
        return True
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    try:
        return try_lock(descriptor) is not False
    finally:
        os.close(descriptor)
