"""One EXIF block being edited where it stands: the work behind `exif`.

Makers' notes hold offsets into the block, so nothing may move: short values are overwritten, longer ones
appended, and a directory that must grow is written anew at the end.
"""

import struct
from collections.abc import Iterable

from wildsr.imaging.metadata import Resolution, regions
from wildsr.imaging.metadata.fields import EXIF, Rule
from wildsr.imaging.metadata.geometry import Change
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    GPS_IFD,
    INTEROP_IFD,
    POINTERS,
    IfdEntry,
    TiffError,
    read_entries,
    read_start,
)

_ORIENTATION, _SOFTWARE = 0x0112, 0x0131
X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT = 0x011A, 0x011B, 0x0128
_FOCAL_X, _FOCAL_Y = 0xA20E, 0xA20F
_SUB_IFDS = 0x014A
_THUMBNAIL_AT, _THUMBNAIL_SIZE = 0x0201, 0x0202
_TAIL = 64
"""A thumbnail that ends this close to the end of the block is cut off; elsewhere it is blanked."""
INCHES = 2
_MOST_DIRECTORIES = 8
_LONGEST_VALUE = 8
"""Bytes of the longest value that is rewritten."""
_PADDING = 0xEA1C
"""Microsoft's padding tag, which readers skip."""


class Editor:
    """One block being edited; directory 0 is rewritten by `finish`."""

    def __init__(self, block: bytes, change: Change) -> None:
        self._data = bytearray(block)
        self._change = change
        self._end = len(block)
        self._followed: set[int] = set()
        self._kept: list[tuple[int, int]] = [(0, 8)]
        self._below: dict[int, list[IfdEntry]] = {}
        self._layout, self._offset = read_start(self._read)
        if self._layout.big:
            raise TiffError("EXIF is never BigTIFF")
        self.entries, self._next_at = read_entries(self._read, self._layout, self._offset)
        self._kept.append((self._offset, self._next_at + 4))
        self._tables = [self._next_at + 4]
        self._fields = {e.tag: bytes(self._data[e.position : e.position + 12]) for e in self.entries}

    @property
    def utf16(self) -> str:
        """The codec of UTF-16 in the block's byte order."""
        return "utf-16-le" if self._layout.order == "<" else "utf-16-be"

    def _read(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])

    def _pack(self, code: str, *values: int) -> bytes:
        return struct.pack(self._layout.order + code, *values)

    def _number(self, entry: IfdEntry) -> int:
        code, size = ("H", 2) if entry.kind == 3 else ("I", 4)
        return self._layout.unpack(code, self._read(entry.at, size))

    def _directories(self, tag: int, entries: Iterable[IfdEntry]) -> list[list[IfdEntry]]:
        """Return the directories that entries of a tag point to, as far as they can be followed."""
        pointing: dict[int, set[int]] = {}
        for entry in entries:
            if entry.tag == tag and entry.kind in (4, 13) and entry.count == 1:
                pointing.setdefault(self._number(entry), set()).add(entry.position)
        found = []
        for offset, positions in pointing.items():
            try:
                entries_there, next_at = read_entries(self._read, self._layout, offset)
            except TiffError:
                continue
            found.append(entries_there)
            self._followed |= positions
            self._tables.append(next_at + 4)
            if tag != GPS_IFD:
                self._kept.append((offset, next_at))
            if len(found) == _MOST_DIRECTORIES:
                break
        return found

    def below(self, tag: int) -> list[IfdEntry]:
        """Return the entries of the directory `tag` points to, as found; none where it can't be followed."""
        if tag not in self._below:
            found = self._directories(tag, self.entries)
            self._below[tag] = [entry for directory in found for entry in directory]
        return self._below[tag]

    def follow_rules(self) -> None:
        """Do with every tag what the table says, and take thumbnails out."""
        exif = self.below(EXIF_IFD)
        above = {e.position: e for e in [*self.entries, *exif]}
        interop = [e for directory in self._directories(INTEROP_IFD, above.values()) for e in directory]
        places = [e for directory in self._directories(GPS_IFD, above.values()) for e in directory]
        judged = above | {e.position: e for e in interop}
        whole = {position for position, entry in judged.items() if self._is_whole(entry)}
        self._remove_thumbnails([*(judged[position] for position in whole), *places])
        main = {entry.position for entry in self.entries}
        gone: list[tuple[int, int]] = []
        for position, entry in judged.items():
            _, rule = EXIF.get(entry.tag, ("", None))
            if position in whole and (rule is None or rule in ("upright", "resolution")):
                continue
            field = self._field(entry, rule) if position in whole and rule else None
            if field is None and entry.size > 4 and (position in whole or rule == "left out"):
                gone.append((entry.at, entry.at + entry.size))
            if position in main:
                if field is None:
                    self._fields.pop(entry.tag, None)
                elif entry.tag in self._fields:
                    self._fields[entry.tag] = field
            self._data[position : position + 12] = field or self._emptied(entry)
        self._swap_density(exif)
        self._blank_all(gone)

    def _field(self, entry: IfdEntry, rule: Rule) -> bytes | None:
        """Return the 12 bytes of an entry as its rule wants it, or None for one that is to go."""
        same = self._read(entry.position, 12)
        change = self._change
        if rule in ("width", "height"):
            if entry.kind not in (3, 4) or entry.count != 1:
                return None
            return self._pack("HHII", entry.tag, 4, 1, change.after[rule == "height"])
        whole = self._read(entry.at, entry.size) if entry.size <= _LONGEST_VALUE else b""
        if not change.uniform or rule == "left out" or len(whole) < entry.size:
            return None
        if rule == "points" and entry.kind == 3 and 2 <= entry.count <= 4:
            values = list(struct.unpack(f"{self._layout.order}{entry.count}H", whole))
            moved = [round(value) for value in regions.moved_area([float(v) for v in values], change)]
            if not all(0 <= value <= 65535 for value in moved):
                return None  # more than the tag's type can say
            data = self._pack(f"{entry.count}H", *moved)
            self._data[entry.at : entry.at + len(data)] = data
            return same if entry.size > 4 else same[:8] + data.ljust(4, b"\0")
        if rule == "density" and entry.kind == 5 and entry.count == 1:
            above, below = struct.unpack(self._layout.order + "2I", whole)
            axis = (entry.tag == _FOCAL_Y) != change.quarter
            grown = regions.fraction(f"{above}/{below}")
            if grown is None or change.scale[axis] == 1:
                return same
            grown = (grown * change.scale[axis]).limit_denominator(1 << 16)
            if max(grown.numerator, grown.denominator) >= 1 << 32:
                return None
            self._data[entry.at : entry.at + 8] = self._pack("2I", grown.numerator, grown.denominator)
            return same
        return None

    def _emptied(self, entry: IfdEntry) -> bytes:
        """Return an entry without content: private padding, since a directory below can't shrink where it is."""
        return self._pack("HHI", _PADDING, 7, 0) + b"\0\0\0\0"

    def _swap_density(self, exif: list[IfdEntry]) -> None:
        if not self._change.quarter:
            return
        found = {e.tag: e for e in exif if e.kind == 5 and e.count == 1 and e.tag in (_FOCAL_X, _FOCAL_Y)}
        if len(found) == 2:
            x, y = found[_FOCAL_X], found[_FOCAL_Y]
            values = self._read(x.at, 8), self._read(y.at, 8)
            if len(values[0]) == len(values[1]) == 8:
                self._data[x.at : x.at + 8], self._data[y.at : y.at + 8] = values[1], values[0]

    def _is_whole(self, entry: IfdEntry) -> bool:
        """Return whether a value ends within the block as read, and a directory's place leads to one.

        Of another, what is appended would become part.
        """
        if entry.tag in POINTERS:
            return entry.position in self._followed
        return entry.size <= 4 or entry.at + entry.size <= self._end

    def _remove_thumbnails(self, used: Iterable[IfdEntry]) -> None:
        """Blank directory 1 and other pictures' directories, with all they point to; cut them off where last."""
        offsets = [self._layout.unpack("I", self._read(self._next_at, 4).ljust(4, b"\0"))]
        self._data[self._next_at : self._next_at + 4] = b"\0\0\0\0"
        for entry in self.entries:
            if entry.tag == _SUB_IFDS and entry.kind in (4, 13):
                few = self._read(entry.at, 4 * min(entry.count, _MOST_DIRECTORIES))
                offsets += [self._layout.unpack("I", few[i : i + 4]) for i in range(0, len(few) - 3, 4)]
        spans: list[tuple[int, int]] = []
        for first in offsets[: 1 + _MOST_DIRECTORIES]:
            spans += self._picture_at(first)
        needed = self._extent(used)
        end = len(self._data)
        self._blank_all(spans)
        starts = [start for start, _ in spans if start >= needed]
        reaches_end = any(end - _TAIL <= stop <= end for _, stop in spans)
        if starts and reaches_end and len(starts) == len(spans):
            del self._data[min(starts) :]

    def _picture_at(self, offset: int) -> list[tuple[int, int]]:
        """Return what the directory of a picture at `offset` takes, with its values and pixels."""
        if offset == 0:
            return []
        try:
            entries, next_at = read_entries(self._read, self._layout, offset)
        except TiffError:
            return []
        spans = [(offset, next_at + 4)] + [(e.at, e.at + e.size) for e in entries if e.size > 4]
        numbers = {e.tag: self._number(e) for e in entries if e.kind in (3, 4)}
        if _THUMBNAIL_AT in numbers and _THUMBNAIL_SIZE in numbers:
            spans.append((numbers[_THUMBNAIL_AT], numbers[_THUMBNAIL_AT] + numbers[_THUMBNAIL_SIZE]))
        return spans

    def _extent(self, entries: Iterable[IfdEntry]) -> int:
        """Return the offset behind everything directory 0 and those below it use."""
        return max([*self._tables, *(min(entry.at + entry.size, self._end) for entry in entries)])

    def _blank_all(self, spans: Iterable[tuple[int, int]]) -> None:
        """Overwrite bytes with zeros but what is kept, each once however many spans hold it."""
        kept = [(start, bytes(self._data[start:stop])) for start, stop in self._kept]
        done = 0
        for start, stop in sorted(spans):
            low, high = max(start, done), min(stop, len(self._data))
            if low < high:
                self._data[low:high] = bytes(high - low)
                done = high
        for start, data in kept:
            self._data[start : start + len(data)] = data

    @property
    def states_resolution(self) -> bool:
        """True where directory 0 has a tag of resolution."""
        return any(tag in self._fields for tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT))

    def set_resolution(self, resolution: Resolution | None) -> None:
        """State dots per inch, or none."""
        for tag in (X_RESOLUTION, Y_RESOLUTION, RESOLUTION_UNIT):
            self._fields.pop(tag, None)
        if resolution is None:
            return
        for tag, dots in ((X_RESOLUTION, resolution.x), (Y_RESOLUTION, resolution.y)):
            whole = dots == round(dots)
            value = self._pack("2I", round(dots if whole else dots * 10_000), 1 if whole else 10_000)
            self._fields[tag] = self._pack("HHII", tag, 5, 1, self._append(value))
        unit = self._pack("HHIHH", RESOLUTION_UNIT, 3, 1, INCHES, 0)
        self._fields[RESOLUTION_UNIT] = unit

    def set_software(self, name: bytes) -> None:
        """State the program that made the picture."""
        self.add(_SOFTWARE, 2, name)

    def has(self, tag: int) -> bool:
        """Return whether directory 0, or Exif's own, has a tag."""
        name = self._pack("H", tag)
        below = (self._read(entry.position, 2) for entry in self.below(EXIF_IFD) if entry.tag == tag)
        return tag in self._fields or name in below

    def add(self, tag: int, kind: int, data: bytes) -> None:
        """Give directory 0 a tag of bytes or letters."""
        self._fields[tag] = self._entry(tag, kind, data)

    def add_to_exif(self, tag: int, kind: int, data: bytes) -> None:
        """Give Exif's own directory a tag: its table is written anew at the end."""
        now = [entry for directory in self._directories(EXIF_IFD, self.entries) for entry in directory]
        table = {e.tag: self._read(e.position, 12) for e in now if e.tag != _PADDING}
        table[tag] = self._entry(tag, kind, data)
        fields = b"".join(table[one] for one in sorted(table))
        at = self._append(self._pack("H", len(table)) + fields + b"\0\0\0\0")
        self._fields[EXIF_IFD] = self._pack("HHII", EXIF_IFD, 4, 1, at)

    def _entry(self, tag: int, kind: int, data: bytes) -> bytes:
        value = data.ljust(4, b"\0") if len(data) <= 4 else self._pack("I", self._append(data))
        return self._pack("HHI", tag, kind, len(data)) + value

    def blank_gps(self) -> None:
        """Remove GPS directories, wherever one is pointed at, and overwrite what they said.

        Raises:
            TiffError: What one said may still be somewhere.
        """
        exif = self.below(EXIF_IFD)
        places = [e for directory in self._directories(GPS_IFD, [*self.entries, *exif]) for e in directory]
        said = {(entry.at, entry.at + entry.size) for entry in places}
        outside = [(low, high) for low, high in said if high - low > 4]
        for start, stop in set(self._kept):
            if any(low < stop and start < high for low, high in outside):
                raise TiffError("a place lies over the header or a directory: where it really is isn't known")
        self._blank_all(said)
        for entry in places:
            self._data[entry.position : entry.position + 12] = bytes(12)
        self._fields.pop(GPS_IFD, None)
        for entry in exif:
            if entry.tag == GPS_IFD:
                self._data[entry.position : entry.position + 12] = self._emptied(entry)

    def _append(self, data: bytes) -> int:
        if len(self._data) % 2:
            self._data.append(0)
        at = len(self._data)
        self._data += data + b"\0" * (len(data) % 2)
        return at

    def finish(self) -> bytes:
        """Return the block with directory 0 written back, moved to the end where it grew or shrank."""
        if _ORIENTATION in self._fields:
            self._fields[_ORIENTATION] = self._pack("HHIHH", _ORIENTATION, 3, 1, 1, 0)
        table = b"".join(self._fields[tag] for tag in sorted(self._fields))
        count = self._pack("H", len(self._fields))
        if len(self._fields) == len(self.entries):
            self._data[self._offset : self._offset + 2 + len(table)] = count + table
        else:
            at = self._append(count + table + b"\0\0\0\0")
            self._data[4:8] = self._pack("I", at)
        return bytes(self._data)
