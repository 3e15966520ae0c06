"""Clean pictures out of a camera's own photos: shrinking takes noise and JPEG out (RealSR, Algorithm 1, step 3)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from wildsr.data.pairs import CLEAN_UP
from wildsr.data.photos import Bytes
from wildsr.errors import InputError
from wildsr.files import make_folder
from wildsr.imaging import Picture, WriteOptions, open_source, resize_uint8, write

_LARGEST_SIDE: Final = 3072
"""Pixels of a photo that are used, from its middle: more photos teach more than more of one photo."""


@dataclass(frozen=True, kw_only=True)
class Cleaned:
    """What became of a folder's photos."""

    pictures: tuple[Path, ...]
    """Clean pictures, half as large as their photos along a side."""

    skipped: tuple[str, ...]
    """`name: why not` of the others."""


def clean_up(
    photos: Sequence[Path], folder: Path, *, least_side: int, done: Callable[[int, int], None] | None = None
) -> Cleaned:
    """Shrink photos by 2 (antialiased bicubic) into PNG files; those that are there already are kept.

    Args:
        photos: In any format that imaging reads; from very large ones the middle is taken.
        folder: Gets the pictures; made when missing.
        least_side: Pixels that a clean picture needs along a side to be of use.
        done: Called after each photo with (how many, of how many).

    Raises:
        OutputError: The folder can't be written.
    """
    make_folder(folder)
    pictures: list[Path] = []
    skipped: list[str] = []
    for number, photo in enumerate(photos):
        target = folder / f"{number:05d}.png"
        try:
            if not target.exists():
                _shrink(photo, target, least_side)
            pictures.append(target)
        except InputError as error:
            skipped.append(f"{photo.name}: {error}")
        if done is not None:
            done(number + 1, len(photos))
    return Cleaned(pictures=tuple(pictures), skipped=tuple(skipped))


def _shrink(photo: Path, target: Path, least_side: int) -> None:
    source = open_source(photo)
    if min(source.height, source.width) < CLEAN_UP * least_side:
        raise InputError(
            f"it is {source.width} × {source.height} pixels; {CLEAN_UP * least_side} along each side are needed, "
            f"since it is shrunk by {CLEAN_UP} to be clean"
        )
    rows, columns = (_middle(length) for length in (source.height, source.width))
    rgb: Bytes = np.rint(source.rgb(rows.start, rows.stop, columns.start, columns.stop) * 255).astype(
        np.uint8
    )
    small = resize_uint8(rgb, scale=1 / CLEAN_UP)
    write(
        Picture(rgb=small.astype(np.float32) / np.float32(255)), target, options=WriteOptions(overwrite=True)
    )


def _middle(length: int) -> slice:
    """The part of a side that is used, a multiple of the clean-up's factor."""
    kept = min(length, _LARGEST_SIDE) // CLEAN_UP * CLEAN_UP
    start = (length - kept) // 2
    return slice(start, start + kept)
