"""JPEG application segments: EXIF (CIPA DC-008), XMP part 3, IPTC in Photoshop's, ICC.1 annex B."""

import struct

from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.iptc import wrapped

_LARGEST = 65_533
_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_ICC = b"ICC_PROFILE\0"
_ICC_PIECE = _LARGEST - len(_ICC) - 2


def segments(metadata: Metadata) -> tuple[bytes, tuple[str, ...]]:
    """Return the segments to put before a JPEG's tables, and what is too large for a segment."""
    parts: list[bytes] = []
    dropped: list[str] = []
    exif = b"Exif\0\0" + metadata.exif if metadata.exif else b""
    xmp = _XMP + metadata.xmp if metadata.xmp else b""
    iptc = wrapped(metadata.iptc) if metadata.iptc else b""
    for name, marker, payload in (("EXIF", 0xE1, exif), ("XMP", 0xE1, xmp), ("IPTC", 0xED, iptc)):
        if len(payload) > _LARGEST:
            dropped.append(f"{name} ({len(payload):,} bytes; JPEG holds {_LARGEST:,})")
        elif payload:
            parts.append(_segment(marker, payload))
    profile, profile_dropped = _profile(metadata.icc or b"")
    return b"".join(parts + profile), (*dropped, *profile_dropped)


def _profile(icc: bytes) -> tuple[list[bytes], tuple[str, ...]]:
    pieces = [icc[i : i + _ICC_PIECE] for i in range(0, len(icc), _ICC_PIECE)]
    if len(pieces) > 255:
        return [], (f"colour profile ({len(icc):,} bytes; JPEG holds {255 * _ICC_PIECE:,})",)
    total = len(pieces)
    parts = [_segment(0xE2, _ICC + bytes([n, total]) + piece) for n, piece in enumerate(pieces, 1)]
    return parts, ()


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def insertion_point(head: bytes) -> int:
    """Return where segments go in a JPEG beginning with `head`: behind its start and JFIF's own segment."""
    if head[2:4] == b"\xff\xe0":
        return 4 + int(struct.unpack(">H", head[4:6])[0])
    return 2
