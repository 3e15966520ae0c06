"""Patterns (`photos/*.jpg`, `photos/**/*.png`) that the shell left unexpanded, because quoted or on Windows.

The standard library's `glob` follows links under `**` and so visits a folder that links to itself up to 2**40
times.
"""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_MAGIC: Final = frozenset("*?[")


def is_pattern(text: str) -> bool:
    """Tell whether a name has one of the wildcards `*`, `?` and `[`."""
    return not _MAGIC.isdisjoint(text)


def expand(pattern: Path) -> tuple[Path, list[Path]]:
    """Return the folder a pattern starts from and the paths it matches, as a shell with `globstar` would.

    Names that begin with a dot match only a pattern that does too; `**` stands for any number of real folders
    (links are not followed). Folders that can't be read match nothing.
    """
    parts = pattern.parts
    fixed = next(number for number, part in enumerate(parts) if is_pattern(part))
    root = Path(*parts[:fixed])
    rest = list(parts[fixed:])
    if rest[-1] == "**":
        rest.append("*")
    matches = [root]
    for part in rest:  # stage by stage, each path once: `**/**/**` stays cheap
        matches = list(dict.fromkeys(match for folder in matches for match in _step(folder, part)))
    return root, matches


def _step(folder: Path, part: str) -> Iterator[Path]:
    if part == "**":
        yield from _folders(folder)
    elif is_pattern(part):
        for name in _names(folder):
            if fnmatch.fnmatchcase(name, part) and (name[0] != "." or part[0] == "."):
                yield folder / name
    elif os.path.lexists(folder / part):
        yield folder / part


def _names(folder: Path) -> list[str]:
    try:
        return sorted(path.name for path in folder.iterdir())
    except OSError:
        return []


def _folders(folder: Path) -> Iterator[Path]:
    waiting = [folder]
    while waiting:
        here = waiting.pop()
        yield here
        try:
            with os.scandir(here) as entries:
                below = [e.name for e in entries if e.name[0] != "." and e.is_dir(follow_symlinks=False)]
        except OSError:
            continue
        waiting.extend(here / name for name in sorted(below, reverse=True))
