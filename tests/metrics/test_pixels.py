"""What a metric accepts, and the planes it looks at."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from tests.metrics.conftest import Pixels
from wildsr.errors import MetricError
from wildsr.metrics.filters import gaussian, halve, smooth
from wildsr.metrics.pixels import checked, crop_border, gray_8bit, luma, luma_8bit


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros((4, 4), np.uint8), "H×W×3"),
        (np.zeros((4, 4, 4), np.uint8), "H×W×3"),
        (np.zeros((4, 4, 3), np.float64), "not float64"),
        (np.zeros((4, 4, 3), np.uint16), "not uint16"),
        (np.full((4, 4, 3), np.nan, np.float32), "nan to nan"),
        (np.full((4, 4, 3), 1.5, np.float32), "from 1.5 to 1.5"),
        (np.full((4, 4, 3), -0.1, np.float32), "from -0.1 to -0.1"),
        ([[1, 2, 3]], "not list"),
    ],
)
def test_refuses(picture: NDArray[np.uint8], message: str) -> None:
    with pytest.raises(MetricError, match=message):
        checked(picture, "any")


def test_one_nan_is_enough() -> None:
    picture = np.zeros((8, 8, 3), np.float32)
    picture[3, 4, 1] = np.nan
    with pytest.raises(MetricError, match=r"must be numbers in \[0, 1\]"):
        checked(picture, "any")


def test_minimum_counts_in_either_orientation() -> None:
    checked(np.zeros((9, 5, 3), np.uint8), "any", (5, 9))
    checked(np.zeros((5, 9, 3), np.uint8), "any", (5, 9))
    with pytest.raises(MetricError, match="it needs at least 9×5"):
        checked(np.zeros((8, 8, 3), np.uint8), "any", (5, 9))


@given(st.integers(0, 6), st.integers(13, 20), st.integers(13, 20))
def test_crop_border(border: int, height: int, width: int) -> None:
    picture = np.arange(height * width * 3, dtype=np.uint8).reshape(height, width, 3)
    cropped = crop_border(picture, border)
    assert cropped.shape == (height - 2 * border, width - 2 * border, 3)
    np.testing.assert_array_equal(cropped[0, 0], picture[border, border])
    np.testing.assert_array_equal(cropped[-1, -1], picture[height - 1 - border, width - 1 - border])


@pytest.mark.parametrize("border", [-1, 4, 100])
def test_border_that_leaves_nothing(border: int) -> None:
    with pytest.raises(MetricError, match="between 0 and 3"):
        crop_border(np.zeros((8, 9, 3), np.uint8), border)


def test_gray_of_gray_is_itself() -> None:
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    np.testing.assert_array_equal(gray_8bit(ramp)[0], np.arange(256))
    np.testing.assert_array_equal(gray_8bit((ramp / 255).astype(np.float32))[0], np.arange(256))


def test_luma_of_the_corners() -> None:
    corners = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0]]], np.uint8)
    assert luma(corners)[0] == pytest.approx([16, 235, 81.481])
    assert luma_8bit(corners)[0].tolist() == [16, 235, 81]


def test_smooth_keeps_a_constant_and_its_size(photo: Pixels) -> None:
    plane = np.full((9, 14), 7.0)
    taps = gaussian(7, 7 / 6)
    assert sum(taps) == pytest.approx(1, abs=1e-15)
    np.testing.assert_allclose(smooth(plane, taps, "replicate"), plane, rtol=1e-14)
    assert smooth(plane, taps, "valid").shape == (3, 8)
    assert smooth(plane, taps, "zero")[0, 0] < 7 * 0.5


@pytest.mark.parametrize("size", [(8, 8), (9, 8), (7, 11), (16, 17)])
def test_halve_is_matlabs_imresize(size: tuple[int, int]) -> None:
    from wildsr.imaging.resize import apply_weights, weights

    plane = np.random.default_rng(0).uniform(0, 255, size)
    expected = plane
    for axis in (0, 1):
        side = plane.shape[axis]
        expected = apply_weights(weights(side, (side + 1) // 2, scale=0.5), expected, axis)
    np.testing.assert_allclose(halve(plane), expected, rtol=1e-12)
