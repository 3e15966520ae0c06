"""Small pictures for the page, made by workers: browsers can't show every format, nor every size."""

from pathlib import Path
from typing import Final

import numpy as np

from wildsr.imaging import Limits, Metadata, Picture, WriteOptions, open_source, resize, write
from wildsr.imaging.picture import FloatArray
from wildsr.imaging.source import Source

SIDE: Final = 2048
_QUALITY: Final = 92


def write_preview(path: Path, target: Path, *, limits: Limits, side: int = SIDE) -> None:
    """Write a WebP of a photo that is at most `side` pixels long, with its colour profile and nothing else.

    Raises:
        InputError: The photo can't be read.
        OutputError: The preview can't be written.
    """
    source = open_source(path, limits=limits)
    rgb = _reduced(source, max(1, max(source.height, source.width) // side))
    longest = max(rgb.shape[:2])
    if longest > side:
        height, width = (max(1, round(one * side / longest)) for one in rgb.shape[:2])
        rgb = np.clip(resize(rgb, (height, width)), 0, 1)
    picture = Picture(rgb=rgb, metadata=Metadata(icc=None if source.gray else source.metadata.icc))
    write(picture, target, options=WriteOptions(quality=_QUALITY))


def _reduced(source: Source, factor: int) -> FloatArray:
    """Return the means of blocks of `factor` × `factor` pixels, band by band, so that no copy in float is made."""
    rows, columns = source.height // factor, source.width // factor
    if factor == 1 or not rows or not columns:
        return source.rgb(0, source.height, 0, source.width)
    out = np.empty((rows, columns, 3), np.float32)
    for row in range(rows):
        band = source.rgb(row * factor, (row + 1) * factor, 0, columns * factor)
        out[row] = band.reshape(factor, columns, factor, 3).mean(axis=(0, 2))
    return out
