"""What kind of picture a file holds, told from its first bytes: extensions lie."""

import re
from typing import Final

HEAD_BYTES: Final = 64
"""How much of a file `sniff` wants to see."""

_PICTURES: Final = {
    b"\xff\xd8\xff": "jpeg",
    b"\x89PNG\r\n\x1a\n": "png",
    b"GIF87a": "gif",
    b"GIF89a": "gif",
    b"II*\0": "tiff",
    b"MM\0*": "tiff",
    b"II+\0": "tiff",
    b"MM\0+": "tiff",
    b"\xff\x0a": "jxl",
    b"\0\0\0\x0cJXL \r\n\x87\n": "jxl",
    b"\0\0\0\x0cjP  \r\n\x87\n": "jp2",
    b"\xff\x4f\xff\x51": "jp2",
}
_HEIC_BRANDS: Final = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_AVIF_BRANDS: Final = frozenset((b"avif", b"avis"))
_BMP_HEADER_SIZES: Final = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
# "P5 " alone opens many a text; a portable map goes on with a number or a comment (P7 with a word).
_PNM: Final = re.compile(rb"P(?:[1-6](?:#|\s+[#\d])|7(?:#|\s+[#A-Z]))")
_PFM: Final = re.compile(rb"P[Ff]\s+[#\d]")


def sniff(head: bytes) -> str | None:
    """Name the picture format a file begins with (`jpeg`, `png`, `heic`, …), or None where it is no picture.

    Args:
        head: The first `HEAD_BYTES` bytes, or all of a shorter file.
    """
    for prefix, kind in _PICTURES.items():
        if head.startswith(prefix):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _sniff_isobmff(head)
    if _PNM.match(head):
        return "pnm"
    if _PFM.match(head):
        return "pfm"
    # "BM" alone opens many a text; a bitmap goes on with one of a few header sizes.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "bmp"
    return None


def _sniff_isobmff(head: bytes) -> str | None:
    """Tell AVIF and HEIC from the videos that share their container, by the brands of the first box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}
    if brands & _AVIF_BRANDS:
        return "avif"
    return "heic" if brands & _HEIC_BRANDS else None
