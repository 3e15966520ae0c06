"""How far degraded pictures are from real ones: a Fréchet distance of noise statistics, and a classifier's error."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.data.contrast import coarse_contrast, nearest
from wildsr.imaging.luma import luma

_PATCH: Final = 32
_FEATURES: Final = 11
_FEWEST: Final = 16
"""Patches to choose those alike from."""
_FLOOR: Final = 1e-3
_RIDGE: Final = 1e-3


@dataclass(frozen=True, kw_only=True)
class Gap:
    """Between two sets of pictures."""

    frechet: float
    """Between the statistics of their patches, in units of the real ones' spread; 0: none."""

    classifier_error: float
    """Of a linear classifier on patches it didn't learn from; .5: they can't be told apart."""


def gap(real: Sequence[NDArray[np.uint8]], other: Sequence[NDArray[np.uint8]]) -> Gap | None:
    """Compare pictures (H×W×3) patch by patch; None where there are too few patches.

    Pictures are split between learning and testing, not patches, so that the classifier can't know a picture again.
    """
    parts = [[noise_statistics(picture) for picture in pictures] for pictures in (real, other)]
    if any(len(side) < 2 for side in parts) or any(len(np.concatenate(side)) < 8 for side in parts):
        return None
    mean, spread = _moments(np.concatenate(parts[0]))
    scaled = [[(one - mean) / spread for one in side] for side in parts]
    learn = [np.concatenate(side[0::2]) for side in scaled]
    test = [np.concatenate(side[1::2]) for side in scaled]
    return Gap(
        frechet=_frechet(*(np.concatenate(side) for side in scaled)),
        classifier_error=(_error(learn, test) + _error(test, learn)) / 2,
    )


def alike(
    real: Sequence[NDArray[np.uint8]],
    clean: Sequence[NDArray[np.uint8]],
    others: Sequence[Sequence[NDArray[np.uint8]]],
) -> list[list[NDArray[np.uint8]]]:
    """Lay patches of other pictures out as the real ones', each the one that shows the most similar coarse contrast.

    Photos of other things differ in how much they show; compared so, what is left is how they were taken.

    Args:
        real: The real pictures.
        clean: Pictures of other things, which patches are chosen by.
        others: Sets of versions of `clean`, picture by picture of the same sizes, that patches are taken from.

    Returns:
        For each set pictures of the real ones' sizes; empty where `clean` has too few patches.
    """
    pool = [(number, *place) for number, picture in enumerate(clean) for place in _places(picture)]
    if len(pool) < _FEWEST:
        return [[] for _ in others]
    contrasts = np.stack([coarse_contrast(_patch(clean[number], top, left)) for number, top, left in pool])
    laid: list[list[NDArray[np.uint8]]] = [[] for _ in others]
    for picture in real:
        for result in laid:
            result.append(np.zeros_like(picture))
        for top, left in _places(picture):
            number, y, x = pool[nearest(coarse_contrast(_patch(picture, top, left)), contrasts)]
            for result, versions in zip(laid, others, strict=True):
                _patch(result[-1], top, left)[:] = _patch(versions[number], y, x)
    return laid


def _places(picture: NDArray[np.uint8]) -> list[tuple[int, int]]:
    tops, lefts = (range(0, length - _PATCH + 1, _PATCH) for length in picture.shape[:2])
    return [(top, left) for top in tops for left in lefts]


def _patch(picture: NDArray[np.uint8], top: int, left: int) -> NDArray[np.uint8]:
    return picture[top : top + _PATCH, left : left + _PATCH]


def noise_statistics(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Features of each 32×32 patch: energies of luma and chroma in Haar bands, and how neighbours go together."""
    rgb = np.asarray(picture, dtype=np.float32)
    found = [_features(rgb[top : top + _PATCH, left : left + _PATCH]) for top, left in _places(picture)]
    return np.array(found, np.float64).reshape(len(found), _FEATURES)


def _features(patch: NDArray[np.float32]) -> list[float]:
    plane = luma(patch)
    values: list[float] = []
    for channel in (plane, patch[..., 0] - patch[..., 1], patch[..., 2] - patch[..., 1]):
        a, b, c, d = (channel[y::2, x::2] for y, x in np.ndindex(2, 2))
        for band in (a - b + c - d, a + b - c - d, a - b - c + d):
            values.append(float(np.log(np.abs(band / 2).mean() + _FLOOR)))
    fine = plane[1:-1, 1:-1] - (plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]) / 4
    variance = float((fine * fine).mean()) + _FLOOR
    values.append(float((fine[:, 1:] * fine[:, :-1]).mean()) / variance)
    values.append(float((fine[1:] * fine[:-1]).mean()) / variance)
    return values


def _moments(features: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    return features.mean(axis=0), features.std(axis=0) + _FLOOR


def _frechet(one: NDArray[np.float64], other: NDArray[np.float64]) -> float:
    """‖μ₁ − μ₂‖² + tr(C₁ + C₂ − 2·√(C₁C₂))."""
    first, second = np.cov(one.T), np.cov(other.T)
    values, vectors = np.linalg.eigh(first)
    root = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
    inner = np.clip(np.linalg.eigvalsh(root @ second @ root), 0, None)
    apart = one.mean(axis=0) - other.mean(axis=0)
    return float(apart @ apart + np.trace(first) + np.trace(second) - 2 * np.sqrt(inner).sum())


def _error(learn: Sequence[NDArray[np.float64]], test: Sequence[NDArray[np.float64]]) -> float:
    """Mean error over both classes of Fisher's discriminant."""
    within = sum(np.cov(one.T) for one in learn) / 2 + _RIDGE * np.eye(learn[0].shape[1])
    means = [one.mean(axis=0) for one in learn]
    direction = np.linalg.solve(within, means[0] - means[1])
    threshold = float(direction @ (means[0] + means[1])) / 2
    wrong = (test[0] @ direction <= threshold).mean() + (test[1] @ direction > threshold).mean()
    return float(wrong) / 2
