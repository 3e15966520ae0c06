"""Grids, ringing and blotches: planted in pictures with graded strength, and absent from clean ones."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.metrics.conftest import Pixels, photo_like
from wildsr.errors import MetricError
from wildsr.imaging import resize_uint8
from wildsr.metrics import METRICS, blotches, blotches_lr, grid, ringing, ringing_lr

GRAY = np.array([0.299, 0.587, 0.114])


def eight_bit(picture: np.ndarray) -> Pixels:
    return np.clip(np.rint(picture), 0, 255).astype(np.uint8)


@pytest.fixture(scope="module")
def clean() -> Pixels:
    """Edges, slow waves and a little grain, 256×320."""
    return photo_like(11, 256, 320)


@pytest.fixture(scope="module")
def pale(clean: Pixels) -> Pixels:
    """The same in the weak colours of most photos."""
    luma = (clean @ GRAY)[..., None]
    return eight_bit(luma + 0.1 * (clean - luma))


@pytest.fixture(scope="module")
def card() -> Pixels:
    """Dark discs and bars on a light ground, their edges as sharp as a good lens leaves them."""
    y, x = np.mgrid[0:192, 0:256]
    plane = np.full((192, 256), 190.0)
    for top, left, radius in ((50, 60, 25), (130, 90, 40), (70, 190, 35)):
        plane[(y - top) ** 2 + (x - left) ** 2 < radius**2] = 60
    plane[150:170, 150:240] = 90
    return eight_bit(np.stack([gaussian_filter(plane, 0.7)] * 3, axis=-1))


def lattice(shape: tuple[int, ...], period: int, seed: int = 1) -> np.ndarray:
    """A pattern of a period, mean 0 and RMS 1."""
    cell = np.random.default_rng(seed).normal(size=(period, period))
    cell = (cell - cell.mean()) / cell.std()
    rows, columns = -(-shape[0] // period), -(-shape[1] // period)
    return np.tile(cell, (rows, columns))[: shape[0], : shape[1], None]


def sharpened(picture: Pixels, amount: float, sigma: float = 2.0) -> Pixels:
    return eight_bit(picture + amount * (picture - gaussian_filter(picture.astype(float), (sigma, sigma, 0))))


def patchy(picture: Pixels, strength: float, size: float = 6.0) -> Pixels:
    """Patches of colour without luma."""
    dice = np.random.default_rng(5)
    noise = np.stack([gaussian_filter(dice.normal(size=picture.shape[:2]), size) for _ in range(3)], axis=-1)
    noise /= noise.std()
    return eight_bit(picture + strength * (noise - (noise @ GRAY)[..., None]))


def noisy(picture: Pixels, sigma: float) -> Pixels:
    return eight_bit(picture + np.random.default_rng(3).normal(0, sigma, picture.shape))


def blurred(picture: Pixels, sigma: float) -> Pixels:
    return eight_bit(gaussian_filter(picture.astype(float), (sigma, sigma, 0)))


def strictly_rising(values: list[float]) -> bool:
    return all(one < two for one, two in pairwise(values))


@pytest.mark.parametrize("period", [2, 4])
@pytest.mark.parametrize("offset", [(0, 0), (1, 3)])
def test_a_grid_is_measured_in_levels(clean: Pixels, period: int, offset: tuple[int, int]) -> None:
    pattern = np.roll(lattice(clean.shape, period), offset, (0, 1))
    strengths = [1.0, 2.0, 4.0, 8.0]
    found = [grid(eight_bit(clean + strength * pattern)) for strength in strengths]
    assert grid(clean) < 0.3
    assert found == pytest.approx(strengths, rel=0.1, abs=0.3)
    assert strictly_rising([grid(clean), *found])


def test_a_grid_that_only_flat_parts_show_is_found() -> None:
    """Three quarters of texture hide nothing of the grid on the rest."""
    picture = np.random.default_rng(0).normal(128, 30, (256, 256, 3))
    picture[:128, :128] = 128 + np.linspace(-20, 20, 128)[None, :, None]
    assert grid(eight_bit(picture)) < 0.3
    assert grid(eight_bit(picture + 2 * lattice(picture.shape, 4))) == pytest.approx(2, rel=0.15)


@pytest.mark.parametrize(
    "fault",
    [
        lambda picture: noisy(picture, 10),
        lambda picture: blurred(picture, 1.5),
        lambda picture: sharpened(picture, 1),
        lambda picture: patchy(picture, 6),
        lambda picture: eight_bit(picture + 6 * lattice(picture.shape, 7)),
        lambda picture: eight_bit(resize_uint8(resize_uint8(picture, (64, 80)), (256, 320))),
    ],
    ids=["noise", "blur", "sharpening", "patches", "period 7", "bicubic"],
)
def test_other_faults_are_no_grid(clean: Pixels, fault: Callable[[Pixels], Pixels]) -> None:
    assert grid(fault(clean)) < 0.5


def test_flat_pictures_have_no_grid_but_what_is_drawn() -> None:
    flat = np.full((64, 96, 3), 120, np.uint8)
    assert grid(flat) == 0
    checkers = eight_bit(flat + 3.0 * np.where(np.indices((64, 96)).sum(axis=0) % 2, 1, -1)[..., None])
    assert grid(checkers) == pytest.approx(3, rel=1e-6)
    assert grid(checkers.transpose(1, 0, 2)) == pytest.approx(3, rel=1e-6)


def test_a_float_picture_has_the_grid_of_its_8_bits(clean: Pixels) -> None:
    gridded = eight_bit(clean + 2 * lattice(clean.shape, 4))
    assert grid((gridded / 255).astype(np.float32)) == pytest.approx(grid(gridded), rel=1e-4)


def test_ringing_rises_with_overshoot(card: Pixels) -> None:
    amounts = [0.25, 0.5, 1.0, 2.0, 3.0]
    found = [ringing(sharpened(card, amount), card) for amount in amounts]
    assert ringing(card, card) == 0
    assert strictly_rising([0.0, *found])
    assert found[2] > 1


def test_ringing_is_overshoot_over_height_by_hand() -> None:
    hr = np.full((40, 40, 3), 50, np.uint8)
    hr[:, 20:] = 150
    sr = hr.copy()
    sr[:, 20] = 162  # 12 levels beyond the brightest, 10 of them beyond the tolerance, in one of 8 columns
    assert ringing(sr, hr) == pytest.approx(100 * 10 / (8 * 100))
    sr[:, 19] = 38
    assert ringing(sr, hr) == pytest.approx(100 * 20 / (8 * 100))


@pytest.mark.parametrize(
    "fault",
    [
        lambda picture: noisy(picture, 2),
        lambda picture: blurred(picture, 1.5),
        lambda picture: np.roll(picture, (1, 1), (0, 1)),
        lambda picture: patchy(picture, 4),
        lambda picture: eight_bit(picture + 1.5),
    ],
    ids=["grain", "blur", "shift", "patches", "brightness"],
)
def test_other_faults_are_no_ringing(card: Pixels, fault: Callable[[Pixels], Pixels]) -> None:
    assert ringing(fault(card), card) < 0.1


def test_ringing_against_the_lr_picture(card: Pixels) -> None:
    lr = resize_uint8(blurred(card, 1.5), (48, 64))
    values = [ringing_lr(sharpened(card, amount), lr) for amount in (0.0, 0.5, 1.0, 2.0)]
    assert strictly_rising(values)
    assert values[0] < 0.5
    assert ringing_lr(resize_uint8(lr, (192, 256)), lr) < 0.1


def test_pictures_without_edges_have_no_ringing() -> None:
    flat = np.full((32, 32, 3), 100, np.uint8)
    assert ringing(noisy(flat, 8), flat) == 0


def test_blotches_rise_with_their_strength(pale: Pixels, card: Pixels) -> None:
    for picture in (pale, card):
        found = [blotches(patchy(picture, strength), picture) for strength in (1.0, 2.0, 4.0, 8.0, 16.0)]
        assert blotches(picture, picture) == 0
        assert strictly_rising([0.0, *found])
        assert found[3] == pytest.approx(2 * found[2], rel=0.25)


@pytest.mark.parametrize(
    "fault",
    [
        lambda picture: noisy(picture, 6),
        lambda picture: blurred(picture, 1.5),
        lambda picture: eight_bit(picture + np.array([8, 0, -8])),
        lambda picture: eight_bit((picture - 128.0) * 1.1 + 128),
        lambda picture: eight_bit(picture + 4 * lattice(picture.shape, 4)),
    ],
    ids=["noise", "blur", "tint", "contrast", "grid"],
)
def test_other_faults_are_no_blotches(pale: Pixels, fault: Callable[[Pixels], Pixels]) -> None:
    assert blotches(fault(pale), pale) < 0.25 < blotches(patchy(pale, 3), pale)


def test_blotches_against_the_lr_picture(card: Pixels) -> None:
    lr = resize_uint8(card, (48, 64))
    values = [blotches_lr(patchy(card, strength), lr) for strength in (0.0, 2.0, 4.0, 8.0)]
    assert values[0] < 0.05
    assert strictly_rising(values)
    assert blotches_lr(resize_uint8(lr, (192, 256)), lr) < 0.05


@pytest.mark.parametrize("name", ["grid", "ringing", "ringing_lr", "blotches", "blotches_lr"])
def test_entries(name: str) -> None:
    entry = METRICS[name]
    assert (entry.kind, entry.direction) == ("artefact", "lower")
    assert entry.range[0] == 0


def test_sizes_are_checked() -> None:
    small, large = np.zeros((40, 40, 3), np.uint8), np.zeros((128, 128, 3), np.uint8)
    with pytest.raises(MetricError, match="grid: 40×40 pixels are too few"):
        grid(small)
    with pytest.raises(MetricError, match="blotches: sizes differ"):
        blotches(large, large[:, :96])
    for metric in (ringing_lr, blotches_lr):
        with pytest.raises(MetricError, match="is no whole multiple of 40×40"):
            metric(large, small)
