"""Reading a picture with everything that must survive upscaling."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

from wildsr.files.extensions import EXTENSIONS, PICTURE_EXTENSIONS
from wildsr.imaging.colour import manage
from wildsr.imaging.decoders import decoder
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.exif import bare, settled
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.iptc import unwrapped as iptc_unwrapped
from wildsr.imaging.metadata.xmp import corrected as xmp_corrected
from wildsr.imaging.orientation import apply_orientation
from wildsr.imaging.picture import Picture
from wildsr.imaging.source import Source


def probe(path: str | Path, *, limits: Limits | None = None) -> Header:
    """Return what a picture file's header says; nothing is decoded.

    Args:
        path: The file.
        limits: What is allowed; `Limits()` when not given.

    Raises:
        InputError: No such file, not a picture, or a header that makes no sense.
        LimitError: A picture or file beyond `limits`, known from the header alone.
    """
    with decoder(path, limits or Limits()) as opened:
        return opened.header


def read(path: str | Path, *, limits: Limits | None = None) -> Picture:
    """Return a picture file as float pixels; see `open_source` for what is read and refused."""
    return open_source(path, limits=limits).picture()


def open_source(path: str | Path, *, limits: Limits | None = None) -> Source:
    """Decode a picture file once and keep it at native depth.

    Args:
        path: JPEG, PNG, WebP, TIFF, GIF, AVIF, BMP, PNM, or HEIC with the extra; told by content. Of several
            frames or pages the first is read.
        limits: What is allowed; `Limits()` when not given.

    Returns:
        Oriented pixels, colours as encoded wherever a network can take them so (DESIGN §8), metadata.

    Raises:
        InputError: No such file, not a picture, or damaged: half a picture is never returned.
        LimitError: Beyond `limits`, known from the header.
    """
    limits = limits or Limits()
    with decoder(path, limits) as opened:
        header, raw = opened.header, opened.decode()
    notes = [*_extension_note(path, header.format), *raw.notes]
    colour: Literal["rgb", "gray", "cmyk"] = (
        "cmyk" if raw.cmyk else "gray" if raw.samples.shape[2] < 3 else "rgb"
    )
    found = _allowed(raw.metadata, limits, notes)
    samples, icc, colour_notes = manage(raw.samples, found.icc, colour)
    return Source(
        samples=apply_orientation(samples, header.orientation),
        metadata=replace(_settled(found, notes), icc=icc),
        depth=header.depth,
        notes=(*notes, *colour_notes),
    )


def _allowed(found: Metadata, limits: Limits, notes: list[str]) -> Metadata:
    """Return metadata without the blocks that are empty or beyond the limit."""

    def allowed(kind: str, block: bytes | None) -> bytes | None:
        if block and len(block) > limits.max_metadata_bytes:
            notes.append(
                f"its {kind} is {len(block):,} bytes, above {limits.max_metadata_bytes:,}, and was left out"
            )
            return None
        return block or None

    return Metadata(
        icc=allowed("colour profile", found.icc),
        exif=allowed("EXIF", found.exif),
        xmp=allowed("XMP", found.xmp),
        iptc=allowed("IPTC", found.iptc),
    )


def _settled(found: Metadata, notes: list[str]) -> Metadata:
    """Return metadata true of the pixels now: upright, without the old thumbnail."""
    exif, xmp = found.exif, found.xmp
    if exif:
        try:
            exif = settled(bare(exif))
        except TiffError as error:
            notes.append(f"its EXIF can't be followed ({error}) and was left out")
            exif = None
    if xmp and b"hdrgm:" in xmp:
        notes.append("its HDR gain map was left out; what is read is its SDR picture")
    return replace(
        found,
        exif=exif,
        xmp=xmp_corrected(xmp) if xmp else None,
        iptc=iptc_unwrapped(found.iptc) if found.iptc else None,
    )


def _extension_note(path: str | Path, form: str) -> tuple[str, ...]:
    suffix = Path(path).suffix.lower()
    if suffix[1:] in PICTURE_EXTENSIONS and suffix[1:] not in (*EXTENSIONS[form], *_ALIKE.get(form, ())):
        return (f"it is named {suffix} but is {form.upper()}",)
    return ()


_ALIKE = {"png": EXTENSIONS["apng"]}
