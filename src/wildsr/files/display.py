"""How a file name is shown to people: names may hold control characters and bytes that are no text."""

import os


def shown(path: str | os.PathLike[str]) -> str:
    r"""Return a path as one printable line.

    Control characters (a newline, an escape sequence meant for the terminal) and bytes that are not UTF-8
    appear as `\xNN`; everything else, in any script, stays as it is.
    """
    characters = []
    for character in os.fspath(path):
        if 0xDC80 <= ord(character) <= 0xDCFF:  # a byte that was not UTF-8 (PEP 383)
            characters.append(f"\\x{ord(character) - 0xDC00:02x}")
        elif character.isprintable():
            characters.append(character)
        else:
            characters.append(character.encode("unicode_escape", "backslashreplace").decode("ascii"))
    return "".join(characters)


def shown_some(paths: list[str], *, most: int = 3) -> str:
    """Return the first few of many names, and how many more there are."""
    rest = len(paths) - most
    return ", ".join(paths[:most]) + (f" and {rest} more" if rest > 0 else "")
