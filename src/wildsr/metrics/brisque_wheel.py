"""The BRISQUE of the `brisque` package 0.2.0: other features and another model, so another name.

Gray of Rec. 709 weights in [0, 1], zero border, C = 1/255, products without wrap-around, shapes solved
continuously, zeros counted as positive, and the second scale by a cubic (a = −3/4) without antialiasing.
"""

from functools import lru_cache
from math import exp, lgamma, sqrt

import numpy as np
from numpy.typing import NDArray

from wildsr.assets import METRIC_ASSETS, fetch
from wildsr.errors import AssetError, MetricError
from wildsr.metrics.brisque import CITATION, MINIMUM, defined
from wildsr.metrics.filters import gaussian, smooth
from wildsr.metrics.metric import Metric
from wildsr.metrics.nss import Moments, moments
from wildsr.metrics.pixels import Image, Plane, checked
from wildsr.metrics.regression import Regression, load_libsvm

_C = 1 / 255
_GRAY = (0.2125, 0.7154, 0.0721)
_CUBIC = (-0.09375, 0.59375, 0.59375, -0.09375)
_FLAT = 1e-13


def brisque_wheel(picture: Image, model: Regression | None = None) -> float:
    """Return what the `brisque` package 0.2.0 returns; lower is better, about 0…100.

    Args:
        picture: The picture to judge.
        model: The package's regression, fetched when not given.

    Raises:
        MetricError: Not a valid picture of at least 16×16, or a constant one.
        AssetError: The package's parameters can't be had.
    """
    checked(picture, "brisque_wheel", MINIMUM)
    return (package_model() if model is None else model).predict(wheel_features(picture))


@lru_cache(maxsize=1)
def package_model() -> Regression:
    """Return the regression of the `brisque` package.

    Raises:
        AssetError: It can't be had.
    """
    from wildsr.assets.pickles import load_pickle

    ranges = load_pickle(fetch(METRIC_ASSETS["brisque-normalize.pickle"]))
    if not isinstance(ranges, dict) or not all(isinstance(ranges.get(key), list) for key in ("min_", "max_")):
        raise AssetError("the feature range of the brisque package is not two lists, min_ and max_")
    return load_libsvm(fetch(METRIC_ASSETS["brisque-svm.txt"]), ranges["min_"], ranges["max_"])


def wheel_features(picture: Image) -> NDArray[np.float64]:
    """Return the package's 36 features: α and variance, then α, mean and both variances of four products."""
    scale = 1 / 255 if picture.dtype == np.uint8 else 1.0
    plane = np.multiply(picture, scale, dtype=np.float64) @ np.array(_GRAY)
    values: list[float] = []
    for _ in range(2):
        block = _coefficients(plane)
        own = _fit(moments(block))
        values += [own[0], (own[2] + own[3]) / 2]
        for product in (
            block[:, :-1] * block[:, 1:],
            block[:-1] * block[1:],
            block[:-1, :-1] * block[1:, 1:],
            block[1:, :-1] * block[:-1, 1:],
        ):
            values += _fit(moments(product))
        plane = _halve(plane)
    return defined(values, "brisque_wheel")


def _coefficients(plane: Plane) -> Plane:
    """MSCN coefficients, with the package's own rounding where a window is flat.

    There (and on even ramps) the numerator is rounding alone, and its sign decides on which side the pixel
    counts, so the sums of those windows are made in the package's order.
    """
    taps = gaussian(7, 7 / 6)
    mean = smooth(plane, taps, "zero")
    squares = smooth(plane * plane, taps, "zero")
    flat = np.abs(plane - mean) < _FLAT
    if flat.any():
        mean[flat], squares[flat] = _summed_in_order(plane, flat)
    deviation = np.abs(mean * mean - squares)
    np.sqrt(deviation, out=deviation)
    deviation += _C
    coefficients = np.subtract(plane, mean, out=mean)
    coefficients /= deviation
    return coefficients


def _summed_in_order(plane: Plane, chosen: NDArray[np.bool_]) -> tuple[Plane, Plane]:
    """Filter chosen pixels and their squares in the order of SciPy's convolve2d: by rows, four products and three."""
    square_distance = np.sum((np.indices((7, 7)) - 3) ** 2, axis=0)
    kernel = 1 / (2 * np.pi * (7 / 6) ** 2) * np.exp(-square_distance / (2 * (7 / 6) ** 2))
    kernel = kernel / np.sum(kernel)
    padded = np.pad(plane, 3)
    total, squares = np.zeros((2, int(np.count_nonzero(chosen))))
    for top in range(7):
        group = grouped_squares = np.zeros(0)
        for left in range(7):
            y, x = 6 - top, 6 - left  # a convolution turns the picture round
            values = padded[y : y + plane.shape[0], x : x + plane.shape[1]][chosen]
            product, square = values * kernel[top, left], values * values * kernel[top, left]
            if left == 0:
                group, grouped_squares = product, square
            elif left < 4:
                group, grouped_squares = group + product, grouped_squares + square
            if left == 3:
                product, square = group, grouped_squares
            if left >= 3:
                total += product
                squares += square
    return total, squares


def _fit(sums: Moments) -> tuple[float, float, float, float]:
    """Return α, mean, left and right variance; numbers that are 0 count as positive."""
    zeros = sums.count - sums.negative - sums.positive
    right_count = sums.positive + zeros
    if not sums.negative or not right_count or sums.squares <= sums.squares_left:
        return (float("nan"),) * 4
    left = sums.squares_left / sums.negative
    right = (sums.squares - sums.squares_left) / right_count
    ratio = sqrt(left) / sqrt(right)
    kurtosis = (sums.absolute / sums.count) ** 2 / (sums.squares / sums.count)
    alpha = _solve(kurtosis * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2)
    logs = lgamma(1 / alpha), lgamma(2 / alpha), lgamma(3 / alpha)
    mean = (sqrt(right) - sqrt(left)) * exp((logs[0] - logs[2]) / 2 + logs[1] - logs[0])
    return alpha, mean, left, right


def _solve(target: float) -> float:
    """Return the α in 0.05…1000 at which Γ(2/α)²/(Γ(1/α)Γ(3/α)), which rises with α, is `target`."""
    low, high = 0.05, 1000.0
    for _ in range(64):
        middle = (low + high) / 2
        if exp(2 * lgamma(2 / middle) - lgamma(1 / middle) - lgamma(3 / middle)) < target:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _halve(plane: Plane) -> Plane:
    """Halve by a four-tap cubic (a = −3/4), replicated border, sides rounded half to even."""
    for axis in (1, 0):
        length = round(plane.shape[axis] / 2)
        start = 2 * np.arange(length)
        total: Plane | None = None
        for tap, weight in enumerate(_CUBIC):
            term = np.take(plane, np.clip(start + tap - 1, 0, plane.shape[axis] - 1), axis=axis) * weight
            total = term if total is None else total + term
        if total is None or not total.size:
            raise MetricError("brisque_wheel: too few pixels to halve")
        plane = total
    return plane


BRISQUE_WHEEL = Metric(
    name="brisque_wheel",
    label="BRISQUE (wheel)",
    call=brisque_wheel,
    kind="no-reference",
    direction="lower",
    range=(0, 100),
    reference="none",
    family="`brisque` package 0.2.0",
    citation=CITATION,
    minimum=MINIMUM,
    protocol="BRISQUE as the brisque package 0.2.0 has it; neither the release's nor MATLAB's numbers.",
)
