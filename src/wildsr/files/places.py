"""When two paths are one place."""

import os
import unicodedata
from collections.abc import Sequence
from pathlib import Path


def places(paths: Sequence[Path]) -> list[str]:
    """Return one name for one place, whatever links, `..`, upper case or Unicode form lead there.

    Names that differ only in case or Unicode form are one on macOS, Windows and SMB, where results may be
    copied to.
    """
    folders: dict[str, str] = {}
    places = []
    for path in paths:
        folder, name = os.path.split(path)
        if folder not in folders:
            folders[folder] = _folded(os.path.realpath(folder))
        places.append(f"{folders[folder]}/{_folded(name)}")
    return places


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", text).casefold())
