"""Where each file format keeps its metadata.

libvips re-serialises EXIF through libexif (unknown tags and makers' notes suffer; hostile ones take it minutes) and
writes none into TIFF, so metadata is read from files and goes into files here, byte for byte.
"""

from dataclasses import dataclass

from wildsr.imaging.metadata import Metadata

Edit = tuple[int, int, bytes]
"""Bytes `start` to `stop` of a file, and what is to stand there instead."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a file says beside its pixels."""

    metadata: Metadata
    """As found."""

    edits: tuple[Edit, ...] = ()
    """What the decoder of the pixels is not to see: it needs none of it, and could be made to work for hours."""

    notes: tuple[str, ...] = ()
    """What is damaged, beyond the budget, or a part of the file that is not read, in sentences for the user."""
