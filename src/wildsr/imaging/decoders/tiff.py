"""TIFF by libvips, with what libvips leaves open: raw files, extra channels, floats, 8-bit Lab, EXIF."""

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.imaging.cicp import linear_gray, linear_srgb, srgb
from wildsr.imaging.containers.tiff import file_reader, read_metadata
from wildsr.imaging.containers.tiff_structure import MOST_PAGES, Structure, read_structure
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.decoders.tiff_checks import CIELAB, ICCLAB, RGB, check, unread_compression
from wildsr.imaging.decoders.vips_image import COLOURS, COPY_AGAIN, OpenedFile
from wildsr.imaging.edited_file import EditedFile
from wildsr.imaging.header import Colour
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.metadata.budget import Budget
from wildsr.imaging.metadata.ifd import TiffError
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples
from wildsr.imaging.vips import integers, vips
from wildsr.imaging.vips_errors import VipsFailure

if TYPE_CHECKING:
    from pyvips import Image

_ALPHA_KINDS = (1, 2)
_FLOAT_RANGE = (-0.5, 4.0)
"""Floating-point samples are taken as [0, 1] with some room; a picture beyond this is on another scale."""


class TiffDecoder:
    """The first page of a TIFF or BigTIFF file."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        self._name, self._limits = name, limits
        try:
            self._structure = read_structure(file_reader(file))
        except TiffError as error:
            raise InputError(f"{name} can't be read as TIFF: {error}", hint=COPY_AGAIN) from error
        check(self._structure, name, limits)
        one_page = EditedFile(file, sorted(self._structure.only))
        lab = self._structure.photometric in (CIELAB, ICCLAB)
        # libvips reads few kinds of Lab and some wrongly: let it see plain channels, converted here
        at = self._structure.photometric_at
        as_rgb = (at, at + 2, RGB.to_bytes(2, "little" if self._structure.little else "big"))
        try:
            self._opened = OpenedFile(one_page, name, "tiff", "error", [as_rgb] if lab else [])
        except InputError as error:
            raise unread_compression(self._structure, name) or error from error
        image = self._opened.image
        colour: Colour = "lab" if lab else self._opened.colour()
        limits.check_size(name, image.width, image.height)
        self._alpha = self._alpha_band(colour)
        orientation = self._opened.field("orientation", 1)
        self.header = self._opened.header(
            colour,
            alpha=self._alpha is not None,
            orientation=orientation,
            frames=self._structure.pages,
        )

    def _alpha_band(self, colour: Colour) -> int | None:
        """Return the band that is said to be transparency; one of unsaid meaning would make photos invisible."""
        bands = range(COLOURS[colour], self._opened.image.bands)
        return next(
            (n for n, kind in zip(bands, self._structure.extra, strict=False) if kind in _ALPHA_KINDS), None
        )

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        opened, notes = self._opened, []
        try:
            metadata = read_metadata(opened.file, Budget(self._limits.max_metadata_bytes))
        except TiffError as error:
            metadata = Metadata()
            notes.append(f"its metadata can't be followed ({error}) and was left out")
        try:
            samples = opened.decode(self._pixels, "error")
        except VipsFailure as failure:
            raise (
                unread_compression(self._structure, self._name) or opened.damaged("is damaged", failure)
            ) from failure
        icc, conversion = self._meaning(metadata.icc)
        notes += self._pages()
        return Raw(
            samples=samples,
            cmyk=self.header.colour == "cmyk",
            metadata=replace(metadata, icc=icc),
            notes=(*notes, *conversion),
        )

    def _pages(self) -> list[str]:
        """Return the note on what else is in the file."""
        page, pages = self._structure.page, self._structure.pages
        if page == 0 and pages == 1 + self._structure.smaller:
            return []
        count = f"{pages:,} or more" if pages == MOST_PAGES else f"{pages:,}"
        if page:
            return [f"page {page + 1} of {count} was read, the first that is no thumbnail"]
        return [f"only the first of {count} pages was read"]

    def _meaning(self, icc: bytes | None) -> tuple[bytes | None, list[str]]:
        """Return the profile the integer samples are now in, and what making them changed."""
        image, colour, notes = self._opened.image, self.header.colour, []
        extra = image.bands - COLOURS[colour] - self.header.alpha
        if extra == 1 and not self.header.alpha:
            notes.append("a channel that is not said to be transparency was left out")
        elif extra:
            notes.append("extra channels were left out")
        if image.format == "uint":
            notes.append("32-bit samples became 16 bit")
        if colour == "lab":
            return srgb(), [*notes, "Lab converted to sRGB"]
        if image.format == "float":
            notes.append("floating-point samples became 16 bit, values outside 0 to 1 clipped")
            if icc is None:
                notes.append("without a profile they are taken as linear light")
                icc = linear_gray() if colour == "gray" else linear_srgb()
        return icc, notes

    def _pixels(self, image: "Image") -> Samples:
        """Return the samples as 8 or 16 bit integers, Lab already converted."""
        colours = COLOURS[self.header.colour]
        alpha = image.extract_band(self._alpha) if self._alpha is not None else None
        if image.bands > colours:
            image = image.extract_band(0, n=colours)
            image = image if alpha is None else image.bandjoin(alpha)
        if image.format in ("uchar", "ushort"):
            samples = integers(image)
            return _lab_to_srgb(samples, self._structure) if self.header.colour == "lab" else samples
        shape = (image.height, image.width, image.bands)
        if image.format == "uint":
            if self.header.colour == "lab":
                raise self._unread("32-bit Lab")
            wide = np.frombuffer(image.write_to_memory(), np.uint32).reshape(shape)
            return (wide >> 16).astype(np.uint16)
        if image.format == "float" and self.header.colour != "lab":
            return self._from_float(np.frombuffer(image.write_to_memory(), np.float32).reshape(shape))
        raise self._unread(("Lab in " if self.header.colour == "lab" else "") + f"{image.format} samples")

    def _unread(self, kind: str) -> InputError:
        return InputError(
            f"{self._name} has {kind}; unsigned integers and floats are read, Lab in integers of 8 or 16 bits",
            hint="save it as RGB, in unsigned integers of 16 bits",
        )

    def _from_float(self, samples: NDArray[np.float32]) -> Samples:
        low, high = float(samples.min()), float(samples.max())
        if not (np.isfinite(low) and np.isfinite(high)):
            raise InputError(
                f"{self._name} has floating-point samples that are not finite",
                hint="replace them by numbers from 0 to 1, or save it as 16-bit integers",
            )
        if low < _FLOAT_RANGE[0] or high > _FLOAT_RANGE[1]:
            raise InputError(
                f"{self._name} has floating-point samples from {low:g} to {high:g}; 0 to 1 is expected",
                hint="divide by its white level, or save it as 16-bit integers",
            )
        scaled = np.rint(np.clip(samples, 0, 1) * np.float32(65535))
        return np.asarray(scaled, dtype=np.uint16)


def _lab_to_srgb(samples: Samples, structure: Structure) -> Samples:
    """Return Lab (D50, as TIFF has it) as sRGB, alpha passed through; encodings by TIFF 6.0 §23 and ICC.1."""
    depth = 8 * samples.dtype.itemsize
    unit = np.float32(1 << (depth - 8))
    lab = samples[..., :3].astype(np.float32)
    if structure.photometric == ICCLAB:
        lab[..., 0] *= 100 / (255 * unit)
        lab[..., 1:] = lab[..., 1:] / unit - 128
    else:
        lab[..., 0] *= 100 / np.float32((1 << depth) - 1)
        signed = np.int8 if depth == 8 else np.int16
        lab[..., 1:] = np.ascontiguousarray(samples[..., 1:3]).view(signed).astype(np.float32) / unit
    image = vips().Image.new_from_array(lab, interpretation="lab")
    done = image.icc_export(
        output_profile="srgb", pcs="lab", intent="relative", black_point_compensation=True, depth=depth
    )
    colours = integers(done)
    return colours if samples.shape[2] == 3 else np.concatenate([colours, samples[..., 3:]], axis=2)
