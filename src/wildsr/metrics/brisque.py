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

from wildsr.assets import METRIC_ASSETS, fetch
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
from wildsr.metrics.regression import Regression, load_libsvm, load_matlab_regression
from wildsr.metrics.user_files import UserFile

MINIMUM = (16, 16)
# least and greatest value of each feature in the release's training set (its allrange), which scale to −1 and 1
_RANGE: Final = (
    (0.338, 10), (0.017204, 0.806612), (0.236, 1.642), (-0.123884, 0.20293),
    (0.000155, 0.712298), (0.001122, 0.470257), (0.244, 1.641), (-0.123586, 0.179083),
    (0.000152, 0.710456), (0.000975, 0.470984), (0.249, 1.555), (-0.135687, 0.100858),
    (0.000174, 0.684173), (0.000913, 0.534174), (0.258, 1.561), (-0.143408, 0.100486),
    (0.000179, 0.685696), (0.000888, 0.536508), (0.471, 3.264), (0.012809, 0.703171),
    (0.218, 1.046), (-0.094876, 0.187459), (1.5e-05, 0.442057), (0.001272, 0.40803),
    (0.222, 1.042), (-0.115772, 0.162604), (1.6e-05, 0.444362), (0.001374, 0.40243),
    (0.227, 0.996), (-0.117188, 0.098323), (3e-05, 0.531903), (0.001122, 0.369589),
    (0.228, 0.99), (-0.12243, 0.098658), (2.8e-05, 0.530092), (0.001118, 0.370399),
)  # fmt: skip
CITATION: Final = "Mittal, Moorthy, Bovik, IEEE TIP 2012"
_MATLAB: Final = UserFile(
    metric="brisque_matlab",
    names=("brisque_matlab.mat", "brisque_matlab.npz"),
    what="Alpha, Bias, SupportVectors and Scale of MATLAB's brisqueModel, saved as arrays",
)


def brisque(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of the authors' release; lower is better, about 0…100 (a little below 0 and above is possible).

    Args:
        picture: The picture to judge.
        model: The release's regression, fetched when not given.

    Raises:
        MetricError: Not a valid picture of at least 16×16, or a constant one.
        AssetError: The release's parameters can't be had.
    """
    checked(picture, "brisque", MINIMUM)
    return (release_regression() if model is None else model).predict(release_features(picture))


def brisque_matlab(picture: Image, model: Regression | None = None) -> float:
    """Return BRISQUE of MATLAB's toolbox, whose model the user must give; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: MATLAB's regression; read from the folder of parameter files when not given.

    Raises:
        MetricError: As `brisque`, or no parameter file was given.
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


@lru_cache(maxsize=1)
def release_regression() -> Regression:
    """Return the regression of the release, `allmodel`, over features scaled by its `allrange`.

    Raises:
        AssetError: It can't be had.
    """
    low, high = zip(*_RANGE, strict=True)
    return load_libsvm(fetch(METRIC_ASSETS["brisque-allmodel.txt"]), low, high)


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
    protocol="BRISQUE of the authors' release (its allmodel and allrange) on rounded rgb2gray luminance.",
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
