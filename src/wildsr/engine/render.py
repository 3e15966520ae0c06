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


@dataclass(frozen=True, kw_only=True)
class Raw:
    """A tile of the photo and what the network made of it."""

    lr: FloatArray
    """h×w×3."""

    sr: FloatArray
    """3×(scale·h)×(scale·w), not clipped."""

    alpha: FloatArray | None
    """h×w, where the photo has one."""

    alpha_sr: FloatArray | None
    """What the network made of alpha as a gray picture; none where it is constant."""

    seconds: float
    """Time inside the network."""


@dataclass(frozen=True)
class TileRenderer:
    """Renders the tiles of one picture: colour through the network, then alpha through its own pass.

    In two steps, as the first may be done ahead in another thread (see `ahead.one_ahead`).
    """

    source: Source
    backend: Backend
    settings: Settings
    multiple: int
    tally: Tally
    neutral: bool
    """Make red, green and blue equal."""

    def network(self, spans: tuple[Span, Span]) -> Raw:
        """Run the network on the tile of a row span and a column span."""
        rows, columns = spans
        area = (rows.start, rows.stop, columns.start, columns.stop)
        lr, alpha = self.source.rgb(*area), self.source.alpha(*area)
        seen, made, seconds = [lr], list[FloatArray](), 0.0
        if alpha is not None and alpha.min() != alpha.max():
            seen.append(np.repeat(alpha[..., None], 3, axis=2))
        height, width = rows.length * self.backend.scale, columns.length * self.backend.scale
        for picture in seen:
            tile = _whole(picture, self.multiple)
            start = time.perf_counter()
            result = self.backend.run(tile)
            seconds += time.perf_counter() - start
            made.append(result[0, :, :height, :width])
        return Raw(
            lr=lr, sr=made[0], alpha=alpha, alpha_sr=made[1] if len(made) > 1 else None, seconds=seconds
        )

    def finish(self, raw: Raw) -> FloatArray:
        """Return the SR tile, (scale·rows)×(scale·columns)×channels of the source, in [0, 1]."""
        self.tally.inference_seconds += raw.seconds
        sr = _clipped(raw.sr)
        sr, drift = fix_colour(sr, raw.lr, scale=self.backend.scale, apply=bool(self.settings.color_fix))
        sr = self._weaken(sr, raw.lr)
        if self.neutral:
            sr = sr.mean(axis=2, keepdims=True, dtype=np.float32)
            sr = sr if self.source.gray else np.repeat(sr, 3, axis=2)
        if raw.alpha is not None:
            sr = np.concatenate([sr, self._alpha(raw.alpha, raw.alpha_sr)], axis=2)
        self.tally.add(drift)
        return sr

    def _alpha(self, alpha: FloatArray, made: FloatArray | None) -> FloatArray:
        """Super-resolved alpha; a constant one needs no network."""
        scale = self.backend.scale
        if made is None:
            return np.full((alpha.shape[0] * scale, alpha.shape[1] * scale, 1), alpha.flat[0], np.float32)
        lr = np.repeat(alpha[..., None], 3, axis=2)
        sr: FloatArray = self._weaken(_clipped(made), lr).mean(axis=2, keepdims=True)
        return sr

    def _weaken(self, sr: FloatArray, lr: FloatArray) -> FloatArray:
        """Blend with plain bicubic enlargement as `strength` says."""
        strength = np.float32(self.settings.strength)
        if strength == 1:
            return sr
        plain = np.clip(resize(lr, sr.shape[:2], method="bicubic"), 0, 1)
        return plain + strength * (sr - plain)


def _whole(picture: FloatArray, multiple: int) -> FloatArray:
    """h×w×3 → 1×3×h×w, with sides filled up to the network's multiple by repeating the edge."""
    down, right = (-side % multiple for side in picture.shape[:2])
    padded = np.pad(picture, ((0, down), (0, right), (0, 0)), mode="edge") if down or right else picture
    return np.ascontiguousarray(padded.transpose(2, 0, 1)[None])


def _clipped(raw: FloatArray) -> FloatArray:
    """3×H×W → H×W×3 in [0, 1]."""
    sr = np.empty((*raw.shape[1:], 3), np.float32)
    np.clip(raw.transpose(1, 2, 0), 0, 1, out=sr)
    return sr
