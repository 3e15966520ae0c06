"""Reading a picture with everything that must survive upscaling."""

from pathlib import Path

from wildsr.imaging.decoders import decoder
from wildsr.imaging.limits import Limits
from wildsr.imaging.orientation import apply_orientation
from wildsr.imaging.picture import Picture
from wildsr.imaging.source import Source


def read(path: str | Path, *, limits: Limits | None = None) -> Picture:
    """Return a picture file as float pixels; see `open_source` for what is read and refused."""
    return open_source(path, limits=limits).picture()


def open_source(path: str | Path, *, limits: Limits | None = None) -> Source:
    """Decode a picture file once and keep it at native depth.

    Args:
        path: JPEG, PNG, WebP, TIFF, GIF (first frame), AVIF, BMP, PNM, or HEIC with the extra; told by content.
        limits: What is allowed; `Limits()` when not given.

    Returns:
        Oriented pixels, colours as encoded wherever a network can take them so (DESIGN §8), metadata.

    Raises:
        InputError: No such file, not a picture, or damaged: half a picture is never returned.
        LimitError: Beyond `limits`, known from the header.
    """
    with decoder(path, limits or Limits()) as opened:
        header, raw = opened.header, opened.decode()
    return Source(
        samples=apply_orientation(raw.samples, header.orientation),
        icc=raw.icc,
        exif=raw.exif,
        xmp=raw.xmp,
        iptc=raw.iptc,
        depth=header.depth,
        notes=raw.notes,
    )
