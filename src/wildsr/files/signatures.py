"""What kind of picture a file holds, told from its first bytes."""

from typing import Final

HEAD_BYTES: Final = 64
"""How much of a file `sniff` wants to see."""

# fmt: off
PICTURE_EXTENSIONS: Final = frozenset((
    "jpg", "jpeg", "jpe", "jfif", "png", "apng", "gif", "webp", "tif", "tiff", "bmp", "dib", "ppm", "pgm",
    "pbm", "pnm", "pam", "pfm", "avif", "heic", "heif", "hif", "jxl", "jp2",
))
"""Extensions (lower case, no dot) of files a user means as pictures, readable or not."""

RAW_EXTENSIONS: Final = frozenset((
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mrw", "nef", "nrw", "orf",
    "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
))
"""Camera raw files: many look like TIFF but hold sensor data and a thumbnail."""
# fmt: on

_HEIF_BRANDS: Final = frozenset(
    (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
)
_BMP_HEADER_SIZES: Final = frozenset((12, 16, 40, 52, 56, 64, 108, 124))
_PREFIXES: Final = {
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


def sniff(head: bytes) -> str | None:
    """Name the picture format a file begins with (`jpeg`, `png`, `heic`, …), or None where it is no picture.

    Args:
        head: The first `HEAD_BYTES` bytes, or all of a shorter file.
    """
    for prefix, kind in _PREFIXES.items():
        if head.startswith(prefix):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "webp"
    if head[4:8] == b"ftyp":
        return _sniff_isobmff(head)
    if head[:1] == b"P" and head[1:2] in b"1234567Ff" and head[2:3] in (b" ", b"\t", b"\r", b"\n", b"#"):
        return "pnm"
    # "BM" alone opens many a text; a bitmap goes on with one of a few header sizes.
    if head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in _BMP_HEADER_SIZES:
        return "bmp"
    return None


def _sniff_isobmff(head: bytes) -> str | None:
    """Tell AVIF and HEIC from the videos that share their container, by the brands of the first box."""
    end = min(int.from_bytes(head[:4], "big"), len(head))
    brands = {head[8:12]} | {head[at : at + 4] for at in range(16, end - 3, 4)}
    if brands & {b"avif", b"avis"}:
        return "avif"
    return "heic" if brands & _HEIF_BRANDS else None
