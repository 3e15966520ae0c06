"""IPTC-IIM records, and the Photoshop wrapper JPEG carries them in."""

import struct

_SIGNATURE = b"Photoshop 3.0\0"
_IPTC_RESOURCE = 0x0404


def unwrapped(block: bytes) -> bytes | None:
    """Return the IPTC-IIM records of a JPEG APP13 segment or of bare records; None where there are none."""
    if not block.startswith(_SIGNATURE):
        return block if block.startswith(b"\x1c") else None
    at = len(_SIGNATURE)
    while block[at : at + 4] == b"8BIM" and at + 12 <= len(block):
        resource = struct.unpack(">H", block[at + 4 : at + 6])[0]
        name = block[at + 6] + 1
        start = at + 6 + name + name % 2
        size_field = block[start : start + 4]
        if len(size_field) < 4:
            return None
        size = struct.unpack(">I", size_field)[0]
        data = block[start + 4 : start + 4 + size]
        if resource == _IPTC_RESOURCE:
            return data if len(data) == size and data else None
        at = start + 4 + size + size % 2
    return None


def wrapped(records: bytes) -> bytes:
    """Return records as the payload of a JPEG APP13 segment."""
    resource = b"8BIM" + struct.pack(">HHI", _IPTC_RESOURCE, 0, len(records))
    return _SIGNATURE + resource + records + b"\0" * (len(records) % 2)
