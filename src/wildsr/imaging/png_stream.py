"""Rows of pixels as an uncompressed PNG byte stream, the one raw framing libvips can pull from a pipe.

Stored (uncompressed) deflate blocks cost 0.01 % in size and two checksums in time; libvips then encodes any
format from it row by row, and no frame is ever whole in memory.
"""

import struct
import zlib
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import OutputError

Rows: TypeAlias = NDArray[np.uint8 | np.uint16]

_COLOUR_TYPE = {1: 0, 2: 4, 3: 2, 4: 6}
_BLOCK = 65_535
_CHUNK_BYTES = 4 << 20


def frame_png(rows: Iterable[Rows], width: int, height: int, channels: int, depth: int) -> Iterator[bytes]:
    """Yield the bytes of a store-only PNG, pulling bands of rows as they are needed.

    Args:
        rows: h_i × width × channels arrays, uint8 (depth 8) or uint16 (depth 16), top to bottom;
            their heights sum to `height`.
        width: Pixels.
        height: Rows.
        channels: 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA.
        depth: 8 or 16.

    Raises:
        OutputError: A band of another shape or type, too few rows or too many.
    """
    yield b"\x89PNG\r\n\x1a\n"
    yield _chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, _COLOUR_TYPE[channels], 0, 0, 0))
    adler, seen = 1, 0
    head = b"\x78\x01"
    band_height = max(1, _CHUNK_BYTES // (width * channels * depth // 8 + 1))
    for band in rows:
        _check_band(band, width, channels, depth)
        seen += band.shape[0]
        if seen > height:
            raise OutputError(f"{seen} rows were made for a picture of {height}")
        for y in range(0, band.shape[0], band_height):
            scanlines = _scanlines(band[y : y + band_height], depth)
            adler = zlib.adler32(scanlines, adler)
            yield _chunk(b"IDAT", head + _stored(scanlines))
            head = b""
    if seen != height:
        raise OutputError(f"only {seen} rows were made for a picture of {height}")
    yield _chunk(b"IDAT", head + struct.pack("<BHH", 1, 0, 0xFFFF) + struct.pack(">I", adler))
    yield _chunk(b"IEND", b"")


def _check_band(band: Rows, width: int, channels: int, depth: int) -> None:
    wanted = np.dtype(np.uint8 if depth == 8 else np.uint16)
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
