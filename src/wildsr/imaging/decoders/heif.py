"""What the boxes of an AVIF or HEIC file say, checked before a library sees the file."""

from dataclasses import dataclass

from wildsr.errors import InputError, LimitError
from wildsr.imaging.containers.isobmff import BoxError, Items, read_items, sequence_length, top_level
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import BinaryFile

_BASE_BYTES, _BYTES_PER_PIXEL = 64 << 20, 32
"""A file is held whole while it is decoded: 64 MiB of it, and 32 bytes for each pixel of the picture, are allowed."""
_MAX_ITEMS = 10_000
_DATA_TYPES = frozenset({b"Exif", b"mime", b"uri ", b"tmap"})
"""Items that are no pictures; `tmap` is a recipe for showing a picture with its gain map."""
_DERIVED = frozenset({b"grid", b"iden", b"iovl"})
_FORMS = {b"av01": "avif", b"hvc1": "heic", b"hev1": "heic"}
_UNREAD_CODECS = {
    b"avc1": "an AVC (H.264) picture",
    b"evc1": "an EVC picture",
    b"j2k1": "a JPEG 2000 picture",
    b"jpeg": "a JPEG picture",
    b"jxlc": "a JPEG XL picture",
    b"lhv1": "a layered HEVC picture",
    b"unci": "an uncompressed picture",
    b"vvc1": "a VVC (H.266) picture",
}
_AUXILIARY = (
    (b"alpha", None),
    (b"auxid:1", None),  # alpha, as HEVC has it
    (b"gainmap", "its HDR gain map"),
    (b"depth", "its depth map"),
    (b"auxid:2", "its depth map"),
)


@dataclass(frozen=True, kw_only=True)
class Heif:
    """What a file says of its picture."""

    form: str
    """`avif` or `heic`, by the codec of the picture: the brands of some files leave that open."""

    size: int
    """Bytes up to the end of its last box; nothing behind it belongs to the picture."""

    pixels: int
    """Width × height of the picture, as stored."""

    colour: tuple[int, int] | None
    """Colour primaries and transfer function (ITU-T H.273) of the picture itself."""

    frames: int
    """Pictures: this one, and those of an image sequence or beside it."""

    notes: tuple[str, ...]
    """What in the file is not read."""


def read_heif(file: BinaryFile, name: str, form: str, limits: Limits) -> Heif:
    """Return what the boxes say.

    Raises:
        InputError: They can't be followed, or hold what has made libraries crash.
        LimitError: The picture is beyond `limits`, or the file far larger than its picture needs.
    """
    try:
        tables = top_level(file, limits.max_metadata_bytes)
        items = read_items(tables.meta)
        _check(items)
    except BoxError as error:
        raise InputError(
            f"{name} can't be read as {form.upper()}: {error}",
            hint="copy or download it again; half a picture is never used",
        ) from error
    width, height = _size(items)
    limits.check_size(name, width, height)
    most = _BASE_BYTES + _BYTES_PER_PIXEL * width * height
    if tables.end > most:
        raise LimitError(
            f"{name} is {tables.end:,} bytes for a picture of {width} × {height} pixels; at most {most:,} are read",
            hint="export the picture itself as JPEG or PNG",
        )
    pictures = _pictures(items)
    frames = max(len(pictures | {items.primary}), sequence_length(tables.moov))
    notes = [f"only the first of {frames} frames was read"] if frames > 1 else []
    parts = _parts(items)
    if parts:
        notes.append(f"{' and '.join(parts)} {'was' if len(parts) == 1 else 'were'} left out")
    return Heif(
        form=_form(items, name, form),
        size=tables.end,
        pixels=width * height,
        colour=_colour(items),
        frames=frames,
        notes=tuple(notes),
    )


def _check(items: Items) -> None:
    """Raise BoxError on names that are no ASCII: the HEIC library's binding crashes on them."""
    if len(items.types) > _MAX_ITEMS:
        raise BoxError(f"{len(items.types):,} items; at most {_MAX_ITEMS:,} are read")
    if items.primary not in items.types:
        raise BoxError("the item that should be the picture is missing")
    for text in (*items.types.values(), *items.texts):
        if any(not 0x20 <= byte < 0x7F for byte in text):
            raise BoxError("the type of an item in it is no text")


def _form(items: Items, name: str, form: str) -> str:
    """Return the format whose decoder is to be asked; InputError names a codec that none of them knows."""
    codec = items.types[items.primary]
    if codec in _DERIVED:
        parts = [
            targets
            for kind, source, targets in items.references
            if (kind, source) == (b"dimg", items.primary)
        ]
        codec = items.types.get(next((target for targets in parts for target in targets), 0), codec)
    if codec in _UNREAD_CODECS:
        raise InputError(
            f"{name} is a HEIF file that holds {_UNREAD_CODECS[codec]}; HEVC and AV1 pictures are read",
            hint="convert it to PNG or TIFF first, with the program it comes from",
        )
    return _FORMS.get(codec, form)


def _size(items: Items) -> tuple[int, int]:
    """Return the width and height of the picture, as stored (`ispe`); 0 where they are not said."""
    data = items.property_of(items.primary, b"ispe") or b""
    return int.from_bytes(data[4:8], "big"), int.from_bytes(data[8:12], "big")


def _colour(items: Items) -> tuple[int, int] | None:
    """Return the code points (`colr` of type `nclx`) the picture itself is associated with."""
    for kind, data in items.properties.get(items.primary, ()):
        if kind == b"colr" and data[:4] == b"nclx" and len(data) >= 8:
            return int.from_bytes(data[4:6], "big"), int.from_bytes(data[6:8], "big")
    return None


def _pictures(items: Items) -> set[int]:
    """Return the items that are pictures of their own: no data, tiles, thumbnails or auxiliary pictures."""
    parts = {source for kind, source, _ in items.references if kind in (b"auxl", b"thmb")}
    tiles = {target for kind, _, targets in items.references if kind == b"dimg" for target in targets}
    return {
        item
        for item, kind in items.types.items()
        if kind not in _DATA_TYPES and item not in parts and item not in tiles
    }


def _parts(items: Items) -> list[str]:
    """Return what else belongs to the picture, in words."""
    found = ["its HDR gain map"] if b"tmap" in items.types.values() else []
    for kind, source, targets in items.references:
        if kind != b"auxl" or items.primary not in targets:
            continue
        name = (items.property_of(source, b"auxC") or b"").lower()
        known = next((words for mark, words in _AUXILIARY if mark in name), "an auxiliary picture")
        if known and known not in found:
            found.append(known)
    return found
