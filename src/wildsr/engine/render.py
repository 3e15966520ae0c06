"""From one tile of the photo to one tile of the result."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from wildsr.engine.backends import Backend
from wildsr.engine.colour_fix import Drift, fix_colour
from wildsr.engine.grid import Span
from wildsr.engine.settings import Settings
from wildsr.imaging import FloatArray, Source, resize


@dataclass(kw_only=True)
class Tally:
    """What a run added up."""

    on_tile: Callable[[int], None] | None = None
    """Called with the number of tiles done after each."""

    inference_seconds: float = 0.0
    """Time inside the network."""

    tiles: int = 0
    """Tiles rendered."""

    drift_before: list[float] = field(default_factory=list)
    """Colour drift of each tile as the network made it, in 1/255."""

    drift_after: list[float] = field(default_factory=list)
    """Colour drift of each tile as it left, in 1/255."""

    def add(self, drift: Drift) -> None:
        """Count a finished tile."""
        self.drift_before.append(drift.before)
        self.drift_after.append(drift.after)
        self.tiles += 1
        if self.on_tile is not None:
            self.on_tile(self.tiles)


@dataclass(frozen=True)
class TileRenderer:
    """Renders the tiles of one picture: colour through the network, then alpha through its own pass."""

    source: Source
    backend: Backend
    settings: Settings
    multiple: int
    tally: Tally
    neutral: bool
    """Make red, green and blue equal."""

    def __call__(self, rows: Span, columns: Span) -> FloatArray:
        """Return the SR tile, (scale·rows)×(scale·columns)×channels of the source, in [0, 1]."""
        area = (rows.start, rows.stop, columns.start, columns.stop)
        lr = self.source.rgb(*area)
        sr = self._network(lr)
        sr, drift = fix_colour(sr, lr, scale=self.backend.scale, apply=bool(self.settings.color_fix))
        sr = self._weaken(sr, lr)
        if self.neutral:
            sr = sr.mean(axis=2, keepdims=True, dtype=np.float32)
            sr = sr if self.source.gray else np.repeat(sr, 3, axis=2)
        alpha = self.source.alpha(*area)
        if alpha is not None:
            sr = np.concatenate([sr, self._alpha(alpha)], axis=2)
        self.tally.add(drift)
        return sr

    def _alpha(self, alpha: FloatArray) -> FloatArray:
        """Super-resolve alpha as a gray picture of its own; a constant one needs no network."""
        scale = self.backend.scale
        if alpha.min() == alpha.max():
            return np.full((alpha.shape[0] * scale, alpha.shape[1] * scale, 1), alpha.flat[0], np.float32)
        lr = np.repeat(alpha[..., None], 3, axis=2)
        sr: FloatArray = self._weaken(self._network(lr), lr).mean(axis=2, keepdims=True)
        return sr

    def _weaken(self, sr: FloatArray, lr: FloatArray) -> FloatArray:
        """Blend with plain bicubic enlargement as `strength` says."""
        strength = np.float32(self.settings.strength)
        if strength == 1:
            return sr
        plain = np.clip(resize(lr, sr.shape[:2], method="bicubic"), 0, 1)
        return plain + strength * (sr - plain)

    def _network(self, lr: FloatArray) -> FloatArray:
        """Run the network on h×w×3; sides are filled up to its multiple by repeating the edge."""
        height, width = lr.shape[:2]
        down, right = -height % self.multiple, -width % self.multiple
        padded = np.pad(lr, ((0, down), (0, right), (0, 0)), mode="edge") if down or right else lr
        tile = np.ascontiguousarray(padded.transpose(2, 0, 1)[None])
        start = time.perf_counter()
        result = self.backend.run(tile)
        self.tally.inference_seconds += time.perf_counter() - start
        scale = self.backend.scale
        sr = np.empty((height * scale, width * scale, 3), np.float32)
        np.clip(result[0, :, : height * scale, : width * scale].transpose(1, 2, 0), 0, 1, out=sr)
        return sr
