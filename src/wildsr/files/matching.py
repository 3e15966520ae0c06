"""Which pictures belong together: matched by name, as the data sets of the field name them, folder by folder.

`baby.png`, `babyx4.png`, `baby_x4.png`, `baby_SR.webp`; RealSR's `Canon_001_HR.png` and `Canon_001_LR4.png`;
Huang's `img_001_SRF_4_HR.png`; names with a method's name behind them (`baby_x4_esrgan.png`). In trees the folders
must be the same: `s1/a.png` and `s1/a_x4.png`.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final

from wildsr.errors import InputError
from wildsr.files.display import shown, shown_some
from wildsr.files.walk import find_pictures

_SUFFIX: Final = re.compile(
    r"(?:(?<=.)[_\-. ]?x\d{1,2}(?:\.\d+)?|[_\-. ](?:bic)?(?:lr|hr|sr|gt|lq|hq)x?[2-8]?|[_\-. ]srf[_\-]?[2-8]"
    r"|[_\-. ](?:out|fake|result|bic|bicubic|upscaled|w\d+|max\d+))$",
    re.IGNORECASE,
)
_BOUNDARY: Final = re.compile(r"[_\-. ]|x\d", re.IGNORECASE)

_Key = tuple[str, str]

Tree = Mapping[str, Path]
"""Name of a picture below its folder, with `/` between folders → file."""


def core_name(stem: str) -> str:
    """Return a stem without the suffixes that name a role or a scale, in lower case.

    >>> core_name("babyx4"), core_name("Canon_001_LR4"), core_name("img_001_SRF_4_HR"), core_name("0001_bicLRx4")
    ('baby', 'canon_001', 'img_001', '0001')
    """
    while True:
        shorter = _SUFFIX.sub("", stem)
        if shorter in (stem, ""):
            return stem.casefold()
        stem = shorter


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Which of the given names belongs to which of the wanted ones."""

    pairs: Mapping[str, str]
    """Wanted name → given name, in the order of the wanted."""

    unmatched: tuple[str, ...]
    """Wanted names that nothing belongs to."""

    spare: tuple[str, ...]
    """Given names that belong to nothing."""


def match(wanted: Sequence[str], given: Sequence[str]) -> Matching:
    """Give every wanted name the given name of the same picture.

    Within a folder (letter case aside) equal stems come first, then equal stems in another case, then equal core
    names; then the same in folders that differ by a suffix (`s1` and `s1_x4`), and without folders where one side has
    none; then given names that begin with a wanted one and go on after `_`, `-`, `.`, a space or a scale (the longest
    such beginning decides).

    Args:
        wanted: Names below a folder, with `/` between folders.
        given: The same below another folder.

    Raises:
        InputError: Two names belong to one equally well.
    """
    pairs: dict[str, str] = {}
    left_wanted, left_given = list(wanted), list(given)
    keys: list[Callable[[str], _Key]] = [_stem, _cased, _core, _loose]
    if not any("/" in name for name in wanted) or not any("/" in name for name in given):
        keys.append(_flat)
    for key in keys:
        _match_equal(_grouped(left_wanted, key), _grouped(left_given, key), pairs)
        used = set(pairs.values())
        left_wanted = [name for name in left_wanted if name not in pairs]
        left_given = [name for name in left_given if name not in used]
    _match_beginnings(left_wanted, left_given, pairs)
    used = set(pairs.values())
    return Matching(
        pairs={name: pairs[name] for name in wanted if name in pairs},
        unmatched=tuple(name for name in wanted if name not in pairs),
        spare=tuple(name for name in given if name not in used),
    )


def tree(folder: Path) -> dict[str, Path]:
    """Return the pictures of a folder and of those inside it, in natural order.

    Raises:
        InputError: There are none, or a part of the folder can't be read.
    """
    found = find_pictures([folder], recursive=True)
    if found.problems:
        problem = found.problems[0]
        raise InputError(
            f"{shown(problem.path)} {problem.reason}", hint="a set is judged whole or not at all"
        )
    return {one.relative.as_posix(): one.path for one in found.pictures}


def same_depth(*trees: Tree) -> tuple[Tree, ...]:
    """Return trees as deep as they can be compared.

    Where every tree has pictures in folders, all of them count. Where one has none there, the folders of the others
    hold something else (earlier results, crops), and only what lies on top of them counts, if anything does.
    """
    if all(any("/" in name for name in one) for one in trees):
        return trees
    return tuple({name: path for name, path in one.items() if "/" not in name} or one for one in trees)


def refuse_missing(missing: Sequence[str], where: str) -> None:
    """Raise InputError where pictures have no counterpart."""
    if missing:
        several = len(missing) > 1
        raise InputError(
            f"{shown_some([shown(name) for name in missing], most=5)} {'have' if several else 'has'} "
            f"no counterpart in {shown(where)}",
            hint="pictures are matched by name: the same folder and stem, or one with _x4, _SR, _HR, _LR4 … behind it",
        )


def _folder(name: str) -> str:
    return PurePosixPath(name).parent.as_posix().casefold()


def _stem(name: str) -> _Key:
    return _folder(name), PurePosixPath(name).stem


def _cased(name: str) -> _Key:
    return _folder(name), PurePosixPath(name).stem.casefold()


def _core(name: str) -> _Key:
    return _folder(name), core_name(PurePosixPath(name).stem)


def _loose(name: str) -> _Key:
    folder = PurePosixPath(name).parent
    return "/".join(core_name(part) for part in folder.parts), core_name(PurePosixPath(name).stem)


def _flat(name: str) -> _Key:
    return "", core_name(PurePosixPath(name).stem)


def _grouped(names: Sequence[str], key: Callable[[str], _Key]) -> dict[_Key, list[str]]:
    groups: dict[_Key, list[str]] = {}
    for name in names:
        groups.setdefault(key(name), []).append(name)
    return groups


def _match_equal(
    wanted: Mapping[_Key, Sequence[str]], given: Mapping[_Key, Sequence[str]], pairs: dict[str, str]
) -> None:
    for key, ones in wanted.items():
        if key in given:
            pairs[_only(given[key][0], ones)] = _only(ones[0], given[key])


def _match_beginnings(wanted: Sequence[str], given: Sequence[str], pairs: dict[str, str]) -> None:
    found: dict[str, list[str]] = {}
    cores = [(one, *_core(one)) for one in wanted]
    for name in given:
        folder, stem = _cased(name)
        fitting = [
            (core, one)
            for one, place, core in cores
            if place == folder and stem.startswith(core) and _BOUNDARY.match(stem[len(core) :])
        ]
        if fitting:
            found.setdefault(max(fitting, key=lambda pair: len(pair[0]))[1], []).append(name)
    for one, several in found.items():
        pairs[one] = _only(one, several)


def _only(wanted: str, found: Sequence[str]) -> str:
    if len(found) > 1:
        names = " and ".join(shown(name) for name in found[:3])
        raise InputError(
            f"{names} both belong to {shown(wanted)} by name; one picture of each is expected",
            hint="put results of different methods into different folders",
        )
    return found[0]
