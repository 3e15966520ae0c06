"""What is done to kernels: identities that hold exactly."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.estimation.pictures import gaussian, leaves
from wildsr.degradation.kernels import centre_of_mass, compose_x4
from wildsr.estimation.kernels.shapes import (
    carried_to_4,
    centred,
    completed,
    second_moments,
    without_islands,
)
from wildsr.estimation.kernels.shapes import gaussian as made_gaussian


def test_twice_times_two_is_once_times_four() -> None:
    from scipy.ndimage import correlate

    kernel = gaussian(1.5, 0.8, 0.4, 9)
    kernel[3, 2] += 0.1  # lopsided, so that a missing flip shows
    kernel /= kernel.sum()
    x = leaves(96, 96)[..., 0].astype(np.float64)
    twice = correlate(correlate(x, kernel)[::2, ::2], kernel)[::2, ::2]
    once = correlate(x, compose_x4(kernel))[::4, ::4]
    # away from the border, where mirroring twice and once differ
    np.testing.assert_allclose(twice[5:-5, 5:-5], once[5:-5, 5:-5], atol=1e-12)


def test_composition_of_a_delta_and_of_a_box() -> None:
    delta = np.zeros((3, 3))
    delta[1, 1] = 1
    assert compose_x4(delta)[3, 3] == pytest.approx(1)
    box = np.zeros((3, 3))
    box[1:, 1:] = 0.25
    four = compose_x4(box)
    assert np.count_nonzero(four > 1e-9) == 16
    np.testing.assert_allclose(four[four > 1e-9], 1 / 16)


@settings(max_examples=25, deadline=None)
@given(st.floats(0.5, 5), st.floats(0.5, 5), st.floats(0, np.pi), st.floats(-1, 1), st.floats(-1, 1))
def test_centring_moves_and_nothing_else(
    long: float, short: float, angle: float, down: float, right: float
) -> None:
    kernel = gaussian(long, short, angle, 25)
    y, x = centre_of_mass(centred(kernel, size=25))
    assert (y, x) == pytest.approx((12.5, 12.5), abs=0.01)
    moved = np.roll(kernel, (round(down), round(right)), (0, 1))
    np.testing.assert_allclose(centred(moved, size=25), centred(kernel, size=25), atol=2e-3)


def test_a_gaussian_is_completed_by_a_third_of_its_variance() -> None:
    covariance = np.array([[3.0, 0.8], [0.8, 1.5]])
    found = second_moments(completed(made_gaussian(0.75 * covariance, size=13)))
    np.testing.assert_allclose(found, covariance, atol=0.02)


def test_carried_to_four_keeps_the_blur_on_the_small_picture() -> None:
    covariance = np.array([[3.0, 0.8], [0.8, 1.5]])
    four = carried_to_4(made_gaussian(covariance))
    np.testing.assert_allclose(second_moments(four), 4 * covariance, rtol=0.02)
    assert centre_of_mass(four) == pytest.approx((17.5, 17.5), abs=0.01)
    assert four.shape == (33, 33)
    assert four.sum() == pytest.approx(1)


def test_dust_goes_and_the_kernel_stays() -> None:
    kernel = gaussian(2, 1, 0.3)
    dusty = kernel.copy()
    dusty[1, 1] = 0.05 * kernel.max()
    clean = without_islands(dusty)
    assert clean[1, 1] == 0
    assert np.abs(clean - kernel).max() < 0.011 * kernel.max()
