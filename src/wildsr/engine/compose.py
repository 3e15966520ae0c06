"""Backends made of backends: self-ensemble and the fusion of two models. Each is tile in, tile out again."""

import numpy as np

from wildsr.engine.backends import Backend, Precision
from wildsr.errors import UsageError
from wildsr.imaging import FloatArray
from wildsr.models import FusionRule


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
