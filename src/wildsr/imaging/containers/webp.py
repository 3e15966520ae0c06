"""WebP's RIFF container: EXIF and XMP chunks beside the pixels (the profile is libvips' to write)."""

import struct

from wildsr.imaging.metadata import Metadata

EXIF_FLAG, XMP_FLAG, _ALPHA_FLAG = 0x08, 0x04, 0x10


def with_metadata(data: bytes, metadata: Metadata, width: int, height: int, alpha: bool) -> bytes:
    """Return a WebP file with EXIF and XMP added.

    Args:
        data: The encoded file.
        metadata: EXIF and XMP to add.
        width: Pixels.
        height: Pixels.
        alpha: The picture has transparency.
    """
    if not (metadata.exif or metadata.xmp):
        return data
    pieces = _chunks(data)
    flags = (EXIF_FLAG if metadata.exif else 0) | (XMP_FLAG if metadata.xmp else 0)
    if pieces and pieces[0][0] == b"VP8X":
        old = pieces.pop(0)[1]
        header = bytes([old[0] | flags]) + old[1:]
    else:
        size = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        header = bytes([flags | (_ALPHA_FLAG if alpha else 0), 0, 0, 0]) + size
    pieces.insert(0, (b"VP8X", header))
    pieces += [(b"EXIF", metadata.exif)] if metadata.exif else []
    pieces += [(b"XMP ", metadata.xmp)] if metadata.xmp else []
    body = b"WEBP" + b"".join(_chunk(kind, payload) for kind, payload in pieces)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def _chunks(data: bytes) -> list[tuple[bytes, bytes]]:
    pieces = []
    at = 12
    while at + 8 <= len(data):
        kind, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        pieces.append((kind, data[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return pieces


def _chunk(kind: bytes, payload: bytes) -> bytes:
    return kind + struct.pack("<I", len(payload)) + payload + b"\0" * (len(payload) % 2)
