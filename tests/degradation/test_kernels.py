"""Kernels: what they sum to, where they lie, how wide they are, and what composing two does."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wildsr.degradation import kernels
from wildsr.degradation.kernels import Doubles
from wildsr.errors import UsageError


def covariance(kernel: Doubles) -> Doubles:
    """2×2 over (x, y)."""
    row, column = kernels.centre_of_mass(kernel)
    places = np.arange(len(kernel))
    y, x = (places - row)[:, None], (places - column)[None]
    xx, yy, xy = ((kernel * one).sum() for one in (x * x + 0 * y, y * y + 0 * x, x * y))
    return np.array([[xx, xy], [xy, yy]])


def made(scale: int) -> dict[str, Doubles]:
    return {
        "gaussian": kernels.gaussian(25, (4.0, 9.0), 0.7, scale=scale),
        "generalised": kernels.generalised_gaussian(31, (2.0, 3.0), 0.7, beta=0.8, scale=scale),
        "plateau": kernels.plateau(31, (2.0, 3.0), 0.7, beta=2.0, scale=scale),
        "sinc": kernels.sinc(21, 2.0, scale=scale),
    }


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["gaussian", "generalised", "plateau", "sinc"])
def test_kernels_sum_to_one_and_are_centred(name: str, scale: int) -> None:
    kernel = made(scale)[name]
    wanted = len(kernel) // 2 + (scale - 1) / 2
    assert kernel.sum() == pytest.approx(1, abs=1e-12)
    # plateaus and sincs have tails that a window around another centre cuts unevenly
    near = 0.02 if name == "gaussian" else 0.4
    assert kernels.centre_of_mass(kernel) == pytest.approx((wanted, wanted), abs=near)


@given(
    first=st.floats(1.0, 9.0),
    second=st.floats(1.0, 9.0),
    angle=st.floats(0, np.pi),
    scale=st.sampled_from([1, 2, 4]),
)
@settings(max_examples=40, deadline=None)
def test_a_gaussian_has_the_variances_and_the_angle_asked_for(
    first: float, second: float, angle: float, scale: int
) -> None:
    kernel = kernels.gaussian(41, (first, second), angle, scale=scale)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    assert covariance(kernel) == pytest.approx(turn @ np.diag([first, second]) @ turn.T, abs=0.02)


def test_beta_one_is_the_gaussian_and_more_is_flatter() -> None:
    plain = kernels.gaussian(21, (4.0, 4.0))
    assert kernels.generalised_gaussian(21, (4.0, 4.0), beta=1.0) == pytest.approx(plain, abs=1e-15)
    sharp = kernels.generalised_gaussian(21, (4.0, 4.0), beta=0.5)
    flat = kernels.generalised_gaussian(21, (4.0, 4.0), beta=3.0)
    # at q = 1 all three are exp(-1/2) of their centre
    for kernel in (plain, sharp, flat):
        assert kernel[10, 12] / kernel[10, 10] == pytest.approx(np.exp(-0.5))
    assert sharp[10, 11] / sharp[10, 10] < plain[10, 11] / plain[10, 10] < flat[10, 11] / flat[10, 10]
    top = kernels.plateau(21, (4.0, 4.0), beta=2.0)
    assert top[10, 12] / top[10, 10] == pytest.approx(0.5)


def test_bessel() -> None:
    """scipy.special.j1([0, 1, 10, 44.4]) of scipy 1.13."""
    expected = [0.0, 0.44005058574493355, 0.04347274616886144, 0.09987166506116574]
    from scipy.special import j1

    assert j1([0, 1, 10]) == pytest.approx(expected[:3], abs=1e-14)
    values = np.array([0.0, 0.3, 1.0, 10.0, 44.4])
    assert kernels._bessel_j1(values) == pytest.approx(j1(values), abs=1e-12)


def test_a_sinc_passes_low_frequencies_and_stops_high_ones() -> None:
    kernel = kernels.sinc(61, np.pi / 2)
    response = np.abs(np.fft.fft2(kernel, (256, 256)))
    assert response[0, 0] == pytest.approx(1)
    assert response[0, 32] == pytest.approx(1, abs=0.1)  # π/4
    assert response[0, 96] == pytest.approx(0, abs=0.05)  # 3π/4
    assert kernel.min() < 0


def test_two_small_kernels_are_one_large() -> None:
    """((x ⊛ k)↓2 ⊛ k)↓2 = (x ⊛ compose_x4(k))↓4, away from the border; also with a lopsided kernel."""
    from tests.degradation.pictures import array, scene, tensor
    from wildsr.degradation import correlate

    rng = np.random.default_rng(3)
    kernel = rng.random((11, 11)) ** 3
    kernel /= kernel.sum()
    x = tensor(scene(128, 144))
    twice = array(correlate(correlate(x, kernel, stride=2), kernel, stride=2))
    large = kernels.compose_x4(kernel)
    once = array(correlate(x, large, stride=4))
    assert large.shape == (31, 31)
    assert np.abs(twice - once)[5:-5, 5:-5].max() < 2e-6
    off = np.subtract(kernels.centre_of_mass(kernel), 5.5)
    assert np.subtract(kernels.centre_of_mass(large), 16.5) == pytest.approx(3 * off)


def test_composing_known_kernels() -> None:
    """ALGORITHMS: the ×4 kernel of a delta is a delta, of the 2×2 box the 4×4 box; 13 → 37, 17 → 49."""
    one = np.ones((1, 1))
    assert np.array_equal(kernels.compose_x4(one), one)
    assert kernels.compose_x4(np.full((2, 2), 0.25)) == pytest.approx(np.full((4, 4), 1 / 16))
    assert kernels.compose_x4(kernels.gaussian(13, (2.0, 2.0), scale=2)).shape == (37, 37)
    assert kernels.compose_x4(kernels.gaussian(17, (2.0, 2.0), scale=2)).shape == (49, 49)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: kernels.gaussian(24, (1, 1)), "side 24 can't be centred"),
        (lambda: kernels.gaussian(3, (1, 1), scale=4), "odd sides ≥ 5"),
        (lambda: kernels.gaussian(25, (0, 1)), "both must be above 0"),
        (lambda: kernels.gaussian(25, (float("nan"), 1)), "both must be above 0"),
        (lambda: kernels.sinc(21, 4.0), "cutoff of 4.0"),
    ],
)
def test_kernels_that_can_not_be(call: object, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        call()  # type: ignore[operator]


@pytest.mark.parametrize("factor", [0.8, 1.0, 1.25])
@pytest.mark.parametrize("scale", [1, 4])
def test_a_widened_kernel_is_as_much_wider_and_stays_centred(factor: float, scale: int) -> None:
    sigmas = (2.4, 1.6)
    kernel = kernels.gaussian(25, (sigmas[0] ** 2, sigmas[1] ** 2), 0.0, scale=scale)
    wider = kernels.widened(kernel, factor, scale=scale)
    expected = kernels.gaussian(25, tuple((factor * one) ** 2 for one in sigmas), 0.0, scale=scale)  # type: ignore[arg-type]
    assert wider.sum() == pytest.approx(1)
    assert kernels.centre_of_mass(wider) == pytest.approx((kernels.centre_of(25, scale),) * 2, abs=0.01)
    assert np.abs(wider - expected).max() < 0.01 * expected.max()
    assert np.array_equal(kernels.widened(kernel, 1.0, scale=scale), kernel) or np.allclose(
        kernels.widened(kernel, 1.0, scale=scale), kernel, atol=1e-12
    )


@pytest.mark.parametrize("factor", [0.0, -1.0, float("nan"), float("inf")])
def test_a_width_that_is_none_is_refused(factor: float) -> None:
    with pytest.raises(UsageError, match="the factor must be above 0"):
        kernels.widened(kernels.gaussian(9, (1.0, 1.0)), factor)
