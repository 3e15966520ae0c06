"""Sharpening against scipy's Gaussian, and the blur that is taken to have been wider before it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.degradation.pictures import array, flat, scene, tensor
from tests.degradation.test_presets import profile
from tests.degradation.test_profile import white
from wildsr.degradation import FromPool, Log, Profile, Sharpening, choose, correlate, kernels
from wildsr.degradation.sharpening import SharpenedBlur, sharpened
from wildsr.errors import UsageError


@pytest.mark.parametrize("radius", [0.8, 2.5])
def test_unsharp_masking_is_that_of_scipys_gaussian(radius: float) -> None:
    picture = scene(48, 64)
    log: Log = []
    operation = Sharpening(amount=(0.7, 0.7), radius=(radius, radius))
    found = array(operation(tensor(picture), np.random.default_rng(0), log))
    soft = gaussian_filter(picture, (radius, radius, 0), radius=(*[int(np.ceil(3 * radius))] * 2, 0))
    assert found == pytest.approx(picture + 0.7 * (picture - soft), abs=2e-6)
    assert log == [{"operation": "sharpening", "amount": 0.7, "radius": radius}]


def test_an_edge_overshoots_on_both_sides_and_flat_stays_flat() -> None:
    x = flat(0.2, 32, 32)
    x[..., 16:] = 0.6
    out = sharpened(x, 0.5, 1.5)
    assert float(out.max()) > 0.6 + 0.5 * 0.4 * 0.3
    assert float(out.min()) < 0.2 - 0.5 * 0.4 * 0.3
    assert float(out[..., 0].std()) == pytest.approx(0, abs=1e-6)
    assert float(out[..., 0].mean()) == pytest.approx(0.2, abs=1e-5)


def test_the_blur_is_wider_before_it_is_sharpened() -> None:
    kernel = kernels.gaussian(25, (4.0, 3.0), 0.4, scale=4).astype(np.float32)
    x = tensor(scene(96, 96))
    log: Log = []
    operation = SharpenedBlur(
        sampler=FromPool(kernel[None]), amount=(0.5, 0.5), radius=(2.0, 2.0), noise=(0.0, 0.0)
    )
    found = operation(x, np.random.default_rng(0), log)
    wide = kernels.gaussian(25, (4.0 * 1.3**2, 3.0 * 1.3**2), 0.4, scale=4)
    expected = sharpened(correlate(x, wide, stride=4), 0.5, 2.0)
    assert array(found) == pytest.approx(array(expected), abs=2e-3)
    assert log[0]["amount"] == 0.5


@pytest.mark.parametrize("share", [0.3, 1.0])
def test_as_many_are_sharpened_as_was_asked_for(share: float) -> None:
    chosen, count = choose(None, profile=profile(), sharpened=share), 0
    for seed in range(200):
        log: Log = []
        out = chosen.pipeline(tensor(scene(48, 48)), np.random.default_rng(seed), log)
        assert out.shape == (1, 3, 12, 12)
        count += any("sharpen" in str(entry["operation"]) for entry in log)
    assert count == pytest.approx(200 * share, abs=20)


def test_a_sharpening_camera_is_another_degradation() -> None:
    plain, sharp = choose(None, profile=profile()), choose(None, profile=profile(), sharpened=0.5)
    assert sharp.fingerprint != plain.fingerprint
    assert sharp.margin > plain.margin
    assert "50% sharpened" in sharp.summary


def test_without_kernels_there_is_nothing_to_sharpen() -> None:
    for given in (None, Profile(noise=white(2, 32))):
        with pytest.raises(UsageError, match="sharpening belongs to a profile's kernels"):
            choose(None, profile=given, sharpened=0.5)


def test_noise_is_sharpened_too() -> None:
    kernel = kernels.gaussian(25, (4.0, 4.0), scale=4).astype(np.float32)
    operation = SharpenedBlur(
        sampler=FromPool(kernel[None]), amount=(0.6, 0.6), radius=(2.0, 2.0), noise=(0.01, 0.01)
    )
    out = operation(flat(0.5, 512, 512), np.random.default_rng(0))
    line = np.exp(-0.5 * (np.arange(-6, 7) / 2.0) ** 2)
    response = -0.6 * np.outer(line, line) / line.sum() ** 2
    response[6, 6] += 1.6
    assert float(out.std()) == pytest.approx(0.01 * np.sqrt((response**2).sum()), rel=0.03)
