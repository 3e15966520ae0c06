"""How large a WebP's picture is and where its file ends (RFC 9649), read before a library holds all of it."""

from dataclasses import dataclass

from wildsr.imaging.opening import BinaryFile

_HEAD = 30


@dataclass(frozen=True, kw_only=True)
class WebpExtent:
    """What the first chunk and the header of the container say."""

    width: int
    """Pixels, of the canvas where there is one; 0 where they can't be told."""

    height: int
    """Rows."""

    stop: int
    """Where the container ends; nothing behind it belongs to the picture."""


def read_extent(file: BinaryFile) -> WebpExtent:
    """Return the size a file states, in pixels and in bytes."""
    file.seek(0)
    head = file.read(_HEAD).ljust(_HEAD, b"\0")
    stop = 8 + int.from_bytes(head[4:8], "little")
    width, height = _size(head[12:16], head[20:])
    return WebpExtent(width=width, height=height, stop=stop + stop % 2)


def _size(kind: bytes, body: bytes) -> tuple[int, int]:
    if kind == b"VP8X":
        return int.from_bytes(body[4:7], "little") + 1, int.from_bytes(body[7:10], "little") + 1
    if kind == b"VP8L":
        bits = int.from_bytes(body[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    if kind == b"VP8 " and body[3:6] == b"\x9d\x01\x2a":
        return int.from_bytes(body[6:8], "little") & 0x3FFF, int.from_bytes(body[8:10], "little") & 0x3FFF
    return 0, 0
