"""The rule for output names: where the result of each picture goes.

`-o` names a file only for one picture given by name and a picture extension; else it names a folder. Without
it results go beside their pictures. A result is called `<stem><suffix>.<extension>`, below the folder as its
picture was below the input folder; where two would share a name, on any file system, both are called
`<stem>_<extension of the picture><suffix>.<extension>`.
"""

import hashlib
import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.errors import OutputError, UsageError
from wildsr.files.display import counted, shown, shown_some
from wildsr.files.extensions import PICTURE_EXTENSIONS, WRITABLE_EXTENSIONS
from wildsr.files.places import places
from wildsr.files.refusals import output_error
from wildsr.files.tile_commit import tiles_of
from wildsr.files.tile_folder import EXTENSION as DEEP_ZOOM
from wildsr.files.walk import Found

DEFAULT_EXTENSION: Final = "png"
_MOST_ROUNDS: Final = 6
_LONGEST_NAME: Final = (
    255  # bytes; the limit of ext4, APFS, NTFS (there in UTF-16 units) and nearly all others
)


@dataclass(frozen=True, kw_only=True)
class Job:
    """One picture and the place of its result."""

    source: Path
    """The picture."""

    target: Path
    """The file its result goes to."""


@dataclass(frozen=True, kw_only=True)
class OutputPlan:
    """Every job of a run, checked to be free of conflicts."""

    jobs: tuple[Job, ...]
    """In the order of the pictures found."""

    folder: Path
    """The folder that holds all results, the place of the journal."""

    earlier_results: tuple[Path, ...]
    """Pictures left out because they are results of others in this run (`a_x4.png` beside `a.jpg`)."""

    renamed: tuple[Job, ...] = ()
    """Jobs whose result would share its name with another's, and so keeps the extension in it (`a_jpg_x4.png`)."""


def scale_suffix(scale: float) -> str:
    """Return the default suffix of a scale: `_x4`, `_x2.5`."""
    return f"_x{scale:g}"


def plan_outputs(
    found: Sequence[Found],
    output: str | Path | None,
    *,
    suffix: str = "_x4",
    extension: str | None = None,
) -> OutputPlan:
    """Give every picture the name of its result.

    Makes nothing, and looks at the disk only to tell a folder from a file and to see through links.

    Args:
        found: The pictures.
        output: What `-o` says: a file or a folder; None puts results beside their pictures.
        suffix: Between the stem and the extension; may be empty.
        extension: Of the results, with or without a dot; PNG by default.

    Raises:
        UsageError: A suffix or extension that can't be, pictures of one name in two folders that would have one
            result, a result that is an input, a file name for several pictures.
    """
    wanted = None if extension is None else _check_extension(extension)
    _check_suffix(suffix)
    file = _single_file(found, output, wanted)
    if file is not None:
        jobs = [Job(source=found[0].path, target=file)]
        earlier, renamed = list[Path](), list[Job]()
    else:
        folder, ending = None if output is None else Path(output), f"{suffix}.{wanted or DEFAULT_EXTENSION}"
        kept, earlier = _without_earlier_results(found, folder, ending)
        jobs, renamed = _told_apart(kept, folder, ending)
        _refuse_collisions(jobs)
    _refuse_inputs_as_targets(jobs)
    _refuse_tiles_over_others(jobs)
    return OutputPlan(
        jobs=tuple(jobs),
        folder=_common_folder(jobs, output, file),
        earlier_results=tuple(earlier),
        renamed=tuple(renamed),
    )


def refuse_existing(jobs: Sequence[Job]) -> None:
    """Refuse to start when a result's name is taken.

    Raises:
        OutputError: Names them.
    """
    names = [name for job in jobs for name in _names_of(job.target)]
    taken = [shown(name) for name in names if os.path.lexists(name)]
    if taken:
        raise OutputError(
            f"{len(taken)} of {counted(len(names), 'result')} {'exists' if len(taken) == 1 else 'exist'} already: "
            f"{shown_some(taken)}",
            hint="--overwrite replaces them; -o or --suffix gives other names",
        )


def make_folder(folder: Path) -> None:
    """Make a folder and those above it.

    Raises:
        OutputError: It can't be made.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise OutputError(
            f"{shown(folder)} is a file, not a folder", hint="choose another folder with -o"
        ) from None
    except OSError as error:
        raise output_error(error, folder) from error


def _check_extension(extension: str) -> str:
    lower = extension.lower().removeprefix(".")
    if lower not in (*WRITABLE_EXTENSIONS, DEEP_ZOOM):
        raise UsageError(
            f"can't write .{shown(lower)} files; possible: {', '.join((*WRITABLE_EXTENSIONS, DEEP_ZOOM))}",
            hint="choose the format with -f png, or by the extension given to -o",
        )
    return lower


def _check_suffix(suffix: str) -> None:
    if any(character in suffix for character in ("/", "\\", "\0")) or len(os.fsencode(suffix)) > 100:
        raise UsageError(f"--suffix {shown(suffix)}: must be at most 100 bytes, without / and \\")


def _single_file(found: Sequence[Found], output: str | Path | None, extension: str | None) -> Path | None:
    """Return the file that `-o` names, or None where it names a folder."""
    if output is None:
        return None
    text = os.fspath(output)
    if not text or "\0" in text:
        raise UsageError("the output name is empty or has a NUL character in it")
    path = Path(output)
    # unlike pathlib's, os.path's is False for a name too long and in a folder one may not enter
    if os.path.isdir(path) or text.endswith(("/", os.sep)):  # noqa: PTH112
        return None
    given = path.suffix[1:].lower()
    if given not in PICTURE_EXTENSIONS and given != DEEP_ZOOM:
        if os.path.lexists(path):
            raise UsageError(
                f"-o {shown(path)} is a file, not a folder", hint="name a folder, or a picture file"
            )
        return None
    if len(found) != 1 or not found[0].explicit:
        raise UsageError(
            f"-o {shown(path)} names one file, but a folder, a pattern or several pictures are given",
            hint="name a folder with -o; it is made when missing",
        )
    if extension not in (None, _check_extension(given)):
        raise UsageError(
            f"-o {shown(path)} and -f {extension} contradict each other", hint="leave out one of them"
        )
    return path


def _job(found: Found, folder: Path | None, ending: str, level: int) -> Job:
    """Name a result: by the stem (level 0), with the extension in it (1), or with a digest too (2)."""
    if found.relative.is_absolute() or ".." in found.relative.parts or not found.relative.name:
        raise UsageError(f"{shown(found.relative)} leads out of its folder; only names below it are possible")
    where = found.path.parent if folder is None else folder / found.relative.parent
    stem = found.relative.stem
    if level and found.relative.suffix:
        stem += f"_{found.relative.suffix[1:]}"
    if level > 1:
        stem += f"~{_digest(os.fspath(found.relative))}"
    return Job(source=found.path, target=where / _fitting(stem, ending))


def _fitting(stem: str, ending: str) -> str:
    """Join stem and ending; a stem too long for a file name is cut, a digest keeping it unlike others."""
    room = _LONGEST_NAME - len(os.fsencode(ending))
    if len(os.fsencode(stem)) > room:
        digest = f"~{_digest(stem)}"
        while len(os.fsencode(stem)) > room - len(digest):
            stem = stem[:-1]
        stem += digest
    return stem + ending


def _digest(text: str) -> str:
    return hashlib.sha256(os.fsencode(text)).hexdigest()[:10]


def _without_earlier_results(
    found: Sequence[Found], folder: Path | None, ending: str
) -> tuple[list[Found], list[Path]]:
    """Leave out pictures found in a folder that are results of others in it, as a second run finds them."""
    plain = places([_job(one, folder, ending, 0).target for one in found])
    apart = places([job.target for job in _told_apart(found, folder, ending)[0]])
    made = {*plain, *apart}
    kept, earlier = [], []
    for one, place, *targets in zip(found, places([one.path for one in found]), plain, apart, strict=True):
        if place in made and place not in targets and not one.explicit:
            earlier.append(one.path)
        else:
            kept.append(one)
    return kept, earlier


def _told_apart(found: Sequence[Found], folder: Path | None, ending: str) -> tuple[list[Job], list[Job]]:
    """Name all results; those that would share a name keep their extension in it.

    Returns:
        All, and those that are not named by the stem alone.
    """
    levels = [0] * len(found)
    for round_ in range(_MOST_ROUNDS + 1):
        jobs = [_job(one, folder, ending, level) for one, level in zip(found, levels, strict=True)]
        sharing: dict[str, list[int]] = {}
        for index, place in enumerate(places([job.target for job in jobs])):
            sharing.setdefault(place, []).append(index)
        groups = [group for group in sharing.values() if len(group) > 1]
        raised = [index for group in groups for index in _lowest(group, levels)]
        if not raised:
            break
        for index in raised:
            levels[index] = levels[index] + 1 if round_ < _MOST_ROUNDS - 1 else 2
    plain = [_job(one, folder, ending, 0) for one in found]
    return jobs, [job for job, alone in zip(jobs, plain, strict=True) if job != alone]


def _lowest(group: list[int], levels: list[int]) -> list[int]:
    """Those of a group that can be told from the others by more of their name: the plainest first."""
    lowest = min(levels[index] for index in group)
    return [index for index in group if levels[index] == lowest < 2]


def _refuse_collisions(jobs: Sequence[Job]) -> None:
    first: dict[str, Job] = {}
    clashes = []
    for job, place in zip(jobs, places([job.target for job in jobs]), strict=True):
        other = first.setdefault(place, job)
        if other is not job:
            clashes.append(
                f"{shown(other.source)} and {shown(job.source)} would both become {shown(job.target)}"
            )
    if clashes:
        raise UsageError(
            f"two pictures of one name can't have one result: {shown_some(clashes)}",
            hint="run them apart, with another -o or --suffix; --recursive keeps sub-folders apart",
        )


def _refuse_inputs_as_targets(jobs: Sequence[Job]) -> None:
    sources = [job.source for job in jobs]
    taken = set(places(sources + [Path(os.path.realpath(path)) for path in sources if path.is_symlink()]))
    for job, place in zip(jobs, places([job.target for job in jobs]), strict=True):
        if place in taken:
            raise UsageError(
                f"the result of {shown(job.source)} would replace the input {shown(job.target)}",
                hint="choose another name with -o or --suffix",
            )


def _names_of(target: Path) -> list[Path]:
    """Return what a result takes on the disk."""
    return [target, tiles_of(target)] if target.suffix.lower() == f".{DEEP_ZOOM}" else [target]


def _refuse_tiles_over_others(jobs: Sequence[Job]) -> None:
    """No picture that is read, and no other result, may lie in a folder of tiles: it would be replaced as a whole."""
    folders = [name for job in jobs for name in _names_of(job.target)[1:]]
    if not folders:
        return
    taken = set(places(folders))
    inside = [path for job in jobs for path in (job.source, job.target)]
    above = {parent for path in inside for parent in path.parents}
    for parent, place in zip(above, places(list(above)), strict=True):
        if place in taken:
            raise UsageError(
                f"the folder {shown(parent)} is to hold tiles, and pictures are read from there or written to it",
                hint="choose another name with -o or --suffix",
            )


def _common_folder(jobs: Sequence[Job], output: str | Path | None, file: Path | None) -> Path:
    if file is not None:
        return file.parent
    if output is not None:
        return Path(output)
    try:
        return Path(os.path.commonpath([os.path.abspath(job.target.parent) for job in jobs]))  # noqa: PTH100
    except ValueError:  # no job, or (on Windows) several drives
        raise UsageError("the results have no folder in common", hint="give one with -o") from None
