"""Blur read off a photo's spectrum: what a natural scene's spectrum lacks, the lens, the sensor and the software took.

Sharp photos have power falling as f^−α with the same α in all directions but for a mild preference of the vertical
and the horizontal (Field, JOSA A 1987; Torralba and Oliva, Network 2003). Blur by a kernel multiplies that law by
|K(f)|², subsampling folds it, noise adds a floor. So the logarithm of the measured spectrum is fitted by

    log( Σ over the folded frequencies  S(f)·exp(−4π² f·C·f)  +  floor )

for the law's parameters (with the spread they were found to have over sharp photos as a prior), the floor (around
that of the photo's quietest tiles) and the blur's covariance C. The low frequencies settle the scene, the high ones the
blur.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wildsr.estimation.kernels.jpeg_dct import at_frequencies
from wildsr.estimation.kernels.spectrum import ANGLES, Doubles, Spectrum

# Mean and spread over 60 clean photos of: exponent, curvature, cos and sin of 2θ and of 4θ, and how these change
# with log f. The spread of the exponent is widened a little on the safe side of other cameras' scenes.
_LAW: Final = np.array([2.5, 0.17, -0.3, 0.0, 0.2, 0.0, 0.0, 0.0, -0.12, 0.0])
_LAW_SPREAD: Final = np.array([0.6, 0.3, 0.5, 0.35, 0.25, 0.2, 0.2, 0.15, 0.15, 0.1])
_FIRST_OF_LAW, _CURVATURE = 5, 6
"""Where the law, and its curvature, stand among the parameters of a fit."""
_TYPICAL_VARIANCE: Final = 2.2
"""Variance in squared HR pixels (scale 2) that a photo without any evidence is taken to have."""
_VARIANCE_SPREAD: Final = 0.8
_SHAPE_SPREAD: Final = 0.5
_LEAST_FLOOR: Final = 0.15
"""White noise, in squared levels, that every 8-bit photo has."""
_FLOOR_SPREAD: Final = 0.7
"""Of the logarithm of the noise around what the quietest tiles show. With one guess for all photos, a photo with noise
of σ 6 was taken for a sharp one without noise (14 of 16)."""
_LEFT_BEHIND, _UNSURE = 0.24, 0.6
"""JPEG's rounding adds 0.24·E^⅔ squared levels to textured tiles, E = q²/12 for step q (small coefficients become 0, so
it is less than E); and the spread of the logarithm where that is all there is. Over 12 photos of the development half
and qualities 70, 80, 90 and 95 it was 0.045, 0.055, 0.08 and 0.14 of E, whatever the scene's power."""
_COMPRESSED_SPREAD: Final = 1.5
"""Spread of the logarithm of the noise in a compressed photo: in its quietest tiles the noise may have become 0."""
_MISFIT: Final = 0.3
"""Standard deviation of a cell's log power around the law."""
_REFERENCE: Final = 0.1  # cycles per HR pixel where the law's logarithm is 0
_ITERATIONS: Final = 60
_TRACE: Final = 1e-6


BLUR_PRIOR: Final = (
    np.array([np.log(_TYPICAL_VARIANCE), 0.0, 0.0]),
    np.array([_VARIANCE_SPREAD, _SHAPE_SPREAD, _SHAPE_SPREAD]),
)
"""Mean and standard deviation of (size, stretch) before a photo is seen."""


@dataclass(frozen=True, kw_only=True, eq=False)
class SpectralEvidence:
    """What a fit sees of a photo."""

    spectrum: Spectrum
    """Of its textured tiles."""

    compression: Doubles | None
    """8×8 variances of JPEG's rounding (`jpeg_dct.compression_error`); None for an uncompressed photo."""


@dataclass(frozen=True, kw_only=True, eq=False)
class BlurFit:
    """The second moments of a blur kernel, and how well they are known."""

    size: float
    """Half the logarithm of the covariance's determinant, of squared HR pixels."""

    stretch: tuple[float, float]
    """Anisotropy: half the log-ratio of the axes' variances times (cos 2φ, sin 2φ) of the long axis."""

    spread: Doubles
    """3×3 posterior covariance of (size, stretch)."""

    noise: float
    """Standard deviation of the white part of the noise in levels."""

    misfit: float
    """Mean squared departure of the spectrum from the law, in terms of what is usual."""

    bend: float
    """How much the scene's law had to be bent to fit, in standard deviations over sharp scenes."""

    @property
    def covariance(self) -> Doubles:
        """2×2 covariance over (x, y) in squared HR pixels at scale 2."""
        return covariance_of(self.size, self.stretch)


def covariance_of(size: float, stretch: tuple[float, float]) -> Doubles:
    """Return the 2×2 covariance whose matrix logarithm has these parts."""
    ratio = float(np.hypot(*stretch)) + 1e-12
    round_part, long_part = np.exp(size) * np.cosh(ratio), np.exp(size) * np.sinh(ratio) / ratio
    a, b = stretch
    return np.array(
        [[round_part + long_part * a, long_part * b], [long_part * b, round_part - long_part * a]]
    )


def fit_blur(spectrum: Spectrum, compression: Doubles | None = None) -> BlurFit:
    """Fit the law above by robust least squares (maximum a posteriori).

    Args:
        spectrum: Of the photo's textured tiles.
        compression: 8×8 variances of what JPEG's rounding left (`jpeg_dct.compression_error`), in squared levels.
    """
    from scipy.optimize import least_squares

    problem = _Problem(spectrum, compression)
    solution = least_squares(problem.residuals, problem.start(), method="trf", max_nfev=_ITERATIONS)
    found = solution.x
    # Noise alone says nothing of the scene's level, which has no prior: a trace on the diagonal keeps that invertible.
    posterior = np.linalg.inv(solution.jac.T @ solution.jac + _TRACE * np.eye(len(found)))
    return BlurFit(
        size=float(found[1]),
        stretch=(float(found[2]), float(found[3])),
        spread=posterior[1:4, 1:4],
        noise=float(np.exp(found[4] / 2)),
        misfit=float(np.mean(problem.residuals(found)[: problem.cells] ** 2)),
        bend=float(
            (found[_CURVATURE] - _LAW[_CURVATURE - _FIRST_OF_LAW]) / _LAW_SPREAD[_CURVATURE - _FIRST_OF_LAW]
        ),
    )


class _Problem:
    """Residuals of one photo. Parameters: level, size, stretch (2), floor, law (10)."""

    def __init__(self, spectrum: Spectrum, compression: Doubles | None) -> None:
        used = spectrum.count > 0
        angle = np.broadcast_to(np.arange(ANGLES) * np.pi / ANGLES, used.shape)[used]
        # in cycles per HR pixel
        x, y = spectrum.radius[used] * np.cos(angle) / 2, spectrum.radius[used] * np.sin(angle) / 2
        self._log_power = spectrum.log_power[used]
        self._error = np.zeros_like(x)
        if compression is not None:
            self._error = spectrum.gain * at_frequencies(compression, 2 * x, 2 * y)
        unsure = _UNSURE**2 * self._error / (self._error + 4 * np.exp(self._log_power))
        self._weight = 1 / np.sqrt(_MISFIT**2 + 0.5 / spectrum.count[used] + unsure)
        self._folds = [
            (x + right, y + down, _law_basis(x + right, y + down), _beyond_nyquist(x + right, y + down))
            for right in (-0.5, 0.0, 0.5)
            for down in (-0.5, 0.0, 0.5)
        ]

        self.cells = len(self._log_power)
        self._floor_spread = _FLOOR_SPREAD if compression is None else _COMPRESSED_SPREAD
        self._floor = float(np.log(max(spectrum.floor, _LEAST_FLOOR)))

    def start(self) -> Doubles:
        level = 0.8 * self._log_power.max() + 0.2 * self._log_power.min()
        floor = min(self._log_power.min() - 0.5, self._floor)
        return np.concatenate([[level, np.log(2.0), 0, 0, floor], _LAW])

    def residuals(self, parameters: Doubles) -> Doubles:
        misfit = (self._model(parameters) - self._log_power) * self._weight
        robust = np.sign(misfit) * np.sqrt(2 * (np.sqrt(1 + misfit**2) - 1))
        prior = [
            (parameters[1] - np.log(_TYPICAL_VARIANCE)) / _VARIANCE_SPREAD,
            parameters[2] / _SHAPE_SPREAD,
            parameters[3] / _SHAPE_SPREAD,
            (parameters[4] - self._floor) / self._floor_spread,
        ]
        return np.concatenate([robust, (parameters[_FIRST_OF_LAW:] - _LAW) / _LAW_SPREAD, prior])

    def _model(self, parameters: Doubles) -> Doubles:
        (xx, xy), (_, yy) = covariance_of(parameters[1], (parameters[2], parameters[3]))
        power = np.full_like(self._log_power, np.exp(np.clip(parameters[4], -30, 40)))
        for x, y, basis, beyond in self._folds:
            blur = -4 * np.pi**2 * (xx * x * x + 2 * xy * x * y + yy * y * y)
            power += np.exp(
                np.clip(parameters[0] + basis @ parameters[_FIRST_OF_LAW:] + blur + beyond, -30, 40)
            )
        logs: Doubles = np.log(power + _LEFT_BEHIND * self._error ** (2 / 3))
        return logs


def _law_basis(x: Doubles, y: Doubles) -> Doubles:
    """Columns that the law's parameters multiply."""
    log_f = np.log(np.maximum(np.hypot(x, y), 0.01) / _REFERENCE)
    angle = np.arctan2(y, x)
    turns = [np.cos(2 * angle), np.sin(2 * angle), np.cos(4 * angle), np.sin(4 * angle)]
    return np.stack([-log_f, -(log_f**2), *turns, *(turn * log_f for turn in turns)], axis=1)


def _beyond_nyquist(x: Doubles, y: Doubles) -> Doubles:
    """An HR picture holds nothing beyond half a cycle per pixel."""
    return np.where(np.maximum(np.abs(x), np.abs(y)) <= 0.5, 0.0, -8.0)
