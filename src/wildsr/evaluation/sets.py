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
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from wildsr.errors import InputError
from wildsr.files import shown
from wildsr.files.display import shown_some
from wildsr.files.matching import Tree, match, refuse_missing, same_depth, tree
from wildsr.imaging import RESULT_LIMITS, probe

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
    """Name of the HR picture where there is one, else of the LR or SR picture; with its folders below the set's
    where pictures of the set would share a name."""

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
        return TestSet(name=name, pictures=paired(twin, folder))
    hr, lr = _role_folders(folder, scale)
    if hr is not None and lr is not None:
        return TestSet(name=name, pictures=paired(hr, lr))
    if hr is not None:
        raise InputError(
            f"the set {shown(name)} has {shown(hr.name)} but no LR pictures for ×{scale}",
            hint="put them into a folder LR beside it, or name their scale with --scale",
        )
    found = tree(lr or folder)
    return TestSet(name=name, pictures=_side_by_side(found, scale) or unpaired(found))


def paired(hr: Path, lr: Path) -> tuple[TestPicture, ...]:
    """Return the pictures of two folders, each with ground truth and input; every one must have both.

    Raises:
        InputError: Counterparts that are missing, by name.
    """
    truths, inputs = same_depth(tree(hr), tree(lr))
    found = match(list(truths), list(inputs))
    refuse_missing(found.unmatched, lr.name)
    refuse_missing(found.spare, "the HR pictures")
    return tuple(
        TestPicture(name=name, hr=path, lr=inputs[found.pairs[name]]) for name, path in truths.items()
    )


def unpaired(found: Tree) -> tuple[TestPicture, ...]:
    """Return pictures without ground truth, called by their file names where these tell them apart."""
    names = _short(list(found))
    return tuple(TestPicture(name=name, lr=path) for name, path in zip(names, found.values(), strict=True))


def _short(names: Sequence[str]) -> Sequence[str]:
    """The names without folders, if they are still unique."""
    short = [PurePosixPath(name).name for name in names]
    return short if len(set(short)) == len(short) else names


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


def _side_by_side(found: Tree, scale: int) -> tuple[TestPicture, ...]:
    """Pair `a_HR` with `a_LR4` (or `aH` with `aL`) in the same folder; nothing where no name says so."""
    hr: dict[tuple[str, str], str] = {}
    lr: dict[tuple[str, str], str] = {}
    for name in found:
        folder, stem = PurePosixPath(name).parent.as_posix(), PurePosixPath(name).stem
        if _HR_STEM.search(stem):
            hr[folder, _HR_STEM.sub("", stem)] = name
        elif (role := _LR_STEM.search(stem)) and role[1] in (None, str(scale)):
            lr[folder, _LR_STEM.sub("", stem)] = name
    folders = {folder for folder, _ in lr} & {folder for folder, _ in hr}
    testing = {folder for folder in folders if "test" in folder.casefold().split("/")}
    folders = testing or folders
    if not folders:
        return ()
    hr = {key: name for key, name in hr.items() if key[0] in folders}
    lr = {key: name for key, name in lr.items() if key[0] in folders}
    refuse_missing([name for key, name in hr.items() if key not in lr], "the LR pictures beside them")
    refuse_missing([name for key, name in lr.items() if key not in hr], "the HR pictures beside them")
    return tuple(
        TestPicture(name=short, hr=found[name], lr=found[lr[key]])
        for short, (key, name) in zip(_short(list(hr.values())), hr.items(), strict=True)
    )


def infer_scale(test_set: TestSet, default: int = 4) -> int:
    """Return how many HR pixels a set has for each LR pixel along a side; the default without ground truth.

    Raises:
        InputError: A picture can't be read, or the first HR picture is smaller than its LR picture.
    """
    for picture in test_set.pictures:
        if picture.hr is not None and picture.lr is not None:
            hr, lr = probe(picture.hr, limits=RESULT_LIMITS), probe(picture.lr)
            scale = round(hr.width / lr.width)
            if scale < 1:
                raise InputError(
                    f"{shown(picture.name)}: the ground truth ({hr.width}×{hr.height}) is smaller than the LR "
                    f"picture ({lr.width}×{lr.height})",
                    hint="are HR and LR swapped?",
                )
            return scale
    return default
