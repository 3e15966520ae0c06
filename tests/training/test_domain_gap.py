"""How far two sets of pictures are apart: known answers."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.training.domain_gap import _frechet, alike, gap, noise_statistics


def pictures(sigma: float, *, seed: int, count: int = 8) -> list[NDArray[np.uint8]]:
    rng = np.random.default_rng(seed)
    return [
        np.clip(128 + rng.normal(0, sigma, (96, 96, 3)), 0, 255).round().astype(np.uint8)
        for _ in range(count)
    ]


def test_equal_noise_cannot_be_told_apart_and_other_noise_can() -> None:
    real = pictures(5, seed=0)
    same, near, far = (gap(real, pictures(sigma, seed=1)) for sigma in (5, 6, 12))
    assert same is not None
    assert near is not None
    assert far is not None
    assert same.frechet < near.frechet < far.frechet
    assert 0.35 < same.classifier_error < 0.65
    assert near.classifier_error < 0.1
    assert far.classifier_error == 0


def test_the_frechet_distance_of_known_gaussians() -> None:
    """Means 3 apart along one axis: 9; spread 2 in place of 1 along both: 2·(2 − 1)²."""
    rng = np.random.default_rng(0)
    one = rng.normal(0, 1, (40_000, 2))
    assert _frechet(one, one + np.array([3.0, 0.0])) == pytest.approx(9, abs=1e-6)
    assert _frechet(one, 2 * one) == pytest.approx(2, rel=0.03)
    assert _frechet(one, one) == pytest.approx(0, abs=1e-9)


def test_patches_and_too_few_of_them() -> None:
    assert noise_statistics(pictures(5, seed=0)[0]).shape == (9, 11)
    assert noise_statistics(np.zeros((20, 50, 3), np.uint8)).shape[0] == 0
    small = [one[:32, :32] for one in pictures(5, seed=0, count=3)]
    assert gap(small, small) is None
    assert gap(pictures(5, seed=0), pictures(5, seed=0, count=1)) is None


def test_patches_alike_in_coarse_contrast_are_compared() -> None:
    """Bold and faint scenes with equal noise: apart as they are, not once patches of equal contrast are chosen."""
    rng = np.random.default_rng(3)

    def scene(contrast: float, sigma: float) -> NDArray[np.uint8]:
        cells = np.kron(rng.normal(0, contrast, (24, 24, 1)), np.ones((4, 4, 1)))
        return np.clip(128 + cells + rng.normal(0, sigma, (96, 96, 3)), 0, 255).round().astype(np.uint8)

    real = [scene(30, 4) for _ in range(8)]
    clean = [scene(contrast, 4) for contrast in (5, 30) * 8]
    noisier = [np.clip(one + rng.normal(0, 5, one.shape), 0, 255).round().astype(np.uint8) for one in clean]
    same, other = alike(real, clean, [clean, noisier])
    assert [one.shape for one in same] == [one.shape for one in real]
    as_they_are, chosen, noisy = gap(real, clean), gap(real, same), gap(real, other)
    assert as_they_are is not None
    assert chosen is not None
    assert noisy is not None
    assert chosen.frechet < 0.3 * as_they_are.frechet
    assert chosen.classifier_error > 0.35
    assert noisy.classifier_error < 0.1
    assert alike(real, [one[:20, :20] for one in clean], [clean]) == [[]]
