"""Test sets in the layouts the field has them in.

| layout | example |
|--|--|
| folders of HR and LR | `HR` + `LR_bicubic_X4`, `GTmod12` + `LRbicx4`, `DIV2K_valid_HR` + `…_LR_bicubic/X4` |
| HR and LR side by side | RealSR's `…_HR` + `…_LR4`, Huang's `image_SRF_4`, City100's `…H` + `…L` |
| NTIRE 2020 | `Corrupted-va-x` (input) + `Corrupted-va-y` (ground truth) |
| no reference | any folder of pictures: `DPEDiphone-crop-te-x`, `RealSRSet`, photos |
"""

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.errors import InputError
from wildsr.evaluation.names import match
from wildsr.files import find_pictures, shown
from wildsr.files.display import shown_some
from wildsr.imaging import probe

SETS_VARIABLE = "WILDSR_SETS"
_USUAL_PLACES: Final = ("", "datasets", "data", "benchmarks")

_HR_FOLDER: Final = re.compile(r"(?:.*[_\-])?(?:hr|gt|gtmod\d+|original|target|ground_?truth)", re.IGNORECASE)
_LR_FOLDER: Final = re.compile(
    r"(?:.*[_\-])?(?:lr|lq|lrbic|lr[_\-](?:bicubic|unknown|mild|difficult|wild))(?:[_\-]?x[\d.]+)?",
    re.IGNORECASE,
)
_SCALE_FOLDER: Final = re.compile(r"x[\d.]+|[2-8]", re.IGNORECASE)
_SCALE_IN_NAME: Final = re.compile(r"x(\d)$", re.IGNORECASE)
_NTIRE: Final = re.compile(r"(.*-(?:va|val|valid|te|test))-x", re.IGNORECASE)
_HR_STEM: Final = re.compile(r"(?:[_\-]hr|(?<=\d)h)$", re.IGNORECASE)
_LR_STEM: Final = re.compile(r"(?:[_\-]lr(\d)?|(?<=\d)l)$", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class TestPicture:
    """One picture of a test set."""

    __test__ = False  # for pytest: no test class

    name: str
    """File name without folder: of the HR picture where there is one, else of the LR or SR picture."""

    hr: Path | None = None
    """Ground truth."""

    lr: Path | None = None
    """Input of the models."""


@dataclass(frozen=True, kw_only=True)
class TestSet:
    """Pictures to judge methods on."""

    __test__ = False

    name: str
    """Name for reports."""

    pictures: tuple[TestPicture, ...]
    """In natural order, names unique."""

    @property
    def has_reference(self) -> bool:
        """True where every picture has ground truth."""
        return all(picture.hr is not None for picture in self.pictures)


def find_set(name: str | Path, *, scale: int = 4) -> TestSet:
    """Return a test set by folder, or by name.

    A name is looked for below the folders in `$WILDSR_SETS`, then in the current folder and in `datasets`,
    `data` and `benchmarks` there, without regard to case.

    Args:
        name: `Set5`, or a folder.
        scale: Which LR folder to take where there are several.

    Raises:
        InputError: No such set, or one whose pictures don't pair.
    """
    path = Path(name)
    if path.is_dir():
        return read_set(path, scale=scale)
    places = list(_places())
    folders = [
        path for place in places for path in sorted(place.iterdir()) if path.is_dir() and path.name[0] != "."
    ]
    for folder in folders:
        if folder.name.casefold() == str(name).casefold():
            return read_set(folder, scale=scale)
    known = [path.name for path in folders if path.name not in _USUAL_PLACES]
    searched = ", ".join(shown(place) for place in places) or "no folder"
    raise InputError(
        f"there is no test set {shown(str(name))!r}; searched {searched}",
        hint=f"name its folder, or set {SETS_VARIABLE} to the folder that holds your sets"
        + (f" (there are {', '.join(shown(one) for one in known[:8])})" if known else ""),
    )


def read_set(folder: Path, *, scale: int = 4) -> TestSet:
    """Return the test set a folder holds.

    Raises:
        InputError: No pictures, or pictures without counterparts.
    """
    name = folder.resolve().name
    twin = _clean_twin(folder)
    if twin is not None:
        return TestSet(name=name, pictures=paired(pictures_in(twin), pictures_in(folder), folder.name))
    hr, lr = _role_folders(folder, scale)
    if hr is not None and lr is not None:
        return TestSet(name=name, pictures=paired(pictures_in(hr), pictures_in(lr), lr.name))
    if hr is not None:
        raise InputError(
            f"the set {shown(name)} has {shown(hr.name)} but no LR pictures for ×{scale}",
            hint="put them into a folder LR beside it, or name their scale with --scale",
        )
    paths = pictures_in(lr or folder, recursive=lr is None)
    beside = _side_by_side(paths, scale)
    return TestSet(name=name, pictures=beside or unpaired(paths))


def paired(hr: Sequence[Path], lr: Sequence[Path], where: str) -> tuple[TestPicture, ...]:
    """Return pictures with ground truth and input; every one must have both.

    Raises:
        InputError: Counterparts that are missing, by name.
    """
    found = match(hr, lr)
    refuse_missing(found.unmatched, where)
    refuse_missing(found.spare, "the HR pictures")
    return unique(TestPicture(name=one.name, hr=one, lr=found.pairs[one]) for one in hr)


def unpaired(paths: Sequence[Path]) -> tuple[TestPicture, ...]:
    """Return pictures without ground truth."""
    return unique(TestPicture(name=one.name, lr=one) for one in paths)


def pictures_in(folder: Path, *, recursive: bool = False) -> list[Path]:
    """Return the pictures of a folder in natural order.

    Raises:
        InputError: There are none, or a part of the folder can't be read.
    """
    found = find_pictures([folder], recursive=recursive)
    if found.problems:
        problem = found.problems[0]
        raise InputError(
            f"{shown(problem.path)} {problem.reason}", hint="a set is judged whole or not at all"
        )
    return [one.path for one in found.pictures]


def refuse_missing(missing: Sequence[Path], where: str) -> None:
    """Raise InputError where pictures have no counterpart."""
    if missing:
        several = len(missing) > 1
        raise InputError(
            f"{shown_some([path.name for path in missing], most=5)} {'have' if several else 'has'} "
            f"no counterpart in {shown(where)}",
            hint="pictures are matched by name: the same stem, or one with _x4, _SR, _HR, _LR4 … behind it",
        )


def _places() -> Iterator[Path]:
    chosen = [one for one in os.environ.get(SETS_VARIABLE, "").split(os.pathsep) if one]
    for place in [*map(Path, chosen), *map(Path, _USUAL_PLACES)]:
        if place.expanduser().is_dir():
            yield place.expanduser()


def _clean_twin(folder: Path) -> Path | None:
    """The ground truth `Corrupted-va-y` of NTIRE's `Corrupted-va-x` (its training folders are not pairs)."""
    found = _NTIRE.fullmatch(folder.resolve().name)
    twin = folder.resolve().with_name(f"{found[1]}-y") if found else None
    return twin if twin is not None and twin.is_dir() else None


def _role_folders(folder: Path, scale: int) -> tuple[Path | None, Path | None]:
    below = sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith("."))
    for path in below:
        twin = _clean_twin(path)
        if twin is not None:
            return twin, path
    hr = [path for path in below if _HR_FOLDER.fullmatch(path.name)]
    lr = [chosen for path in below if _LR_FOLDER.fullmatch(path.name) and (chosen := _for_scale(path, scale))]
    huang = [path for path in below if path.name.casefold() == f"image_srf_{scale}"]
    return _one(hr, "HR", folder), _one(lr or huang, "LR", folder)


def _for_scale(folder: Path, scale: int) -> Path | None:
    """The folder itself, or its part for the scale; None where it is for another scale."""
    named = _SCALE_IN_NAME.search(folder.name)
    if named:
        return folder if named[1] == str(scale) else None
    parts = [path for path in folder.iterdir() if path.is_dir() and _SCALE_FOLDER.fullmatch(path.name)]
    if not parts:
        return folder
    return next((path for path in parts if path.name.casefold().removeprefix("x") == str(scale)), None)


def _one(found: Sequence[Path], role: str, folder: Path) -> Path | None:
    if len(found) > 1:
        raise InputError(
            f"{shown(folder.name)} has several {role} folders: {shown_some([path.name for path in found])}",
            hint="keep one of each in the set's folder",
        )
    return found[0] if found else None


def _side_by_side(paths: Sequence[Path], scale: int) -> tuple[TestPicture, ...]:
    """Pair `a_HR` with `a_LR4` (or `aH` with `aL`) in the same folder; nothing where no name says so."""
    hr: dict[tuple[Path, str], Path] = {}
    lr: dict[tuple[Path, str], Path] = {}
    for path in paths:
        if _HR_STEM.search(path.stem):
            hr[path.parent, _HR_STEM.sub("", path.stem)] = path
        elif (found := _LR_STEM.search(path.stem)) and found[1] in (None, str(scale)):
            lr[path.parent, _LR_STEM.sub("", path.stem)] = path
    folders = {folder for folder, _ in lr} & {folder for folder, _ in hr}
    testing = {folder for folder in folders if any(part.casefold() == "test" for part in folder.parts)}
    folders = testing or folders
    if not folders:
        return ()
    hr = {key: path for key, path in hr.items() if key[0] in folders}
    lr = {key: path for key, path in lr.items() if key[0] in folders}
    refuse_missing([path for key, path in hr.items() if key not in lr], "the LR pictures beside them")
    refuse_missing([path for key, path in lr.items() if key not in hr], "the HR pictures beside them")
    return unique(TestPicture(name=path.name, hr=path, lr=lr[key]) for key, path in hr.items())


def unique(pictures: Iterable[TestPicture]) -> tuple[TestPicture, ...]:
    """Return pictures whose names are told apart.

    Raises:
        InputError: Two have the same name.
    """
    found: dict[str, TestPicture] = {}
    for picture in pictures:
        if picture.name in found:
            raise InputError(
                f"two pictures of the set are called {shown(picture.name)}",
                hint="names identify pictures in tables; rename one, or judge the folders one by one",
            )
        found[picture.name] = picture
    return tuple(found.values())


def infer_scale(test_set: TestSet, default: int = 4) -> int:
    """Return how many HR pixels a set has for each LR pixel along a side; the default without ground truth.

    Raises:
        InputError: A picture can't be read, or the first HR picture is smaller than its LR picture.
    """
    for picture in test_set.pictures:
        if picture.hr is not None and picture.lr is not None:
            hr, lr = probe(picture.hr), probe(picture.lr)
            scale = round(hr.width / lr.width)
            if scale < 1:
                raise InputError(
                    f"{shown(picture.name)}: the ground truth ({hr.width}×{hr.height}) is smaller than the LR "
                    f"picture ({lr.width}×{lr.height})",
                    hint="are HR and LR swapped?",
                )
            return scale
    return default
