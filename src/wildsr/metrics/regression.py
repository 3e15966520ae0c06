"""Support vector regressions, and the files libsvm and MATLAB keep them in."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files import shown
from wildsr.files.opening import read_text
from wildsr.metrics.arrays import load_arrays, names_of

FEATURES: Final = 36

_MOST_BYTES = 1 << 26


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


def load_libsvm(model: Path, low: Sequence[float], high: Sequence[float]) -> Regression:
    """Return the regression of a libsvm model file (epsilon-SVR, RBF kernel) over features scaled to −1…1.

    Raises:
        MetricError: Unreadable, or another kind of model.
    """
    head, _, body = _text(model).partition("\nSV\n")
    facts = dict(line.split(None, 1) for line in head.splitlines() if len(line.split(None, 1)) == 2)
    if facts.get("svm_type", "").strip() != "epsilon_svr" or facts.get("kernel_type", "").strip() != "rbf":
        raise MetricError(f"{shown(model)} is not a libsvm regression (epsilon_svr) with an RBF kernel")
    coefficients, vectors = [], []
    try:
        for line in body.splitlines():
            first, *pairs = line.split()
            vector = np.zeros(FEATURES)
            for pair in pairs:
                index, value = pair.split(":")
                if not 1 <= int(index) <= FEATURES:
                    raise ValueError(f"feature {index} of {FEATURES}")
                vector[int(index) - 1] = float(value)
            coefficients.append(float(first))
            vectors.append(vector)
        bias, gamma = -float(facts["rho"]), float(facts["gamma"])
    except (ValueError, KeyError) as error:
        raise MetricError(f"{shown(model)} is a broken libsvm model: {error}") from error
    return Regression(
        vectors=np.array(vectors).reshape(len(vectors), FEATURES),
        coefficients=np.array(coefficients),
        bias=bias,
        gamma=gamma,
        low=np.array(low, np.float64),
        high=np.array(high, np.float64),
    )


def load_matlab_regression(path: Path) -> Regression:
    """Return MATLAB's brisqueModel from its properties as arrays: Alpha, Bias, SupportVectors, Scale.

    Raises:
        MetricError: Unreadable, or a property is missing.
    """
    arrays = load_arrays(path)
    wanted = ("Alpha", "Bias", "SupportVectors", "Scale")
    if missing := [name for name in wanted if name not in arrays]:
        raise MetricError(
            f"{shown(path)} lacks {', '.join(missing)}; it has {names_of(arrays)}",
            hint="in MATLAB: m = brisqueModel; Alpha = m.Alpha; Bias = m.Bias; "
            "SupportVectors = m.SupportVectors; Scale = m.Scale; "
            "save('brisque_matlab.mat', 'Alpha', 'Bias', 'SupportVectors', 'Scale', '-v7')",
        )
    alpha, bias, vectors, scale = (arrays[name].astype(np.float64) for name in wanted)
    if bias.size != 1 or scale.size != 1 or scale.item() <= 0:
        raise MetricError(f"{shown(path)}: Bias and Scale must be single numbers, Scale above 0")
    return Regression(
        vectors=vectors, coefficients=alpha.ravel(), bias=bias.item(), gamma=1 / scale.item() ** 2
    )


def _text(path: Path) -> str:
    try:
        return read_text(path, most=_MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise MetricError(f"can't read {shown(path)}: {error}") from error
