"""JPEG application segments: EXIF (CIPA DC-008), XMP part 3, IPTC in Photoshop's, ICC.1 annex B."""

import hashlib
import struct

from wildsr.imaging.metadata import Metadata, Resolution
from wildsr.imaging.metadata.iptc import wrapped

_LARGEST = 65_533
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
ICC = b"ICC_PROFILE\0"
LARGEST_EXIF = _LARGEST - len(EXIF)
_ICC_PIECE = _LARGEST - len(ICC) - 2


def segments(metadata: Metadata) -> tuple[bytes, tuple[str, ...]]:
    """Return the segments to put before a JPEG's tables, and what is too large for a segment."""
    parts = [_jfif(metadata.resolution)] if metadata.resolution is not None else []
    dropped: list[str] = []
    exif = EXIF + metadata.exif if metadata.exif else b""
    iptc = wrapped(metadata.iptc) if metadata.iptc else b""
    for name, marker, payload in (("EXIF", 0xE1, exif), ("IPTC", 0xED, iptc)):
        if len(payload) > _LARGEST:
            dropped.append(f"{name} ({len(payload):,} bytes; JPEG holds {_LARGEST:,})")
        elif payload:
            parts.append(_segment(marker, payload))
    parts += _xmp(metadata.xmp) if metadata.xmp else []
    for item in metadata.text:
        payload = item.text.encode("utf-8", "replace")
        parts += [_segment(0xFE, payload[i : i + _LARGEST]) for i in range(0, len(payload), _LARGEST)]
    profile, profile_dropped = _profile(metadata.icc or b"")
    return b"".join(parts + profile), (*dropped, *profile_dropped)


def _profile(icc: bytes) -> tuple[list[bytes], tuple[str, ...]]:
    pieces = [icc[i : i + _ICC_PIECE] for i in range(0, len(icc), _ICC_PIECE)]
    if len(pieces) > 255:
        return [], (f"colour profile ({len(icc):,} bytes; JPEG holds {255 * _ICC_PIECE:,})",)
    total = len(pieces)
    parts = [_segment(0xE2, ICC + bytes([n, total]) + piece) for n, piece in enumerate(pieces, 1)]
    return parts, ()


def _segment(marker: int, payload: bytes) -> bytes:
    return struct.pack(">BBH", 0xFF, marker, len(payload) + 2) + payload


def _xmp(packet: bytes) -> list[bytes]:
    """Return the segments of a packet: one, or where it is too large one that points at its extension (XMP part 3)."""
    if len(XMP) + len(packet) <= _LARGEST:
        return [_segment(0xE1, XMP + packet)]
    start, stop = packet.find(b"<x:xmpmeta"), packet.rfind(b"</x:xmpmeta>")
    whole = packet[start : stop + len(b"</x:xmpmeta>")] if 0 <= start < stop else packet
    digest = hashlib.md5(whole, usedforsecurity=False).hexdigest().upper().encode("ascii")
    parts = [_segment(0xE1, XMP + _POINTER % digest)]
    for offset in range(0, len(whole), _XMP_PIECE):
        place = digest + struct.pack(">II", len(whole), offset)
        parts.append(_segment(0xE1, EXTENDED_XMP + place + whole[offset : offset + _XMP_PIECE]))
    return parts


def with_segments(head: bytes, segments: bytes) -> bytes:
    """Return the beginning of a JPEG with segments behind its start; the encoder writes none of its own."""
    return head[:2] + segments + head[2:]


def _jfif(resolution: Resolution) -> bytes:
    """Return JFIF's segment (version 1.01), which is the first and holds whole dots per inch or centimetre."""
    centimetre = (resolution.x / 2.54, resolution.y / 2.54)
    metric = resolution.x % 1 and all(abs(dots - round(dots)) < 1e-6 for dots in centimetre)
    unit, (x, y) = (2, centimetre) if metric else (1, (resolution.x, resolution.y))
    if not 1 <= round(min(x, y)) <= round(max(x, y)) <= 65_535:
        unit, x, y = 0, 1, 1
    return _segment(0xE0, struct.pack(">5sHBHHH", b"JFIF", 0x0101, unit, round(x), round(y), 0))


_POINTER = (
    b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">'
    b'<rdf:Description rdf:about="" xmlns:xmpNote="http://ns.adobe.com/xmp/note/" xmpNote:HasExtendedXMP="%s"/>'
    b"</rdf:RDF></x:xmpmeta>"
)
_XMP_PIECE = 65_000
