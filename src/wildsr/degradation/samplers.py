"""Where random kernels come from: each sampler draws sizes, widths and angles, and returns a kernel with them."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.degradation import kernels
from wildsr.degradation.blur import KernelSampler
from wildsr.degradation.operation import Fact, pick

Range: TypeAlias = tuple[float, float]
Drawn: TypeAlias = tuple[NDArray[np.floating], dict[str, Fact]]


@dataclass(frozen=True, kw_only=True)
class Gaussians:
    """Gaussian kernels, round or elongated, plain, generalised or flat-topped."""

    sizes: tuple[int, ...]
    """Sides, odd; one is drawn."""

    sigma: Range
    """Standard deviations in pixels; drawn once for round kernels, once an axis for elongated ones."""

    elongated: bool = False
    """Different along two axes at a random angle."""

    shape: str = "gaussian"
    """`gaussian`, `generalised` or `plateau`."""

    beta: tuple[Range, ...] = ((1.0, 1.0),)
    """Ranges of the exponent of the latter two, one of them drawn with equal chance."""

    by_variance: bool = False
    """`sigma` holds variances."""

    scale: int = 1
    """For the centre, n//2 + (scale−1)/2."""

    def __call__(self, rng: np.random.Generator) -> Drawn:
        """Draw one."""
        size = self.sizes[pick(rng, len(self.sizes))]
        first = rng.uniform(*self.sigma)
        second = rng.uniform(*self.sigma) if self.elongated else first
        angle = rng.uniform(0, np.pi) if self.elongated else 0.0
        power = 1 if self.by_variance else 2
        variances = (max(first, 1e-3) ** power, max(second, 1e-3) ** power)
        facts: dict[str, Fact] = {"shape": self.shape, "size": size, "angle": round(angle, 6)}
        facts["variances"] = [round(one, 6) for one in variances]
        if self.shape == "gaussian":
            return kernels.gaussian(size, variances, angle, scale=self.scale), facts
        beta = rng.uniform(*self.beta[pick(rng, len(self.beta))])
        facts["beta"] = round(beta, 6)
        make = kernels.plateau if self.shape == "plateau" else kernels.generalised_gaussian
        return make(size, variances, angle, beta=beta, scale=self.scale), facts


@dataclass(frozen=True, kw_only=True)
class Sincs:
    """Ideal low-passes, which ring."""

    sizes: tuple[int, ...]
    """Sides, odd; one is drawn."""

    small_below: int = 13
    """Kernels smaller than this draw ω from π/3, others from π/5."""

    def __call__(self, rng: np.random.Generator) -> Drawn:
        """Draw one."""
        size = self.sizes[pick(rng, len(self.sizes))]
        cutoff = rng.uniform(np.pi / 3 if size < self.small_below else np.pi / 5, np.pi)
        return kernels.sinc(size, cutoff), {"shape": "sinc", "size": size, "cutoff": round(cutoff, 6)}


@dataclass(frozen=True, kw_only=True)
class Mixed:
    """A sampler drawn by weight."""

    samplers: tuple[KernelSampler, ...]
    """To draw from."""

    weights: tuple[float, ...]
    """How often each, in any unit."""

    def __call__(self, rng: np.random.Generator) -> Drawn:
        """Draw a sampler, then a kernel of it."""
        return self.samplers[pick(rng, len(self.samplers), self.weights)](rng)


def odd(first: int, last: int) -> tuple[int, ...]:
    """Return the odd numbers from first to last."""
    return tuple(range(first, last + 1, 2))
