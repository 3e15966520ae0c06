"""BRISQUE: natural-scene statistics of the picture at two scales, judged by a support vector regression.

Mittal, Moorthy, Bovik, "No-reference image quality assessment in the spatial domain", IEEE TIP 2012. Families
whose numbers must not be mixed: the authors' release and MATLAB's toolbox here, the `brisque` package in a
file of its own.
"""

from functools import lru_cache
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.metrics.filters import halve
from wildsr.metrics.metric import Metric
from wildsr.metrics.nss import (
    circular_products,
    features,
    fit_asymmetric,
    fit_symmetric,
    moments,
    mscn,
)
from wildsr.metrics.pixels import Image, checked, gray_8bit
from wildsr.metrics.regression import Regression, load_libsvm, load_libsvm_range, load_matlab_regression
from wildsr.metrics.user_files import UserFile

MINIMUM = (16, 16)
CITATION: Final = "Mittal, Moorthy, Bovik, IEEE TIP 2012"
_RELEASE: Final = UserFile(
    metric="brisque",
    names=("allmodel",),
    what="allmodel and allrange of the authors' BRISQUE release (libsvm text files)",
)
_MATLAB: Final = UserFile(
    metric="brisque_matlab",
    names=("brisque_matlab.mat", "brisque_matlab.npz"),
    what="Alpha, Bias, SupportVectors and Scale of MATLAB's brisqueModel, saved as arrays",
)


def brisque(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of the authors' release, whose model the user must give; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: The release's regression; read from the folder of parameter files when not given.

    Raises:
        MetricError: Not a valid picture of at least 16×16, a constant one, or no parameter file.
    """
    checked(picture, "brisque", MINIMUM)
    return (_libsvm(_RELEASE.find()) if model is None else model).predict(release_features(picture))


def brisque_matlab(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of MATLAB's toolbox, whose model the user must give; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: MATLAB's regression; read from the folder of parameter files when not given.

    Raises:
        MetricError: As `brisque`.
    """
    checked(picture, "brisque_matlab", MINIMUM)
    return (_toolbox(_MATLAB.find()) if model is None else model).predict(matlab_features(picture))


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


@lru_cache(maxsize=2)
def _libsvm(path: Path) -> Regression:
    return load_libsvm(path, *load_libsvm_range(path.with_name("allrange")))


@lru_cache(maxsize=2)
def _toolbox(path: Path) -> Regression:
    return load_matlab_regression(path)


BRISQUE = Metric(
    name="brisque",
    label="BRISQUE",
    call=brisque,
    kind="no-reference",
    direction="lower",
    range=(0, 100),
    reference="none",
    family="authors' release",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="BRISQUE of the authors' release (allmodel and allrange, files the user gives).",
    file=_RELEASE,
)

BRISQUE_MATLAB = Metric(
    name="brisque_matlab",
    label="BRISQUE (MATLAB)",
    call=brisque_matlab,
    kind="no-reference",
    direction="lower",
    range=(0, 100),
    reference="none",
    family="MATLAB toolbox",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="BRISQUE of MATLAB's toolbox (its model is a file the user gives).",
    file=_MATLAB,
)
