"""PNG chunks (3rd edition): iCCP, eXIf, XMP as iTXt, IPTC as ImageMagick's raw profile; colours read."""

import struct
import zlib
from dataclasses import dataclass

from wildsr.imaging.metadata import Metadata
from wildsr.imaging.opening import BinaryFile

INSERTION_POINT = 33
"""Behind the signature and IHDR."""
_IPTC_KEY = b"Raw profile type iptc"
_LONGEST = 1 << 20
_MAX_CHUNKS = 10_000


def chunks(metadata: Metadata) -> bytes:
    """Return the chunks to put behind IHDR."""
    parts = []
    if metadata.icc:
        parts.append(_chunk(b"iCCP", b"ICC profile\0\0" + zlib.compress(metadata.icc)))
    if metadata.exif:
        parts.append(_chunk(b"eXIf", metadata.exif))
    if metadata.xmp:
        parts.append(_chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + metadata.xmp))
    if metadata.iptc:
        lines = metadata.iptc.hex()
        folded = "\n".join(lines[i : i + 72] for i in range(0, len(lines), 72))
        text = f"\niptc\n{len(metadata.iptc):8d}\n{folded}\n".encode("ascii")
        parts.append(_chunk(b"zTXt", _IPTC_KEY + b"\0\0" + zlib.compress(text)))
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


@dataclass(frozen=True, kw_only=True)
class Hints:
    """What a PNG says of its colours (besides a profile), frames and IPTC; libvips reads none of it."""

    frames: int = 1
    """Frames of an animation (acTL)."""

    icc: bytes | None = None
    """The profile (iCCP), whatever libpng would think of it; empty where it can't be unpacked."""

    cicp: tuple[int, int] | None = None
    """Colour primaries and transfer function (ITU-T H.273)."""

    srgb: bool = False
    gamma: float | None = None
    """Exponent that makes encoded values of linear light (gAMA)."""

    chromaticities: tuple[float, ...] | None = None
    """White, red, green, blue x and y (cHRM)."""

    iptc: bytes | None = None


def read_hints(file: BinaryFile, limit: int) -> Hints:
    """Return what the chunks before the pixels say; a profile is unpacked up to `limit` bytes."""
    found: dict[bytes, bytes] = {}
    icc = iptc = None
    at = 8
    for _ in range(_MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or head[4:] in (b"IDAT", b"IEND"):
            break
        size, kind = int.from_bytes(head[:4], "big"), head[4:]
        if kind in (b"cICP", b"sRGB", b"gAMA", b"cHRM", b"acTL"):
            found.setdefault(kind, file.read(min(size, 64)))
        elif kind == b"iCCP" and icc is None:
            icc = _profile(file.read(min(size, limit)), limit)
        elif kind == b"zTXt" and size < _LONGEST:
            iptc = iptc or _raw_iptc(file.read(size))
        at += 12 + size
    return Hints(
        icc=icc,
        frames=max(1, int.from_bytes(found.get(b"acTL", b"")[:4], "big")),
        cicp=_cicp(found.get(b"cICP", b"")),
        srgb=b"sRGB" in found,
        gamma=_gamma(found.get(b"gAMA", b"")),
        chromaticities=_chromaticities(found.get(b"cHRM", b"")),
        iptc=iptc,
    )


def _profile(data: bytes, limit: int) -> bytes:
    """Return an iCCP chunk's profile; empty where it is damaged or longer than `limit`."""
    name = data.find(b"\0", 0, 80)
    unpacker = zlib.decompressobj()
    try:
        icc = unpacker.decompress(data[name + 2 :], limit) if name > 0 else b""
    except zlib.error:
        return b""
    return icc if unpacker.eof else b""


def _cicp(data: bytes) -> tuple[int, int] | None:
    return (data[0], data[1]) if len(data) == 4 else None


def _gamma(data: bytes) -> float | None:
    value = int.from_bytes(data, "big") if len(data) == 4 else 0
    return 100_000 / value if value else None


def _chromaticities(data: bytes) -> tuple[float, ...] | None:
    return tuple(v / 100_000 for v in struct.unpack(">8I", data)) if len(data) == 32 else None


def _raw_iptc(data: bytes) -> bytes | None:
    """Return the records in a `Raw profile type iptc` text chunk, or None."""
    if not data.startswith(_IPTC_KEY + b"\0\0"):
        return None
    try:
        text = zlib.decompressobj().decompress(data[len(_IPTC_KEY) + 2 :], 4 * _LONGEST)
        name, size, *lines = text.decode("ascii").split()
        records = bytes.fromhex("".join(lines))
    except (zlib.error, ValueError):
        return None
    return records if name == "iptc" and size.isdigit() and int(size) == len(records) else None
