"""Backends made of backends: self-ensemble and the fusion of two models. Each is tile in, tile out again."""

from dataclasses import dataclass

import numpy as np

from wildsr.engine.backends import Backend, Precision
from wildsr.errors import UsageError
from wildsr.imaging import FloatArray


class EnsembleBackend:
    """Mean of the network over the eight flips and turns of a tile (EDSR's self-ensemble)."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self.scale = backend.scale
        self.precision: Precision = backend.precision
        self.bytes_per_pixel = backend.bytes_per_pixel
        self.threads = backend.threads

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile; see `Backend.run`."""
        total: FloatArray | None = None
        for turns in range(4):
            for flip in (False, True):
                view = np.rot90(tile, turns, axes=(2, 3))
                view = view[:, :, :, ::-1] if flip else view
                sr = self._backend.run(np.ascontiguousarray(view))
                sr = sr[:, :, :, ::-1] if flip else sr
                sr = np.rot90(sr, -turns, axes=(2, 3))
                total = sr.copy() if total is None else total + sr
        assert total is not None, "eight views were run"
        return total * np.float32(1 / 8)


@dataclass(frozen=True, kw_only=True)
class FusionRule:
    """Samsung's luminance rule (Ren et al. 2020): dark pictures get α·y_R + β·y_S, others y_R alone.

    The paper's α, β and γ are not known; the defaults are a guess that keeps brightness.
    """

    alpha: float = 0.5
    """Weight of the main model's result (y_R) in dark pictures."""

    beta: float = 0.5
    """Weight of the second model's result (y_S) in dark pictures."""

    gamma: float = 60.0
    """A picture is dark when the median of its full-range BT.601 luma is below this, on 0–255."""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.alpha) and np.isfinite(self.beta) and abs(self.alpha + self.beta) > 1e-6):
            raise UsageError(
                f"fusion weights alpha {self.alpha} and beta {self.beta} must be finite and not cancel out",
                hint="alpha + beta = 1 keeps the picture's brightness",
            )
        if not np.isfinite(self.gamma):
            raise UsageError(
                f"gamma is {self.gamma}; it must be a number",
                hint="luma is 0 to 255; 256 takes every picture for dark",
            )

    def applies(self, median_luma: float) -> bool:
        """Whether a picture with this median luma (0–255) is dark; exactly γ is not."""
        return median_luma < self.gamma


class FusedBackend:
    """α·y_R + β·y_S of two backends with the same scale."""

    def __init__(self, main: Backend, second: Backend, rule: FusionRule) -> None:
        if main.scale != second.scale:
            raise UsageError(
                f"models to fuse must have the same scale; these have ×{main.scale} and ×{second.scale}",
                hint="choose two models of one scale (wildsr models list)",
            )
        self._main, self._second, self._rule = main, second, rule
        self.scale = main.scale
        self.precision: Precision = main.precision
        self.bytes_per_pixel = main.bytes_per_pixel + second.bytes_per_pixel
        self.threads = main.threads

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile with both models; see `Backend.run`."""
        fused: FloatArray = np.float32(self._rule.alpha) * self._main.run(tile)
        fused += np.float32(self._rule.beta) * self._second.run(tile)
        return fused
