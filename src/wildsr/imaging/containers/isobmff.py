"""Boxes and item tables of AVIF and HEIC (ISO/IEC 14496-12, 23008-12), read before a library sees the file."""

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from wildsr.imaging.opening import BinaryFile

_MAX_BOXES = 100_000
"""Boxes that are looked at in one file; a photo of 48 tiles has some 200."""
_PROPERTY_INDEX = 0x7F


class BoxError(ValueError):
    """A box structure that can't be followed."""


@dataclass(frozen=True)
class Box:
    """One box: `start` is where its payload begins, behind size and type."""

    kind: bytes
    at: int
    start: int
    stop: int


@dataclass(frozen=True, kw_only=True)
class Items:
    """What the `meta` box of a file says about the items in it."""

    primary: int
    """The item that is the picture."""

    types: dict[int, bytes]
    """Item → its four-character type."""

    texts: tuple[bytes, ...]
    """Content types of items, and names of auxiliary pictures."""

    properties: dict[int, tuple[tuple[bytes, bytes], ...]]
    """Item → type and payload of each property it is associated with, in the order of association."""

    references: tuple[tuple[bytes, int, tuple[int, ...]], ...]
    """Kind of reference, the item it is from, the items it is to."""

    def property_of(self, item: int, kind: bytes) -> bytes | None:
        """Return the payload of the first property of a kind that an item has, or None."""
        return next((data for name, data in self.properties.get(item, ()) if name == kind), None)


def boxes(data: bytes, start: int, stop: int) -> Iterator[Box]:
    """Yield the boxes between two offsets; ends at the first that makes no sense."""
    while start + 8 <= stop:
        size, kind = struct.unpack(">I4s", data[start : start + 8])
        head = 8
        if size == 1 and start + 16 <= stop:
            size, head = struct.unpack(">Q", data[start + 8 : start + 16])[0], 16
        end = stop if size == 0 else start + size
        if (size and size < head) or end > stop:
            return
        yield Box(kind, start, start + head, end)
        start = end


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The boxes of a file that say what is in it."""

    meta: bytes = b""
    """Payload of the first `meta` box."""

    moov: bytes = b""
    """Payload of the first `moov` box: an image sequence's."""

    end: int = 0
    """Where the last box ends."""


def top_level(file: BinaryFile, limit: int) -> Tables:
    """Return a file's tables, of at most `limit` bytes each.

    Raises:
        BoxError: One is larger, or not all there.
    """
    found: dict[bytes, bytes] = {}
    length = file.seek(0, io.SEEK_END)
    at = 0
    for _ in range(_MAX_BOXES):
        file.seek(at)
        head = file.read(16)
        size, kind, header = int.from_bytes(head[:4], "big"), head[4:8], 8
        if size == 1 and len(head) == 16:
            size, header = int.from_bytes(head[8:], "big"), 16
        size = size or length - at  # 0: to the end of the file
        if len(head) < 8 or size < header or not kind.strip(b"\0"):
            break
        if kind in (b"meta", b"moov") and kind not in found:
            if size - header > limit:
                raise BoxError(f"a table of {size - header:,} bytes; at most {limit:,} are read")
            file.seek(at + header)
            found[kind] = file.read(size - header)
            if len(found[kind]) < size - header:
                raise BoxError("it ends in the middle of its tables")
        at = min(at + size, length)
    return Tables(meta=found.get(b"meta", b""), moov=found.get(b"moov", b""), end=at)


def read_items(meta: bytes) -> Items:
    """Return the item tables of a `meta` box's payload.

    Raises:
        BoxError: A table is missing, cut short or of an unknown version.
    """
    try:
        parts = {box.kind: box for box in boxes(meta, 4, len(meta))}
        if not {b"pitm", b"iinf"} <= set(parts):
            raise BoxError("its tables of items are missing")
        primary = parts[b"pitm"]
        width = 4 if meta[primary.start] else 2
        types, texts = _read_info(meta, parts[b"iinf"])
        return Items(
            primary=int.from_bytes(meta[primary.start + 4 : primary.start + 4 + width], "big"),
            types=types,
            texts=(*texts, *_auxiliary_names(meta, parts.get(b"iprp"))),
            properties=_read_properties(meta, parts.get(b"iprp")),
            references=tuple(_read_references(meta, parts.get(b"iref"))),
        )
    except (struct.error, IndexError) as error:
        raise BoxError("a table ends too early") from error


def _read_info(meta: bytes, box: Box) -> tuple[dict[int, bytes], list[bytes]]:
    """Return item → type, and the content types of items (`infe` versions 2 and 3)."""
    types: dict[int, bytes] = {}
    texts: list[bytes] = []
    for entry in boxes(meta, box.start + (8 if meta[box.start] else 6), box.stop):
        if entry.kind != b"infe" or entry.stop - entry.start < 4:
            continue
        version = meta[entry.start]
        if version not in (2, 3):
            raise BoxError(f"an item entry of version {version}")
        width = 4 if version == 3 else 2
        at = entry.start + 4
        item = int.from_bytes(meta[at : at + width], "big")
        kind = meta[at + width + 2 : min(at + width + 6, entry.stop)]
        if len(kind) < 4:
            raise BoxError("an item entry ends too early")
        types[item] = kind
        if kind == b"mime":
            texts += meta[at + width + 6 : entry.stop].split(b"\0")[1:2]
    return types, texts


def _read_properties(meta: bytes, box: Box | None) -> dict[int, tuple[tuple[bytes, bytes], ...]]:
    """Return item → its properties, by the association tables (`ipma`)."""
    if box is None:
        return {}
    known: list[tuple[bytes, bytes]] = []
    associated: dict[int, list[int]] = {}
    for part in boxes(meta, box.start, box.stop):
        if part.kind == b"ipco":
            known += [(one.kind, meta[one.start : one.stop]) for one in boxes(meta, part.start, part.stop)]
        elif part.kind == b"ipma":
            for item, indices in _associations(meta, part):
                associated.setdefault(item, []).extend(indices)
    return {
        item: tuple(known[index - 1] for index in indices if 1 <= index <= len(known))
        for item, indices in associated.items()
    }


def _associations(meta: bytes, box: Box) -> Iterator[tuple[int, list[int]]]:
    """Yield an association table's items, and the numbers of their properties, counted from 1."""
    version, wide = meta[box.start], meta[box.start + 3] & 1
    width = 4 if version else 2
    count = struct.unpack(">I", meta[box.start + 4 : box.start + 8])[0]
    at = box.start + 8
    for _ in range(count):
        if at + width >= box.stop:
            raise BoxError("a table of properties ends too early")
        item, number = int.from_bytes(meta[at : at + width], "big"), meta[at + width]
        at += width + 1
        step = 2 if wide else 1
        pieces = [meta[at + step * i : at + step * (i + 1)] for i in range(number)]
        at += step * number
        if at > box.stop:
            raise BoxError("a table of properties ends too early")
        mask = (_PROPERTY_INDEX << 8 | 0xFF) if wide else _PROPERTY_INDEX
        yield item, [int.from_bytes(piece, "big") & mask for piece in pieces]


def _auxiliary_names(meta: bytes, box: Box | None) -> list[bytes]:
    """Return the types of auxiliary pictures (`auxC`), used by an item or not."""
    if box is None:
        return []
    parts = [part for part in boxes(meta, box.start, box.stop) if part.kind == b"ipco"]
    names = [one for part in parts for one in boxes(meta, part.start, part.stop) if one.kind == b"auxC"]
    return [meta[one.start + 4 : one.stop].split(b"\0")[0] for one in names]


def _read_references(meta: bytes, box: Box | None) -> Iterator[tuple[bytes, int, tuple[int, ...]]]:
    if box is None:
        return
    width = 4 if meta[box.start] else 2
    for one in boxes(meta, box.start + 4, box.stop):
        count = int.from_bytes(meta[one.start + width : one.start + width + 2], "big")
        first = one.start + width + 2
        if first + count * width > one.stop:
            raise BoxError("a table of references ends too early")
        targets = [meta[first + width * i : first + width * (i + 1)] for i in range(count)]
        source = int.from_bytes(meta[one.start : one.start + width], "big")
        yield one.kind, source, tuple(int.from_bytes(target, "big") for target in targets)


def sequence_length(moov: bytes) -> int:
    """Return the pictures in the longest track of an image sequence, 0 where that can't be followed."""
    longest = 0
    for track in boxes(moov, 0, len(moov)):
        inside = [track]
        for kind in (b"trak", b"mdia", b"minf", b"stbl", b"stsz"):
            inside = [box for box in inside if box.kind == kind]
            if kind != b"stsz":
                inside = [child for box in inside for child in boxes(moov, box.start, box.stop)]
        for box in inside:
            longest = max(longest, int.from_bytes(moov[box.start + 8 : box.start + 12], "big"))
    return longest
