"""The oriented power spectrum of a photo: how much of each frequency, in each direction, its textured parts hold.

Plain numpy. Frequencies are in cycles per pixel of the photo given, powers in squared levels (0…255).
"""

from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging import FloatArray

Doubles: TypeAlias = NDArray[np.float64]

ANGLES: Final = 12
"""Directions, evenly over the half circle."""
RINGS: Final = 15
LOWEST, HIGHEST = 0.04, 0.5
TILE: Final = 64
_MOST_TILES: Final = 1600
_BATCH: Final = 200
_CLIPPED: Final = 0.02
"""Tiles with a larger part of black or white pixels say nothing about blur."""
_FINE: Final = 0.4
_QUIET: Final = 0.03
"""Part of the tiles whose power beyond `_FINE` cycles per pixel is taken for noise."""
_TEXTURED: Final = 0.25
"""Part of the tiles that is used: those with most power at middle frequencies."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Spectrum:
    """Mean power of a photo's textured tiles on a polar grid."""

    log_power: Doubles
    """RINGS × ANGLES natural logarithms; direction j is j·π/ANGLES, counted from the x axis towards y (down)."""

    radius: Doubles
    """RINGS × ANGLES mean frequencies in cycles per pixel."""

    count: Doubles
    """RINGS × ANGLES Fourier coefficients in each cell."""

    tiles: int
    """Tiles that were averaged."""

    floor: float
    """White noise in them, in squared levels, going by the quietest tiles of the photo."""

    gain: float
    """What the powers of a squared level became as tiles were brought to one contrast."""


def textured_tiles(plane: FloatArray) -> tuple[Doubles, Doubles]:
    """Return the power spectra of the unclipped tiles and the strength of each tile's texture.

    Args:
        plane: H×W luma in [0, 1], both sides at least `TILE`.

    Returns:
        N×TILE×(TILE/2+1) powers and N mean powers between 0.06 and 0.2 cycles per pixel; N may be 0.
    """
    window = np.outer(np.hanning(TILE + 2)[1:-1], np.hanning(TILE + 2)[1:-1]).astype(np.float32)
    window *= np.float32(255 / np.sqrt(float((window**2).sum())))
    views = np.lib.stride_tricks.sliding_window_view(plane, (TILE, TILE))[:: TILE // 2, :: TILE // 2]
    places = np.argwhere(np.ones(views.shape[:2], bool))
    places = places[:: -(-len(places) // _MOST_TILES)]
    radius, _ = _frequencies()
    middle = (radius > 0.06) & (radius < 0.2)
    powers: list[Doubles] = []
    for start in range(0, len(places), _BATCH):
        rows, columns = places[start : start + _BATCH].T
        tiles = views[rows, columns]
        clipped = ((tiles <= 1.5 / 255) | (tiles >= 253.5 / 255)).mean(axis=(1, 2))
        tiles = tiles[clipped < _CLIPPED]
        tiles = tiles - tiles.mean(axis=(1, 2), keepdims=True)
        powers.append(np.abs(np.fft.rfft2(tiles * window)) ** 2)
    power = np.concatenate(powers)
    return power, power[:, middle].mean(axis=1)


def oriented_spectrum(power: Doubles, texture: Doubles) -> Spectrum | None:
    """Average the most textured quarter of tiles, each at its own contrast, and gather them on the polar grid.

    Returns:
        None where there is no textured tile at all.
    """
    usable = texture > 1e-6
    if np.count_nonzero(usable) < 4:
        return None
    power, texture = power[usable], texture[usable]
    radius, angle = _frequencies()
    noise = float(np.quantile(power[:, radius > _FINE].mean(axis=1), _QUIET))
    chosen = texture >= np.quantile(texture, 1 - _TEXTURED)
    power, texture = power[chosen], texture[chosen]
    contrast = np.exp(np.log(texture).mean())
    mean = (power / texture[:, None, None]).mean(axis=0) * contrast
    ring = np.digitize(radius, np.linspace(LOWEST, HIGHEST, RINGS + 1)) - 1
    direction = np.floor(angle / (np.pi / ANGLES) + 0.5).astype(int) % ANGLES
    inside = (ring >= 0) & (ring < RINGS)
    inside[TILE // 2 + 1 :, 0] = False  # the transform of a real picture holds these twice
    cell = (ring * ANGLES + direction)[inside]

    def gathered(values: Doubles) -> Doubles:
        sums: Doubles = np.bincount(cell, values[inside], RINGS * ANGLES).astype(np.float64)
        return sums.reshape(RINGS, ANGLES)

    count = gathered(np.ones_like(radius))
    filled = np.maximum(count, 1)
    return Spectrum(
        log_power=gathered(np.log(np.maximum(mean, 1e-12))) / filled,
        radius=gathered(radius) / filled,
        count=count,
        tiles=len(power),
        floor=noise * float((contrast / texture).mean()),
        gain=float((contrast / texture).mean()),
    )


def _frequencies() -> tuple[Doubles, Doubles]:
    """Radius and direction of every coefficient of a tile's half transform."""
    down, right = np.fft.fftfreq(TILE)[:, None], np.fft.rfftfreq(TILE)[None]
    return np.hypot(down, right), np.arctan2(down + 0 * right, right + 0 * down) % np.pi
