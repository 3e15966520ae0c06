"""Which pictures belong together: matched by name, as the data sets of the field name them.

`baby.png`, `babyx4.png`, `baby_x4.png`, `baby_SR.webp`; RealSR's `Canon_001_HR.png` and `Canon_001_LR4.png`;
Huang's `img_001_SRF_4_HR.png`; names with a method's name behind them (`baby_x4_esrgan.png`).
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.errors import InputError
from wildsr.files import shown

_SUFFIX: Final = re.compile(
    r"(?:(?<=.)[_\-. ]?x\d{1,2}(?:\.\d+)?|[_\-. ](?:lr|hr|sr|gt|lq|hq)[2-8]?|[_\-. ]srf[_\-]?[2-8]"
    r"|[_\-. ](?:out|fake|result|bicubic|upscaled|w\d+|max\d+))$",
    re.IGNORECASE,
)
_BOUNDARY: Final = re.compile(r"[_\-. ]|x\d", re.IGNORECASE)


def core_name(stem: str) -> str:
    """Return a stem without the suffixes that name a role or a scale, in lower case.

    >>> core_name("babyx4"), core_name("Canon_001_LR4"), core_name("img_001_SRF_4_HR")
    ('baby', 'canon_001', 'img_001')
    """
    while True:
        shorter = _SUFFIX.sub("", stem)
        if shorter in (stem, ""):
            return stem.casefold()
        stem = shorter


@dataclass(frozen=True, kw_only=True)
class Matching:
    """Which of the given files belongs to which of the wanted ones."""

    pairs: Mapping[Path, Path]
    """Wanted file → given file, in the order of the wanted."""

    unmatched: tuple[Path, ...]
    """Wanted files that nothing belongs to."""

    spare: tuple[Path, ...]
    """Given files that belong to nothing."""


def match(wanted: Sequence[Path], given: Sequence[Path]) -> Matching:
    """Give every wanted file the given file of the same picture.

    Equal stems come first, then equal core names, then given names that begin with a wanted one and go on
    after `_`, `-`, `.`, a space or a scale (the longest such beginning decides).

    Raises:
        InputError: Two files belong to one equally well.
    """
    pairs: dict[Path, Path] = {}
    left_wanted, left_given = list(wanted), list(given)
    for key in (_stem, _core):
        _match_equal(_grouped(left_wanted, key), _grouped(left_given, key), pairs)
        used = set(pairs.values())
        left_wanted = [path for path in left_wanted if path not in pairs]
        left_given = [path for path in left_given if path not in used]
    _match_beginnings(left_wanted, left_given, pairs)
    used = set(pairs.values())
    return Matching(
        pairs={path: pairs[path] for path in wanted if path in pairs},
        unmatched=tuple(path for path in wanted if path not in pairs),
        spare=tuple(path for path in given if path not in used),
    )


def _stem(path: Path) -> str:
    return path.stem


def _core(path: Path) -> str:
    return core_name(path.stem)


def _grouped(paths: Sequence[Path], key: Callable[[Path], str]) -> dict[str, list[Path]]:
    groups: dict[str, list[Path]] = {}
    for path in paths:
        groups.setdefault(key(path), []).append(path)
    return groups


def _match_equal(
    wanted: Mapping[str, Sequence[Path]], given: Mapping[str, Sequence[Path]], pairs: dict[Path, Path]
) -> None:
    for name, ones in wanted.items():
        if name in given:
            pairs[_only(given[name][0], ones)] = _only(ones[0], given[name])


def _match_beginnings(wanted: Sequence[Path], given: Sequence[Path], pairs: dict[Path, Path]) -> None:
    found: dict[Path, list[Path]] = {}
    for path in given:
        stem = path.stem.casefold()
        fitting = [
            one
            for one in wanted
            if stem.startswith(core := _core(one)) and _BOUNDARY.match(stem[len(core) :])
        ]
        if fitting:
            found.setdefault(max(fitting, key=lambda one: len(_core(one))), []).append(path)
    for one, several in found.items():
        pairs[one] = _only(one, several)


def _only(wanted: Path, found: Sequence[Path]) -> Path:
    if len(found) > 1:
        names = " and ".join(shown(path.name) for path in found[:3])
        raise InputError(
            f"{names} both belong to {shown(wanted.name)} by name; one picture of each is expected",
            hint="put results of different methods into different folders",
        )
    return found[0]
