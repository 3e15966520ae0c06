"""Windows bitmaps: headers and plain pixels by Pillow, run lengths by `bmp_rle`."""

import io
from typing import IO, cast

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError, LimitError
from wildsr.imaging.decoders.bmp_rle import decode_rle
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata, Resolution, whole_dpi
from wildsr.imaging.opening import BinaryFile

_MODES = {"1": "L", "L": "L", "P": "RGB", "RGB": "RGB", "RGBA": "RGBA"}
_BITS = {"1": 1}
_DAMAGE = (OSError, SyntaxError, ValueError, OverflowError, KeyError, IndexError)
_BAND = 256
_FREE_PIXELS, _PIXELS_PER_BYTE = 1 << 24, 255
"""Run lengths hold up to 127 pixels a byte; skipped rows hold more, but no more than this in a large picture."""


class BmpDecoder:
    """Uses Pillow's BMP reader alone: no other of its formats is reachable from here."""

    def __init__(self, file: BinaryFile, name: str, limits: Limits) -> None:
        from PIL.BmpImagePlugin import BmpImageFile

        self._file, self._name = file, name
        try:
            self._image = BmpImageFile(cast("IO[bytes]", file))
            self._tile = self._image.tile[0]
        except _DAMAGE as error:
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
        stored = self.header.file_bytes - self._tile.offset
        if self._runs and width * height > max(_FREE_PIXELS, _PIXELS_PER_BYTE * stored):
            raise LimitError(
                f"{name} says it is {width} × {height} pixels, in {stored:,} bytes of run lengths; "
                f"at most {_PIXELS_PER_BYTE} pixels a byte are made for a picture of more than 16 megapixels",
                hint="save it as PNG with the program that made it",
            )

    @property
    def _runs(self) -> bool:
        return self._tile.codec_name == "bmp_rle"

    def decode(self) -> Raw:
        """Return all pixels; raise InputError where some are missing."""
        try:
            samples = self._from_runs() if self._runs else self._plain()
            return Raw(samples=samples, metadata=Metadata(resolution=self._resolution()))
        except _DAMAGE as error:
            raise InputError(
                f"{self._name} is damaged: {error}",
                hint="copy or download it again; half a picture is never used",
            ) from error

    def _resolution(self) -> Resolution | None:
        dots = self._image.info.get("dpi")
        return Resolution.found(*map(whole_dpi, dots)) if dots else None

    def _plain(self) -> NDArray[np.uint8]:
        header = self.header
        row = self._tile.args[1] if isinstance(self._tile.args, tuple) else 0
        wanted = int(row or 0) * header.height
        if header.file_bytes - self._tile.offset < wanted - 3:  # the last row's padding may be missing
            raise ValueError(f"{header.file_bytes - self._tile.offset:,} of {wanted:,} bytes are there")
        self._image.load()
        samples = np.empty((header.height, header.width, header.channels), np.uint8)
        for y in range(0, header.height, _BAND):  # in bands: as RGB, Pillow holds four bytes for each pixel
            rows = samples[y : y + _BAND]
            band = self._image.crop((0, y, header.width, y + len(rows))).convert(self._mode)
            rows[:] = np.asarray(band, np.uint8).reshape(rows.shape)
        return samples

    def _from_runs(self) -> NDArray[np.uint8]:
        """Return a run-length encoded picture; Pillow takes ten bytes and a step of Python for each pixel."""
        header = self.header
        self._file.seek(self._tile.offset)
        _, nibbles, direction = cast("tuple[str, bool, int]", self._tile.args)
        longest = 4 * header.width * header.height + 8 * header.height + 1024
        indices = decode_rle(self._file.read(longest), header.width, header.height, nibbles=nibbles)
        if direction == 1:  # stored from the top
            indices = indices[::-1]
        table = np.zeros((256, header.channels), np.uint8)
        palette = self._image.palette
        if palette is not None:  # as stored: asked for in another way, Pillow decodes the picture first
            stored = np.frombuffer(bytes(palette.palette), np.uint8)
            stored = stored.reshape(-1, len(palette.rawmode or "BGRX"))[:256]
            table[: len(stored)] = stored[:, 2::-1]
        else:
            table[:] = np.arange(256)[:, None] * (255 if self._image.mode == "1" else 1)
        samples: NDArray[np.uint8] = table[indices]
        return samples
