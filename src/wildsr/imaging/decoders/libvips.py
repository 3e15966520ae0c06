"""JPEG, PNG, WebP, TIFF, GIF and AVIF, decoded by libvips at native depth."""

import io
from typing import TYPE_CHECKING, Literal

import numpy as np

from wildsr.errors import InputError
from wildsr.imaging.decoders.raw import Raw, Samples
from wildsr.imaging.header import Colour, Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.vips import FileBridge, complaint, vips


_LOADERS = {
    "jpeg": "jpegload_source",
    "png": "pngload_source",
    "webp": "webpload_source",
    "tiff": "tiffload_source",
    "gif": "gifload_source",
    "avif": "heifload_source",
}
_MODELS: dict[str, Colour] = {
    "b-w": "gray",
    "grey16": "gray",
    "srgb": "rgb",
    "rgb": "rgb",
    "rgb16": "rgb",
    "scrgb": "rgb",
    "cmyk": "cmyk",
    "lab": "lab",
    "labs": "lab",
    "labq": "lab",
}
_BITS = {"uchar": 8, "char": 8, "ushort": 16, "short": 16, "uint": 32, "int": 32, "float": 32, "double": 64}


class VipsDecoder:
    """A file opened by the libvips loader its content asks for."""

    def __init__(self, file: io.FileIO, name: str, form: str, limits: Limits) -> None:
        self._name = name
        self._form = form
        self._limits = limits
        pyvips = vips()
        self._bridge = FileBridge(file)
        try:
            load = getattr(pyvips.Image, _LOADERS[form])
            self._image: pyvips.Image = load(self._bridge.source, access="sequential", fail_on="truncated")
        except pyvips.Error as error:
            raise InputError(f"{name} can't be read as {form.upper()}: {complaint(error)}") from error
        self.header = self._read_header(file)
        limits.check_size(name, self._image.width, self._image.height)

    def _read_header(self, file: io.FileIO) -> Header:
        image = self._image
        colour = _MODELS.get(image.interpretation)
        if colour is None:
            colour = "gray" if image.bands < 3 else "rgb"
        wanted = {"gray": 1, "rgb": 3, "cmyk": 4, "lab": 3}[colour]
        alpha = image.bands > wanted
        bits = image.get("bits-per-sample") if image.get_typeof("bits-per-sample") else _BITS[image.format]
        orientation = image.get("orientation") if image.get_typeof("orientation") else 1
        orientation = orientation if 1 <= orientation <= 8 else 1
        width, height = image.width, image.height
        if orientation >= 5:
            width, height = height, width
        return Header(
            format=self._form,
            width=width,
            height=height,
            channels=(1 if colour == "gray" else 3) + alpha,
            bits=bits,
            depth=8 if bits <= 8 else 16,
            colour=colour,
            alpha=alpha,
            frames=image.get("n-pages") if image.get_typeof("n-pages") else 1,
            orientation=orientation,
            file_bytes=file.seek(0, io.SEEK_END),
        )

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        pyvips = vips()
        try:
            return Raw(
                samples=self._samples(),
                icc=self._blob("icc-profile-data"),
                exif=self._blob("exif-data"),
                xmp=self._blob("xmp-data"),
                iptc=self._blob("iptc-data"),
                notes=self._notes(),
            )
        except pyvips.Error as error:
            raise InputError(
                f"{self._name} is damaged: {complaint(error)}",
                hint="copy or download it again; half a picture is never used",
            ) from error

    def _samples(self) -> Samples:
        image = self._image
        header = self.header
        if header.colour in ("cmyk", "lab"):
            image = image.colourspace("srgb" if header.depth == 8 else "rgb16")
        if image.bands > header.channels:
            image = image.extract_band(0, n=header.channels)
        image = image.cast("uchar" if header.depth == 8 else "ushort")
        dtype = np.uint8 if header.depth == 8 else np.uint16
        flat: Samples = np.frombuffer(image.write_to_memory(), dtype=dtype)
        return flat.reshape(image.height, image.width, image.bands)

    def _blob(self, name: Literal["icc-profile-data", "exif-data", "xmp-data", "iptc-data"]) -> bytes | None:
        if not self._image.get_typeof(name):
            return None
        return bytes(self._image.get(name))

    def _notes(self) -> tuple[str, ...]:
        if self.header.frames > 1:
            return (f"first of {self.header.frames} frames",)
        return ()
