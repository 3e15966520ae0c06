"""Which file name endings stand for which kind of picture."""

from collections.abc import Mapping
from typing import Final

EXTENSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "jpeg": ("jpg", "jpeg", "jpe", "jfif"),
    "png": ("png",),
    "webp": ("webp",),
    "tiff": ("tif", "tiff"),
    "gif": ("gif",),
    "avif": ("avif",),
    "bmp": ("bmp", "dib"),
    "pnm": ("ppm", "pgm", "pbm", "pnm", "pam"),
    "heic": ("heic", "heif", "hif"),
    "apng": ("apng",),
    "jxl": ("jxl",),
    "jp2": ("jp2",),
    "pfm": ("pfm",),
}
"""Kinds of pictures, by the names `signatures.sniff` gives them, with their extensions: lower case, no dot, the usual
one first."""

READABLE: Final = ("jpeg", "png", "webp", "tiff", "gif", "avif", "bmp", "pnm", "heic")
"""Kinds that are read; `heic` needs the extra of that name."""

WRITABLE: Final = ("png", "jpeg", "webp", "tiff", "avif")
"""Kinds that are written."""

PICTURE_EXTENSIONS: Final = frozenset(one for known in EXTENSIONS.values() for one in known)
"""Extensions of files a user means as pictures, readable or not."""

WRITABLE_EXTENSIONS: Final = tuple(one for kind in WRITABLE for one in EXTENSIONS[kind])
"""Extensions a result can have."""

# fmt: off
RAW_EXTENSIONS: Final = frozenset((
    "3fr", "arw", "cr2", "cr3", "crw", "dcr", "dng", "erf", "iiq", "kdc", "mef", "mrw", "nef", "nrw", "orf",
    "pef", "raf", "raw", "rw2", "rwl", "sr2", "srf", "srw", "x3f",
))
"""Camera raw files: many look like TIFF but hold sensor data and a thumbnail."""
# fmt: on
