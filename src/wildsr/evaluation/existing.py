"""Existing results, paired with their ground truth and LR pictures."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from wildsr.errors import InputError, UsageError
from wildsr.evaluation.methods import Results
from wildsr.evaluation.sets import TestPicture, TestSet
from wildsr.files import shown
from wildsr.files.matching import Tree, match, refuse_missing, same_depth, tree


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
    truths = {picture.name: Path(picture.name) for picture in test_set.pictures}
    _, found = same_depth(truths, tree(folder))
    return Results(folder.resolve().name, _files(test_set, found, folder.name))


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
    names = [path.resolve().name for path in sr if path.is_dir()]
    groups: list[Tree] = [tree(path) for path in sr if path.is_dir()]
    files = _by_name([path for path in sr if not path.is_dir()])
    if files:
        names.append(next(iter(files.values())).resolve().parent.name)
        groups.append(files)
    if hr is None:
        groups = list(same_depth(*groups))
        test_set = TestSet(name=names[0], pictures=tuple(TestPicture(name=name) for name in groups[0]))
    else:
        truths, *groups = same_depth(tree(hr), *groups)
        if len(files) == len(sr):  # chosen results are judged alone
            asked = match(list(truths), list(files)).pairs
            truths = {name: path for name, path in truths.items() if name in asked} or truths
        pictures = tuple(TestPicture(name=name, hr=path) for name, path in truths.items())
        test_set = TestSet(name=hr.resolve().name, pictures=pictures)
    return test_set, [
        Results(name, _files(test_set, given, name)) for name, given in zip(names, groups, strict=True)
    ]


def _by_name(files: Sequence[Path]) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in files:
        if path.name in found:
            raise InputError(
                f"two of the files are called {shown(path.name)}",
                hint="give their folders instead: each is judged as a method",
            )
        found[path.name] = path
    return found


def _with_lr(test_set: TestSet, lr: Path) -> TestSet:
    truths = {picture.name: Path(picture.name) for picture in test_set.pictures}
    given = same_depth(truths, tree(lr))[1] if lr.is_dir() else {lr.name: lr}
    if len(test_set.pictures) == 1 and len(given) == 1:
        path = next(iter(given.values()))
        return replace(test_set, pictures=(replace(test_set.pictures[0], lr=path),))
    found = match(list(truths), list(given))
    refuse_missing(found.unmatched, lr.name)
    pictures = tuple(replace(one, lr=given[found.pairs[one.name]]) for one in test_set.pictures)
    return replace(test_set, pictures=pictures)


def _files(test_set: TestSet, given: Tree, name: str) -> Mapping[str, Path]:
    found = match([picture.name for picture in test_set.pictures], list(given))
    refuse_missing(found.unmatched, name)
    refuse_missing(found.spare, test_set.name)
    return {wanted: given[result] for wanted, result in found.pairs.items()}
