"""Kernels are found, and what can't be found is refused with its reason."""

import numpy as np
import pytest

from tests.estimation.pictures import NATURAL, blurred, distance, gaussian, natural
from wildsr.degradation.kernels import centre_of_mass, compose_x4
from wildsr.errors import InputError, UsageError
from wildsr.estimation import estimate_kernel
from wildsr.estimation.kernels.shapes import second_moments

CONSTANT = gaussian(2.4, 2.4, 0)
"""The best constant answer over the kernels of benchmarks/profiles.py."""
CASES = [(2.0, 0.8, 0.5), (4.0, 1.5, 2.2), (1.0, 0.8, 1.1), (4.5, 3.5, 0.2)]


@pytest.mark.parametrize(("name", "case"), list(zip(NATURAL, CASES, strict=True)))
def test_blur_of_a_photo_is_found(name: str, case: tuple[float, float, float]) -> None:
    truth = gaussian(*case)
    found = estimate_kernel(blurred(natural(name), truth), method="spectrum")
    assert found.reason is None
    assert distance(found.kernel, truth) < 0.7 * distance(CONSTANT, truth)
    if case[0] / case[1] >= 2:
        values, axes = np.linalg.eigh(second_moments(found.kernel))
        angle = np.arctan2(axes[1, 1], axes[0, 1])
        off = abs((angle - case[2] + np.pi / 2) % np.pi - np.pi / 2)
        assert np.degrees(off) < 20
        assert values[1] / values[0] > 1.3


@pytest.mark.parametrize("method", ["auto", "spectrum", "michaeli_irani"])
def test_the_promises_of_a_kernel(method: str) -> None:
    rgb = blurred(natural("astronaut.png")[:320, :320], gaussian(3, 1, 0.7))
    found = estimate_kernel(rgb, method=method, seed=1)  # type: ignore[arg-type]
    assert found.kernel.shape[0] % 2 == 1
    assert found.kernel.sum() == pytest.approx(1, abs=1e-9)
    assert centre_of_mass(found.kernel) == pytest.approx((8.5, 8.5), abs=0.05)
    assert 0 <= found.confidence <= 1
    again = estimate_kernel(rgb, method=method, seed=1)  # type: ignore[arg-type]
    np.testing.assert_array_equal(found.kernel, again.kernel)
    four = estimate_kernel(rgb, scale=4, method=method, seed=1)  # type: ignore[arg-type]
    np.testing.assert_allclose(four.kernel, compose_x4(found.kernel), atol=1e-12)
    assert four.kernel.shape[0] % 2 == 1
    middle = len(four.kernel) // 2 + 1.5
    assert centre_of_mass(four.kernel) == pytest.approx((middle, middle), abs=0.1)


def test_kernelgan_stays_near_the_truth() -> None:
    truth = gaussian(3, 1, 0.7)
    found = estimate_kernel(blurred(natural("astronaut.png"), truth), method="kernelgan")
    assert found.reason is None
    assert distance(found.kernel, truth) < 0.7 * distance(CONSTANT, truth)


@pytest.mark.parametrize("sigma", [3, 8])
def test_noise_does_not_pass_for_sharpness(sigma: float) -> None:
    truth = gaussian(4.5, 3, 0.7)
    rgb = blurred(natural("coffee.png"), truth)
    noisy = rgb + np.random.default_rng(0).normal(0, sigma / 255, rgb.shape).astype(np.float32)
    found = estimate_kernel(np.clip(noisy, 0, 1), method="spectrum")
    assert distance(found.kernel, truth) < 0.7 * distance(CONSTANT, truth)
    assert found.reason is None
    assert found.noise == pytest.approx(sigma * np.sqrt(0.299**2 + 0.587**2 + 0.114**2), rel=0.3)  # of luma


@pytest.mark.parametrize(
    ("rgb", "reason"),
    [
        (np.zeros((200, 200, 3), np.float32), "no texture"),
        (np.full((200, 200, 3), 0.4, np.float32), "no texture"),
        (np.ones((120, 400, 3), np.float32), "no texture"),
        (np.zeros((1, 1, 3), np.float32), "pixels"),
        (np.zeros((95, 400, 3), np.float32), "pixels"),
    ],
)
def test_photos_that_say_nothing_are_refused(rgb: np.ndarray, reason: str) -> None:
    found = estimate_kernel(rgb)
    assert found.reason is not None
    assert reason in found.reason
    assert found.confidence == 0
    assert found.kernel.sum() == pytest.approx(1)
    assert centre_of_mass(found.kernel) == pytest.approx((8.5, 8.5), abs=0.05)


def test_an_enlarged_photo_is_refused() -> None:
    from wildsr.imaging import resize

    rgb = np.clip(resize(natural("astronaut.png")[:128, 100:300], scale=4), 0, 1)
    found = estimate_kernel(rgb)
    assert found.reason is not None
    assert "enlarged" in found.reason


@pytest.mark.parametrize("name", ["coffee.png", "motorcycle_left.png"])
def test_a_shaken_camera_is_refused(name: str) -> None:
    rng = np.random.default_rng(0)
    path = np.cumsum(rng.normal(0, 1, (400, 2)), axis=0)
    path = np.clip(path * 9 / np.abs(path).max(), -9, 9)
    shaken, _, _ = np.histogram2d(path[:, 0] + 12.5, path[:, 1] + 12.5, bins=25, range=[[0, 25], [0, 25]])
    found = estimate_kernel(blurred(natural(name), shaken / shaken.sum()), method="spectrum")
    assert found.reason is not None
    assert found.confidence < 0.2


def test_white_noise_is_refused() -> None:
    rgb = np.random.default_rng(0).random((256, 256, 3)).astype(np.float32)
    assert estimate_kernel(rgb).reason is not None


def test_what_is_no_photo_is_an_error() -> None:
    with pytest.raises(UsageError, match="scale 3"):
        estimate_kernel(np.zeros((100, 100, 3), np.float32), scale=3)
    with pytest.raises(UsageError, match="unknown method"):
        estimate_kernel(np.zeros((100, 100, 3), np.float32), method="magic")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="seed is -1"):
        estimate_kernel(np.zeros((100, 100, 3), np.float32), seed=-1)
    with pytest.raises(InputError, match="not finite"):
        estimate_kernel(np.full((100, 100, 3), np.nan, np.float32))
    with pytest.raises(InputError, match="shape"):
        estimate_kernel(np.zeros((100, 100), np.float32))
