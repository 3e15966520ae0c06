"""Natural-scene statistics that NIQE, BRISQUE and PIQE share.

MSCN coefficients (x − μ)/(σ + 1) under a 7×7 Gaussian window, and generalised Gaussian fits to them and to
the products of neighbours. Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial
domain", IEEE TIP 2012.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from math import exp, lgamma
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from wildsr.metrics.filters import gaussian, smooth
from wildsr.metrics.pixels import Plane

# Levels. A window of equal pixels deviates by rounding alone (measured: below 1e-12), the least real
# deviation (one corner pixel of a halved 8-bit picture, off by 1/65536) by 2.4e-9.
_FLAT = 1e-10


def mscn(plane: Plane, border: Literal["replicate", "zero"]) -> tuple[Plane, Plane]:
    """Return the MSCN coefficients of a plane of levels and the local deviation σ.

    Where a window is flat the coefficient is 0 by definition. Rounding makes it ±1e-14 instead, and the sign
    decides which side of the asymmetric fits those pixels are counted on: MATLAB's own result there depends
    on the order of its sums. Exact zeros are the definition, and the same everywhere.

    Args:
        plane: H×W levels 0…255.
        border: `replicate` as in NIQE, PIQE and MATLAB's toolbox, `zero` as in BRISQUE's release.
    """
    taps = gaussian(7, 7 / 6)
    mean = smooth(plane, taps, border)
    deviation = smooth(plane * plane, taps, border)
    deviation -= mean * mean
    np.abs(deviation, out=deviation)
    np.sqrt(deviation, out=deviation)
    coefficients = np.subtract(plane, mean, out=mean)
    coefficients[np.abs(coefficients) < _FLAT] = 0.0
    coefficients /= deviation + 1.0
    return coefficients, deviation


@dataclass(frozen=True, kw_only=True)
class Moments:
    """Sums over a set of numbers that both fits need."""

    count: int
    """Numbers in the set."""

    negative: int
    """Of them below 0."""

    positive: int
    """Of them above 0."""

    absolute: float
    """Σ|x|."""

    squares_left: float
    """Σx² over x < 0."""

    squares: float
    """Σx² over all."""

    @property
    def left(self) -> float:
        """Root mean square of the negative numbers; NaN when there are none (MATLAB's mean of nothing)."""
        return (self.squares_left / self.negative) ** 0.5 if self.negative else float("nan")

    @property
    def right(self) -> float:
        """Root mean square of the positive numbers; NaN when there are none."""
        squares = max(self.squares - self.squares_left, 0.0)
        return (squares / self.positive) ** 0.5 if self.positive else float("nan")


def moments(values: Plane) -> Moments:
    """Return the sums over `values`."""
    # einsum, not dot: BLAS starts threads for sums that take microseconds, which costs milliseconds on a busy
    # machine
    flat = np.ascontiguousarray(values).ravel()
    below = np.minimum(flat, 0.0)
    return Moments(
        count=flat.size,
        negative=int(np.count_nonzero(flat < 0)),
        positive=int(np.count_nonzero(flat > 0)),
        absolute=float(flat.sum() - 2 * below.sum()),
        squares_left=float(np.einsum("i,i->", below, below)),
        squares=float(np.einsum("i,i->", flat, flat)),
    )


def circular_products(block: Plane) -> list[Plane]:
    """Return a block times itself, shifted circularly by (0, 1), (1, 0), (1, 1) and (1, −1)."""
    wrapped = np.pad(block, ((1, 0), (1, 1)), mode="wrap")
    return [
        block * wrapped[1:, :-2],
        block * wrapped[:-1, 1:-1],
        block * wrapped[:-1, :-2],
        block * wrapped[:-1, 2:],
    ]


@dataclass(frozen=True, kw_only=True)
class AsymmetricGaussian:
    """A fitted asymmetric generalised Gaussian; NaN where a side has no numbers."""

    alpha: float
    """Shape."""

    beta_left: float
    """Scale of the negative side."""

    beta_right: float
    """Scale of the positive side."""

    mean: float
    """(β_right − β_left) Γ(2/α)/Γ(1/α)."""


def fit_asymmetric(sums: Moments) -> AsymmetricGaussian:
    """Return the moment fit of an asymmetric generalised Gaussian (Lasmar et al. 2009), α of 0.2…10.

    A set with an empty side has no ratio to look up; the release's MATLAB then takes the first α, 0.2.
    """
    table = _table()
    left, right = sums.left, sums.right
    index = 0
    if left > 0 and right > 0:
        ratio = left / right
        kurtosis = (sums.absolute / sums.count) ** 2 / (sums.squares / sums.count)
        index = _nearest(table.ratios, kurtosis * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2)
    width = float(table.widths[index])
    beta_left, beta_right = left * width, right * width
    return AsymmetricGaussian(
        alpha=float(table.alphas[index]),
        beta_left=beta_left,
        beta_right=beta_right,
        mean=(beta_right - beta_left) * float(table.means[index]),
    )


def fit_symmetric(sums: Moments) -> tuple[float, float]:
    """Return (α, variance) of a zero-mean generalised Gaussian by moments, α of 0.2…10."""
    variance = sums.squares / sums.count
    if variance == 0:
        return 0.2, 0.0
    table = _table()
    # compared as E[x²]/E[|x|]², like the release: nearest there is not always nearest in the reciprocal
    falling = _nearest(table.reciprocals, variance / (sums.absolute / sums.count) ** 2)
    index = table.alphas.size - 1 - falling
    return float(table.alphas[index]), variance


def features(coefficients: Plane) -> list[float]:
    """Return the 18 features of NIQE for one block (MATLAB's toolbox uses them for BRISQUE too).

    α and (β_l + β_r)/2 of the coefficients, then α, mean, β_l, β_r of the four products of neighbours.
    """
    own = fit_asymmetric(moments(coefficients))
    values = [own.alpha, (own.beta_left + own.beta_right) / 2]
    for product in circular_products(coefficients):
        fit = fit_asymmetric(moments(product))
        values += [fit.alpha, fit.mean, fit.beta_left, fit.beta_right]
    return values


@dataclass(frozen=True, kw_only=True, eq=False)
class _Table:
    alphas: NDArray[np.float64]
    ratios: NDArray[np.float64]  # Γ(2/α)² / (Γ(1/α) Γ(3/α)), rising with α
    reciprocals: NDArray[np.float64]  # 1 / ratios, from the last α to the first
    widths: NDArray[np.float64]  # √(Γ(1/α) / Γ(3/α))
    means: NDArray[np.float64]  # Γ(2/α) / Γ(1/α)


@lru_cache(maxsize=1)
def _table() -> _Table:
    alphas = [0.2 + 0.001 * step for step in range(9801)]
    logs = [(lgamma(1 / a), lgamma(2 / a), lgamma(3 / a)) for a in alphas]

    def tabulate(value: Callable[[float, float, float], float]) -> NDArray[np.float64]:
        return np.array([exp(value(*gammas)) for gammas in logs])

    ratios = tabulate(lambda one, two, three: 2 * two - one - three)
    return _Table(
        alphas=np.array(alphas),
        ratios=ratios,
        reciprocals=1 / ratios[::-1],
        widths=tabulate(lambda one, two, three: (one - three) / 2),
        means=tabulate(lambda one, two, three: two - one),
    )


def _nearest(rising: NDArray[np.float64], value: float) -> int:
    """Return the index of the entry of a rising table that is nearest to `value`."""
    above = min(max(int(np.searchsorted(rising, value)), 1), rising.size - 1)
    return above - 1 if value - rising[above - 1] <= rising[above] - value else above
