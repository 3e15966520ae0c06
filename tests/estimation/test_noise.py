"""Noise patches hold the noise and nothing else."""

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.estimation.pictures import leaves
from wildsr.estimation.noise.patches import noise_patches
from wildsr.imaging import read, resize

Pixels = NDArray[np.float32]


def scene(seed: int = 0) -> Pixels:
    """Leaves with a sky above: a bent ramp in three colours."""
    y, x = np.mgrid[:512, :640].astype(np.float32)
    sky = 0.35 + 0.3 * y / 512 + 0.05 * np.sin(x / 300)
    picture = np.stack([sky * 0.8, sky, sky * 1.15], -1)
    picture[330:, :] = leaves(182, 640, seed=seed)
    return picture.astype(np.float32)


def quantised(rgb: NDArray[np.floating]) -> Pixels:
    return (np.rint(np.clip(rgb, 0, 1) * 255) / 255).astype(np.float32)


def power_in(patches: Pixels, low: float, high: float) -> float:
    """Power between two frequencies relative to white noise of the same variance."""
    side = patches.shape[2]
    spectrum = (np.abs(np.fft.fft2(patches)) ** 2).mean(axis=(0, 1)) / side**2 / patches.var()
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    return float(spectrum[(radius >= low) & (radius < high)].mean())


@pytest.mark.parametrize("sigma", [2.0, 5.0, 10.0])
def test_known_noise_is_found_as_strong_as_it_is(sigma: float) -> None:
    rng = np.random.default_rng(int(sigma))
    found = noise_patches(quantised(scene() + rng.normal(0, sigma / 255, (512, 640, 3))))
    assert len(found.patches) >= 8
    assert float(found.patches.std()) * 255 == pytest.approx(sigma, rel=0.1)
    for low in (0.06, 0.125, 0.25):
        assert power_in(found.patches, low, 2 * low) == pytest.approx(1, abs=0.12)


def test_poisson_noise_grows_with_brightness() -> None:
    rng = np.random.default_rng(3)
    clean = np.clip(scene(), 0, 1)
    found = noise_patches(quantised(rng.poisson(clean * 300) / 300))
    expected = np.array([clean[a : a + 64, b : b + 64].mean() / 300 for a, b in found.corners])
    ratio = (found.patches**2).mean(axis=(1, 2, 3)) / expected
    assert np.sqrt(ratio.mean()) == pytest.approx(1, abs=0.1)
    variance = (found.patches**2).mean(axis=(1, 2, 3))
    assert np.corrcoef(found.brightness, variance)[0, 1] > 0.7


def test_patches_have_no_mean_and_no_ramp() -> None:
    rng = np.random.default_rng(0)
    found = noise_patches(quantised(scene() + rng.normal(0, 4 / 255, (512, 640, 3))))
    assert np.abs(found.patches.mean(axis=(2, 3))).max() < 1e-6
    ramp = np.arange(64) - 31.5
    slope = np.einsum("ncyx,x->nc", found.patches, ramp) / (64 * (ramp**2).sum())
    assert np.abs(slope).max() * 64 < 0.1 / 255
    assert found.patches.dtype == np.float32
    # all of them lie in the sky
    assert found.corners[:, 0].max() <= 330 - 64 + 8


def test_position_and_brightness_are_those_of_the_patch() -> None:
    rng = np.random.default_rng(0)
    rgb = quantised(scene() + rng.normal(0, 4 / 255, (512, 640, 3)))
    found = noise_patches(rgb)
    for patch, level, (row, column) in zip(found.patches, found.brightness, found.corners, strict=True):
        there = rgb[row : row + 64, column : column + 64]
        assert float(there.mean(axis=(0, 1)) @ (0.299, 0.587, 0.114)) == pytest.approx(level, abs=1e-4)
        assert np.corrcoef(patch[0].ravel(), there[..., 0].ravel())[0, 1] > 0.5


def test_noise_that_was_enlarged_is_kept_coarse() -> None:
    rng = np.random.default_rng(1)
    coarse = resize(rng.normal(0, 6 / 255, (256, 320, 3)).astype(np.float32), scale=2)
    found = noise_patches(quantised(scene() + coarse))
    assert len(found.patches) >= 4
    assert power_in(found.patches, 0.06, 0.125) > 3 * power_in(found.patches, 0.3, 0.45)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_clipped_patches_are_left_out(value: float) -> None:
    rng = np.random.default_rng(0)
    rgb = quantised(np.full((200, 200, 3), value) + rng.normal(0, 5 / 255, (200, 200, 3)))
    found = noise_patches(rgb)
    assert len(found.patches) == 0
    assert found.rejected == {"clipped": 81}  # looked at closely, as there is nothing


def test_a_flat_picture_has_no_noise() -> None:
    found = noise_patches(np.full((200, 200, 3), 0.5, np.float32))
    assert found.rejected == {"no noise at all": 81}
    assert found.patches.shape == (0, 3, 64, 64)


def test_a_picture_smaller_than_a_patch() -> None:
    assert noise_patches(np.zeros((40, 300, 3), np.float32)).rejected == {
        "the photo is smaller than a patch": 1
    }


def test_texture_is_left_out() -> None:
    rng = np.random.default_rng(0)
    found = noise_patches(quantised(leaves(400, 400) + rng.normal(0, 3 / 255, (400, 400, 3))))
    if len(found.patches):  # a large leaf is as plain as a sky
        assert float(found.patches.std()) * 255 == pytest.approx(3, rel=0.1)
    assert found.rejected["uneven blocks"] > 50


def test_threads_have_a_direction_and_are_no_noise() -> None:
    rng = np.random.default_rng(0)
    strands = rng.normal(0, 8 / 255, (400, 400, 1))
    strands = sum(np.roll(strands, shift, axis=1) for shift in range(4)) / 2
    found = noise_patches(quantised(0.5 + np.repeat(strands, 3, axis=2)))
    assert len(found.patches) == 0
    assert found.rejected["texture with a direction"] > 100


def test_grass_is_lopsided_and_no_noise() -> None:
    rng = np.random.default_rng(0)
    blades = rng.exponential(6 / 255, (400, 400, 1)).repeat(3, axis=2)
    found = noise_patches(quantised(0.4 + blades))
    assert len(found.patches) == 0
    assert found.rejected["lopsided values"] > 100


def test_no_more_than_wanted_and_the_same_again() -> None:
    rng = np.random.default_rng(0)
    rgb = quantised(scene() + rng.normal(0, 4 / 255, (512, 640, 3)))
    some, again = noise_patches(rgb, most=5), noise_patches(rgb, most=5)
    assert 3 <= len(some.patches) <= 5
    np.testing.assert_array_equal(some.patches, again.patches)
    assert np.ptp(some.brightness) > 0.1  # spread over the sky


def test_noise_of_real_cameras(shared_data: object) -> None:
    from pathlib import Path

    folder = Path(str(shared_data)) / "real" / "PolyU_noisy_pairs"
    pooled, true = [], []
    for file in sorted(folder.glob("*_real.JPG"))[::6]:
        noisy, mean = read(file).rgb, read(file.with_name(file.name.replace("_real", "_mean"))).rgb
        found = noise_patches(noisy)
        for patch, (row, column) in zip(found.patches, found.corners, strict=True):
            there = (noisy - mean)[row : row + 64, column : column + 64]
            pooled.append(float(patch.var(axis=(1, 2)).mean()))
            true.append(float(there.var(axis=(0, 1)).mean()))
    assert len(pooled) >= 8
    assert sum(pooled) / sum(true) == pytest.approx(1, abs=0.2)
