"""No tile passes unchecked: a bad one is redone in fp32, a still bad one stops the run."""

from collections.abc import Callable

import numpy as np

from wildsr.engine.backends import Backend, Precision
from wildsr.errors import BackendError
from wildsr.imaging import FloatArray

_FAR_OUTSIDE = 16.0
"""SR values this far beyond [0, 1] are not an overshoot but a broken computation."""
_VARIES = 2
"""Levels of 255 an input must span for a flat result of it to be suspicious."""
_SMOOTHED = (6, 2)
"""Levels an input may span, and its mean may be away from a flat result, for that to be its noise smoothed away."""


def fault(lr: FloatArray, sr: FloatArray) -> str | None:
    """Say what makes `sr` impossible as the super-resolution of `lr` (both 1×3×h×w), or None.

    Checked: finite, not absurdly far outside [0, 1], not of one colour where the input isn't. The last is judged on
    what will be seen, levels 0 to 255 after clipping: a network whose every value is below 0 makes a black picture.
    """
    low, high = sr.min(axis=(0, 2, 3)), sr.max(axis=(0, 2, 3))
    if not (np.isfinite(low).all() and np.isfinite(high).all()):
        return "not finite"
    if low.min() < -_FAR_OUTSIDE or high.max() > 1 + _FAR_OUTSIDE:
        return f"between {low.min():.3g} and {high.max():.3g}"
    colour = _levels(low)
    if (colour != _levels(high)).any():
        return None
    span = float((lr.max(axis=(0, 2, 3)) - lr.min(axis=(0, 2, 3))).max()) * 255
    distance = float(np.abs(lr.mean(axis=(0, 2, 3)) * 255 - colour).max())
    if span <= _VARIES or (span <= _SMOOTHED[0] and distance <= _SMOOTHED[1]):
        return None
    return "constant although the photo isn't"


def _levels(values: FloatArray) -> FloatArray:
    """Return values as they will be written at 8 bits."""
    levels: FloatArray = np.rint(np.clip(values, 0, 1) * np.float32(255))
    return levels


class GuardedBackend:
    """Checks every tile of a backend; redoes bad ones with an fp32 backend, opened when first needed."""

    def __init__(self, backend: Backend, open_fp32: Callable[[], Backend]) -> None:
        self._backend = backend
        self._open_fp32 = open_fp32
        self._fp32: Backend | None = None
        self.scale = backend.scale
        self.precision: Precision = backend.precision
        self.bytes_per_pixel = backend.bytes_per_pixel
        self.threads = backend.threads
        self.redone: list[str] = []
        """What was wrong with each tile that had to be redone."""

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile; see `Backend.run`.

        Raises:
            BackendError: If the tile is bad in fp32 too.
        """
        result = self._backend.run(tile)
        reason = self._fault(tile, result)
        if reason is None:
            return result
        if self.precision != "fp32":
            self.redone.append(reason)
            if self._fp32 is None:
                self._fp32 = self._open_fp32()
            result = self._fp32.run(tile)
            reason = self._fault(tile, result)
            if reason is None:
                return result
        raise BackendError(
            f"the model's result is {reason} for a tile of {tile.shape[2]}×{tile.shape[3]} LR pixels",
            hint="the model file may be damaged (wildsr models verify), or it isn't a super-resolution model",
        )

    def _fault(self, lr: FloatArray, sr: FloatArray) -> str | None:
        wanted = (1, 3, lr.shape[2] * self.scale, lr.shape[3] * self.scale)
        if sr.shape != wanted:  # a graph whose shapes depend on values says one thing and does another
            return f"{'×'.join(map(str, sr.shape))} instead of {'×'.join(map(str, wanted))} numbers"
        return fault(lr, sr)
