"""HEIC photos, decoded by libheif through pi-heif: an extra, since HEVC is patent-encumbered."""

import io

import numpy as np

from wildsr.errors import InputError
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits


class HeicDecoder:
    """The primary image of a HEIF file; rotation is the container's, already applied by libheif."""

    def __init__(self, file: io.FileIO, name: str, limits: Limits) -> None:
        try:
            import pi_heif
        except ImportError as error:
            raise InputError(
                f"{name} is a HEIC photo, which this installation can't read",
                hint="pip install 'wildsr[heic]'",
            ) from error
        self._name = name
        try:
            opened = pi_heif.open_heif(file, convert_hdr_to_8bit=False)
            self._image = opened[opened.primary_index]
        except (OSError, ValueError, SyntaxError, RuntimeError, EOFError, IndexError) as error:
            raise InputError(f"{name} can't be read as HEIC: {error}") from error
        width, height = self._image.size
        limits.check_size(name, width, height)
        bits = int(self._image.info.get("bit_depth", 8))
        alpha = "A" in self._image.mode
        self.header = Header(
            format="heic",
            width=width,
            height=height,
            channels=4 if alpha else 3,
            bits=bits,
            depth=8 if bits <= 8 else 16,
            colour="rgb",
            alpha=alpha,
            frames=len(opened),
            file_bytes=file.seek(0, io.SEEK_END),
        )

    def decode(self) -> Raw:
        """Return the pixels and metadata of the primary image."""
        try:
            pixels = np.asarray(self._image)
        except (OSError, ValueError, SyntaxError, RuntimeError, EOFError) as error:
            raise InputError(f"{self._name} is damaged: {error}") from error
        info = self._image.info
        return Raw(
            samples=np.ascontiguousarray(pixels),
            icc=info.get("icc_profile"),
            exif=info.get("exif"),
            xmp=info.get("xmp"),
        )
