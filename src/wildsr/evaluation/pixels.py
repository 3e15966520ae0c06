"""Decoding of pictures for metrics, and checks of their sizes."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from wildsr.errors import InputError
from wildsr.files import shown
from wildsr.imaging import RESULT_LIMITS, open_source
from wildsr.metrics import Image

MOST_CROPPED = 16
"""Pixels `--crop` takes off a side at most: what cropping to a multiple of the scale costs, and no more."""


@dataclass(frozen=True, kw_only=True, eq=False)
class DecodedPicture:
    """A decoded picture."""

    pixels: Image
    """H×W×3: uint8, or float32 in [0, 1] where the file had 16 bits."""

    icc: bytes | None
    """Its colour profile."""

    notes: tuple[str, ...]
    """What is not judged, or was changed by reading."""


def load(path: Path) -> DecodedPicture:
    """Decode a picture for metrics: as encoded, gray as three equal channels, without transparency.

    Raises:
        InputError: It can't be read.
    """
    source = open_source(path, limits=RESULT_LIMITS)
    samples = source.samples[..., : 1 if source.gray else 3]
    if samples.dtype == np.uint8:
        pixels: Image = np.broadcast_to(samples, (*samples.shape[:2], 3)).astype(np.uint8)
    else:
        pixels = source.rgb(0, source.height, 0, source.width)
    notes = source.notes
    if source.has_alpha:
        notes = (*notes, "its transparency is not judged")
    return DecodedPicture(pixels=pixels, icc=source.metadata.icc, notes=notes)


def check_sizes(name: str, sr: tuple[int, int], hr: tuple[int, int], *, crop: bool) -> None:
    """Refuse two sizes (height, width) that differ, or with `crop` that differ by more than a crop explains.

    Raises:
        InputError: They differ.
    """
    if sr == hr:
        return
    sizes = f"{shown(name)}: the result is {sr[1]}×{sr[0]}, the ground truth {hr[1]}×{hr[0]} pixels"
    if not crop:
        raise InputError(
            sizes, hint="--crop cuts both to their common upper left part, where they differ a little"
        )
    if max(abs(sr[0] - hr[0]), abs(sr[1] - hr[1])) > MOST_CROPPED:
        raise InputError(
            f"{sizes}; --crop takes off {MOST_CROPPED} pixels a side at most",
            hint="compare results with the ground truth of their own scale",
        )


def common(sr: Image, hr: Image) -> tuple[Image, Image]:
    """Return both cut to their common size from the upper left corner, as cropping to a multiple does."""
    height, width = min(sr.shape[0], hr.shape[0]), min(sr.shape[1], hr.shape[1])
    return sr[:height, :width], hr[:height, :width]
