"""EXIF blocks edited in place: what is not named here stays byte for byte where it was.

Makers' notes hold offsets into the block, so nothing may move: short values are overwritten, longer ones
appended, and a directory that must grow is written anew at the end.
"""

import struct

from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    GPS_IFD,
    Directory,
    IfdEntry,
    Layout,
    TiffError,
    Value,
    read_entries,
    read_start,
    reader,
    write_directory,
)

PREFIX = b"Exif\0\0"
_ORIENTATION, _SOFTWARE = 0x0112, 0x0131
_THUMBNAIL_AT, _THUMBNAIL_SIZE = 0x0201, 0x0202
_WIDTHS, _HEIGHTS = (0x0100, 0xA002), (0x0101, 0xA003)
_TAIL = 64
"""A thumbnail that ends this close to the end of the block is cut off; elsewhere it is blanked."""


def bare(block: bytes) -> bytes:
    """Return an EXIF block without the prefix some containers put before it."""
    return block[len(PREFIX) :] if block.startswith(PREFIX) else block


def orientation_of(block: bytes) -> int:
    """Return the orientation a block states, 1 to 8; 1 where it states none that makes sense."""
    try:
        read = reader(block)
        layout, offset = read_start(read)
        entries, _ = read_entries(read, layout, offset)
        for entry in entries:
            if entry.tag == _ORIENTATION and entry.kind == 3:
                value = layout.unpack("H", read(entry.at, 2))
                return value if 1 <= value <= 8 else 1
    except TiffError:
        pass
    return 1


def settled(block: bytes) -> bytes:
    """Return a block whose orientation is 1 and whose thumbnail is gone: true again once pixels are turned.

    Raises:
        TiffError: The block can't be followed.
    """
    return _Editor(block).finish()


def stamped(block: bytes | None, *, width: int, height: int, software: str, strip_gps: bool = False) -> bytes:
    """Return a block true for the picture written: its size and program, orientation 1, no thumbnail.

    Args:
        block: What was read, or None to begin a new one.
        width: Pixels.
        height: Pixels.
        software: Goes to the Software tag.
        strip_gps: Blank where the picture was taken.

    Raises:
        TiffError: The block can't be followed.
    """
    name = software.encode("ascii", "replace") + b"\0"
    if block is None:
        values = {_ORIENTATION: Value(3, b"\x01\x00"), _SOFTWARE: Value(2, name)}
        body, table = write_directory(Directory(values=values), "<", Layout("<"), 8)
        return struct.pack("<2sHI", b"II", 42, table) + body
    editor = _Editor(block)
    editor.set_sizes(width, height)
    editor.set_software(name)
    if strip_gps:
        editor.blank_gps()
    return editor.finish()


class _Editor:
    """One block being edited; directory 0 is rewritten by `finish`."""

    def __init__(self, block: bytes) -> None:
        self._data = bytearray(block)
        self._layout, self._offset = read_start(self._read)
        if self._layout.big:
            raise TiffError("EXIF is never BigTIFF")
        self._entries, self._next_at = read_entries(self._read, self._layout, self._offset)
        self._fields = {e.tag: bytes(self._data[e.position : e.position + 12]) for e in self._entries}
        self._remove_thumbnail()

    def _read(self, offset: int, size: int) -> bytes:
        return bytes(self._data[offset : offset + size])

    def _number(self, entry: IfdEntry) -> int:
        code, size = ("H", 2) if entry.kind == 3 else ("I", 4)
        return self._layout.unpack(code, self._read(entry.at, size))

    def _below(self, tag: int) -> list[IfdEntry]:
        """Return the entries of the directory `tag` points to; none where it can't be followed."""
        for entry in self._entries:
            if entry.tag == tag and entry.kind in (4, 13):
                try:
                    return read_entries(self._read, self._layout, self._number(entry))[0]
                except TiffError:
                    return []
        return []

    def _remove_thumbnail(self) -> None:
        """Blank directory 1 and the picture it points to; cut them off where they are last."""
        first = self._layout.unpack("I", self._read(self._next_at, 4).ljust(4, b"\0"))
        self._data[self._next_at : self._next_at + 4] = b"\0\0\0\0"
        if first == 0:
            return
        try:
            entries, next_at = read_entries(self._read, self._layout, first)
        except TiffError:
            return
        spans = [(first, next_at + 4)] + [(e.at, e.at + e.size) for e in entries if e.size > 4]
        numbers = {e.tag: self._number(e) for e in entries if e.kind in (3, 4)}
        if _THUMBNAIL_AT in numbers and _THUMBNAIL_SIZE in numbers:
            at = numbers[_THUMBNAIL_AT]
            spans.append((at, at + numbers[_THUMBNAIL_SIZE]))
        needed = self._extent()
        end = len(self._data)
        for start, stop in spans:
            if start >= 8 and stop > start:
                self._blank(start, stop)
        starts = [start for start, stop in spans if start >= needed]
        reaches_end = any(end - _TAIL <= stop <= end for _, stop in spans)
        if starts and reaches_end and len(starts) == len(spans):
            del self._data[min(starts) :]

    def _extent(self) -> int:
        """Return the offset behind everything directory 0 and those below it use."""
        used = [self._next_at + 4]
        for entry in self._entries + self._below(EXIF_IFD) + self._below(GPS_IFD):
            used += [entry.position + 16, entry.at + entry.size]
        return max(used)

    def _blank(self, start: int, stop: int) -> None:
        stop = min(stop, len(self._data))
        if start < stop:
            self._data[start:stop] = bytes(stop - start)

    def set_sizes(self, width: int, height: int) -> None:
        """Correct every stated picture size that is there."""
        for entry in self._entries + self._below(EXIF_IFD):
            for tags, value in ((_WIDTHS, width), (_HEIGHTS, height)):
                if entry.tag in tags and entry.kind in (3, 4) and entry.count == 1:
                    field = struct.pack(self._layout.order + "HHII", entry.tag, 4, 1, value)
                    self._data[entry.position : entry.position + 12] = field
                    if entry.tag in self._fields and entry in self._entries:
                        self._fields[entry.tag] = field

    def set_software(self, name: bytes) -> None:
        """State the program that made the picture."""
        at = self._append(name) if len(name) > 4 else None
        value = name.ljust(4, b"\0") if at is None else struct.pack(self._layout.order + "I", at)
        self._fields[_SOFTWARE] = struct.pack(self._layout.order + "HHI", _SOFTWARE, 2, len(name)) + value

    def blank_gps(self) -> None:
        """Remove the GPS directory and overwrite what it said."""
        for entry in self._below(GPS_IFD):
            self._blank(entry.at, entry.at + entry.size)
            self._blank(entry.position, entry.position + 12)
        self._fields.pop(GPS_IFD, None)

    def _append(self, data: bytes) -> int:
        if len(self._data) % 2:
            self._data.append(0)
        at = len(self._data)
        self._data += data + b"\0" * (len(data) % 2)
        return at

    def finish(self) -> bytes:
        """Return the block with directory 0 written back, moved to the end where it grew or shrank."""
        if _ORIENTATION in self._fields:
            head = struct.pack(self._layout.order + "HHIH", _ORIENTATION, 3, 1, 1)
            self._fields[_ORIENTATION] = head + b"\0\0"
        table = b"".join(self._fields[tag] for tag in sorted(self._fields))
        count = struct.pack(self._layout.order + "H", len(self._fields))
        if len(self._fields) == len(self._entries):
            self._data[self._offset : self._offset + 2 + len(table)] = count + table
        else:
            at = self._append(count + table + b"\0\0\0\0")
            self._data[4:8] = struct.pack(self._layout.order + "I", at)
        return bytes(self._data)
