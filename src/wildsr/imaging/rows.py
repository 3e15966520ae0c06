"""Resizing a picture that is never whole in memory."""

from collections.abc import Iterator

import numpy as np

from wildsr.errors import UsageError
from wildsr.imaging.picture import FloatArray
from wildsr.imaging.resize import Method, apply_weights, weights


class RowResizer:
    """Takes bands of rows top to bottom and yields the rows of the resized picture as soon as they are known.

    Holds only the rows the kernel still needs. The result equals `resize` of the whole.

    Args:
        height_in: Rows that will be pushed.
        width_in: Columns of each.
        height_out: Rows of the result.
        width_out: Columns of the result.
        method: Interpolation kernel.
        antialias: Stretch the kernel when shrinking.
    """

    def __init__(
        self,
        height_in: int,
        width_in: int,
        height_out: int,
        width_out: int,
        method: Method = "bicubic",
        *,
        antialias: bool = True,
    ) -> None:
        self._vertical = weights(height_in, height_out, method=method, antialias=antialias)
        self._horizontal = weights(width_in, width_out, method=method, antialias=antialias)
        lowest = self._vertical.indices.min(axis=1)
        self._first = np.minimum.accumulate(lowest[::-1])[::-1]  # lowest row still needed from output i on
        self._last = np.maximum.accumulate(self._vertical.indices.max(axis=1))
        self._height_in, self._width_in = height_in, width_in
        self._kept: list[FloatArray] = []
        self._top = 0  # input row the kept bands begin with
        self._seen = 0
        self._made = 0

    def push(self, band: FloatArray) -> Iterator[FloatArray]:
        """Take the next h rows (h × width_in [× C] float32) and yield result rows that are now complete."""
        if band.shape[1] != self._width_in or self._seen + band.shape[0] > self._height_in:
            raise UsageError(
                f"rows {self._seen}–{self._seen + band.shape[0]} of width {band.shape[1]} were pushed; "
                f"{self._height_in} of width {self._width_in} were promised"
            )
        self._kept.append(band.astype(np.float32, copy=False))
        self._seen += band.shape[0]
        ready = int(np.searchsorted(self._last, self._seen, side="left"))
        if ready <= self._made:
            return
        window = self._kept[0] if len(self._kept) == 1 else np.concatenate(self._kept)
        step = max(1, _STEP_VALUES // (self._horizontal.n_out * int(np.prod(band.shape[2:], dtype=int))))
        for start in range(self._made, ready, step):
            stop = min(start + step, ready)
            rows = self._vertical.rows(start, stop, self._top)
            yield apply_weights(self._horizontal, apply_weights(rows, window, 0), 1)
        self._made = ready
        keep_from = min(int(self._first[ready]), self._seen) if ready < len(self._first) else self._seen
        self._kept = [window[keep_from - self._top :].copy()]
        self._top = keep_from


_STEP_VALUES = 1 << 21
