"""EXIF and XMP as items of an AVIF file just written (ISO/IEC 23008-12)."""

import struct

from wildsr.imaging.containers.isobmff import Box, BoxError, boxes
from wildsr.imaging.metadata import Metadata


def with_metadata(data: bytes, metadata: Metadata) -> bytes:
    """Return an AVIF file with EXIF and XMP items added, their data in a box at its end.

    Raises:
        BoxError: The file is not laid out as libheif does it.
    """
    items: list[tuple[bytes, bytes]] = []
    if metadata.exif:
        items.append((b"Exif\0", b"\0\0\0\0" + metadata.exif))
    if metadata.xmp:
        items.append((b"mime\0application/rdf+xml\0", metadata.xmp))
    if not items:
        return data
    meta, parts = _tables(data)
    primary = struct.unpack(">H", data[parts[b"pitm"].start + 4 : parts[b"pitm"].start + 6])[0]
    places = _locations(data, parts[b"iloc"])
    first = max(places) + 1
    names = [_box(b"infe", struct.pack(">IHH", 2 << 24, first + i, 0) + k) for i, (k, _) in enumerate(items)]
    links = [_box(b"cdsc", struct.pack(">HHH", first + i, 1, primary)) for i in range(len(items))]

    def grown(located: dict[int, tuple[int, int]]) -> bytes:
        children = {box.kind: data[box.at : box.stop] for box in parts.values()}
        children[b"iinf"] = _grown_info(data, parts[b"iinf"], names)
        children[b"iref"] = _box(b"iref", _payload(data, parts.get(b"iref"), 4) + b"".join(links))
        children[b"iloc"] = _location_box(located)
        return _box(b"meta", data[meta.start : meta.start + 4] + b"".join(children.values()))

    added = {first + i: (0, len(payload)) for i, (_, payload) in enumerate(items)}
    delta = len(grown(places | added)) - (meta.stop - meta.at)
    moved = {item: (at + delta, length) for item, (at, length) in places.items()}
    position = len(data) + delta + 8
    for item, (_, length) in added.items():
        moved[item] = (position, length)
        position += length
    tail = _box(b"mdat", b"".join(payload for _, payload in items))
    return data[: meta.at] + grown(moved) + data[meta.stop :] + tail


def _tables(data: bytes) -> tuple[Box, dict[bytes, Box]]:
    """Return the box of a file's item tables, and those tables."""
    meta = next((b for b in boxes(data, 0, len(data)) if b.kind == b"meta"), None)
    if meta is None:
        raise BoxError("no meta box")
    parts = {b.kind: b for b in boxes(data, meta.start + 4, meta.stop)}
    if not {b"iloc", b"iinf", b"pitm"} <= set(parts):
        raise BoxError("no item tables")
    if b"iref" in parts and data[parts[b"iref"].start] != 0:
        raise BoxError("a reference table of another version")
    return meta, parts


def _payload(data: bytes, box: Box | None, default: int) -> bytes:
    return data[box.start : box.stop] if box else bytes(default)


def _grown_info(data: bytes, box: Box, names: list[bytes]) -> bytes:
    if data[box.start] != 0:
        raise BoxError("an item table of another version")
    count = struct.unpack(">H", data[box.start + 4 : box.start + 6])[0]
    head = data[box.start : box.start + 4] + struct.pack(">H", count + len(names))
    return _box(b"iinf", head + data[box.start + 6 : box.stop] + b"".join(names))


def _locations(data: bytes, box: Box) -> dict[int, tuple[int, int]]:
    """Return item → (offset, length) of a version 0 location table whose items have one extent each."""
    version, sizes, base = data[box.start], data[box.start + 4], data[box.start + 5] >> 4
    if version != 0 or sizes != 0x44 or base not in (0, 4):
        raise BoxError("a location table of another version")
    count = struct.unpack(">H", data[box.start + 6 : box.start + 8])[0]
    at, found = box.start + 8, {}
    for _ in range(count):
        item, _, *middle = struct.unpack(">HHI" if base else ">HH", data[at : at + 4 + base])
        extents, offset, length = struct.unpack(">HII", data[at + 4 + base : at + 14 + base])
        if extents != 1:
            raise BoxError("an item in several pieces")
        found[item] = (offset + sum(middle), length)
        at += 14 + base
    return found


def _location_box(places: dict[int, tuple[int, int]]) -> bytes:
    entries = [struct.pack(">HHHII", item, 0, 1, at, length) for item, (at, length) in sorted(places.items())]
    return _box(b"iloc", struct.pack(">IBBH", 0, 0x44, 0, len(entries)) + b"".join(entries))


def _box(kind: bytes, payload: bytes) -> bytes:
    return struct.pack(">I4s", len(payload) + 8, kind) + payload
