"""IPTC-IIM records (version 4), and the Photoshop wrapper JPEG carries them in."""

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wildsr.imaging.metadata.fields import IPTC_LEFT_OUT, IPTC_PREVIEW
from wildsr.imaging.metadata.places import IPTC_PLACES, UNJUDGED_IPTC

SIGNATURE = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404
_MARK = 0x1C
_APPLICATION = 2
"""The record about the picture's content."""


@dataclass(frozen=True)
class Dataset:
    """One dataset: where it lies, and what it is."""

    record: int
    number: int
    start: int
    stop: int


def datasets(records: bytes) -> Iterator[Dataset]:
    """Yield datasets in order, up to the first that is cut off or none."""
    at = 0
    while at + 5 <= len(records) and records[at] == _MARK:
        record, number, size = struct.unpack(">BBH", records[at + 1 : at + 5])
        start = at + 5
        if size & 0x8000:  # the length of a length
            start += size & 0x7FFF
            size = int.from_bytes(records[at + 5 : start], "big") if size & 0x7FFF <= 4 else len(records)
        if start + size > len(records):
            return
        yield Dataset(record, number, at, start + size)
        at = start + size


def rewritten(records: bytes, *, strip_place: bool = False) -> bytes | None:
    """Return records without what speaks of the old file's pixels, and of the place if asked; None for none."""
    kept = [
        records[one.start : one.stop]
        for one in datasets(records)
        if one.record not in IPTC_LEFT_OUT
        and not (one.record == _APPLICATION and one.number in IPTC_PREVIEW)
        and not (strip_place and one.record == _APPLICATION and one.number in IPTC_PLACES)
    ]
    return b"".join(kept) or None


def unjudged(records: bytes) -> tuple[str, ...]:
    """Return the names of datasets in words, which may say where a picture was taken."""
    numbers = {one.number for one in datasets(records) if one.record == _APPLICATION}
    return tuple(name for number, name in UNJUDGED_IPTC.items() if number in numbers)


def unwrapped(block: bytes) -> bytes | None:
    """Return the IPTC-IIM records of a JPEG APP13 segment or of bare records; None where there are none."""
    if not block.startswith(SIGNATURE):
        if not block.startswith(b"8BIM"):
            return block if block.startswith(b"\x1c") else None
        block = SIGNATURE + block
    at = len(SIGNATURE)
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        resource = struct.unpack(">H", block[at + 4 : at + 6])[0]
        name = block[at + 6] + 1
        start = at + 6 + name + name % 2
        size_field = block[start : start + 4]
        if len(size_field) < 4:
            return None
        size = struct.unpack(">I", size_field)[0]
        data = block[start + 4 : start + 4 + size]
        if resource == _IPTC_RESOURCE:
            return data if len(data) == size and data else None
        at = start + 4 + size + size % 2
    return None


def wrapped(records: bytes) -> bytes:
    """Return records as the payload of a JPEG APP13 segment."""
    resource = b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(records))
    return SIGNATURE + resource + records + b"\0" * (len(records) % 2)
