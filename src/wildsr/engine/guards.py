"""No tile passes unchecked: a bad one is redone in fp32, a still bad one stops the run."""

from collections.abc import Callable

import numpy as np

from wildsr.engine.backends import Backend, Precision
from wildsr.errors import BackendError
from wildsr.imaging import FloatArray

_FAR_OUTSIDE = 16.0
"""SR values this far beyond [0, 1] are not an overshoot but a broken computation."""
_FLAT = 1e-6


def fault(lr: FloatArray, sr: FloatArray) -> str | None:
    """Say what makes `sr` impossible as the super-resolution of `lr` (both 1×3×h×w), or None.

    Checked: finite, not absurdly far outside [0, 1], not constant where the input isn't.
    """
    low, high = float(sr.min()), float(sr.max())
    if not (np.isfinite(low) and np.isfinite(high)):
        return "not finite"
    if low < -_FAR_OUTSIDE or high > 1 + _FAR_OUTSIDE:
        return f"between {low:.3g} and {high:.3g}"
    if high - low < _FLAT and float(lr.max() - lr.min()) > 2 / 255:
        return "constant although the photo isn't"
    return None


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
