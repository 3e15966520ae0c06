"""TIFF's directory as the place for metadata: read from any file, added to one just written."""

import io
from dataclasses import dataclass
from typing import Protocol

from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.ifd import (
    EXIF_IFD,
    GPS_IFD,
    Budget,
    Directory,
    Layout,
    Read,
    TiffError,
    Value,
    read_directory,
    read_entries,
    read_start,
    reader,
    reorder,
    write_directory,
)

_XMP, _IPTC, _ICC = 700, 33723, 34675
_DESCRIBING = (0x010E, 0x010F, 0x0110, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298, 0x4746, 0x4749)
"""Tags of a picture's directory that describe it: description, make, model, software, date, artist, host,
copyright, ratings. All others describe how the pixels are stored."""
_STRUCTURE = (254, 256, 257, 258, 262, 277, 338, 339, 50706)


class Readable(Protocol):
    """A seekable binary file."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """As `io.IOBase.seek`."""
        ...

    def read(self, size: int, /) -> bytes:
        """As `io.RawIOBase.read`."""
        ...


@dataclass(frozen=True, kw_only=True)
class Structure:
    """How a TIFF's first picture is stored, as far as libvips does not say."""

    width: int
    height: int
    photometric: int | None
    photometric_at: int
    """Offset of the two bytes that say so."""
    little: bool
    bits: int
    sample_format: int
    extra: tuple[int, ...]
    reduced: bool
    """The first picture is a thumbnail of another."""
    raw: bool
    """A camera's raw file (DNG)."""
    claimed: int
    """Bytes of all its tags' values together."""


def read_structure(file: Readable) -> Structure:
    """Return how the first picture is stored; TiffError where the directory can't be followed."""
    read = file_reader(file)
    layout, offset = read_start(read)
    entries, _ = read_entries(read, layout, offset)
    numbers: dict[int, tuple[int, ...]] = {}
    tags = {entry.tag for entry in entries}
    for entry in entries:
        if entry.tag in _STRUCTURE and entry.kind in (1, 3, 4) and entry.count <= 64:
            data, size = read(entry.at, entry.size), entry.size // max(entry.count, 1)
            code = {1: "B", 2: "H", 4: "I"}[size] if size else "B"
            pieces = [data[i : i + size] for i in range(0, len(data), size)] if size else []
            numbers[entry.tag] = tuple(layout.unpack(code, piece) for piece in pieces)
    first = {tag: values[0] for tag, values in numbers.items() if values}
    return Structure(
        width=first.get(256, 0),
        height=first.get(257, 0),
        photometric=first.get(262),
        photometric_at=next((entry.at for entry in entries if entry.tag == 262), 0),
        little=layout.order == "<",
        bits=first.get(258, 1),
        sample_format=first.get(339, 1),
        extra=numbers.get(338, ()),
        reduced=bool(first.get(254, 0) & 1),
        claimed=sum(entry.size for entry in entries),
        raw=50706 in tags or first.get(262) in (32803, 34892),
    )


def read_metadata(file: Readable, limit: int) -> Metadata:
    """Return what a TIFF file's first directory says about its picture; at most `limit` bytes in all."""
    read = file_reader(file)
    layout, offset = read_start(read)
    wanted = (*_DESCRIBING, _ICC, _XMP, _IPTC)
    found = read_directory(read, layout, offset, Budget(limit), pointers=(EXIF_IFD, GPS_IFD), wanted=wanted)
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
    )


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
    """Give a TIFF file just written metadata: a fuller directory at its end replaces its first one.

    Raises:
        TiffError: The file, or the EXIF block, can't be followed.
    """
    read = file_reader(file)
    layout, offset = read_start(read)
    written = read_directory(read, layout, offset, Budget(1 << 40))
    values = dict(written.values)
    below = {}
    if metadata.exif:
        block = reader(metadata.exif)
        source, start = read_start(block)
        exif = read_directory(block, source, start, Budget(1 << 40), pointers=(EXIF_IFD, GPS_IFD))
        for tag in _DESCRIBING:
            if tag in exif.values:
                value = exif.values[tag]
                values[tag] = Value(value.kind, reorder(value, source.order, layout.order))
        below = {tag: _reordered(child, source.order, layout.order) for tag, child in exif.below.items()}
    for tag, blob in ((_ICC, metadata.icc), (_XMP, metadata.xmp), (_IPTC, metadata.iptc)):
        if blob:
            values[tag] = Value(7 if tag != _XMP else 1, blob)
    base = file.seek(0, io.SEEK_END)
    if base % 2:
        base += file.write(b"\0")
    body, table = write_directory(Directory(values=values, below=below), layout.order, layout, base)
    file.write(body)
    file.seek(8 if layout.big else 4)
    file.write(table.to_bytes(8 if layout.big else 4, "little" if layout.order == "<" else "big"))


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
