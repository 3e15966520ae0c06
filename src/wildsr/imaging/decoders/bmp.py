"""Windows bitmaps, decoded by Pillow."""

import io
from typing import IO, cast

import numpy as np

from wildsr.errors import InputError
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.opening import BinaryFile

_MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA"}
_BITS = {"1": 1}


class BmpDecoder:
    """Uses Pillow's BMP reader alone: no other of its formats is reachable from here."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        from PIL.BmpImagePlugin import BmpImageFile

        self._name = name
        try:
            self._image = BmpImageFile(cast("IO[bytes]", file))
        except (OSError, SyntaxError, ValueError, OverflowError, KeyError, IndexError) as error:
            raise InputError(f"{name} can't be read as BMP: {error}") from error
        width, height = self._image.size
        limits.check_size(name, width, height)
        mode = _MODES.get(self._image.mode)
        if mode is None or min(width, height) < 1:
            raise InputError(
                f"{name} can't be read as BMP: {width} × {height} pixels of kind {self._image.mode}"
            )
        self._mode = mode
        self.header = Header(
            format="bmp",
            width=width,
            height=height,
            channels=len(mode),
            bits=_BITS.get(self._image.mode, 8),
            depth=8,
            colour="gray" if mode == "L" else "rgb",
            alpha=mode == "RGBA",
            file_bytes=file.seek(0, io.SEEK_END),
        )

    def decode(self) -> Raw:
        """Return all pixels; raise InputError where some are missing."""
        try:
            pixels = np.asarray(self._image.convert(self._mode), dtype=np.uint8)
        except (OSError, SyntaxError, ValueError, OverflowError, IndexError) as error:
            raise InputError(
                f"{self._name} is damaged: {error}",
                hint="copy or download it again; half a picture is never used",
            ) from error
        return Raw(samples=pixels.reshape(self.header.height, self.header.width, self.header.channels))
