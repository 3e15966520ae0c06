"""Where pictures differ most, and colours of a page's plots."""

import numpy as np
import pytest

from wildsr.report.places import brightness, difference, strongest_window


def test_brightness_of_bytes_and_of_floats_is_one_luma() -> None:
    pixels = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [51, 51, 51]]], np.uint8)
    wanted = [0.299, 0.587, 0.114, 0.2]
    np.testing.assert_allclose(brightness(pixels)[0], wanted, atol=1e-6)
    np.testing.assert_allclose(brightness((pixels / 255).astype(np.float32))[0], wanted, atol=1e-6)


def test_several_pictures_differ_by_their_variance() -> None:
    planes = [np.full((2, 3), value, np.float32) for value in (0.0, 0.5, 1.0)]
    np.testing.assert_allclose(difference(planes), 1 / 6, atol=1e-6)
    np.testing.assert_allclose(difference([planes[1], planes[1]]), 0)


def test_a_picture_alone_has_its_own_contrast() -> None:
    plane = np.array([[0, 0, 1], [0, 0, 1]], np.float32)
    np.testing.assert_array_equal(difference([plane]), [[0, 1, 0], [0, 1, 0]])
    np.testing.assert_array_equal(difference([plane.T]), [[0, 0], [1, 1], [0, 0]])


@pytest.mark.parametrize(("top", "left"), [(0, 0), (8, 4), (40, 28), (48, 44)])
def test_the_window_stands_where_most_is(top: int, left: int) -> None:
    plane = np.zeros((64, 60), np.float32)
    plane[top : top + 16, left : left + 16] = 0.25
    assert strongest_window(plane, 16, 16) == (top, left, pytest.approx(0.25))


def test_windows_begin_at_multiples_of_four() -> None:
    plane = np.zeros((64, 64), np.float32)
    plane[21:29, 33:41] = 1
    top, left, mean = strongest_window(plane, 8, 8)
    assert (top, left) == (20, 32)
    assert mean == pytest.approx(49 / 64)


def test_it_is_the_window_of_the_largest_sum() -> None:
    """Against all windows, one by one."""
    plane = np.random.default_rng(3).random((40, 52)).astype(np.float32)
    top, left, mean = strongest_window(plane, 12, 20)
    sums = {
        (y, x): float(plane[y : y + 12, x : x + 20].sum(dtype=np.float64))
        for y in range(0, 29, 4)
        for x in range(0, 33, 4)
    }
    assert (top, left) == max(sums, key=lambda place: sums[place])
    assert mean == pytest.approx(sums[top, left] / 240)


def test_a_window_as_large_as_the_picture_is_the_picture() -> None:
    plane = np.full((10, 7), 0.5, np.float32)
    assert strongest_window(plane, 10, 7) == (0, 0, pytest.approx(0.5))


def test_a_large_bright_picture_loses_no_digits() -> None:
    """Sums in single precision would have lost the small square behind four million bright pixels."""
    plane = np.full((2048, 2048), 1000, np.float32)
    plane[2032:, 2032:] += 1
    assert strongest_window(plane, 16, 16)[:2] == (2032, 2032)
