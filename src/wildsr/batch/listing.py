"""The pictures of a run: those of a folder, or of a list; and what of them earlier runs have done."""

import posixpath
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Protocol

from wildsr.batch.lists import Entry, is_list, read_list
from wildsr.batch.manifest import FOLDER, Record
from wildsr.batch.places import Place, file_version, place_of
from wildsr.errors import InputError
from wildsr.files import Found, find_pictures, shown
from wildsr.files.extensions import PICTURE_EXTENSIONS


@dataclass(frozen=True, kw_only=True)
class Listing:
    """Pictures to work on."""

    input: Place
    """Their folder, or the list's."""

    found: Sequence[Found]
    """By which the rules of names can be asked."""

    sources: Sequence[str]
    """Of each, below the input."""

    versions: Sequence[str]
    """Of each one's content, as the store says."""

    targets: Sequence[str] = ()
    """Of each, below the output, where a list gives them; empty ones are named by the rule."""

    problems: Sequence[str] = ()
    """What could not be looked at, in words."""


def list_pictures(input: str, target: Place, *, recursive: bool = True) -> Listing:  # noqa: A002
    """Return the pictures of a folder, or of a list, or a single one.

    Args:
        input: URL of a picture, of a folder of pictures, or of a list of them (`.parquet`, `.csv`; see `lists`).
        target: Where results go; what is there is no picture to work on.
        recursive: Enter folders in folders.

    Raises:
        InputError: No such folder or list, or no picture in it.
        UsageError: A store that can't be opened; a row of a list that can't be used.
    """
    if is_list(input):
        return _listed(*read_list(input))
    if PurePosixPath(input).suffix[1:].lower() in PICTURE_EXTENSIONS and not _is_folder(place_of(input)):
        return _single(place_of(input))
    return _listing(place_of(input), target, recursive=recursive)


def is_through(version: str, record: Record | None, digest: str, *, retry: bool) -> bool:
    """Tell whether an earlier run has done a picture, or left it out for good.

    Args:
        version: Of the picture's content.
        record: Of the earlier run.
        digest: Of the settings.
        retry: What was left out is tried again.
    """
    if record is None or (record.settings, record.version) != (digest, version):
        return False
    return record.status == "done" or (record.status == "quarantined" and not retry)


class AnyVersioned(Protocol):
    """What a verb does with one picture."""

    @property
    def source(self) -> str:
        """The picture."""

    @property
    def version(self) -> str:
        """Of its content."""


def kept_of(
    tasks: Iterable[AnyVersioned], earlier: Mapping[str, Record], digest: str, *, retry: bool
) -> dict[str, Record]:
    """Return the records of earlier runs that stand: those of pictures that are through; see `is_through`."""
    return {
        one.source: earlier[one.source]
        for one in tasks
        if is_through(one.version, earlier.get(one.source), digest, retry=retry)
    }


def _listed(folder: Place, entries: Sequence[Entry]) -> Listing:
    """Return the rows of a list as what a folder's listing gives."""
    root = Path("/") / "list"
    found = [
        Found(path=root / one.relative, root=root, relative=Path(one.relative), explicit=True)
        for one in entries
    ]
    return Listing(
        input=folder,
        found=found,
        sources=[one.source for one in entries],
        versions=[one.version for one in entries],
        targets=[one.target for one in entries],
    )


def _single(picture: Place) -> Listing:
    folder, name = Place(url=posixpath.dirname(picture.url)), posixpath.basename(picture.url)
    version = folder.version(name)
    if not version:
        raise InputError(f"there is no {shown(picture.url)}", hint="a picture, a folder or a list is wanted")
    return _listed(folder, [Entry(source=name, relative=PurePosixPath(name), version=version)])


def _is_folder(place: Place) -> bool:
    return place.local is not None and place.local.is_dir()


def _listing(source: Place, target: Place, *, recursive: bool) -> Listing:
    """List pictures: by the rules of `wildsr upscale` in folders of this machine, by name elsewhere."""
    folder = source.local
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {shown(folder)}", hint="the URL of a folder is wanted")
        findings = find_pictures([folder], recursive=recursive, exclude=target.local)
        problems = [f"{shown(one.path)} {one.reason}" for one in findings.problems]
        versions = [file_version(one.path) for one in findings.pictures]
        names = [one.relative.as_posix() for one in findings.pictures]
        return Listing(
            input=source, found=findings.pictures, sources=names, versions=versions, problems=problems
        )
    root, inside = as_path(source), _below(source, target)
    stored = [
        one
        for one in source.stored(recursive=recursive)
        if _is_picture(one.path) and not (inside and one.path.startswith(inside))
    ]
    if not stored:
        raise InputError(f"there is no picture in {shown(source.url)}", hint="names must end as pictures' do")
    return Listing(
        input=source,
        sources=[one.path for one in stored],
        found=[Found(path=root / one.path, root=root, relative=Path(one.path)) for one in stored],
        versions=[f"{one.size} {one.version}" for one in stored],
    )


def _is_picture(path: str) -> bool:
    name = PurePosixPath(path)
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and FOLDER not in name.parts and name.suffix[1:].lower() in PICTURE_EXTENSIONS


def as_path(place: Place) -> Path:
    """A path of no file, by which the rules of names can be asked."""
    return Path("/") / place.url.replace("://", "/")


def _below(source: Place, target: Place) -> str:
    """The folder of results below that of pictures, where it is there."""
    return f"{target.url[len(source.url) + 1 :]}/" if target.url.startswith(f"{source.url}/") else ""
