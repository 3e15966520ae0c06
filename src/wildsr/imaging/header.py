"""What a picture file says about itself, read without decoding a pixel."""

from dataclasses import dataclass
from typing import Literal

from wildsr.imaging.picture import Depth

Colour = Literal["rgb", "gray", "cmyk", "lab"]


@dataclass(frozen=True, kw_only=True)
class Header:
    """From the file's header alone; sizes are those of the picture as looked at (orientation applied)."""

    format: str
    """Format by content: jpeg, png, webp, tiff, gif, avif, bmp, pnm or heic."""

    width: int
    """Pixels, after orientation."""

    height: int
    """Pixels, after orientation."""

    channels: int
    """Channels wildsr will hold: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""

    bits: int
    """Bits a channel in the file (1 to 32)."""

    depth: Depth
    """Bits a channel the picture is read at, and results are written at."""

    colour: Colour
    """Colour model of the file."""

    alpha: bool
    """Has transparency."""

    frames: int = 1
    """Frames or pages; the first is read."""

    orientation: int = 1
    """EXIF orientation, 1 to 8, as stored in the file."""

    file_bytes: int = 0
    """Size of the file."""

    @property
    def gray(self) -> bool:
        """True where the file has one colour channel; results get one too."""
        return self.colour == "gray"
