"""What is written, how, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import UsageError
from wildsr.imaging.metadata import NO_METADATA, Metadata
from wildsr.imaging.picture import Depth

Rows: TypeAlias = NDArray[np.uint8 | np.uint16]
"""A band of rows: height × width × channels."""


@dataclass(frozen=True, kw_only=True)
class WriteOptions:
    """How a picture is written."""

    format: str | None = None
    """png, jpeg, webp, tiff, avif or dzi; by the file name's extension when not given."""

    quality: int | None = None
    """1 to 100 for JPEG (default 95), WebP (90) and AVIF (80); makes a Deep Zoom's tiles JPEG instead of PNG."""

    lossless: bool = False
    """Write WebP and AVIF without loss; gray pictures become WebP so in any case, unless a quality is given."""

    depth: Literal[8, 10, 12, 16] | None = None
    """Bits a channel to store; the picture's own where the format has them, when not given."""

    background: tuple[float, float, float] | None = None
    """Colour, RGB in [0, 1], that transparency is blended onto where the format has none; refused when not given."""

    compression: int | None = None
    """PNG effort 0 to 9 (default 2); a higher one is slower and smaller, the pixels are the same."""

    pyramid: bool = False
    """Write TIFF in tiles and in ever smaller sizes, for viewers that load what they show; Deep Zoom always is so."""

    strip_metadata: bool = False
    """Leave out EXIF, XMP, IPTC, text and dpi; the colour profile stays, colours would be wrong without it."""

    strip_gps: bool = False
    """Leave out where the picture was taken: EXIF's GPS, places of IPTC, XMP and text; captions are kept, and named."""

    software: str | None = None
    """Noted as the program that made the picture; `wildsr <version>` when not given."""

    model: str | None = None
    """Noted beside the program: the model the picture was made with."""

    overwrite: bool = True
    """Replace an existing file."""

    def __post_init__(self) -> None:
        if self.quality is not None and not 1 <= self.quality <= 100:
            raise UsageError(f"quality is {self.quality}; it must be from 1 to 100")
        if self.compression is not None and not 0 <= self.compression <= 9:
            raise UsageError(f"compression is {self.compression}; it must be from 0 to 9")
        if self.depth is not None and self.depth not in (8, 10, 12, 16):
            raise UsageError(f"depth is {self.depth}; it must be 8, 10, 12 or 16")
        if self.background is not None and not all(0 <= value <= 1 for value in self.background):
            raise UsageError(f"background is {self.background}; red, green and blue must be from 0 to 1")


@dataclass(frozen=True, kw_only=True)
class WriteReport:
    """What was written."""

    path: Path
    """The file."""

    bytes: int
    """Its size."""

    dropped: tuple[str, ...] = ()
    """What the format could not hold, each in a few words."""

    notes: tuple[str, ...] = ()
    """What the user should know of it: metadata that may still name the place after `strip_gps`."""


@dataclass(frozen=True, kw_only=True)
class Frame:
    """All about a picture but its rows."""

    width: int
    """Pixels."""

    height: int
    """Rows."""

    channels: int
    """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""

    neutral: bool = False
    """Red, green and blue are equal everywhere, and stay so in formats whose rounding would part them."""

    depth: Depth = 8
    """Bits a channel of the rows: 8 for uint8, 16 for uint16."""

    metadata: Metadata = NO_METADATA
    """What goes beside the pixels."""

    @property
    def gray(self) -> bool:
        """True for one colour channel."""
        return self.channels < 3

    @property
    def alpha(self) -> bool:
        """True where the last channel is alpha."""
        return self.channels in (2, 4)
