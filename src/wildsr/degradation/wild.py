"""A wide model of ordinary photos: the range of blur, noise and JPEG that cameras and phones leave.

Ranges follow least-squares kernels of real camera pairs (near-isotropic, σ 2 to 3.4 HR pixels at ×4, sharpened) and
reach beyond them on both sides, so that one model serves cameras it has not seen. The order is that of a camera: optics
and sensor, noise, sharpening, compression.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from wildsr.degradation import kernels
from wildsr.degradation.blur import BlurSubsample
from wildsr.degradation.compression import Jpeg
from wildsr.degradation.levels import Clip, Round
from wildsr.degradation.noise import CorrelatedNoise, GaussianNoise, GaussianPoissonNoise, GrainyNoise
from wildsr.degradation.operation import Chance, Fact, OneOf, Pipeline
from wildsr.degradation.resampling import Downscale
from wildsr.degradation.samplers import Drawn, Mixed, Range
from wildsr.degradation.sharpening import Sharpening

_LEVEL: Final = 1 / 255


@dataclass(frozen=True, kw_only=True)
class WideGaussians:
    """Generalised Gaussians: width, axis ratio, angle and exponent are drawn."""

    sigma: Range
    """Standard deviation along the longer axis, HR pixels at ×4 (scaled with the scale)."""

    scale: int = 4
    """HR pixels per LR pixel."""

    ratio: Range = (0.6, 1.0)
    """Shorter over longer axis."""

    beta: Range = (0.7, 1.5)
    """Exponent: below 1 peaked, above 1 flat-topped."""

    def __call__(self, rng: np.random.Generator) -> Drawn:
        """Draw one."""
        longer = rng.uniform(*self.sigma) * self.scale / 4
        shorter = longer * rng.uniform(*self.ratio)
        angle, beta = rng.uniform(0, np.pi), rng.uniform(*self.beta)
        size = 6 * self.scale + 1
        spread = 2 ** (1 / beta) * math.gamma(2 / beta) / math.gamma(1 / beta) / 2  # variance of exp(−½ r^2β)
        variances = (longer**2 / spread, shorter**2 / spread)
        kernel = kernels.generalised_gaussian(size, variances, angle, beta=beta, scale=self.scale)
        facts: dict[str, Fact] = {"shape": "generalised", "size": size, "angle": round(angle, 6)}
        facts |= {"sigma": [round(longer, 6), round(shorter, 6)], "beta": round(beta, 6)}
        return kernel, facts


@dataclass(frozen=True, kw_only=True)
class AliasLimitedSincs:
    """Ideal low-passes around the LR picture's own limit, which ring as sharpening scalers do."""

    scale: int = 4
    """HR pixels per LR pixel."""

    cutoff: Range = (0.7, 1.3)
    """In units of π/scale."""

    def __call__(self, rng: np.random.Generator) -> Drawn:
        """Draw one."""
        size = 6 * self.scale + 1
        cutoff = min(rng.uniform(*self.cutoff) * np.pi / self.scale, np.pi)
        kernel = kernels.sinc(size, cutoff, scale=self.scale)
        return kernel, {"shape": "sinc", "size": size, "cutoff": round(cutoff, 6)}


def wild(scale: int = 4) -> Pipeline:
    """Return the pipeline from HR (N×3×sh×sw in [0, 1]) to 8-bit LR."""
    sigma = (0.0, 8 * _LEVEL)
    mild = OneOf(
        (
            GaussianNoise(sigma=sigma, gray=0.4),
            CorrelatedNoise(largest=8 * _LEVEL),
            GaussianPoissonNoise(photons=(400.0, 4000.0), sigma=(0.0, 3 * _LEVEL)),
        ),
        weights=(0.6, 0.2, 0.2),
    )
    strong = OneOf(
        (
            GaussianNoise(sigma=(8 * _LEVEL, 25 * _LEVEL), gray=0.4),
            GrainyNoise(sigma=(4 * _LEVEL, 16 * _LEVEL), grain=(0.4, 1.2), gray=0.4),
            GaussianPoissonNoise(photons=(40.0, 400.0), sigma=(0.0, 6 * _LEVEL)),
        )
    )
    noise = OneOf((mild, strong), weights=(0.75, 0.25))
    jpeg = OneOf(
        (Jpeg(quality=(60, 97)), Jpeg(quality=(60, 97), chroma="4:4:4"), Jpeg(quality=(30, 60))),
        weights=(0.55, 0.25, 0.2),
    )
    lens = BlurSubsample(_lenses(scale, soft=(1.2, 3.6), sharp=(0.6, 1.2), shares=(0.63, 0.27)), scale)
    softer = BlurSubsample(_lenses(scale, soft=(1.5, 4.5), sharp=(0.7, 1.5), shares=(0.7, 0.2)), scale)
    noisy = Chance(noise, 0.5)
    plain = Pipeline((OneOf((lens, Downscale(scale=scale)), weights=(0.75, 0.25)), noisy))
    sharpened = Pipeline((softer, noisy, Sharpening(amount=(0.0, 0.9), radius=(0.8, 2.5))))
    return Pipeline((OneOf((plain, sharpened)), Clip(), Chance(jpeg, 0.3), Round()))


def _lenses(scale: int, *, soft: Range, sharp: Range, shares: tuple[float, float]) -> Mixed:
    """Soft and sharp blurs, by their shares, and for the rest low-passes that ring."""
    samplers = (
        WideGaussians(sigma=soft, scale=scale),
        WideGaussians(sigma=sharp, scale=scale),
        AliasLimitedSincs(scale=scale),
    )
    return Mixed(samplers=samplers, weights=(*shares, 1 - sum(shares)))
