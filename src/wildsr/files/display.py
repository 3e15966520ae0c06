"""How a file name is shown to people: names may hold control characters and bytes that are no text."""

import os

from wildsr.errors import printable


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path as one printable line: control characters and bytes that are no text appear as `\xNN`."""
    return printable(os.fspath(path))


def shown_some(paths: list[str], *, most: int = 3) -> str:
    """Return the first few of many names, and how many more there are."""
    rest = len(paths) - most
    return ", ".join(paths[:most]) + (f" and {rest} more" if rest > 0 else "")
