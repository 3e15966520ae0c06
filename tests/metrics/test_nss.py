"""Natural-scene statistics, NIQE, BRISQUE and PIQE against plain definitions."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import special
from scipy.ndimage import correlate

from tests.metrics.conftest import Pixels, photo_like
from wildsr.errors import MetricError
from wildsr.metrics import NiqeModel, Regression, fit_niqe, load_niqe, niqe, piqe, save_niqe
from wildsr.metrics.brisque import matlab_features, release_features
from wildsr.metrics.brisque_wheel import wheel_features
from wildsr.metrics.niqe import block_features, distance
from wildsr.metrics.nss import circular_products, fit_asymmetric, fit_symmetric, moments, mscn
from wildsr.metrics.pixels import gray_8bit

ALPHAS = np.arange(0.2, 10.0005, 0.001)
RATIOS = special.gamma(2 / ALPHAS) ** 2 / (special.gamma(1 / ALPHAS) * special.gamma(3 / ALPHAS))


def window() -> np.ndarray:
    y, x = np.mgrid[-3:4, -3:4]
    kernel = np.exp(-(x**2 + y**2) / (2 * (7 / 6) ** 2))
    return kernel / kernel.sum()


def plain_mscn(plane: np.ndarray, mode: str) -> np.ndarray:
    mean = correlate(plane, window(), mode=mode)
    deviation = np.sqrt(np.abs(correlate(plane * plane, window(), mode=mode) - mean**2))
    return (plane - mean) / (deviation + 1)


def plain_fit(x: np.ndarray) -> tuple[float, float, float]:
    """The release's estimateaggdparam."""
    left = np.sqrt((x[x < 0] ** 2).mean())
    right = np.sqrt((x[x > 0] ** 2).mean())
    ratio = left / right
    kurtosis = np.abs(x).mean() ** 2 / (x**2).mean()
    target = kurtosis * (ratio**3 + 1) * (ratio + 1) / (ratio**2 + 1) ** 2
    alpha = ALPHAS[np.argmin((RATIOS - target) ** 2)]
    width = np.sqrt(special.gamma(1 / alpha) / special.gamma(3 / alpha))
    return float(alpha), float(left * width), float(right * width)


@pytest.mark.parametrize(("border", "mode"), [("replicate", "nearest"), ("zero", "constant")])
def test_mscn_is_its_definition(photo: Pixels, border: str, mode: str) -> None:
    plane = gray_8bit(photo)
    found, deviation = mscn(plane, "replicate" if border == "replicate" else "zero")
    np.testing.assert_allclose(found, plain_mscn(plane, mode), atol=1e-10)
    assert deviation.min() >= 0


def test_mscn_of_flat_windows_is_exactly_zero() -> None:
    plane = np.full((40, 60), 137.0)
    plane[:, 30:] = 71
    found, _ = mscn(plane, "replicate")
    assert (found[:, :27] == 0).all()
    assert (found[:, 33:] == 0).all()
    assert (found[:, 28:32] != 0).all()


@given(st.floats(0.3, 8), st.floats(0.2, 5), st.integers(0, 1000))
def test_fits_find_the_tabulated_shape(alpha: float, skew: float, seed: int) -> None:
    dice = np.random.default_rng(seed)
    values = dice.gamma(1 / alpha, size=400) ** (1 / alpha) * dice.choice([-1.0, 1.0], 400)
    values[values < 0] *= skew
    fit = fit_asymmetric(moments(values))
    assert (fit.alpha, fit.beta_left, fit.beta_right) == pytest.approx(plain_fit(values), rel=1e-9)
    mean = (fit.beta_right - fit.beta_left) * special.gamma(2 / fit.alpha) / special.gamma(1 / fit.alpha)
    assert fit.mean == pytest.approx(mean, rel=1e-9, abs=1e-12)
    symmetric, variance = fit_symmetric(moments(values))
    rho = (values**2).mean() / np.abs(values).mean() ** 2
    assert symmetric == pytest.approx(ALPHAS[np.argmin(np.abs(1 / RATIOS - rho))], rel=1e-12)
    assert variance == pytest.approx((values**2).mean())


def test_one_sided_numbers_have_undefined_scales() -> None:
    fit = fit_asymmetric(moments(np.array([1.0, 2.0, 0.0])))
    assert fit.alpha == 0.2
    assert math.isnan(fit.beta_left)
    assert fit.beta_right > 0
    assert math.isnan(fit.mean)


def test_circular_products_are_rolls(photo: Pixels) -> None:
    block = gray_8bit(photo)[:12, :15]
    for found, shift in zip(circular_products(block), ((0, 1), (1, 0), (1, 1), (1, -1)), strict=True):
        np.testing.assert_array_equal(found, block * np.roll(block, shift, (0, 1)))


def test_niqe_is_its_definition(photo: Pixels) -> None:
    """The release written out plainly: features a block at two scales, then the distance of two Gaussians."""
    from wildsr.metrics.filters import halve

    plane = gray_8bit(photo)
    columns = []
    for size in (96, 48):
        coefficients = plain_mscn(plane, "nearest")
        rows = []
        for y in range(0, coefficients.shape[0], size):
            for x in range(0, coefficients.shape[1], size):
                block = coefficients[y : y + size, x : x + size]
                alpha, left, right = plain_fit(block)
                row = [alpha, (left + right) / 2]
                for shift in ((0, 1), (1, 0), (1, 1), (1, -1)):
                    alpha, left, right = plain_fit(block * np.roll(block, shift, (0, 1)))
                    mean = (right - left) * special.gamma(2 / alpha) / special.gamma(1 / alpha)
                    row += [alpha, mean, left, right]
                rows.append(row)
        columns.append(np.array(rows))
        plane = halve(plane)
    blocks = np.concatenate(columns, axis=1)
    model = NiqeModel(mean=np.linspace(0, 1, 36), covariance=np.eye(36))
    difference = model.mean - blocks.mean(axis=0)
    pooled = (model.covariance + np.cov(blocks, rowvar=False)) / 2
    expected = np.sqrt(difference @ np.linalg.pinv(pooled) @ difference)
    assert niqe(photo, model) == pytest.approx(expected, rel=1e-9)


def test_niqe_uses_whole_blocks_only(photo: Pixels) -> None:
    model = NiqeModel(mean=np.zeros(36), covariance=np.eye(36))
    larger = np.pad(photo, ((0, 40), (0, 95), (0, 0)), mode="reflect")
    assert niqe(larger, model) == niqe(photo, model)


def test_niqe_leaves_what_a_flat_block_lacks_out_of_the_means() -> None:
    """Two rows of blocks are flat: the first has no numbers on either side of 0, so α is 0.2 and scales undefined."""
    picture = photo_like(1, 288, 288)
    picture[:192] = 100
    blocks, sharpness = block_features(gray_8bit(picture))
    assert blocks.shape == (9, 36)
    assert sharpness[:3].max() < 1e-5 < sharpness[3:].min()
    assert blocks[:3, 0].tolist() == [0.2, 0.2, 0.2]
    assert np.isnan(blocks[:3, 1]).all()
    assert np.isfinite(blocks[6:]).all()
    model = NiqeModel(mean=np.linspace(0, 1, 36), covariance=np.eye(36))
    mean = np.nanmean(blocks, axis=0)
    pooled = (model.covariance + np.cov(blocks[~np.isnan(blocks).any(axis=1)], rowvar=False)) / 2
    expected = np.sqrt((model.mean - mean) @ np.linalg.pinv(pooled) @ (model.mean - mean))
    assert distance(gray_8bit(picture), model, "niqe") == pytest.approx(expected, rel=1e-9)


def test_a_picture_fits_its_own_model_best(tmp_path: Path) -> None:
    clean = [photo_like(seed, 384, 384) for seed in range(8)]
    model = fit_niqe(clean, sharpness=0.5, source="eight of our own")
    assert np.linalg.eigvalsh(model.covariance).min() > -1e-9
    noisy = np.clip(clean[0] + np.random.default_rng(0).normal(0, 20, clean[0].shape), 0, 255).astype(
        np.uint8
    )
    assert niqe(clean[0], model) < niqe(noisy, model)
    save_niqe(model, tmp_path / "own.npz")
    again = load_niqe(tmp_path / "own.npz")
    np.testing.assert_array_equal(again.mean, model.mean)
    np.testing.assert_array_equal(again.covariance, model.covariance)
    assert again.source == "eight of our own"


def test_fitting_needs_enough_blocks(photo: Pixels) -> None:
    with pytest.raises(MetricError, match=r"only \d sharp blocks of 96×96 in 1 pictures"):
        fit_niqe([photo])
    with pytest.raises(MetricError, match="not between 0 and 1"):
        fit_niqe([photo], sharpness=2)
    with pytest.raises(MetricError, match="fit-niqe: 95×300 pixels are too few"):
        fit_niqe([photo_like(1, 300, 95)])


def test_brisque_features_of_three_families_differ(photo: Pixels) -> None:
    release, matlab, wheel = release_features(photo), matlab_features(photo), wheel_features(photo)
    for features in (release, matlab, wheel):
        assert features.shape == (36,)
        assert np.isfinite(features).all()
    assert np.abs(release - matlab).max() > 0.01
    assert np.abs(release - wheel).max() > 0.01


def test_release_features_are_their_definition(photo: Pixels) -> None:
    coefficients = plain_mscn(gray_8bit(photo), "constant")
    rho = (coefficients**2).mean() / np.abs(coefficients).mean() ** 2
    expected = [ALPHAS[np.argmin(np.abs(1 / RATIOS - rho))], (coefficients**2).mean()]
    product = coefficients * np.roll(coefficients, (0, 1), (0, 1))
    alpha, left, right = plain_fit(product)
    expected += [alpha, (right - left) * special.gamma(2 / alpha) / special.gamma(1 / alpha)]
    expected += [(product[product < 0] ** 2).mean(), (product[product > 0] ** 2).mean()]
    assert release_features(photo)[:6] == pytest.approx(expected, rel=1e-8)


def test_matlab_features_are_niqes_of_the_whole_picture(photo: Pixels) -> None:
    coefficients = plain_mscn(gray_8bit(photo), "nearest")
    alpha, left, right = plain_fit(coefficients)
    assert matlab_features(photo)[:2] == pytest.approx([alpha, (left + right) / 2], rel=1e-9)


def test_wheel_shapes_solve_the_equation(photo: Pixels) -> None:
    alpha = wheel_features(photo)[2]
    assert 0.2 < alpha < 3
    assert abs(alpha * 1000 - round(alpha * 1000)) > 1e-6  # solved, not looked up


def test_regression_by_hand() -> None:
    vectors = np.zeros((2, 36))
    vectors[1] = 1
    model = Regression(
        vectors=vectors,
        coefficients=np.array([3.0, -2.0]),
        bias=10.0,
        gamma=0.05,
        low=np.zeros(36),
        high=np.full(36, 2.0),
    )
    # features 1 scale to 0: at the first vector, 36 away (squared) from the second
    assert model.predict(np.ones(36)) == pytest.approx(3 - 2 * math.exp(-0.05 * 36) + 10)


def test_piqe_is_its_definition(photo: Pixels, worse: Pixels) -> None:
    for picture in (photo, worse, photo[:190, :281]):
        assert piqe(picture) == pytest.approx(plain_piqe(picture), abs=1e-9)


def plain_piqe(picture: Pixels) -> float:
    """MATLAB's piqe block by block."""
    height, width = picture.shape[:2]
    padded = np.pad(picture, ((0, -height % 16), (0, -width % 16), (0, 0)), mode="edge")
    coefficients = plain_mscn(gray_8bit(padded), "nearest")
    score, active = 0.0, 0
    for y in range(0, coefficients.shape[0], 16):
        for x in range(0, coefficients.shape[1], 16):
            block = coefficients[y : y + 16, x : x + 16]
            variance = block.var(ddof=1)
            if variance <= 0.1:
                continue
            active += 1
            edges = (block[0], block[-1], block[:, 0], block[:, -1])
            if any(edge[i : i + 6].std(ddof=1) < 0.1 for edge in edges for i in range(11)):
                score += 1 - variance
            centre = block[:, 7:9].std(ddof=1)
            surround = np.delete(np.delete(block, 7, axis=1), 8, axis=1).std(
                ddof=1
            )  # the second index has moved
            ratio, sigma = centre / surround, np.sqrt(variance)
            if sigma > 2 * abs(sigma - ratio) / max(sigma, ratio):
                score += variance
    return 100 * (score + 1) / (active + 1)
