"""What a picture file says beside its pixels: read, made true again after upscaling, written."""

from dataclasses import dataclass
from typing import Final


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


NO_METADATA: Final = Metadata()
"""Of a picture that says nothing of itself."""
