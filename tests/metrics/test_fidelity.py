"""PSNR and SSIM against plain definitions, and what they do with pictures that can't be compared."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.ndimage import correlate1d

from tests.metrics.conftest import Pixels
from wildsr.errors import MetricError
from wildsr.metrics import psnr, psnr_y, ssim, ssim_rgb, ssim_y


def plain_ssim(x: np.ndarray, y: np.ndarray) -> float:
    """Wang 2004 by scipy: 11×11 Gaussian σ 1.5, borders of 5 dropped."""
    offsets = np.arange(-5, 6)
    taps = np.exp(-(offsets**2) / (2 * 1.5**2))
    taps /= taps.sum()

    def blur(plane: np.ndarray) -> np.ndarray:
        return correlate1d(correlate1d(plane, taps, 0), taps, 1)[5:-5, 5:-5]

    mx, my = blur(x), blur(y)
    vx, vy, c = blur(x * x) - mx * mx, blur(y * y) - my * my, blur(x * y) - mx * my
    c1, c2 = 6.5025, 58.5225
    return float((((2 * mx * my + c1) * (2 * c + c2)) / ((mx**2 + my**2 + c1) * (vx + vy + c2))).mean())


def test_psnr_by_hand() -> None:
    hr = np.full((4, 5, 3), 100, np.uint8)
    sr = hr.copy()
    sr[0, 0, 0] = 110  # mean square 100/60
    assert psnr(sr, hr) == pytest.approx(10 * math.log10(255**2 * 60 / 100), rel=1e-14)


def test_psnr_y_by_hand() -> None:
    hr = np.zeros((2, 2, 3), np.uint8)
    sr = np.zeros((2, 2, 3), np.uint8)
    sr[..., 1] = 255  # Y differs by 128.553 everywhere
    assert psnr_y(sr, hr) == pytest.approx(20 * math.log10(255 / 128.553), rel=1e-14)


def test_identical_pictures_are_infinitely_like(photo: Pixels) -> None:
    assert psnr(photo, photo) == psnr_y(photo, photo) == math.inf
    for metric in (ssim, ssim_y, ssim_rgb):
        assert metric(photo, photo) == pytest.approx(1, abs=1e-12)


def test_ssim_on_its_three_luminances(photo: Pixels, worse: Pixels) -> None:
    def gray(picture: Pixels) -> np.ndarray:
        # MATLAB's rgb2gray of uint8
        weights = [0.298936021293775390, 0.587043074451121360, 0.114020904255103250]
        return np.floor(picture.astype(float) @ weights + 0.5)

    def studio(picture: Pixels) -> np.ndarray:
        return 16 + picture / 255 @ np.array([65.481, 128.553, 24.966])

    assert ssim(worse, photo) == pytest.approx(plain_ssim(gray(worse), gray(photo)), abs=1e-12)
    assert ssim_y(worse, photo) == pytest.approx(plain_ssim(studio(worse), studio(photo)), abs=1e-12)
    planes = [plain_ssim(worse[..., c].astype(float), photo[..., c].astype(float)) for c in range(3)]
    assert ssim_rgb(worse, photo) == pytest.approx(np.mean(planes), abs=1e-12)


@given(
    hnp.arrays(np.uint8, (12, 13, 3)),
    hnp.arrays(np.uint8, (12, 13, 3)),
    st.sampled_from([psnr, psnr_y, ssim, ssim_y, ssim_rgb]),
)
def test_symmetric_and_the_same_for_float_pictures(x: Pixels, y: Pixels, metric: object) -> None:
    assert callable(metric)
    forward = metric(x, y)
    assert metric(y, x) == pytest.approx(forward, abs=1e-9)
    as_float = metric((x / 255).astype(np.float32), (y / 255).astype(np.float32))
    if metric is not ssim:  # ssim rounds its luminance, so float rounding could tip a pixel
        assert as_float == pytest.approx(forward, rel=1e-4, abs=1e-4)


@pytest.mark.parametrize("metric", [psnr, psnr_y, ssim, ssim_y, ssim_rgb])
def test_sizes_that_differ_are_named(metric: object, photo: Pixels) -> None:
    assert callable(metric)
    with pytest.raises(MetricError, match=r"sizes differ, 288×192 against 287×192"):
        metric(photo, photo[:, :-1])


def test_ssim_needs_a_window() -> None:
    small = np.zeros((10, 30, 3), np.uint8)
    with pytest.raises(MetricError, match=r"30×10 pixels are too few; it needs at least 11×11"):
        ssim(small, small)
