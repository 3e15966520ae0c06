"""A part of a picture as a file: arrays in a ZIP archive, and of which picture they are."""

import json
import zipfile
from pathlib import Path
from typing import Final, cast

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from wildsr.engine.blend import Strip
from wildsr.engine.rows import IntegerStrip

_FACTS: Final = "facts.json"
_ARRAYS: Final = ("rows", "head", "tail")
_LEVEL: Final = 1


class PartError(Exception):
    """A part that is gone, damaged, or of another picture; made again, it will be whole."""


def save_part(part: IntegerStrip, path: Path, *, picture: str) -> None:
    """Write a part.

    Args:
        part: What one row of tiles makes.
        path: The file.
        picture: SHA-256 of the picture's file.
    """
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL) as archive:
        archive.writestr(_FACTS, json.dumps({"picture": picture}))
        for name, array in zip(_ARRAYS, (part.rows, part.head, part.tail), strict=True):
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                npy.write_array(file, array, allow_pickle=False)


def load_part(path: Path, *, picture: str) -> IntegerStrip:
    """Read a part.

    Args:
        path: The file.
        picture: SHA-256 of the picture it must be of.

    Raises:
        PartError: It can't be used.
        FileNotFoundError: It is gone.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            found = json.loads(archive.read(_FACTS))["picture"]
            rows, head, tail = (_array(archive, name) for name in _ARRAYS)
    except FileNotFoundError:
        raise
    except (OSError, EOFError, zipfile.BadZipFile, ValueError, KeyError, TypeError) as error:
        raise PartError(f"{path.name} is damaged ({error})") from error
    if found != picture:
        raise PartError(f"{path.name} is of another version of the picture")
    return Strip(
        rows=cast("NDArray[np.uint8 | np.uint16]", rows),
        head=cast("NDArray[np.float32]", head),
        tail=cast("NDArray[np.float32]", tail),
    )


def _array(archive: zipfile.ZipFile, name: str) -> NDArray[np.generic]:
    with archive.open(f"{name}.npy") as file:
        array: NDArray[np.generic] = npy.read_array(file, allow_pickle=False)
    if array.ndim != 3:
        raise ValueError(f"{name} has {array.ndim} dimensions")
    return array
