"""TIFF directories (TIFF 6.0, BigTIFF, EXIF 2.3): read into plain values, written out again anywhere."""

import struct
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from wildsr.imaging.metadata.budget import Budget

SIZES = {
    1: 1,
    2: 1,
    3: 2,
    4: 4,
    5: 8,
    6: 1,
    7: 1,
    8: 2,
    9: 4,
    10: 8,
    11: 4,
    12: 8,
    13: 4,
    16: 8,
    17: 8,
    18: 8,
}
"""Bytes of one value by TIFF type."""
_UNIT = {5: 4, 10: 4}
"""Types whose values are pairs of smaller numbers, which is what a byte order swaps."""

EXIF_IFD, GPS_IFD, INTEROP_IFD = 0x8769, 0x8825, 0xA005
POINTERS = {EXIF_IFD: (INTEROP_IFD,), GPS_IFD: (), INTEROP_IFD: ()}
"""Directories that hang below others, and what may hang below them."""

_MAX_ENTRIES = 1000

Read = Callable[[int, int], bytes]
"""(offset, size) → bytes; fewer where the file ends."""


class TiffError(ValueError):
    """A TIFF structure that can't be followed."""


@dataclass(frozen=True)
class Layout:
    """How a TIFF structure writes its numbers."""

    order: str
    """`<` little-endian or `>` big-endian."""

    big: bool = False
    """BigTIFF: 64-bit offsets."""

    @property
    def entry_size(self) -> int:
        """Bytes of one directory entry."""
        return 20 if self.big else 12

    @property
    def inline(self) -> int:
        """Bytes of value an entry itself can hold."""
        return 8 if self.big else 4

    def unpack(self, code: str, data: bytes) -> int:
        """Return one number of struct `code`; TiffError where bytes are missing."""
        try:
            return int(struct.unpack(self.order + code, data)[0])
        except struct.error as error:
            raise TiffError("it ends too early") from error


@dataclass(frozen=True)
class Value:
    """One tag's value, its bytes in the order of the structure it was read from."""

    kind: int
    data: bytes


@dataclass(frozen=True)
class Directory:
    """Tags and the directories below them."""

    values: dict[int, Value] = field(default_factory=dict)
    below: dict[int, "Directory"] = field(default_factory=dict)


def read_start(read: Read) -> tuple[Layout, int]:
    """Return the layout of a TIFF structure and the offset of its first directory."""
    head = read(0, 16)
    order = {b"II": "<", b"MM": ">"}.get(head[:2])
    if order is None or len(head) < 8:
        raise TiffError("it does not begin as TIFF does")
    magic = Layout(order).unpack("H", head[2:4])
    if magic == 43:
        return Layout(order, big=True), Layout(order).unpack("Q", head[8:16])
    if magic != 42:
        raise TiffError("it does not begin as TIFF does")
    return Layout(order), Layout(order).unpack("I", head[4:8])


@dataclass(frozen=True)
class IfdEntry:
    """Where a tag's value lies."""

    position: int
    """Offset of the entry itself."""

    tag: int
    kind: int
    count: int
    at: int
    """Offset of the value (inside the entry when it is short)."""

    @property
    def size(self) -> int:
        """Bytes of the value."""
        return SIZES.get(self.kind, 1) * self.count


def read_entries(read: Read, layout: Layout, offset: int) -> tuple[list[IfdEntry], int]:
    """Return a directory's entries and the position of its next-directory pointer."""
    count_code, width = ("Q", 8) if layout.big else ("H", 2)
    count = layout.unpack(count_code, read(offset, width))
    if count > _MAX_ENTRIES:
        raise TiffError(f"a directory claims {count} entries")
    table = read(offset + width, count * layout.entry_size)
    if len(table) < count * layout.entry_size:
        raise TiffError("a directory ends too early")
    entries = []
    for i in range(count):
        position = offset + width + i * layout.entry_size
        raw = table[i * layout.entry_size : (i + 1) * layout.entry_size]
        tag, kind = struct.unpack(layout.order + "HH", raw[:4])
        number = layout.unpack("Q" if layout.big else "I", raw[4 : -layout.inline])
        at = position + layout.entry_size - layout.inline
        if SIZES.get(kind, 1) * number > layout.inline:
            at = layout.unpack("Q" if layout.big else "I", raw[-layout.inline :])
        entries.append(IfdEntry(position=position, tag=tag, kind=kind, count=number, at=at))
    return entries, offset + width + count * layout.entry_size


def read_value(read: Read, entry: IfdEntry, budget: Budget) -> Value | None:
    """Return a tag's value, or None where it is beyond the budget or not all there."""
    if entry.kind not in SIZES or not budget.take(entry.size):
        return None
    data = read(entry.at, entry.size)
    return Value(entry.kind, data) if len(data) == entry.size else None


def read_directory(
    read: Read,
    layout: Layout,
    offset: int,
    budget: Budget,
    *,
    pointers: tuple[int, ...] = (),
    wanted: Collection[int] | None = None,
) -> Directory:
    """Return a directory's values (of the tags `wanted`, or all) and the directories `pointers` lead to.

    Of several entries of one tag the first counts, so that no directory is walked through twice.
    """
    entries, _ = read_entries(read, layout, offset)
    if not budget.step(len(entries)):
        raise TiffError("it has more entries than any photo")
    values, below = {}, {}
    seen: set[int] = set()
    for entry in entries:
        if entry.tag in seen or (wanted is not None and entry.tag not in (*wanted, *pointers)):
            continue
        seen.add(entry.tag)
        value = read_value(read, entry, budget)
        if value is None:
            continue
        if entry.tag not in pointers:
            values[entry.tag] = value
            continue
        target = integer(value, layout)
        if target is not None:
            try:
                below[entry.tag] = read_directory(read, layout, target, budget, pointers=POINTERS[entry.tag])
            except TiffError:
                continue  # one unreadable directory does not spoil the others
    return Directory(values=values, below=below)


def integer(value: Value | None, layout: Layout) -> int | None:
    """Return a tag's first number, or None where there is none."""
    code = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q", 18: "Q"}.get(value.kind) if value else None
    if value is None or code is None or len(value.data) < SIZES[value.kind]:
        return None
    return layout.unpack(code, value.data[: SIZES[value.kind]])


def reorder(value: Value, source: str, target: str) -> bytes:
    """Return a value's bytes, written in `source` order, in `target` order."""
    unit = _UNIT.get(value.kind, SIZES[value.kind])
    if source == target or unit == 1:
        return value.data
    return b"".join(value.data[i : i + unit][::-1] for i in range(0, len(value.data), unit))


def write_directory(
    directory: Directory, source: str, layout: Layout, base: int, *, following: int = 0
) -> tuple[bytes, int]:
    """Return a directory and all below it as bytes that will lie at `base`, and the offset of its table.

    Args:
        directory: Values in `source` byte order.
        source: `<` or `>`.
        layout: Byte order and offset size to write.
        base: Even offset the bytes will have in their file.
        following: Offset of the next directory; 0 for none.
    """
    out = bytearray()
    fields: dict[int, tuple[int, int, bytes]] = {}
    for tag, child in directory.below.items():
        piece, table = write_directory(child, source, layout, base + len(out))
        out += piece
        fields[tag] = (
            (16, 1, struct.pack(layout.order + "Q", table))
            if layout.big
            else (4, 1, struct.pack(layout.order + "I", table))
        )
    for tag, value in directory.values.items():
        data = reorder(value, source, layout.order)
        fields[tag] = (value.kind, len(data) // SIZES[value.kind], data)
    number = "Q" if layout.big else "I"
    entries = []
    for tag in sorted(fields):
        kind, count, data = fields[tag]
        if len(data) > layout.inline:
            at = base + len(out)
            out += data + b"\0" * (len(data) % 2)
            data = struct.pack(layout.order + number, at)
        entries.append(
            struct.pack(layout.order + "HH" + number, tag, kind, count) + data.ljust(layout.inline, b"\0")
        )
    table = base + len(out)
    out += struct.pack(layout.order + ("Q" if layout.big else "H"), len(entries)) + b"".join(entries)
    out += struct.pack(layout.order + number, following)
    return bytes(out + b"\0" * (len(out) % 2)), table


def reader(data: bytes) -> Read:
    """Return a `Read` over bytes in memory."""
    return lambda offset, size: data[offset : offset + size]
