"""JPEG, PNG, WebP, GIF and AVIF, decoded by libvips at native depth."""

import re
from typing import TYPE_CHECKING

from wildsr.imaging.cicp import by_code_points, by_png_hints
from wildsr.imaging.containers.png import Hints, read_hints
from wildsr.imaging.decoders.heif import read_heif
from wildsr.imaging.decoders.raw import Raw, full_range
from wildsr.imaging.decoders.vips_image import COLOURS, FailOn, OpenedFile
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples
from wildsr.imaging.vips import integers
from wildsr.imaging.vips_errors import Trouble

if TYPE_CHECKING:
    from pyvips import Image

_HARMLESS = re.compile(
    r"extraneous bytes before marker 0xd9|JFIF revision|Adobe color|Invalid SOS parameters"
)
"""JPEG warnings that cost no pixels: bytes before the very end, odd version numbers. All others are damage."""


class VipsDecoder:
    """A file of any format libvips reads but TIFF, which needs more care."""

    def __init__(self, file: BinaryFile, name: str, form: str, limits: Limits) -> None:
        # libjpeg says no more than a warning when a part of the picture is lost
        self._fail_on: FailOn = "warning" if form == "jpeg" else "error"
        self._opened = OpenedFile(file, name, form, self._fail_on)
        image = self._opened.image
        limits.check_size(name, image.width, image.height)
        # HEIF turns pictures by its own boxes, already applied; EXIF's orientation is to be ignored there
        orientation = 1 if form == "avif" else self._opened.field("orientation", 1)
        colour = self._opened.colour()
        self._hints = read_hints(file, limits.max_metadata_bytes) if form == "png" else Hints()
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
        opened, notes = self._opened, []
        icc, iptc = self._profile_and_iptc()
        if self._hints.icc == b"":
            notes.append("the colour profile can't be unpacked and was ignored")
        exif, xmp = opened.blob("exif-data"), opened.blob("xmp-data")
        try:
            samples = opened.decode(self._pixels, self._fail_on)
        except Trouble as trouble:
            if self.header.format != "jpeg" or not _HARMLESS.search(str(trouble)):
                raise opened.damaged("is damaged", trouble) from trouble
            notes.append(f"the file has oddities that cost no pixels ({trouble})")
            samples = self._second_try()
        if self._heif is not None:
            notes += self._heif.notes
        elif self.header.frames > 1:
            notes.append(f"only the first of {self.header.frames} frames was read")
        cmyk = self.header.colour == "cmyk"
        metadata = Metadata(icc=icc, exif=exif, xmp=xmp, iptc=iptc)
        return Raw(samples=samples, cmyk=cmyk, metadata=metadata, notes=tuple(notes))

    def _second_try(self) -> Samples:
        try:
            return self._opened.decode(self._pixels, "truncated")
        except Trouble as trouble:
            raise self._opened.damaged("is damaged", trouble) from trouble

    def _pixels(self, image: "Image") -> Samples:
        header = self.header
        wanted = COLOURS[header.colour] + header.alpha
        samples = integers(image.extract_band(0, n=wanted) if image.bands > wanted else image)
        return full_range(samples, header.bits) if header.format == "avif" else samples

    def _profile_and_iptc(self) -> tuple[bytes | None, bytes | None]:
        """Return what libvips found, and what it does not look for."""
        opened = self._opened
        icc, iptc = opened.blob("icc-profile-data"), opened.blob("iptc-data")
        if self.header.format == "png":
            return self._png_profile(), iptc or self._hints.iptc
        if self._heif is not None and icc is None:
            icc = by_code_points(*self._heif.colour) if self._heif.colour else None
        return icc, iptc

    def _png_profile(self) -> bytes | None:
        """Return the profile by PNG's order of precedence: cICP, iCCP, sRGB, gAMA and cHRM."""
        hints = self._hints
        gray = self.header.colour == "gray"
        if hints.cicp is not None and not gray:
            return by_code_points(*hints.cicp)
        return hints.icc if hints.icc is not None else by_png_hints(hints, gray=gray)
