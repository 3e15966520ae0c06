"""PNG chunks as written (3rd edition): iCCP, eXIf, pHYs, XMP as iTXt, IPTC as ImageMagick's raw profile, text."""

import struct
import zlib

from wildsr.imaging.containers.png_text import XMP_KEY, text_chunk
from wildsr.imaging.metadata import METRES_PER_INCH, Metadata

_BEHIND_IHDR = 33
_PHYS = 21
"""Bytes of a pHYs chunk."""
_IPTC_KEY = b"Raw profile type iptc"


def with_metadata(head: bytes, metadata: Metadata) -> bytes:
    """Return the beginning of a PNG with metadata behind IHDR, in place of the encoder's own pHYs."""
    rest = head[_BEHIND_IHDR:]
    if rest[4:8] == b"pHYs":
        rest = rest[_PHYS:]
    return head[:_BEHIND_IHDR] + chunks(metadata) + rest


def chunks(metadata: Metadata) -> bytes:
    """Return the chunks to put behind IHDR."""
    parts = []
    if metadata.resolution is not None:
        dots = (round(dpi / METRES_PER_INCH) for dpi in (metadata.resolution.x, metadata.resolution.y))
        parts.append(_chunk(b"pHYs", struct.pack(">IIB", *dots, 1)))
    if metadata.icc:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.exif:
        parts.append(_chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        parts.append(_chunk(b"iTXt", XMP_KEY.encode() + b"\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        lines = metadata.iptc.hex()
        folded = "\n".join(lines[i : i + 72] for i in range(0, len(lines), 72))
        text = f"\niptc\n{len(metadata.iptc):8d}\n{folded}\n".encode("ascii")
        parts.append(_chunk(b"zTXt", _IPTC_KEY + b"\0\0" + zlib.compress(text)))
    parts += [_chunk(*text_chunk(item)) for item in metadata.text]
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
