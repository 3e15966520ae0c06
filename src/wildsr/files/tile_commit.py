"""How a Deep Zoom picture takes its two names, and what is done where a crash came in between.

A folder that a library wrote holds `picture.dzi` and `picture_files`. The tiles take their name first, so that a file
never names tiles that are not its own and whole. A result that is replaced is kept in the folder till the end.
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

STEM: Final = "picture"
"""What a library calls both inside the folder."""

OLD: Final = "old"
OLD_TILES: Final = "old_files"
_WHERE: Final = "name"


def tiles_of(path: Path) -> Path:
    """Return the folder of a Deep Zoom file's tiles, by the name that all viewers expect."""
    return path.with_name(f"{path.stem}_files")


def note_name(folder: Path, path: Path) -> None:
    """Write down which name the picture in `folder` is about to take."""
    (folder / _WHERE).write_bytes(os.fsencode(path.name))


def settle(folder: Path) -> None:
    """Bring a commit that a crash cut short to its end, or back to its beginning where no tiles had taken their name.

    Args:
        folder: What the killed process left, beside the result.
    """
    with suppress(OSError, ValueError):
        name = os.fsdecode((folder / _WHERE).read_bytes())
        if Path(name).name != name:
            return
        path = folder.with_name(name)
        tiles = tiles_of(path)
        if (folder / f"{STEM}_files").exists():
            _put_back(folder / OLD_TILES, tiles)
            _put_back(folder / OLD, path)
        elif tiles.is_dir():
            _put_back(folder / f"{STEM}{path.suffix}", path)


def _put_back(there: Path, path: Path) -> None:
    if os.path.lexists(there) and not os.path.lexists(path):
        there.rename(path)
