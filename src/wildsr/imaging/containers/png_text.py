"""PNG's text chunks (tEXt, zTXt, iTXt), and the metadata that programs hide in them."""

import zlib
from dataclasses import dataclass

from wildsr.imaging.containers.jpeg import EXIF, XMP
from wildsr.imaging.metadata import TextItem
from wildsr.imaging.metadata.budget import Budget

XMP_KEY = "XML:com.adobe.xmp"
_RAW = "Raw profile type "
"""ImageMagick's way to keep a block of bytes: a name, a length, and hexadecimal digits."""
_LONGEST_KEY = 79
_NOT_PACKED = "a text chunk can't be unpacked and was left out"
_MOST_GROWTH = 1032
"""Bytes zlib can make of one."""


class TextError(ValueError):
    """A text chunk that can't be read; says so in a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """A block found in a text chunk."""

    kind: str
    """exif, xmp or iptc."""

    block: bytes


def read_text(kind: bytes, data: bytes, budget: Budget) -> TextItem | Hidden | None:
    """Return what a text chunk holds, unpacked within the budget; None for blocks nobody needs.

    Raises:
        TextError: It is damaged, or beyond the budget.
    """
    key_bytes, separator, rest = data.partition(b"\0")
    if not separator or not 1 <= len(key_bytes) <= _LONGEST_KEY:
        raise TextError("a text chunk without a keyword was left out")
    key = key_bytes.decode("latin-1")
    if kind == b"iTXt":
        packed, rest = rest[:1] == b"\1", rest[2:]
        _language, _, rest = rest.partition(b"\0")
        _translated, _, rest = rest.partition(b"\0")
    else:
        packed = kind == b"zTXt"
        rest = rest[1:] if packed else rest
    content = unpacked(rest, budget) if packed else _held(rest, budget)
    if key == XMP_KEY:
        return Hidden(kind="xmp", block=content)
    if key.lower().startswith(_RAW.lower()):
        return _raw(key[len(_RAW) :].lower(), content)
    return TextItem(key=key, text=content.decode("utf-8" if kind == b"iTXt" else "latin-1", "replace"))


def _held(data: bytes, budget: Budget) -> bytes:
    if not budget.take(len(data)):
        raise TextError(budget.refusal("text"))
    return data


def unpacked(data: bytes, budget: Budget) -> bytes:
    """Return what zlib packed; what unpacking cost is spent whether it is kept or not."""
    unpacker = zlib.decompressobj()
    room = budget.left
    try:
        content = unpacker.decompress(data, max(1, room))
    except zlib.error as error:
        budget.take(min(room, _MOST_GROWTH * len(data)))
        raise TextError(_NOT_PACKED) from error
    budget.take(min(room, len(content)))
    if not unpacker.eof:
        raise TextError(budget.refusal("text") if len(content) >= room else _NOT_PACKED)
    return content


def _raw(name: str, content: bytes) -> Hidden | None:
    """Return the block of a raw profile; None for a kind of no use here."""
    parts = content.split(None, 2)
    try:
        block = bytes.fromhex(parts[2].decode("ascii")) if len(parts) == 3 else b""
        stated = int(parts[1]) if len(parts) == 3 and len(parts[1]) <= 9 else -1
    except ValueError as error:
        raise TextError("a raw profile among the text can't be followed and was left out") from error
    if len(block) != stated:
        raise TextError("a raw profile among the text can't be followed and was left out")
    if name in ("exif", "app1"):
        if block.startswith(XMP):
            return Hidden(kind="xmp", block=block[len(XMP) :])
        return Hidden(kind="exif", block=block.removeprefix(EXIF))
    if name in ("iptc", "8bim", "app13"):
        return Hidden(kind="iptc", block=block)
    return Hidden(kind="xmp", block=block) if name == "xmp" else None


def text_chunk(item: TextItem) -> tuple[bytes, bytes]:
    """Return the kind and content of the chunk that holds a text: tEXt where Latin-1 has all its letters."""
    key = item.key.encode("latin-1", "replace")[:_LONGEST_KEY].replace(b"\0", b" ") or b"Comment"
    text = item.text.replace("\0", "\n")
    try:
        plain = text.encode("latin-1")
    except UnicodeEncodeError:
        return b"iTXt", key + b"\0\0\0\0\0" + text.encode("utf-8", "replace")
    if len(plain) > _WORTH_PACKING:
        return b"zTXt", key + b"\0\0" + zlib.compress(plain)
    return b"tEXt", key + b"\0" + plain


_WORTH_PACKING = 2048
