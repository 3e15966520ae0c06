"""NRQM: a no-reference metric learned from people's scores of super-resolved pictures, 0 (worst) to 10.

Ma, Yang, Yang, Yang, "Learning a no-reference quality metric for single-image super-resolution", CVIU 2017.
Three groups of features, each judged by a regression forest, combined linearly.
"""

from functools import lru_cache
from itertools import combinations
from math import exp, lgamma
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging.resize import apply_weights, weights
from wildsr.metrics.filters import gaussian, smooth
from wildsr.metrics.metric import Metric
from wildsr.metrics.nrqm_model import NrqmModel, load_nrqm
from wildsr.metrics.pixels import Image, Plane, checked, gray_8bit
from wildsr.metrics.steerable import build, normalised
from wildsr.metrics.user_files import UserFile

MINIMUM = (100, 100)
"""The third scale then has the 25 blocks of 5×5 that its singular values need."""

FILE: Final = UserFile(
    metric="nrqm",
    names=("nrqm.mat", "NRQM_model.mat", "model.mat"),
    what="model.mat of the authors' sr-metric code",
)

Vector = NDArray[np.float64]
_TINY = 1e-7
_C2 = (0.03 * 255) ** 2


def nrqm(picture: Image, model: NrqmModel | None = None) -> float:
    """Return NRQM on rgb2gray luminance (full range, rounded); higher is better, 0…10.

    Args:
        picture: The picture to judge.
        model: The authors' model; read from the folder of parameter files when not given.

    Raises:
        MetricError: Not a valid picture of at least 100×100, or no parameter file.
    """
    checked(picture, "nrqm", MINIMUM)
    return nrqm_of_plane(gray_8bit(picture), model)


def nrqm_of_plane(plane: Plane, model: NrqmModel | None = None) -> float:
    """Return NRQM of a plane of levels 0…255, at least 100×100."""
    if model is None:
        model = _load(FILE.find())
    scores = [forest.predict(part) for forest, part in zip(model.forests, features(plane), strict=True)]
    return float(model.linear @ np.array([1.0, *scores]))


def features(plane: Plane) -> tuple[Vector, Vector, Vector]:
    """Return the 18 local, 45 global and 75 spatial features of a plane of levels 0…255."""
    scales = [plane / 255]
    for _ in range(2):
        scales.append(smooth(scales[-1], gaussian(3, 0.5), "zero")[1::2, 1::2])
    local = np.concatenate([local_frequency(scale) for scale in scales])
    spatial = np.concatenate([singular_values(scale) for scale in scales])
    return local, global_frequency(plane), spatial


def local_frequency(plane: Plane) -> Vector:
    """Return six statistics of the DCT of 7×7 windows every 3 pixels (zeros outside).

    The generalised Gaussian shape, the coefficient of variation, and the variance of the latter over three
    bands of orientation; of each the mean of the worst tenth and of all windows.
    """
    rows, columns = plane.shape
    padded = np.pad(plane, ((2, 2 - rows % -3 + 2), (2, 2 - columns % -3 + 2)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (7, 7))[::3, ::3]
    windows = windows[: -(-rows // 3), : -(-columns // 3)].reshape(-1, 49)
    spectrum = windows @ _dct_7x7()
    shape = _shapes(spectrum[:, 1:])
    magnitude = np.abs(spectrum)
    variation = _variation(magnitude[:, 1:], _TINY)
    bands = np.stack([_variation(magnitude[:, band], 1e-8) for band in _oriented()])
    oriented = bands.var(axis=0, ddof=1)
    count = len(windows)
    lowest, highest = int(np.ceil(count * 0.1)), int(count * 0.9) - 1
    shape, variation, oriented = np.sort(shape), np.sort(variation), np.sort(oriented)
    parts = [shape[:lowest], shape, variation[highest:], variation, oriented[highest:], oriented]
    return np.array([part.mean() for part in parts])


def global_frequency(plane: Plane) -> Vector:
    """Return 45 statistics of a steerable pyramid of 2 scales × 6 orientations.

    Generalised Gaussian shapes of the 12 normalised bands and of the 6 pairs across scales; SSIM's
    contrast-structure term of the 12 bands with the high-pass residual, and of the 15 pairs of orientations
    at the first scale.
    """
    pyramid = build(plane)
    bands = normalised(pyramid)
    every = [band.ravel() for scale in bands for band in scale]
    every += [np.concatenate([fine.ravel(), coarse.ravel()]) for fine, coarse in zip(*bands, strict=True)]
    shapes = [float(_shapes(values[None])[0]) for values in every]
    high = _Windowed(pyramid.high)
    residual = [
        high.structure(_Windowed(_enlarged(band, high.plane))) for scale in pyramid.bands for band in scale
    ]
    fine = [_Windowed(band) for band in bands[0]]
    orientations = [one.structure(other) for one, other in combinations(fine, 2)]
    return np.array(shapes + residual + orientations)


def singular_values(plane: Plane) -> Vector:
    """Return the 25 singular values of the matrix whose columns are the distinct 5×5 blocks."""
    padded = np.pad(plane, ((0, -plane.shape[0] % 5), (0, -plane.shape[1] % 5)))
    rows, columns = padded.shape[0] // 5, padded.shape[1] // 5
    blocks = padded.reshape(rows, 5, columns, 5).swapaxes(1, 2).reshape(-1, 25)
    return np.linalg.svd(np.linalg.qr(blocks, mode="r"), compute_uv=False)


class _Windowed:
    """A plane with the window sums that SSIM needs, made once for many comparisons."""

    def __init__(self, plane: Plane) -> None:
        self.plane = plane
        self.mean = smooth(plane, gaussian(11, 1.5), "valid")
        self.variance = smooth(plane * plane, gaussian(11, 1.5), "valid") - self.mean**2

    def structure(self, other: "_Windowed") -> float:
        """Mean of (2σ_xy + C2)/(σ_x² + σ_y² + C2)."""
        covariance = smooth(self.plane * other.plane, gaussian(11, 1.5), "valid")
        covariance -= self.mean * other.mean
        return float(((2 * covariance + _C2) / (self.variance + other.variance + _C2)).mean())


def _enlarged(band: Plane, like: Plane) -> Plane:
    for axis in (0, 1):
        if band.shape[axis] != like.shape[axis]:
            band = apply_weights(weights(band.shape[axis], like.shape[axis]), band, axis)
    return band


def _variation(magnitudes: Plane, tiny: float) -> Vector:
    """Deviation (unbiased) over mean of each row."""
    mean = magnitudes.mean(axis=1)
    centred = magnitudes - mean[:, None]
    variance = np.einsum("ij,ij->i", centred, centred) / (magnitudes.shape[1] - 1)
    ratio: Vector = np.sqrt(variance) / (mean + tiny)
    return ratio


def _shapes(values: Plane) -> Vector:
    """Shape of the generalised Gaussian of each row: the tabulated one whose σ²/E|x|² is nearest, 0.03…10."""
    centred = values - values.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", centred, centred) / (values.shape[1] - 1)
    ratio = variance / (np.abs(centred, out=centred).mean(axis=1) ** 2 + _TINY)
    shapes, rising = _shape_table()
    above = np.clip(np.searchsorted(rising, ratio), 1, rising.size - 1)
    nearest = np.where(ratio - rising[above - 1] < rising[above] - ratio, above - 1, above)
    found: Vector = shapes[nearest]
    return found


@lru_cache(maxsize=1)
def _shape_table() -> tuple[Vector, Vector]:
    """Shapes 10…0.03 and their ratio Γ(1/g)Γ(3/g)/Γ(2/g)², which then rises."""
    shapes = [0.03 + 0.001 * step for step in range(9970, -1, -1)]
    ratios = [exp(lgamma(1 / g) + lgamma(3 / g) - 2 * lgamma(2 / g)) for g in shapes]
    return np.array(shapes), np.array(ratios)


@lru_cache(maxsize=1)
def _dct_7x7() -> Plane:
    """49×49 matrix: a flattened window times it is its orthonormal DCT, flattened alike."""
    order = np.arange(7)
    basis = np.sqrt(2 / 7) * np.cos(np.pi * (2 * order[None] + 1) * order[:, None] / 14)
    basis[0] = np.sqrt(1 / 7)
    return np.ascontiguousarray(np.kron(basis, basis).T)


@lru_cache(maxsize=1)
def _oriented() -> tuple[NDArray[np.intp], ...]:
    """Places in a flattened 7×7 spectrum of three bands of 16: along the first row, diagonal and column."""
    row = [(0, 1, 7), (1, 2, 7), (2, 4, 7), (3, 5, 7)]
    diagonal = [(1, 1, 2), (2, 2, 4), (3, 2, 5), (4, 3, 7), (5, 4, 7), (6, 4, 7)]
    first = [7 * y + x for y, start, stop in row for x in range(start, stop)]
    middle = [7 * y + x for y, start, stop in diagonal for x in range(start, stop)]
    last = [7 * x + y for y, start, stop in row for x in range(start, stop)]
    return np.array(first), np.array(middle), np.array(last)


@lru_cache(maxsize=2)
def _load(path: Path) -> NrqmModel:
    return load_nrqm(path)


NRQM = Metric(
    name="nrqm",
    label="NRQM",
    call=nrqm,
    kind="no-reference",
    direction="higher",
    range=(0, 10),
    reference="none",
    family="authors' release (sr-metric)",
    citation="Ma, Yang, Yang, Yang, CVIU 2017",
    minimum=MINIMUM,
    protocol="NRQM (Ma's score) on rounded rgb2gray luminance, the authors' forests (a user's file).",
    file=FILE,
)
