"""Blur of colour alone, and how a profile's degradation gets it."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from tests.degradation.pictures import array, scene, tensor
from tests.degradation.test_presets import profile
from wildsr.degradation import ColourBlur, Log, choose
from wildsr.errors import UsageError
from wildsr.imaging.luma import luma


@pytest.mark.parametrize("sigma", [0.5, 2.0])
def test_luma_stays_and_colour_is_blurred_as_scipy_does_it(sigma: float) -> None:
    picture = scene(48, 64)
    log: Log = []
    found = array(ColourBlur(sigma=(sigma, sigma))(tensor(picture), np.random.default_rng(0), log))
    assert luma(found) == pytest.approx(luma(picture), abs=2e-6)
    colour = picture - luma(picture)[..., None]
    blurred = gaussian_filter(colour, (sigma, sigma, 0), radius=(*[int(np.ceil(3 * sigma))] * 2, 0))
    assert found - luma(found)[..., None] == pytest.approx(blurred, abs=2e-6)
    assert log == [{"operation": "colour blur", "sigma": sigma}]


def test_without_width_nothing_changes() -> None:
    picture = tensor(scene(20, 20))
    found = ColourBlur(sigma=(0.0, 0.0))(picture, np.random.default_rng(0))
    assert array(found) == pytest.approx(array(picture), abs=1e-6)


def test_a_profiles_lr_gets_it_between_kernel_and_noise() -> None:
    plain, chosen = (choose(None, profile=profile(), colour_blur=blur) for blur in ((0.0, 0.0), (0.5, 1.5)))
    assert chosen.fingerprint != plain.fingerprint
    assert chosen.margin == plain.margin + 5
    assert "colour blurred by up to 1.5 pixels" in chosen.summary
    assert "colour" not in plain.summary
    widths = []
    for seed in range(50):
        log: Log = []
        chosen.pipeline(tensor(scene(48, 48)), np.random.default_rng(seed), log)
        names = [str(entry["operation"]) for entry in log]
        assert names.index("colour blur") == 1
        assert len(names) > 2
        widths.append(log[1]["sigma"])
    assert all(isinstance(width, float) and 0.5 <= width <= 1.5 for width in widths)
    assert np.ptp(np.array(widths, float)) > 0.8


def test_what_cant_be_asked_for() -> None:
    with pytest.raises(UsageError, match="there is no profile"):
        choose("bsrgan", colour_blur=(0.0, 1.0))
    with pytest.raises(UsageError, match=r"goes from 2 to 1 pixels"):
        choose(None, profile=profile(), colour_blur=(2.0, 1.0))
