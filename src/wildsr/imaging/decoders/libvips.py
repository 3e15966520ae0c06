"""PNG, WebP, GIF and AVIF, decoded by libvips at native depth."""

import io
from dataclasses import replace
from typing import TYPE_CHECKING

from wildsr.errors import LimitError
from wildsr.imaging.cicp import by_code_points, by_png_hints
from wildsr.imaging.containers import Edit, Found, avif_reader, webp_reader
from wildsr.imaging.containers.png_reader import Hints, read_png
from wildsr.imaging.containers.webp_extent import read_extent
from wildsr.imaging.decoders.heif import read_heif
from wildsr.imaging.decoders.raw import Raw, full_range
from wildsr.imaging.decoders.vips_image import COLOURS, OpenedFile
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import NO_METADATA, Metadata
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.exif import bare, orientation_of
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples
from wildsr.imaging.vips import integers
from wildsr.imaging.vips_errors import VipsFailure

if TYPE_CHECKING:
    from pyvips import Image


_BASE_BYTES, _BYTES_PER_PIXEL = 64 << 20, 32
"""A WebP is held whole while it is decoded: 64 MiB of it, and 32 bytes for each of its pixels, are allowed."""


class VipsDecoder:
    """A file of any format libvips reads but TIFF, which needs more care."""

    def __init__(self, file: BinaryFile, name: str, form: str, limits: Limits) -> None:
        budget = Budget(limits.max_metadata_bytes)
        self._hints, self._found = _beside_pixels(file, name, form, budget)
        behind = _behind(file, name, limits) if form == "webp" else ()
        self._opened = OpenedFile(file, name, form, "error", (*self._found.edits, *behind))
        image = self._opened.image
        limits.check_size(name, image.width, image.height)
        # HEIF turns pictures by its own boxes, already applied; EXIF's orientation is to be ignored there
        block = None if form == "avif" else self._found.metadata.exif
        orientation = orientation_of(bare(block)) if block else 1
        colour = self._opened.colour()
        self._heif = read_heif(file, name, form, limits) if form == "avif" else None
        self.header = self._opened.header(
            colour,
            alpha=image.bands > COLOURS[colour],
            orientation=orientation,
            frames=self._heif.frames
            if self._heif
            else max(self._hints.frames, self._opened.field("n-pages", 1)),
        )

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        opened, notes = self._opened, list(self._found.notes)
        metadata = self._metadata(notes)
        try:
            samples = opened.decode(self._pixels, "error")
        except VipsFailure as failure:
            raise opened.damaged("is damaged", failure) from failure
        if self._heif is not None:
            notes += self._heif.notes
        elif self.header.frames > 1:
            notes.append(f"only the first of {self.header.frames} frames was read")
        return Raw(samples=samples, metadata=metadata, notes=tuple(notes))

    def _pixels(self, image: "Image") -> Samples:
        header = self.header
        wanted = COLOURS[header.colour] + header.alpha
        samples = integers(image.extract_band(0, n=wanted) if image.bands > wanted else image)
        return full_range(samples, header.bits) if header.format == "avif" else samples

    def _metadata(self, notes: list[str]) -> Metadata:
        """Return what was found beside the pixels, or what libvips found where nobody looked."""
        opened, form, found = self._opened, self.header.format, self._found.metadata
        if form == "png":
            return replace(found, icc=self._png_profile(notes))
        icc = opened.blob("icc-profile-data")
        if self._heif is not None and self._heif.colour and icc is None:
            icc = by_code_points(*self._heif.colour)
        return replace(found, icc=icc)

    def _png_profile(self, notes: list[str]) -> bytes | None:
        """Return the profile by PNG's order of precedence: cICP, iCCP, sRGB, gAMA and cHRM."""
        hints, icc = self._hints, self._found.metadata.icc
        gray = self.header.colour == "gray"
        if hints.cicp is not None and not gray:
            return by_code_points(*hints.cicp)
        if icc is not None:
            return icc
        profile, note = by_png_hints(hints, gray=gray)
        notes += [note] if note else []
        return profile


def _behind(file: BinaryFile, name: str, limits: Limits) -> tuple[Edit, ...]:
    """Return the edit that leaves out what lies behind a WebP: libwebp holds the whole file.

    Raises:
        LimitError: The file is far larger than its picture needs.
    """
    extent, length = read_extent(file), file.seek(0, io.SEEK_END)
    limits.check_size(name, extent.width, extent.height)
    stop, most = min(extent.stop, length), _BASE_BYTES + _BYTES_PER_PIXEL * extent.width * extent.height
    if stop > most:
        raise LimitError(
            f"{name} has {stop:,} bytes for a picture of {extent.width} × {extent.height} pixels; "
            f"at most {most:,} are read",
            hint="save the picture itself as PNG",
        )
    return ((stop, length, b""),) if stop < length else ()


def _beside_pixels(file: BinaryFile, name: str, form: str, budget: Budget) -> tuple[Hints, Found]:
    """Return what a file says beside its pixels, for the formats where it is read here."""
    if form == "png":
        return read_png(file, name, budget)
    if form == "webp":
        return Hints(), webp_reader.read_metadata(file, name, budget)
    if form == "avif":
        return Hints(), avif_reader.read_metadata(file, budget)
    return Hints(), Found(metadata=NO_METADATA)
