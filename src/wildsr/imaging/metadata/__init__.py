"""What a picture file says beside its pixels: read, made true again after upscaling, written."""

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How large a picture is meant to be printed or shown."""

    x: float
    """Dots per inch along a row."""

    y: float
    """Dots per inch along a column."""


@dataclass(frozen=True, kw_only=True)
class TextItem:
    """One text beside the pixels that is no part of EXIF, XMP or IPTC: a PNG's text chunk, a JPEG's comment."""

    key: str
    """Keyword as PNG knows it: Title, Author, Comment, parameters …"""

    text: str
    """What it says."""


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """Everything beside the pixels that must survive upscaling: one value from the decoder to the encoder."""

    icc: bytes | None = None
    """The ICC profile the pixels are encoded in; None means sRGB."""

    exif: bytes | None = None
    """EXIF as a TIFF block, without the `Exif` prefix."""

    xmp: bytes | None = None
    """XMP packet."""

    iptc: bytes | None = None
    """IPTC-IIM records."""

    text: tuple[TextItem, ...] = ()
    """Texts that are none of these."""

    resolution: Resolution | None = None
    """Dots per inch, or None where the file states none."""

    size: tuple[int, int] | None = None
    """Width and height of the picture all this speaks of. What it says in pixels is scaled where a picture of
    another size is written with it; None leaves that as it is."""


NO_METADATA: Final = Metadata()
"""Of a picture that says nothing of itself."""
