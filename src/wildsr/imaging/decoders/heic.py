"""HEIC photos, decoded by libheif through pi-heif: an extra, since HEVC is patent-encumbered."""

import io
from importlib.util import find_spec

import numpy as np

from wildsr.errors import InputError
from wildsr.imaging.cicp import by_code_points
from wildsr.imaging.decoders.heif import read_heif
from wildsr.imaging.decoders.raw import Raw, full_range
from wildsr.imaging.decoders.vips_image import COPY_AGAIN
from wildsr.imaging.header import Colour, Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.opening import BinaryFile
from wildsr.imaging.picture import Samples

_MODES = ("L", "LA", "La", "RGB", "RGBA", "RGBa")


def check_installed(name: str) -> None:
    """Raise InputError, with the way out, where the HEIC library is not there."""
    if find_spec("pi_heif") is None:
        raise InputError(
            f"{name} is a HEIC photo, which this installation can't read", hint="pip install 'wildsr[heic]'"
        )


class HeicDecoder:
    """The primary image of a HEIF file; rotation is the container's, already applied by libheif."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        check_installed(name)
        import pi_heif

        self._name = name
        self._heif = read_heif(file, name, "heic", limits)
        try:
            opened = pi_heif.open_heif(file, convert_hdr_to_8bit=False)
            self._image = opened[opened.primary_index]
        except (OSError, ValueError, SyntaxError, RuntimeError, EOFError, IndexError) as error:
            raise InputError(f"{name} can't be read as HEIC: {error}") from error
        width, height = self._image.size
        limits.check_size(name, width, height)
        bits = int(self._image.info.get("bit_depth", 8))
        self._mode = self._image.mode.partition(";")[0]
        if self._mode not in _MODES:
            raise InputError(f"{name} has {self._image.mode} pixels; gray and RGB are read")
        colour: Colour = "gray" if self._mode.startswith("L") else "rgb"
        self.header = Header(
            format="heic",
            width=width,
            height=height,
            channels=len(self._mode),
            bits=bits,
            depth=8 if bits <= 8 else 16,
            colour=colour,
            alpha=len(self._mode) in (2, 4),
            frames=self._heif.frames,
            file_bytes=file.seek(0, io.SEEK_END),
        )

    def decode(self) -> Raw:
        """Return the pixels and metadata of the primary image."""
        header, info = self.header, self._image.info
        try:
            pixels = np.array(self._image)  # a copy: the memory is freed with the image
        except (OSError, ValueError, SyntaxError, RuntimeError, EOFError) as error:
            raise InputError(f"{self._name} is damaged: {error}", hint=COPY_AGAIN) from error
        if pixels.size != header.height * header.width * header.channels:
            height, width = pixels.shape[:2]
            raise InputError(
                f"{self._name} is damaged: it says it is {header.width} × {header.height} pixels "
                f"and holds {width} × {height}",
                hint=COPY_AGAIN,
            )
        samples = full_range(pixels.reshape(header.height, header.width, header.channels), header.bits)
        icc = info.get("icc_profile")
        points = info.get("nclx_profile")
        if icc is None and points is not None and header.colour == "rgb":
            icc = by_code_points(points["color_primaries"], points["transfer_characteristics"])
        return Raw(
            samples=_straight(samples) if self._mode.endswith("a") else samples,
            metadata=Metadata(icc=icc, exif=info.get("exif"), xmp=info.get("xmp")),
            notes=self._heif.notes,
        )


def _straight(samples: Samples) -> Samples:
    """Return premultiplied colours divided by their alpha; fully transparent ones stay black."""
    top = np.float32(255 if samples.dtype == np.uint8 else 65535)
    alpha = samples[..., -1:].astype(np.float32)
    colours = samples[..., :-1] * (top / np.maximum(alpha, 1))
    straight = np.rint(np.minimum(colours, top)).astype(samples.dtype)
    return np.concatenate([straight, samples[..., -1:]], axis=2)
