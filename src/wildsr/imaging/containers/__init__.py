"""Where each file format keeps its metadata.

libvips re-serialises EXIF through libexif (unknown tags and makers' notes suffer) and writes none into
TIFF, so metadata goes into files here, byte for byte as handed over.
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """What goes into a file beside its pixels."""

    icc: bytes | None = None
    exif: bytes | None = None
    xmp: bytes | None = None
    iptc: bytes | None = None
