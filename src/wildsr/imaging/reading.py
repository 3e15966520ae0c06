"""Reading a picture with everything that must survive upscaling."""

from dataclasses import replace
from pathlib import Path
from typing import Final, Literal

from wildsr.errors import LimitError
from wildsr.files.display import shown
from wildsr.files.extensions import EXTENSIONS, PICTURE_EXTENSIONS
from wildsr.imaging.colour import manage
from wildsr.imaging.decoders import decoder
from wildsr.imaging.header import Header
from wildsr.imaging.limits import RESULT_LIMITS, Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.rewriting import settled
from wildsr.imaging.orientation import apply_orientation
from wildsr.imaging.picture import Picture
from wildsr.imaging.source import Source
from wildsr.machine import free_memory

_BYTES_READ: Final = 25
"""For each pixel at the peak of `read`, measured: 15.6 for 8-bit RGB, 24.8 for 16-bit RGB with alpha."""


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
    """Return a picture file as float pixels, oriented, with everything that must survive upscaling.

    Args:
        path: JPEG, PNG, WebP, TIFF, GIF, AVIF, BMP, PNM, or HEIC with the extra; told by content.
        limits: What is allowed. When not given, results of upscaling are too, as far as memory holds them:
            268 MP in any case, and up to 1,074 MP where 25 free bytes a pixel are at hand.

    Raises:
        InputError: No such file, not a picture, or damaged: half a picture is never returned.
        LimitError: Beyond `limits`, known from the header.

    Examples:
        >>> picture = wildsr.read("photo.jpg")
        >>> picture.rgb.shape == (picture.height, picture.width, 3)
        True
        >>> bool(0 <= picture.rgb.min() and picture.rgb.max() <= 1)
        True
    """
    return open_source(path, limits=limits or _what_memory_holds()).picture()


def _what_memory_holds() -> Limits:
    room = max(free_memory() // _BYTES_READ, Limits().max_pixels)
    return replace(RESULT_LIMITS, max_pixels=min(room, RESULT_LIMITS.max_pixels))


def open_source(path: str | Path, *, limits: Limits | None = None) -> Source:
    """Decode a picture file once and keep it at native depth.

    Args:
        path: JPEG, PNG, WebP, TIFF, GIF, AVIF, BMP, PNM, or HEIC with the extra; told by content. Of several
            frames or pages the first is read.
        limits: What is allowed; `Limits()` when not given.

    Returns:
        Oriented pixels, colours as encoded wherever a network can take them so, metadata.

    Raises:
        InputError: No such file, not a picture, or damaged: half a picture is never returned.
        LimitError: Beyond `limits`, or larger than the memory that is free; known from the header.
    """
    limits = limits or Limits()
    with decoder(path, limits) as opened:
        header = opened.header
        _check_memory(path, header)
        raw = opened.decode()
    notes = [*_extension_note(path, header.format), *raw.notes]
    colour: Literal["rgb", "gray", "cmyk"] = (
        "cmyk" if raw.cmyk else "gray" if raw.samples.shape[2] < 3 else "rgb"
    )
    found = _allowed(raw.metadata, limits, notes)
    samples, icc, colour_notes = manage(raw.samples, found.icc, colour)
    samples = apply_orientation(samples, header.orientation)
    rewritten = settled(
        found, orientation=header.orientation, width=samples.shape[1], height=samples.shape[0]
    )
    return Source(
        samples=samples,
        metadata=replace(rewritten.metadata, icc=icc),
        depth=header.depth,
        notes=(*notes, *rewritten.notes, *colour_notes),
    )


def _check_memory(path: str | Path, header: Header) -> None:
    """Refuse what can't be held: a picture is decoded whole, and the system ends processes that take too much."""
    needed, free = header.width * header.height * header.channels * (header.depth // 8), free_memory()
    if needed > free:
        raise LimitError(
            f"{shown(path)} is {header.width} × {header.height} pixels, {needed / 1e9:.3g} GB as decoded; "
            f"{max(free, 0) / 1e9:.3g} GB of memory are free",
            hint="close other programs, cut the picture into pieces, or take a machine with more memory",
        )


def _allowed(found: Metadata, limits: Limits, notes: list[str]) -> Metadata:
    """Return metadata without the blocks that are empty or beyond what is left of the limit."""
    budget = Budget(limits.max_metadata_bytes)

    def allowed(kind: str, block: bytes | None) -> bytes | None:
        if block and not budget.take(len(block)):
            notes.append(budget.refusal(kind))
            return None
        return block or None

    return replace(
        found,
        icc=allowed("colour profile", found.icc),
        exif=allowed("EXIF", found.exif),
        xmp=allowed("XMP", found.xmp),
        iptc=allowed("IPTC", found.iptc),
    )


def _extension_note(path: str | Path, form: str) -> tuple[str, ...]:
    suffix = Path(path).suffix.lower()
    if suffix[1:] in PICTURE_EXTENSIONS and suffix[1:] not in (*EXTENSIONS[form], *_ALIKE.get(form, ())):
        return (f"it is named {suffix} but is {form.upper()}",)
    return ()


_ALIKE = {"png": EXTENSIONS["apng"]}
