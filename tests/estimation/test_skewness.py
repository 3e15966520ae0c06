"""The side a kernel leans to is read off the scene's edges."""

import numpy as np
import pytest

from tests.estimation.pictures import blurred, comet, distance, gaussian, leaves, natural
from wildsr.degradation.kernels import centre_of_mass
from wildsr.estimation import estimate_kernel
from wildsr.estimation.kernels.shapes import centred, second_moments
from wildsr.estimation.kernels.skewness import third_moments, with_third_moments
from wildsr.imaging.luma import luma


def whitened_moments(kernel: np.ndarray) -> np.ndarray:
    """What `third_moments` estimates, of a kernel that is known."""
    down, right = centre_of_mass(kernel)
    y, x = np.mgrid[: len(kernel), : len(kernel)] - np.array([down, right])[:, None, None]
    inverse = np.linalg.inv(np.linalg.cholesky(second_moments(kernel)))
    u, v = inverse[0, 0] * x, inverse[1, 0] * x + inverse[1, 1] * y
    return np.array([(kernel * power).sum() for power in (u**3, u * u * v, u * v * v, v**3)])


@pytest.mark.parametrize("angle", [0.3, 0.3 + np.pi, 2.0])
def test_a_comet_leans_the_way_it_does(angle: float) -> None:
    truth = centred(comet(angle))
    plane = luma(blurred(leaves(640, 640, seed=3), truth))
    found = third_moments(plane, second_moments(truth))
    known = whitened_moments(truth)
    assert found @ known / np.linalg.norm(found) / np.linalg.norm(known) > 0.8
    assert np.linalg.norm(found) > 0.05


def test_the_mirror_image_leans_the_other_way() -> None:
    truth = centred(comet(0.8))
    covariance = second_moments(truth)
    plane = luma(blurred(natural("astronaut.png"), truth))
    found = third_moments(plane, covariance)
    mirrored = third_moments(plane[::-1, ::-1].copy(), covariance)
    # the search ends early, so the two lengths differ a little
    assert np.linalg.norm(mirrored + found) < 0.25 * np.linalg.norm(found)


def test_flat_pictures_say_nothing() -> None:
    found = third_moments(np.full((100, 100), 0.5, np.float32), np.eye(2))
    np.testing.assert_allclose(found, 0, atol=1e-6)


def test_leaning_puts_the_moments_on() -> None:
    kernel = gaussian(3, 2, 0.4)
    covariance = second_moments(kernel)
    np.testing.assert_allclose(with_third_moments(kernel, covariance, np.zeros(4)), kernel, atol=1e-4)
    leant = with_third_moments(kernel, covariance, np.array([0.3, 0, 0, 0]))
    assert whitened_moments(leant)[0] > 0.15
    assert centre_of_mass(leant) == pytest.approx((8.5, 8.5), abs=0.01)
    mirrored = with_third_moments(kernel, covariance, np.array([-0.3, 0, 0, 0]))
    np.testing.assert_allclose(mirrored, centred(leant[::-1, ::-1]), atol=2e-3)


@pytest.mark.parametrize("method", ["auto", "michaeli_irani"])
@pytest.mark.parametrize("angle", [0.3, 0.3 + np.pi])
def test_a_lopsided_kernel_is_not_mirrored(method: str, angle: float) -> None:
    truth = centred(comet(angle))
    rgb = blurred(leaves(640, 640, seed=3), truth)
    found = estimate_kernel(rgb, method=method).kernel  # type: ignore[arg-type]
    # a missing flip would swap them
    assert distance(found, truth) < 0.97 * distance(found, centred(truth[::-1, ::-1]))
