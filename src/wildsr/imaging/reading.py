"""Reading a picture with everything that must survive upscaling."""

from pathlib import Path
from typing import Literal

from wildsr.imaging.colour import manage
from wildsr.imaging.decoders import decoder
from wildsr.imaging.formats import FORMATS
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata.exif import bare, settled
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.metadata.iptc import unwrapped as iptc_unwrapped
from wildsr.imaging.metadata.xmp import corrected as xmp_corrected
from wildsr.imaging.orientation import apply_orientation
from wildsr.imaging.picture import Picture
from wildsr.imaging.source import Source


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
    samples, icc, colour_notes = manage(
        raw.samples, _allowed("colour profile", raw.icc, limits, notes), colour
    )
    exif, xmp = _allowed("EXIF", raw.exif, limits, notes), _allowed("XMP", raw.xmp, limits, notes)
    if xmp and b"hdrgm:" in xmp:
        notes.append("its HDR gain map was left out; what is read is its SDR picture")
    iptc = _allowed("IPTC", raw.iptc, limits, notes)
    return Source(
        samples=apply_orientation(samples, header.orientation),
        icc=icc,
        exif=_settled(exif, notes),
        xmp=xmp_corrected(xmp) if xmp else None,
        iptc=iptc_unwrapped(iptc) if iptc else None,
        depth=header.depth,
        notes=(*notes, *colour_notes),
    )


def _allowed(kind: str, block: bytes | None, limits: Limits, notes: list[str]) -> bytes | None:
    """Return a metadata block unless it is empty or beyond the limit."""
    if block and len(block) > limits.max_metadata_bytes:
        notes.append(
            f"its {kind} is {len(block):,} bytes, above {limits.max_metadata_bytes:,}, and was left out"
        )
        return None
    return block or None


def _settled(block: bytes | None, notes: list[str]) -> bytes | None:
    """Return EXIF true of the pixels now: upright, without the old thumbnail."""
    if block is None:
        return None
    try:
        return settled(bare(block))
    except TiffError as error:
        notes.append(f"its EXIF can't be followed ({error}) and was left out")
        return None


def _extension_note(path: str | Path, form: str) -> tuple[str, ...]:
    suffix = Path(path).suffix.lower()
    if suffix and suffix in _EXTENSIONS and suffix not in _EXTENSIONS_OF[form]:
        return (f"it is named {suffix} but is {form.upper()}",)
    return ()


_EXTENSIONS_OF: dict[str, tuple[str, ...]] = {
    **{name: form.extensions for name, form in FORMATS.items()},
    "gif": (".gif",),
    "bmp": (".bmp", ".dib"),
    "pnm": (".pbm", ".pgm", ".ppm", ".pnm", ".pam"),
    "heic": (".heic", ".heif", ".hif"),
}
_EXTENSIONS = frozenset(suffix for known in _EXTENSIONS_OF.values() for suffix in known)
