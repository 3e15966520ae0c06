"""Rows of pixels as an uncompressed PNG byte stream, the one raw framing libvips can pull from a pipe.

Stored (uncompressed) deflate blocks cost 0.01 % in size and two checksums in time; libvips then encodes any
format from it row by row, and no frame is ever whole in memory.
"""

import struct
import zlib
from collections.abc import Iterator

import numpy as np

from wildsr.errors import OutputError
from wildsr.imaging.frame import Frame, Rows

_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
_BLOCK = 65_535
_CHUNK_BYTES = 4 << 20


class PngStream:
    """The bytes of a store-only PNG, band by band.

    Args:
        frame: Size, channels and depth; bands are h_i × width × channels arrays, uint8 (depth 8) or uint16
            (depth 16), top to bottom, and their heights sum to the frame's.
    """

    def __init__(self, frame: Frame) -> None:
        self._frame = frame
        colour = _COLOUR_TYPE[frame.channels]
        size = struct.pack(">IIBBBBB", frame.width, frame.height, frame.depth, colour, 0, 0, 0)
        self._start = b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", size)
        self._head = b"\x78\x01"
        self._adler, self._seen = 1, 0
        row_bytes = frame.width * frame.channels * frame.depth // 8
        self._chunk_height = max(1, _CHUNK_BYTES // (row_bytes + 1))

    def chunks(self, band: Rows) -> Iterator[bytes]:
        """Yield the bytes of the next rows.

        Raises:
            OutputError: A band of another shape or type, or too many rows.
        """
        frame = self._frame
        _check_band(band, frame)
        self._seen += band.shape[0]
        if self._seen > frame.height:
            raise OutputError(f"{self._seen} rows were made for a picture of {frame.height}")
        for y in range(0, band.shape[0], self._chunk_height):
            scanlines = _scanlines(band[y : y + self._chunk_height], frame.depth)
            self._adler = zlib.adler32(scanlines, self._adler)
            yield self._start + _chunk(b"IDAT", self._head + _stored(scanlines))
            self._start = self._head = b""

    def end(self) -> bytes:
        """Return the last bytes.

        Raises:
            OutputError: Too few rows came.
        """
        if self._seen != self._frame.height:
            raise OutputError(f"only {self._seen} rows were made for a picture of {self._frame.height}")
        checksum = struct.pack("<BHH", 1, 0, 0xFFFF) + struct.pack(">I", self._adler)
        return _chunk(b"IDAT", self._head + checksum) + _chunk(b"IEND", b"")


def _check_band(band: Rows, frame: Frame) -> None:
    wanted = np.dtype(np.uint8 if frame.depth == 8 else np.uint16)
    width, channels = frame.width, frame.channels
    if band.ndim != 3 or band.shape[1:] != (width, channels) or band.dtype != wanted:
        raise OutputError(
            f"a band of rows is {band.dtype} {band.shape}; {wanted} h × {width} × {channels} was promised"
        )


def _scanlines(band: Rows, depth: int) -> bytes:
    """Return rows as PNG scanlines: filter byte 0, then big-endian samples."""
    height = band.shape[0]
    samples = np.ascontiguousarray(band if depth == 8 else band.astype(">u2"))
    row_bytes = samples.nbytes // height if height else 0
    lines = np.zeros((height, 1 + row_bytes), dtype=np.uint8)
    lines[:, 1:] = samples.view(np.uint8).reshape(height, row_bytes)
    return lines.tobytes()


def _stored(data: bytes) -> bytes:
    """Return `data` as non-final stored deflate blocks."""
    view = memoryview(data)
    parts: list[bytes | memoryview] = []
    for start in range(0, len(data), _BLOCK):
        block = view[start : start + _BLOCK]
        parts += [struct.pack("<BHH", 0, len(block), len(block) ^ 0xFFFF), block]
    return b"".join(parts)


def _chunk(kind: bytes, data: bytes) -> bytes:
    checksum = zlib.crc32(data, zlib.crc32(kind))
    return b"".join((struct.pack(">I", len(data)), kind, data, struct.pack(">I", checksum)))
