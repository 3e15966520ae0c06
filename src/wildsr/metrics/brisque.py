"""BRISQUE: natural-scene statistics of the picture at two scales, judged by a support vector regression.

Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", IEEE TIP 2012. Families
whose numbers must not be mixed: the authors' release and MATLAB's toolbox here, the `brisque` package in a
file of its own.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.metrics.filters import halve
from wildsr.metrics.nss import (
    circular_products,
    features,
    fit_asymmetric,
    fit_symmetric,
    moments,
    mscn,
)
from wildsr.metrics.pixels import Image, checked, gray_8bit

MINIMUM = (16, 16)
FEATURES = 36


@dataclass(frozen=True, kw_only=True, eq=False)
class Regression:
    """A support vector regression with a Gaussian kernel: Σ c_i exp(−γ‖x − s_i‖²) + bias of the features."""

    vectors: NDArray[np.float64]
    """n×36 support vectors, scaled."""

    coefficients: NDArray[np.float64]
    """n."""

    bias: float
    """Added to the sum (libsvm's −ρ)."""

    gamma: float
    """Kernel width."""

    low: NDArray[np.float64] | None = None
    """36 feature values that scale to −1; None leaves the features as they are."""

    high: NDArray[np.float64] | None = None
    """36 feature values that scale to 1."""

    def __post_init__(self) -> None:
        """Refuse what can't be a model."""
        if self.vectors.ndim != 2 or self.vectors.shape[1] != FEATURES or not len(self.vectors):
            raise MetricError(f"a BRISQUE model's support vectors are n×{FEATURES}, not {self.vectors.shape}")
        if self.coefficients.shape != (len(self.vectors),):
            raise MetricError(
                f"a BRISQUE model has one coefficient a support vector: {len(self.vectors)}, "
                f"not {self.coefficients.shape}"
            )
        ranges = [part for part in (self.low, self.high) if part is not None]
        if len(ranges) == 1 or any(part.shape != (FEATURES,) for part in ranges):
            raise MetricError(f"a BRISQUE model's feature range is {FEATURES} lows and {FEATURES} highs")
        numbers = [self.vectors, self.coefficients, np.array([self.bias, self.gamma]), *ranges]
        if not all(np.isfinite(part).all() for part in numbers):
            raise MetricError("a BRISQUE model holds numbers that are not finite")
        if self.low is not None and self.high is not None and (self.low >= self.high).any():
            raise MetricError("a BRISQUE model's feature range is empty: a low is not below its high")

    def predict(self, values: NDArray[np.float64]) -> float:
        """Return the regression of 36 features."""
        if self.low is not None and self.high is not None:
            values = -1 + 2 / (self.high - self.low) * (values - self.low)
        squares = ((self.vectors - values) ** 2).sum(axis=1)
        return float(self.coefficients @ np.exp(-self.gamma * squares) + self.bias)


def brisque(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of the authors' release, whose model the user must give; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: The release's regression; read from the folder of parameter files when not given.

    Raises:
        MetricError: Not a valid picture of at least 16×16, a constant one, or no parameter file.
    """
    from wildsr.metrics.parameters import brisque_release_model

    checked(picture, "brisque", MINIMUM)
    return (brisque_release_model() if model is None else model).predict(release_features(picture))


def brisque_matlab(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of MATLAB's toolbox, whose model the user must give; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: MATLAB's regression; read from the folder of parameter files when not given.

    Raises:
        MetricError: As `brisque`.
    """
    from wildsr.metrics.parameters import brisque_matlab_model

    checked(picture, "brisque_matlab", MINIMUM)
    return (brisque_matlab_model() if model is None else model).predict(matlab_features(picture))


def release_features(picture: Image) -> NDArray[np.float64]:
    """Return the release's 36 features: zero border, symmetric fit of MSCN, asymmetric ones of products."""
    plane = gray_8bit(picture)
    values: list[float] = []
    for _ in range(2):
        coefficients, _ = mscn(plane, "zero")
        values += fit_symmetric(moments(coefficients))
        for product in circular_products(coefficients):
            sums = moments(product)
            fit = fit_asymmetric(sums)
            # the release multiplies its mean by √(Γ(1/α)/Γ(3/α)) as the β of the fit already are
            values += [fit.alpha, fit.mean, sums.left**2, sums.right**2]
        plane = halve(plane)
    return defined(values, "brisque")


def matlab_features(picture: Image) -> NDArray[np.float64]:
    """Return the toolbox's 36 features: those of a NIQE block, over the whole picture, replicated border."""
    plane = gray_8bit(picture)
    values: list[float] = []
    for _ in range(2):
        values += features(mscn(plane, "replicate")[0])
        plane = halve(plane)
    return defined(values, "brisque_matlab")


def defined(values: list[float], metric: str) -> NDArray[np.float64]:
    """Return the features as an array, or say that the picture has none."""
    array = np.array(values)
    if not np.isfinite(array).all():
        raise MetricError(
            f"{metric}: the picture is constant (or one-sided) at one of the two scales; "
            "it has no natural-scene statistics"
        )
    return array
