"""What the photos of one camera share: shrinkage by uncertainty, the quietest photos' noise, stretched kernels."""

from dataclasses import replace

import numpy as np
import pytest

from tests.estimation.pictures import blurred, comet, distance, gaussian, leaves
from wildsr.degradation.kernels import centre_of_mass
from wildsr.estimation.kernels.quality_control import assess_blur
from wildsr.estimation.kernels.shapes import affinely_mapped, second_moments
from wildsr.estimation.kernels.spectrum import textured_tiles
from wildsr.estimation.kernels.spectrum_fit import BLUR_PRIOR, SpectralEvidence, covariance_of, fit_blur
from wildsr.estimation.profile.shared_blur import (
    camera_kernels,
    noise_floors,
    pooled,
    share_blur,
    with_moments,
)
from wildsr.imaging.luma import luma


def under_prior(seen: np.ndarray, sd: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What fits give for observations with these standard deviations (N×3 each): the prior's share is in them."""
    mean, prior_sd = BLUR_PRIOR
    precision = 1 / sd**2 + 1 / prior_sd**2
    values = (seen / sd**2 + mean / prior_sd**2) / precision
    return values, np.array([np.diag(1 / one) for one in precision])


def test_photos_of_one_camera_come_together() -> None:
    rng = np.random.default_rng(0)
    truth, sd = np.array([1.3, 0.1, 0.0]), np.full((40, 3), 0.3)
    values, spreads = under_prior(truth + sd * rng.normal(size=(40, 3)), sd)
    shared = pooled(values, spreads)
    assert shared.mean == pytest.approx(truth, abs=0.12)
    before, after = (np.sqrt(((one - truth) ** 2).mean()) for one in (values, shared.photos))
    assert after < 0.5 * before


def test_what_is_sure_moves_less() -> None:
    rng = np.random.default_rng(1)
    sd = np.full((20, 3), 0.25)
    seen = np.array([0.8, 0, 0]) + sd * rng.normal(size=(20, 3))
    seen[:2], sd[0], sd[1] = (1.8, 0.0, 0.0), 0.05, 0.5
    sure, doubtful = pooled(*under_prior(seen, sd)).photos[:2, 0]
    assert sure > 1.5
    assert doubtful < 1.25


def test_two_cameras_are_not_made_one() -> None:
    rng = np.random.default_rng(2)
    sd = np.full((30, 3), 0.12)
    means = np.where(np.arange(30) % 2, 0.3, 1.6)
    seen = np.stack([means, 0 * means, 0 * means], 1) + sd * rng.normal(size=(30, 3))
    sizes = pooled(*under_prior(seen, sd)).photos[:, 0]
    assert np.median(sizes[1::2]) == pytest.approx(0.3, abs=0.1)
    assert np.median(sizes[::2]) == pytest.approx(1.6, abs=0.1)


def evidence_of(seed: int, kernel: np.ndarray, *, size: int = 256) -> SpectralEvidence:
    plane = luma(blurred(leaves(size, size, seed=seed), kernel))
    quality = assess_blur(*textured_tiles(plane))
    assert quality is not None
    return quality.evidence


@pytest.fixture(scope="module")
def camera() -> list[SpectralEvidence]:
    return [evidence_of(seed, gaussian(2.5, 1.5, 0.6)) for seed in range(5)]


def test_photos_of_a_camera_scatter_less_together_than_alone(camera: list[SpectralEvidence]) -> None:
    alone = [fit_blur(one.spectrum).covariance for one in camera]
    together = [covariance_of(one[0], (one[1], one[2])) for one in share_blur(camera).photos]

    def apart(found: list[np.ndarray]) -> float:
        """Root mean squared scatter of the log variances."""
        return float(np.sqrt(np.var(np.log([np.linalg.eigvalsh(one) for one in found]), axis=0).mean()))

    assert apart(together) < 0.8 * apart(alone)
    # discs have a steeper spectrum than photos, which passes for blur: only the directions and the order are compared
    long, short = np.linalg.eigvalsh(np.mean(together, axis=0))[::-1]
    assert 1.2 < long / short < 1.9


def test_texture_in_the_quietest_tiles_of_one_photo_is_no_noise(camera: list[SpectralEvidence]) -> None:
    noisy = replace(camera[0].spectrum, floor=60 * camera[0].spectrum.floor)
    wrong = [SpectralEvidence(spectrum=noisy, compression=None), *camera[1:]]
    alone, together = fit_blur(noisy).size, share_blur(wrong).photos[0, 0]
    right = share_blur(camera).photos[0, 0]
    assert abs(together - right) < 0.1
    assert abs(alone - right) > abs(together - right)


def test_a_photo_with_many_tiles_keeps_its_own_noise(camera: list[SpectralEvidence]) -> None:
    """A higher sensitivity is no texture."""
    spectrum = replace(camera[0].spectrum, floor=40.0, gain=1.0, tiles=400)
    large = SpectralEvidence(spectrum=spectrum, compression=None)
    small = SpectralEvidence(spectrum=replace(spectrum, tiles=3), compression=None)
    quiet = [replace(one, spectrum=replace(one.spectrum, floor=1.0, gain=1.0)) for one in camera]
    floors = noise_floors([large, small, *quiet])
    assert floors[0] == pytest.approx(32.2, abs=0.5)
    assert floors[1] == pytest.approx(1.48, abs=0.02)
    assert floors[2:] == pytest.approx(np.ones(5))


def test_a_kernel_is_stretched_to_its_moments_and_keeps_its_side() -> None:
    kernel = comet(0.7)
    wanted = np.array([[2.0, 0.4], [0.4, 1.2]])
    found = with_moments(kernel, wanted)
    assert second_moments(found) == pytest.approx(wanted, abs=0.08)
    assert found.sum() == pytest.approx(1, abs=1e-9)
    assert centre_of_mass(found) == pytest.approx((8.5, 8.5), abs=0.01)
    mirrored = with_moments(kernel[::-1, ::-1], wanted)
    assert distance(found, gaussian(2.27, 0.93, 0.39)) > 0.05  # no Gaussian
    assert distance(found, mirrored) > 0.05


def test_stretching_a_gaussian_gives_the_gaussian() -> None:
    found = with_moments(gaussian(3.0, 1.0, 0.5), np.diag([1.8, 1.2]))
    assert distance(found, gaussian(1.8, 1.2, 0)) < 0.006
    assert distance(affinely_mapped(gaussian(2, 1, 0.3), np.eye(2)), gaussian(2, 1, 0.3)) < 1e-3


def test_one_kernel_and_kernels_without_evidence_stay(camera: list[SpectralEvidence]) -> None:
    kernel = gaussian(3.0, 1.0, 0.5)
    (alone,) = camera_kernels([kernel], [camera[0]])
    np.testing.assert_array_equal(alone, kernel)
    made = camera_kernels([kernel, kernel, kernel], [camera[0], None, camera[1]])
    np.testing.assert_array_equal(made[1], kernel)
    assert distance(made[0], kernel) > 0.01
