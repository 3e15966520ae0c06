"""Features that distinguish noise from texture, of one patch.  Plain numpy.

Patches are 3×p×p in levels (0…255), p a multiple of 16.
"""

from functools import cache
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging import FloatArray
from wildsr.imaging.luma import BT601

BLOCK: Final = 16
STRONGEST: Final = 20.0
"""σ in levels beyond which a patch is texture, whatever the rest of the photo."""
_DIRECTIONS: Final = 8


class PatchFeatures(NamedTuple):
    """Features of a patch."""

    level: float
    """Mean luma."""

    variance: float
    """Mean over the channels, beside a cubic surface."""

    uneven_means: float
    """Scatter of block means in terms of what white noise has."""

    uneven_variances: float
    """Largest relative departure of a block's variance."""

    repetition: float
    """Correlation over 5 to 18 pixels in terms of what noise of that grain has by chance."""

    direction: float
    """Power of the strongest direction in terms of the weakest's."""

    skewness: float
    """Absolute."""


def levels_of(rgb: FloatArray, corner: tuple[int, int], side: int) -> FloatArray:
    """Return a patch of H×W×3 in [0, 1] as 3×p×p levels, its channels apart: sums along them are quick."""
    top, left = corner
    patch = rgb[top : top + side, left : left + side].transpose(2, 0, 1)
    levels: FloatArray = np.ascontiguousarray(patch) * np.float32(255)
    return levels


def patch_features(patch: FloatArray) -> PatchFeatures | None:
    """Return the features of a patch, or None for a clipped one."""
    side, small = patch.shape[1], BLOCK // 2
    flat = without_ramps(patch)
    variance = np.maximum((flat**2).reshape(3, -1).mean(axis=1), 1e-6)
    mean = patch.reshape(3, -1).mean(axis=1)
    if _is_clipped(patch, mean, np.sqrt(variance)):
        return None
    tiles = flat.reshape(3, side // small, small, side // small, small).mean(axis=(2, 4)).reshape(3, -1)
    squares = (
        (flat**2).reshape(3, side // BLOCK, BLOCK, side // BLOCK, BLOCK).mean(axis=(2, 4)).reshape(3, -1)
    )
    plane = flat.mean(axis=0)
    power = np.abs(np.fft.rfft2(plane)) ** 2
    return PatchFeatures(
        level=float(mean @ BT601),
        variance=float(variance.mean()),
        uneven_means=float(((tiles**2).mean(axis=1) * small**2 / variance).mean()),
        uneven_variances=float(np.abs(squares / variance[:, None] - 1).mean(axis=0).max()),
        repetition=_repetition(power, side),
        direction=_direction(power, side),
        skewness=abs(float((plane**3).mean())) / max(float((plane**2).mean()), 1e-9) ** 1.5,
    )


def _repetition(power: FloatArray, side: int) -> float:
    """Cloth and gravel are as even as noise, but correlate with themselves at a distance.

    Sample autocorrelations of noise scatter by √(Σρ²/n) around 0 beyond its grain (Bartlett, 1946).
    """
    correlation = np.fft.irfft2(power, (side, side))
    correlation /= max(float(correlation[0, 0]), 1e-12)
    grain, distant = _lags(side)
    by_chance = np.sqrt(float((correlation[grain] ** 2).sum())) / side
    return float(np.sqrt((correlation[distant] ** 2).mean()) / by_chance)


def _direction(power: FloatArray, side: int) -> float:
    """Noise is as strong in all directions; threads, hair and brush strokes are not."""
    sectors = _sectors(side)
    inside = sectors >= 0
    sums = np.bincount(sectors[inside], power[inside], _DIRECTIONS)
    strengths = sums / np.bincount(sectors[inside], minlength=_DIRECTIONS)
    return float(strengths.max() / max(float(strengths.min()), 1e-12))


@cache
def _sectors(side: int) -> NDArray[np.intp]:
    """Which of 8 directions a coefficient of the half transform lies in; −1 outside 0.1 to 0.25 cycles per pixel."""
    down, right = np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None]
    radius = np.hypot(down, right)
    sector = np.floor(np.arctan2(down, right) / (np.pi / _DIRECTIONS) + 0.5).astype(np.intp) % _DIRECTIONS
    return np.where((radius >= 0.1) & (radius < 0.25), sector, -1)


@cache
def _lags(side: int) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Lags within the grain of noise, and those beyond it."""
    lag = np.fft.fftfreq(side, 1 / side)
    distance = np.hypot(lag[:, None], lag[None])
    return distance < 5, (distance >= 5) & (distance <= 18)


def _is_clipped(patch: FloatArray, mean: FloatArray, spread: FloatArray) -> bool:
    """Values at the ends of the range, or so near that some noise was cut off: such noise is too weak."""
    near = (mean - 2.5 * spread < 0) | (mean + 2.5 * spread > 255)
    if bool((near & (spread < STRONGEST)).any()):  # stronger is texture, and rejected for that
        return True
    if float(patch.min()) > 0.5 and float(patch.max()) < 254.5:
        return False
    return float(((patch <= 0.5) | (patch >= 254.5)).mean()) > 0.001


def without_ramps(patch: FloatArray) -> FloatArray:
    """Return a patch without each channel's least-squares cubic surface: mean, plane, the bend of skies."""
    powers, wanted = _polynomials(patch.shape[1])
    weights = (powers @ patch @ powers.T) * wanted
    flat: FloatArray = patch - (powers.T @ weights @ powers).astype(np.float32)
    return flat


@cache
def _polynomials(side: int) -> tuple[FloatArray, FloatArray]:
    """Orthonormal polynomials up to degree 3 (4×side), and which of their products are of degree 3 at most."""
    powers = np.linalg.qr(np.vander(np.linspace(-1, 1, side), 4, increasing=True))[0].T
    degree = np.add.outer(np.arange(4), np.arange(4))
    return powers.astype(np.float32), (degree <= 3).astype(np.float32)
