"""What one picture may cost before anything of it is decoded."""

from dataclasses import dataclass
from typing import Final

from wildsr.errors import LimitError, UsageError


@dataclass(frozen=True, kw_only=True)
class Limits:
    """Checked against a picture's header; the defaults hold for the library and the command line alike."""

    max_pixels: int = 1 << 28
    """Width × height of one frame (268 MP: 0.8 GB as 8-bit RGB)."""

    max_side: int = 1 << 17
    """Pixels along the longer side."""

    max_file_bytes: int = 1 << 31
    """Size of the file."""

    max_metadata_bytes: int = 1 << 24
    """EXIF, XMP, IPTC, ICC and text of one picture together, unpacked; what is beyond is left out, and said."""

    def __post_init__(self) -> None:
        for name in ("max_pixels", "max_side", "max_file_bytes", "max_metadata_bytes"):
            value = getattr(self, name)
            if value < (0 if name == "max_metadata_bytes" else 1):
                raise UsageError(f"{name.replace('_', '-')} is {value}; it must be 1 or more")

    def check_file(self, name: str, size: int) -> None:
        """Raise LimitError where a file of `size` bytes is too large."""
        if size > self.max_file_bytes:
            raise LimitError(
                f"{name} is {size:,} bytes; at most {self.max_file_bytes:,} are read",
                hint="raise Limits(max_file_bytes=…) if you trust this file",
            )

    def check_size(self, name: str, width: int, height: int) -> None:
        """Raise LimitError where a picture of `width` × `height` pixels is too large."""
        if max(width, height) > self.max_side:
            raise LimitError(
                f"{name} says it is {width} × {height} pixels; "
                f"at most {self.max_side:,} are allowed along a side",
                hint="crop the picture, or raise Limits(max_side=…) if you trust this file",
            )
        if width * height > self.max_pixels:
            raise LimitError(
                f"{name} says it is {width} × {height} = {width * height / 1e6:,.0f} megapixels; "
                f"at most {self.max_pixels / 1e6:,.0f} are allowed",
                hint="crop the picture, or raise Limits(max_pixels=…) if you trust this file",
            )


RESULT_LIMITS: Final = Limits(max_pixels=1 << 30, max_side=1 << 20, max_file_bytes=1 << 33)
"""For pictures that are our own results: larger than what may come in (24 MP become 384, 65,500 pixels 262,000)."""
