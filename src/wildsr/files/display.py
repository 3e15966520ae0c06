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


def counted(number: int, noun: str, one: str = "", many: str = "") -> str:
    """Return a number of things in words: `0 kernels`, `1 kernel`, `2 noise patches`.

    Args:
        number: How many.
        noun: What one of them is called.
        one: What is said of one, `is waiting` for example.
        many: What is said of several.
    """
    things = noun if number == 1 else f"{noun}{'es' if noun.endswith(('ch', 's', 'sh', 'x')) else 's'}"
    return " ".join(filter(None, (str(number), things, one if number == 1 else many)))
