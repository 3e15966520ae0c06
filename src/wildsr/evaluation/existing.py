"""Results that exist, put beside their ground truth."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wildsr.errors import InputError, UsageError
from wildsr.evaluation.methods import Results
from wildsr.evaluation.names import match
from wildsr.evaluation.sets import TestPicture, TestSet, pictures_in, refuse_missing, unique
from wildsr.files import shown


def existing_results(
    sr: Sequence[Path], *, hr: Path | None = None, lr: Path | None = None
) -> tuple[TestSet, list[Results]]:
    """Return the set and the methods that results and ground truth make.

    A folder of results is a method, named after it. Files are the results of one method, named after their
    folder; where the ground truth is one file, every file is a method of its own, named after its stem.

    Args:
        sr: Folders, or files.
        hr: Folder or file of ground truth; None for metrics that need none.
        lr: Folder or file of LR pictures, for metrics that compare with them.

    Raises:
        InputError: Something doesn't exist, or has no counterpart.
        UsageError: Files and folders that can't be put together.
    """
    for path in (*sr, *(one for one in (hr, lr) if one is not None)):
        if not path.exists():
            raise InputError(f"{shown(path)} does not exist", hint="give folders or files of pictures")
    if hr is not None and hr.is_file():
        test_set, methods = _one_truth(sr, hr)
    else:
        test_set, methods = _many(sr, hr)
    names = [method.name for method in methods]
    if len(set(names)) < len(names):
        raise UsageError(
            f"two methods would be called alike: {', '.join(map(shown, names))}",
            hint="methods are named after their folders (or files); rename one",
        )
    return (test_set if lr is None else _with_lr(test_set, lr)), methods


def results_for(test_set: TestSet, folder: Path) -> Results:
    """Return a folder of results for a set.

    Raises:
        InputError: Pictures of the set without a result, or results without a picture.
    """
    return Results(folder.resolve().name, _files(test_set, pictures_in(folder), folder.name))


def _one_truth(sr: Sequence[Path], hr: Path) -> tuple[TestSet, list[Results]]:
    folders = [path for path in sr if path.is_dir()]
    if folders:
        raise UsageError(
            f"the ground truth {shown(hr.name)} is one file, but {shown(folders[0])} is a folder",
            hint="give files with a file, or folders with a folder",
        )
    test_set = TestSet(name=hr.name, pictures=(TestPicture(name=hr.name, hr=hr),))
    return test_set, [Results(path.stem, {hr.name: path}) for path in sr]


def _many(sr: Sequence[Path], hr: Path | None) -> tuple[TestSet, list[Results]]:
    groups = [(path.resolve().name, pictures_in(path)) for path in sr if path.is_dir()]
    files = [path for path in sr if not path.is_dir()]
    if files:
        groups.append((files[0].resolve().parent.name, files))
    if hr is None:
        name, leading = groups[0]
        test_set = TestSet(name=name, pictures=unique(TestPicture(name=path.name) for path in leading))
    else:
        truths = pictures_in(hr)
        if len(files) == len(sr):  # chosen results are judged alone
            asked = match(truths, files).pairs
            truths = [path for path in truths if path in asked] or truths
        pictures = unique(TestPicture(name=path.name, hr=path) for path in truths)
        test_set = TestSet(name=hr.resolve().name, pictures=pictures)
    return test_set, [Results(name, _files(test_set, given, name)) for name, given in groups]


def _with_lr(test_set: TestSet, lr: Path) -> TestSet:
    given = pictures_in(lr) if lr.is_dir() else [lr]
    if len(test_set.pictures) == 1 and len(given) == 1:
        pictures: tuple[TestPicture, ...] = (replace(test_set.pictures[0], lr=given[0]),)
    else:
        found = match([Path(picture.name) for picture in test_set.pictures], given)
        refuse_missing(found.unmatched, lr.name)
        pictures = tuple(replace(one, lr=found.pairs[Path(one.name)]) for one in test_set.pictures)
    return replace(test_set, pictures=pictures)


def _files(test_set: TestSet, given: Sequence[Path], name: str) -> Mapping[str, Path]:
    found = match([Path(picture.name) for picture in test_set.pictures], given)
    refuse_missing(found.unmatched, name)
    refuse_missing(found.spare, test_set.name)
    return {wanted.name: path for wanted, path in found.pairs.items()}
