"""A Deep Zoom picture on the disk: a small file, and beside it a folder of tiles; whole or absent like any result."""

import errno
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Final

from wildsr.errors import OutputError
from wildsr.files.atomic import check_place, publish, sync_folder
from wildsr.files.display import shown
from wildsr.files.refusals import output_error
from wildsr.files.temporaries import temporary_beside
from wildsr.files.tile_commit import OLD, OLD_TILES, STEM, note_name, tiles_of

EXTENSION: Final = "dzi"
_LEVEL: Final = re.compile(r"\d{1,2}")


class TileFolder:
    """A folder for a library to write a Deep Zoom picture into, named when the `with` block ends well.

    The tiles take their name first and the file last, so that a file never names tiles that are not its own and whole.
    Where a process is killed between the two, whoever next writes into the folder ends what it began.

    Args:
        path: The `.dzi` file to make, in a folder that exists.
        overwrite: Replace an existing file and its tiles.

    Raises:
        OutputError: One of the two names is taken, or can't be written to. A folder that holds anything but tiles is
            never replaced.
    """

    def __init__(self, path: Path, *, overwrite: bool = True) -> None:
        self.path = path
        self._tiles = tiles_of(path)
        self._overwrite = overwrite
        check_place(path, overwrite=overwrite)
        self._check_tiles()
        self._folder = temporary_beside(path)

    @property
    def base(self) -> Path:
        """What to call the picture while it is written; the library adds `.dzi` and `_files`."""
        return self._folder / STEM

    def __enter__(self) -> "TileFolder":
        try:
            self._folder.mkdir()
        except (OSError, ValueError) as error:
            raise output_error(error, self.path) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._commit()
        except OSError as trouble:
            raise output_error(trouble, self.path) from trouble
        finally:
            shutil.rmtree(self._folder, ignore_errors=True)

    def size(self) -> int:
        """Return the bytes of all files written so far."""
        return sum(
            os.lstat(os.path.join(folder, name)).st_size  # noqa: PTH118 -- there may be a million
            for folder, _, names in os.walk(self._folder)
            for name in names
        )

    def _check_tiles(self) -> None:
        if not os.path.lexists(self._tiles):
            return
        if not self._overwrite:
            raise output_error(OSError(errno.EEXIST, "exists"), self._tiles)
        if self._tiles.is_symlink() or not self._tiles.is_dir() or not _holds_tiles(self._tiles):
            raise OutputError(
                f"{shown(self._tiles)}, where the tiles go, is something else and stays as it is",
                hint="choose another name with -o or --suffix",
            )

    def _commit(self) -> None:
        made, file = self.base.with_name(f"{STEM}_files"), self.base.with_suffix(f".{EXTENSION}")
        if hasattr(os, "sync"):
            os.sync()  # one call for thousands of tiles
        self._check_tiles()
        old_tiles, old_file = self._folder / OLD_TILES, self._folder / OLD
        note_name(self._folder, self.path)
        if self._overwrite:
            with suppress(FileNotFoundError):
                self.path.rename(old_file)
            with suppress(FileNotFoundError):
                self._tiles.rename(old_tiles)
        try:
            made.rename(self._tiles)
            publish(file, self.path, overwrite=self._overwrite)
        except BaseException:
            if old_tiles.exists() and not os.path.lexists(self._tiles):
                old_tiles.rename(self._tiles)
            if os.path.lexists(old_file) and not os.path.lexists(self.path):
                old_file.rename(self.path)
            raise
        sync_folder(self.path.parent)


def _holds_tiles(folder: Path) -> bool:
    """Whether there is nothing but levels: a browser's saved page has a folder of the same name."""
    return all(_LEVEL.fullmatch(one.name) and one.is_dir() for one in folder.iterdir())
