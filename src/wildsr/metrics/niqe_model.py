"""NIQE's pristine models, and the files they are kept in."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files import shown
from wildsr.files.atomic import atomic_write
from wildsr.metrics.arrays import load_arrays, names_of

FEATURES: Final = 36


@dataclass(frozen=True, kw_only=True, eq=False)
class NiqeModel:
    """Multivariate Gaussian of the features of pristine blocks."""

    mean: NDArray[np.float64]
    """36 features."""

    covariance: NDArray[np.float64]
    """36×36, symmetric."""

    source: str = "unknown"
    """What it was fitted on, in one line."""

    def __post_init__(self) -> None:
        """Refuse what can't be a model."""
        if self.mean.shape != (FEATURES,) or self.covariance.shape != (FEATURES, FEATURES):
            raise MetricError(
                f"a NIQE model has a mean of {FEATURES} and a {FEATURES}×{FEATURES} covariance, "
                f"not {self.mean.shape} and {self.covariance.shape}"
            )
        if not (np.isfinite(self.mean).all() and np.isfinite(self.covariance).all()):
            raise MetricError("a NIQE model holds numbers that are not finite")
        if not np.allclose(self.covariance, self.covariance.T, rtol=1e-6, atol=1e-9):
            raise MetricError("the covariance of a NIQE model must be symmetric")
        if float(np.linalg.eigvalsh(self.covariance)[0]) < -1e-6 * float(np.trace(self.covariance)):
            raise MetricError("the covariance of a NIQE model must not have negative eigenvalues")


def save_niqe(model: NiqeModel, path: Path) -> None:
    """Write a NIQE model as .npz: `mean` (36), `covariance` (36×36), `source` (UTF-8 bytes).

    Raises:
        OutputError: The file can't be written.
    """
    source = np.frombuffer(model.source.encode(), np.uint8)
    with atomic_write(path.with_suffix(".npz")) as temporary:
        np.savez(temporary, mean=model.mean, covariance=model.covariance, source=source)


def load_niqe(path: Path) -> NiqeModel:
    """Return the NIQE model of a file: ours, basicsr's .npz, the release's or MATLAB's .mat.

    Raises:
        MetricError: Unreadable, unknown content, or numbers that can't be a model.
    """
    arrays = load_arrays(path)
    for mean, covariance in (
        ("mean", "covariance"),
        ("mu_pris_param", "cov_pris_param"),
        ("mu_prisparam", "cov_prisparam"),
        ("Mean", "Covariance"),
    ):
        if mean in arrays and covariance in arrays:
            source = arrays.get("source", np.empty(0)).astype(np.uint8).tobytes().decode("utf-8", "replace")
            return NiqeModel(
                mean=arrays[mean].astype(np.float64).ravel(),
                covariance=arrays[covariance].astype(np.float64),
                source=source or path.name,
            )
    raise MetricError(
        f"{shown(path)} holds no NIQE model; it has {names_of(arrays)}, one of mean/covariance, "
        "mu_prisparam/cov_prisparam or Mean/Covariance is expected"
    )
