"""What a picture file says beside its pixels: read, made true again after upscaling, written."""

from dataclasses import dataclass
from typing import Final

from wildsr.errors import UsageError

METRES_PER_INCH: Final = 0.0254
_LEAST_DPI, _MOST_DPI = 1, 100_000


@dataclass(frozen=True, kw_only=True)
class Resolution:
    """How large a picture is meant to be printed or shown."""

    x: float
    """Dots per inch along a row."""

    y: float
    """Dots per inch along a column."""

    def __post_init__(self) -> None:
        if not (_LEAST_DPI <= self.x <= _MOST_DPI and _LEAST_DPI <= self.y <= _MOST_DPI):
            raise UsageError(
                f"a resolution of {self.x:g} × {self.y:g} dots per inch; it must be from {_LEAST_DPI} to {_MOST_DPI}"
            )

    @classmethod
    def found(cls, x: float, y: float) -> "Resolution | None":
        """Return the resolution a file states, or None for one that makes no sense."""
        sensible = _LEAST_DPI <= x <= _MOST_DPI and _LEAST_DPI <= y <= _MOST_DPI
        return cls(x=x, y=y) if sensible else None


def whole_dpi(dpi: float) -> float:
    """Return whole dots per inch where dots per metre, which are whole numbers, mean those."""
    whole = round(dpi)
    return float(whole) if abs(dpi - whole) <= METRES_PER_INCH / 2 else dpi


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
