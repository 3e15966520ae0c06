"""Find the pictures that a user's arguments mean: files, folders, patterns.

A batch must not stop for one unreadable folder, so what can't be looked at is returned as a list of problems.
"""

import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.errors import InputError, UsageError
from wildsr.files.display import shown, shown_some
from wildsr.files.extensions import PICTURE_EXTENSIONS, RAW_EXTENSIONS
from wildsr.files.opening import open_regular
from wildsr.files.patterns import expand, is_pattern
from wildsr.files.signatures import HEAD_BYTES, sniff
from wildsr.files.temporaries import PREFIX
from wildsr.files.tile_folder import EXTENSION

_JUNK_FILES: Final = frozenset((".ds_store", "thumbs.db", "ehthumbs.db", "desktop.ini", "icon\r"))
_JUNK_FOLDERS: Final = frozenset(("__macosx", "@eadir", "$recycle.bin", "system volume information"))
_DIGITS: Final = re.compile(r"([0-9]+)")


@dataclass(frozen=True, kw_only=True)
class Found:
    """One picture to work on."""

    path: Path
    """What to open."""

    root: Path
    """The folder the user gave, or the folder of a file given by name."""

    relative: Path
    """`path` below `root`; the tree to mirror."""

    explicit: bool = False
    """True for a file given by name rather than found in a folder."""


@dataclass(frozen=True, kw_only=True)
class Problem:
    """Something that was asked for and can't be looked at."""

    path: Path
    """What was given or met."""

    reason: str
    """Why it is left out, in words for the user."""


@dataclass(frozen=True, kw_only=True)
class Findings:
    """What `find_pictures` found."""

    pictures: tuple[Found, ...]
    """Pictures in the order of the arguments, in natural order within each."""

    problems: tuple[Problem, ...]
    """Unreadable folders, names that don't exist, pipes, devices; such a run ends with exit code 1."""

    ignored: tuple[Path, ...]
    """Files met in folders that are no pictures (texts, videos, camera raw files, thumbnail databases)."""


def find_pictures(
    inputs: Sequence[str | Path], *, recursive: bool = False, exclude: Path | None = None
) -> Findings:
    """Find every picture that a list of files, folders and patterns means.

    A file given by name is always taken. In folders (and by patterns, which may come quoted,
    `"photos/**/*.jpg"`) a file is taken when its first bytes are a picture's, or when its extension says so:
    a broken picture must be named in the summary, not passed over. Links to folders are followed, each real
    folder once.

    Args:
        inputs: What the user gave.
        recursive: Look into sub-folders too.
        exclude: The output folder, not searched when it lies inside an input folder.

    Raises:
        UsageError: An empty name or one with a NUL in it, or no input at all.
        InputError: Nothing to do: no picture anywhere.
    """
    if not inputs:
        raise UsageError(
            "no input given", hint="name pictures or folders, for example: wildsr upscale photos/ -o out/"
        )
    search = _Search(recursive=recursive, exclude=exclude)
    for given in inputs:
        search.look_at(given)
    if not search.pictures:
        raise _nothing_found(inputs, search)
    return Findings(
        pictures=tuple(search.pictures), problems=tuple(search.problems), ignored=tuple(search.ignored)
    )


def natural_key(path: str) -> tuple[tuple[str | tuple[int, str], ...], str]:
    """Return a sort key that puts `IMG_2` before `IMG_10`, alike on every machine."""
    pieces: list[str | tuple[int, str]] = []
    for number, piece in enumerate(_DIGITS.split(path.casefold())):
        digits = piece.lstrip("0")
        pieces.append((len(digits), digits) if number % 2 else piece)
    return tuple(pieces), path


class _Search:
    """The state of one search: what was seen, so that nothing is taken twice."""

    def __init__(self, *, recursive: bool, exclude: Path | None) -> None:
        self.pictures: list[Found] = []
        self.problems: list[Problem] = []
        self.ignored: list[Path] = []
        self.has_subfolders = False
        self._recursive = recursive
        self._exclude = None if exclude is None else os.path.realpath(exclude)
        self._folders: set[str] = set()
        self._files: set[tuple[str, str]] = set()

    def look_at(self, given: str | Path) -> None:
        """Take up one argument."""
        text = os.fspath(given)
        if not text:
            raise UsageError(
                "an input name is empty", hint="give a file or a folder; . is the current folder"
            )
        if "\0" in text:
            raise UsageError(f"{shown(text)}: a file name can't contain a NUL character")
        path = Path(given)
        if not os.path.lexists(path) and is_pattern(text):
            self._take_matches(path)
        else:
            self._take_given(path, root=path.parent, explicit=True)

    def _take_matches(self, pattern: Path) -> None:
        root, matches = expand(pattern)
        if not matches:
            self._problem(pattern, "matches no file")
        for match in sorted(matches, key=lambda match: natural_key(str(match))):
            self._take_given(match, root=root, explicit=False)

    def _take_given(self, path: Path, *, root: Path, explicit: bool) -> None:
        try:
            mode = path.stat().st_mode
        except OSError as error:
            self._problem(path, _why(error))
            return
        if stat.S_ISDIR(mode):
            self._take_folder(path)
        elif not stat.S_ISREG(mode):
            self._problem(path, "is a pipe or a device; only files and folders are read")
        elif explicit:
            self._take_file(path, root, os.path.realpath(path.parent), explicit=True)
        else:
            self._sift(path, root, os.path.realpath(path.parent))

    def _take_folder(self, root: Path) -> None:
        """Take all pictures of a folder; links wait until all real folders are done, so real names win."""
        start = len(self.pictures)
        waiting, links = [(root, os.path.realpath(root))], list[tuple[Path, str]]()
        while waiting or links:
            folder, real = waiting.pop() if waiting else links.pop(0)
            if real in self._folders or (real == self._exclude and folder != root):
                continue
            self._folders.add(real)
            for entry in self._entries(folder):
                path = folder / entry.name
                if not _is_folder(entry):
                    self._take_entry(entry, path, root, real)
                elif entry.name.startswith(".") or entry.name.casefold() in _JUNK_FOLDERS or _is_tiles(path):
                    continue
                elif not self._recursive:
                    self.has_subfolders = True
                elif not entry.is_symlink():
                    waiting.append((path, f"{real.rstrip(os.sep)}{os.sep}{entry.name}"))
                elif not Path(real).is_relative_to(target := os.path.realpath(path)):
                    links.append((path, target))  # a link upwards would leave the folder given
        self.pictures[start:] = sorted(
            self.pictures[start:], key=lambda found: natural_key(str(found.relative))
        )

    def _entries(self, folder: Path) -> Iterator[os.DirEntry[str]]:
        try:
            with os.scandir(folder) as entries:
                listed = sorted(entries, key=lambda entry: natural_key(entry.name))
        except OSError as error:
            self._problem(folder, _why(error))
            return
        yield from listed

    def _take_entry(self, entry: os.DirEntry[str], path: Path, root: Path, real: str) -> None:
        name = entry.name
        if name.startswith(PREFIX):
            return
        if name.casefold() in _JUNK_FILES or name.startswith("._"):
            self.ignored.append(path)
        elif os.path.isfile(path):  # noqa: PTH113 -- unlike pathlib's, false for links in a circle and closed folders
            self._sift(path, root, real)
        elif entry.is_symlink() and _extension(path) in PICTURE_EXTENSIONS:
            self._problem(path, "is a link to nothing")
        else:  # pipes and devices: opening one could wait forever
            self.ignored.append(path)

    def _sift(self, path: Path, root: Path, real: str) -> None:
        extension = _extension(path)
        try:
            with open_regular(path) as file:
                kind = sniff(file.read(HEAD_BYTES) or b"")
        except OSError as error:
            if extension not in PICTURE_EXTENSIONS:
                self._problem(path, _why(error))
                return
            kind = None  # taken, so that reading it names it as bad
        if (kind is not None and extension not in RAW_EXTENSIONS) or extension in PICTURE_EXTENSIONS:
            self._take_file(path, root, real, explicit=False)
        else:
            self.ignored.append(path)

    def _take_file(self, path: Path, root: Path, real: str, *, explicit: bool) -> None:
        """Take a file whose folder is really `real`, once."""
        if (real, path.name) not in self._files:
            self._files.add((real, path.name))
            relative = path.relative_to(root)
            self.pictures.append(Found(path=path, root=root, relative=relative, explicit=explicit))

    def _problem(self, path: Path, reason: str) -> None:
        self.problems.append(Problem(path=path, reason=reason))


def _is_tiles(folder: Path) -> bool:
    """Whether a folder holds the tiles of a Deep Zoom picture beside it, which are no pictures of their own."""
    stem = folder.name.removesuffix("_files")
    return stem != folder.name and folder.with_name(f"{stem}.{EXTENSION}").is_file()


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that turns in a circle
        return False


def _extension(path: Path) -> str:
    return path.suffix[1:].casefold()


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "does not exist"
    if isinstance(error, PermissionError):
        return "can't be read: permission denied"
    return f"can't be read: {error.strerror or error}"


def _nothing_found(inputs: Sequence[str | Path], search: _Search) -> InputError:
    if search.problems:
        reasons = [f"{shown(problem.path)} {problem.reason}" for problem in search.problems]
        return InputError(f"no picture to work on: {shown_some(reasons)}", hint="check the names given")
    given = shown_some([shown(one) for one in inputs])
    hint = "give files or folders with pictures (JPEG, PNG, WebP, TIFF, AVIF, HEIC, GIF, BMP, PPM)"
    if search.has_subfolders:
        hint = "there are sub-folders: --recursive looks into them"
    return InputError(f"no picture found in {given}", hint=hint)
