"""What a file is, by its first bytes: extensions lie."""

from wildsr.errors import InputError

READABLE = ("jpeg", "png", "webp", "tiff", "gif", "avif", "bmp", "pnm", "heic")
"""Formats wildsr reads; `heic` needs the extra of that name."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\xff\xd8\xff", "jpeg"),
    (b"\x89PNG\r\n\x1a\n", "png"),
    (b"GIF87a", "gif"),
    (b"GIF89a", "gif"),
    (b"II\x2a\x00", "tiff"),
    (b"MM\x00\x2a", "tiff"),
    (b"II\x2b\x00", "tiff"),
    (b"MM\x00\x2b", "tiff"),
    (b"BM", "bmp"),
)

_REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"\xff\x0a", "JPEG XL"),
    (b"\x00\x00\x00\x0cJXL ", "JPEG XL"),
    (b"\x00\x00\x00\x0cjP  ", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"8BPS", "Photoshop"),
    (b"%PDF", "PDF"),
    (b"v/1\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"FUJIFILMCCD-RAW", "camera raw (Fujifilm)"),
    (b"IIRO", "camera raw (Olympus)"),
    (b"IIRS", "camera raw (Olympus)"),
    (b"IIU\x00", "camera raw (Panasonic)"),
    (b"FOVb", "camera raw (Sigma)"),
    (b"<svg", "SVG"),
    (b"<?xml", "XML or SVG"),
    (b"<!DOCTYPE", "HTML"),
    (b"<html", "HTML"),
    (b"PK\x03\x04", "ZIP"),
    (b"\x1f\x8b", "gzip"),
    (b"\x00\x00\x01\x00", "Windows icon"),
    (b"DDS ", "DirectDraw surface"),
    (b"\x1aE\xdf\xa3", "Matroska video"),
)

_HEIC_BRANDS = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS = {b"avif", b"avis"}


def sniff(head: bytes) -> str | None:
    """Return the format whose mark the first bytes of a file (32 are enough) carry, or None."""
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[:1] == b"P" and head[1:2] in b"1234567" and head[2:3].isspace():
        return "pnm"
    if head[4:8] == b"ftyp":
        return _sniff_isobmff(head)
    return None


def require(head: bytes, name: str) -> str:
    """Return the format of a file's first bytes, or raise InputError saying what it is instead."""
    found = sniff(head)
    if found is not None:
        return found
    kind = next((kind for magic, kind in _REFUSED if head.lstrip().startswith(magic)), None)
    if head[4:8] == b"ftyp":
        kind = "camera raw (Canon)" if head[8:12] == b"crx " else "video"
    given = f"{name} is a {kind} file" if kind else f"{name} is no picture wildsr knows"
    hint = "develop it to TIFF or JPEG first" if kind and "raw" in kind else None
    raise InputError(f"{given}; {', '.join(f.upper() for f in READABLE)} are read", hint=hint)


def stated_size(form: str, head: bytes) -> tuple[int, int] | None:
    """Return the width and height a file's first 32 bytes state, or None where they lie deeper in.

    Read here so that a picture too large is refused before any library sees the file.
    """
    if form == "png" and head[12:16] == b"IHDR" and len(head) >= 24:
        return int.from_bytes(head[16:20], "big"), int.from_bytes(head[20:24], "big")
    if form == "gif" and len(head) >= 10:
        return int.from_bytes(head[6:8], "little"), int.from_bytes(head[8:10], "little")
    if form == "webp" and head[12:16] == b"VP8X" and len(head) >= 30:
        return int.from_bytes(head[24:27], "little") + 1, int.from_bytes(head[27:30], "little") + 1
    if form == "bmp" and len(head) >= 26 and int.from_bytes(head[14:18], "little") >= 40:
        height = int.from_bytes(head[22:26], "little", signed=True)
        return int.from_bytes(head[18:22], "little"), abs(height)
    return None


def _sniff_isobmff(head: bytes) -> str | None:
    """Tell AVIF from HEIC by the brands of an ISO base media file (ISO/IEC 23008-12)."""
    size = min(int.from_bytes(head[:4], "big"), len(head))
    brands = [head[8:12], *(head[i : i + 4] for i in range(16, size - 3, 4))]
    if any(brand in _AVIF_BRANDS for brand in brands):
        return "avif"
    if any(brand in _HEIC_BRANDS for brand in brands):
        return "heic"
    return None
