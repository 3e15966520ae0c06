"""Run-length encoded bitmaps (BI_RLE8, BI_RLE4), decoded into the memory their pixels take and no more."""

import numpy as np
from numpy.typing import NDArray

_END_OF_LINE, _END_OF_BITMAP, _DELTA = 0, 1, 2


class RleError(ValueError):
    """Data that end before the picture does, or leave it."""


def decode_rle(data: bytes, width: int, height: int, *, nibbles: bool) -> NDArray[np.uint8]:
    """Return height × width indices into the palette, top row first; pixels that are skipped have index 0.

    Args:
        data: From the first code on.
        width: Pixels.
        height: Rows.
        nibbles: Two indices a byte (RLE4), not one (RLE8).

    Raises:
        RleError: The data end before the last row, or a run leaves the picture.
    """
    rows = np.zeros((height, width), np.uint8)
    at = x = y = 0
    while True:
        if at + 2 > len(data):
            raise RleError(f"its data end in row {y} of {height}")
        count, value = data[at], data[at + 1]
        at += 2
        if count:
            run = _indices(bytes([value]) * -(-count // (2 if nibbles else 1)), count, nibbles)
            x = _put(rows, run, x, y)
        elif value == _END_OF_LINE:
            x, y = 0, y + 1
        elif value == _END_OF_BITMAP:
            break
        elif value == _DELTA:
            if at + 2 > len(data):
                raise RleError(f"its data end in row {y} of {height}")
            x, y, at = x + data[at], y + data[at + 1], at + 2
        else:
            size = -(-value // 2) if nibbles else value
            run = _indices(data[at : at + size], value, nibbles)
            x = _put(rows, run, x, y)
            at += size + size % 2
    if y < height - 1 and (x < width or y < height - 2):
        raise RleError(f"its data end in row {y} of {height}")
    return rows[::-1]


def _indices(packed: bytes, count: int, nibbles: bool) -> NDArray[np.uint8]:
    values = np.frombuffer(packed, np.uint8)
    if nibbles:
        values = np.stack([values >> 4, values & 15], axis=1).ravel()
    return values[:count]


def _put(rows: NDArray[np.uint8], run: NDArray[np.uint8], x: int, y: int) -> int:
    """Write a run of indices and return where the next one goes; encoders may fill up a row beyond its end."""
    if y >= rows.shape[0]:
        raise RleError("a run below its last row")
    part = run[: max(0, rows.shape[1] - x)]
    rows[y, x : x + len(part)] = part
    return x + len(run)
