"""EXIF and XMP items of an AVIF file (ISO/IEC 14496-12 §8.11, 23008-12 annex A)."""

import io
import struct
from dataclasses import dataclass

from wildsr.imaging.containers import Edit, Found
from wildsr.imaging.containers.isobmff import Box, boxes
from wildsr.imaging.containers.jpeg import EXIF
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.opening import BinaryFile

_XMP_TYPE = b"application/rdf+xml"
_MOST_BOXES = 10_000
_IN_FILE, _IN_IDAT = 0, 1


@dataclass(frozen=True)
class _Item:
    """An item that is metadata: its number, kind, and where its type stands in the `meta` box."""

    number: int
    kind: str
    type_at: int


def read_metadata(file: BinaryFile, budget: Budget) -> Found:
    """Return EXIF and XMP, and the edit that hides EXIF; what can't be followed is left out, and said."""
    found: dict[str, bytes] = {}
    edits: list[Edit] = []
    notes: list[str] = []
    start, meta = _meta(file, budget)
    parts = {box.kind: box for box in boxes(meta, 4, len(meta))}
    try:
        items = _items(meta, parts[b"iinf"]) if b"iinf" in parts else []
        places = _places(meta, parts[b"iloc"], budget) if items and b"iloc" in parts else {}
        for item in items:
            if item.kind == "exif":
                edits.append((start + item.type_at, start + item.type_at + 4, b"skip"))
            if item.kind in found or item.number not in places:
                continue
            method, extents = places[item.number]
            if not budget.take(sum(length for _, length in extents)):
                notes.append(budget.refusal(item.kind.upper()))
                continue
            base = start + parts[b"idat"].start if method == _IN_IDAT and b"idat" in parts else 0
            found[item.kind] = b"".join(_read(file, base + at, length) for at, length in extents)
    except (struct.error, IndexError):
        notes.append("its metadata can't be followed and was left out")
    return Found(
        metadata=Metadata(exif=_block(found.get("exif", b"")), xmp=found.get("xmp") or None),
        edits=tuple(edits),
        notes=tuple(notes),
    )


def _block(data: bytes) -> bytes | None:
    """Return EXIF's TIFF block: an offset of four bytes says where it begins."""
    begin = 4 + int.from_bytes(data[:4], "big")
    return data[begin:].removeprefix(EXIF) or None


def _meta(file: BinaryFile, budget: Budget) -> tuple[int, bytes]:
    """Return where the payload of the first `meta` box begins, and the payload; empty where there is none."""
    length, at = file.seek(0, io.SEEK_END), 0
    for _ in range(_MOST_BOXES):
        head = _read(file, at, 16)
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1 and len(head) == 16:
            size, header = int.from_bytes(head[8:], "big"), 16
        size = size or length - at
        if len(head) < 8 or size < header:
            break
        if kind == b"meta":
            wanted = min(size - header, budget.left)
            return at + header, _read(file, at + header, wanted)
        at += size
    return 0, b""


def _items(meta: bytes, info: Box) -> list[_Item]:
    found = []
    for entry in boxes(meta, info.start + (8 if meta[info.start] else 6), info.stop):
        if entry.kind != b"infe" or meta[entry.start] not in (2, 3):
            continue
        width = 4 if meta[entry.start] == 3 else 2
        number = int.from_bytes(meta[entry.start + 4 : entry.start + 4 + width], "big")
        type_at = entry.start + 4 + width + 2
        kind = meta[type_at : type_at + 4]
        if kind == b"Exif":
            found.append(_Item(number, "exif", type_at))
        elif kind == b"mime" and meta[type_at + 4 : entry.stop].split(b"\0")[1:2] == [_XMP_TYPE]:
            found.append(_Item(number, "xmp", type_at))
    return found


def _places(meta: bytes, box: Box, budget: Budget) -> dict[int, tuple[int, list[tuple[int, int]]]]:
    """Return item → how its places are counted, and offset and length of each of its pieces."""
    version = meta[box.start]
    sizes = (
        meta[box.start + 4] >> 4,
        meta[box.start + 4] & 15,
        meta[box.start + 5] >> 4,
        meta[box.start + 5] & 15,
    )
    offset_size, length_size, base_size, index_size = sizes
    reader = _Numbers(meta[: box.stop], box.start + 6)
    wide = 4 if version == 2 else 2
    found = {}
    for _ in range(reader.next(wide)):
        number = reader.next(wide)
        method = reader.next(2) & 15 if version in (1, 2) else _IN_FILE
        reader.next(2)  # the file data lies in: this one
        base = reader.next(base_size)
        extents = []
        count = reader.next(2)
        if not budget.step(1 + count):  # pieces of no size take no bytes either
            raise IndexError("more pieces than any picture has")
        for _ in range(count):
            reader.next(index_size if version in (1, 2) else 0)
            at = base + reader.next(offset_size)
            extents.append((at, reader.next(length_size)))
        found[number] = (method, extents)
    return found


class _Numbers:
    """Reads numbers of given sizes one after another; IndexError where they end."""

    def __init__(self, data: bytes, at: int) -> None:
        self._data, self._at = data, at

    def next(self, size: int) -> int:
        """Return the next number of `size` bytes; 0 of none."""
        if self._at + size > len(self._data):
            raise IndexError("the table ends too early")
        self._at += size
        return int.from_bytes(self._data[self._at - size : self._at], "big")


def _read(file: BinaryFile, at: int, size: int) -> bytes:
    file.seek(at)
    return file.read(size)
