"""TIFF's directory as the place for metadata: read from any file, added to one just written."""

import io
import struct
from typing import Protocol

from wildsr.imaging.metadata import Metadata, Resolution
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    GPS_IFD,
    Directory,
    Layout,
    Read,
    TiffError,
    Value,
    integer,
    read_directory,
    read_entries,
    read_start,
    reader,
    reorder,
    write_directory,
)

_XMP, _IPTC, _ICC = 700, 33723, 34675
_X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT = 282, 283, 296
_NO_UNIT, _INCHES, _CENTIMETRES = 1, 2, 3
_OWN = 1 << 32
"""Bytes of values in a directory just written: the offsets and sizes of its strips."""
_DESCRIBING = (
    0x010D,
    0x010E,
    0x010F,
    0x0110,
    0x0131,
    0x0132,
    0x013B,
    0x013C,
    0x8298,
    0x4746,
    0x4749,
    *range(0x9C9B, 0x9CA0),
)
"""Tags of a picture's directory that describe it: name, description, make, model, software, date, artist, host,
copyright, ratings, Windows' title and comments. All others describe how the pixels are stored."""


class Readable(Protocol):
    """A seekable binary file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        ...

    def read(self, size: int, /) -> bytes:
        """As `io.RawIOBase.read`."""
        ...


def read_metadata(file: Readable, budget: Budget) -> Metadata:
    """Return what a TIFF file's first directory says about its picture, within the budget."""
    read = file_reader(file)
    layout, offset = read_start(read)
    wanted = (*_DESCRIBING, _ICC, _XMP, _IPTC, _X_RESOLUTION, _Y_RESOLUTION, _RESOLUTION_UNIT)
    found = read_directory(read, layout, offset, budget, pointers=(EXIF_IFD, GPS_IFD), wanted=wanted)
    values = {tag: found.values[tag] for tag in _DESCRIBING if tag in found.values}
    exif = None
    if values or found.below:
        body, table = write_directory(
            Directory(values=values, below=found.below), layout.order, Layout(layout.order), 8
        )
        mark = b"II*\0" if layout.order == "<" else b"MM\0*"
        exif = mark + table.to_bytes(4, "little" if layout.order == "<" else "big") + body
    return Metadata(
        icc=_blob(found.values.get(_ICC)),
        exif=exif,
        xmp=_blob(found.values.get(_XMP)),
        iptc=_iptc(found.values.get(_IPTC), layout),
        resolution=_resolution(found, layout),
    )


def _resolution(found: Directory, layout: Layout) -> Resolution | None:
    unit = integer(found.values.get(_RESOLUTION_UNIT), layout) or _INCHES
    dots = [_rational(found.values.get(tag), layout) for tag in (_X_RESOLUTION, _Y_RESOLUTION)]
    factor = {_INCHES: 1.0, _CENTIMETRES: 2.54}.get(unit)
    return Resolution.found(dots[0] * factor, dots[1] * factor) if factor else None


def _rational(value: Value | None, layout: Layout) -> float:
    if value is None or value.kind != 5 or len(value.data) < 8:
        return 0.0
    below = layout.unpack("I", value.data[4:8])
    return layout.unpack("I", value.data[:4]) / below if below else 0.0


def _blob(value: Value | None) -> bytes | None:
    return value.data if value is not None and value.data else None


def _iptc(value: Value | None, layout: Layout) -> bytes | None:
    """Return IPTC records; many writers call them 32-bit numbers and swap them with the file's byte order."""
    if value is None:
        return None
    data = value.data
    if value.kind == 4 and not data.startswith(b"\x1c"):
        data = reorder(value, layout.order, ">" if layout.order == "<" else "<")
    return data if data.startswith(b"\x1c") else None


class Writable(Protocol):
    """A file that can be read back and added to; `write` takes all it is given."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        ...

    def read(self, size: int, /) -> bytes:
        """As `io.RawIOBase.read`."""
        ...

    def write(self, data: bytes, /) -> int:
        """Write all of `data`."""
        ...


def add_metadata(file: Writable, metadata: Metadata) -> None:
    """Give a TIFF file just written metadata: a fuller directory at its end replaces its first one; others follow it.

    Raises:
        TiffError: The file, or the EXIF block, can't be followed.
    """
    read = file_reader(file)
    layout, offset = read_start(read)
    written = read_directory(read, layout, offset, Budget(_OWN))
    next_at = read_entries(read, layout, offset)[1]
    following = layout.unpack("Q" if layout.big else "I", read(next_at, layout.inline))
    values = dict(written.values)
    below = {}
    if metadata.exif:
        block = reader(metadata.exif)
        source, start = read_start(block)
        # values that lie over each other can't together be more than the block
        exif = read_directory(block, source, start, Budget(len(metadata.exif)), pointers=(EXIF_IFD, GPS_IFD))
        for tag in _DESCRIBING:
            if tag in exif.values:
                value = exif.values[tag]
                values[tag] = Value(value.kind, reorder(value, source.order, layout.order))
        below = {tag: _reordered(child, source.order, layout.order) for tag, child in exif.below.items()}
    for tag, blob in ((_ICC, metadata.icc), (_XMP, metadata.xmp), (_IPTC, metadata.iptc)):
        if blob:
            values[tag] = Value(7 if tag != _XMP else 1, blob)
    values |= _resolution_values(metadata.resolution, layout)
    base = file.seek(0, io.SEEK_END)
    if base % 2:
        base += file.write(b"\0")
    body, table = write_directory(
        Directory(values=values, below=below), layout.order, layout, base, following=following
    )
    file.write(body)
    file.seek(8 if layout.big else 4)
    file.write(table.to_bytes(8 if layout.big else 4, "little" if layout.order == "<" else "big"))


def _resolution_values(resolution: Resolution | None, layout: Layout) -> dict[int, Value]:
    """Return the three tags, which baseline TIFF requires, in place of the encoder's; without a unit for none."""
    dots = (1.0, 1.0) if resolution is None else (resolution.x, resolution.y)
    unit = _NO_UNIT if resolution is None else _INCHES
    return {
        _X_RESOLUTION: Value(5, struct.pack(layout.order + "2I", round(dots[0] * 10_000), 10_000)),
        _Y_RESOLUTION: Value(5, struct.pack(layout.order + "2I", round(dots[1] * 10_000), 10_000)),
        _RESOLUTION_UNIT: Value(3, struct.pack(layout.order + "H", unit)),
    }


def _reordered(directory: Directory, source: str, target: str) -> Directory:
    return Directory(
        values={tag: Value(v.kind, reorder(v, source, target)) for tag, v in directory.values.items()},
        below={tag: _reordered(child, source, target) for tag, child in directory.below.items()},
    )


def file_reader(file: Readable) -> Read:
    """Return a `Read` over an open file."""

    def read(offset: int, size: int) -> bytes:
        try:
            file.seek(offset)
            return file.read(size) if size >= 0 else b""
        except (OSError, ValueError, OverflowError) as error:  # an offset beyond what a file can have
            raise TiffError("an offset leads nowhere") from error

    return read
