"""Exposure is a factor on linear light."""

import numpy as np
import pytest

from wildsr.imaging.colour import srgb_encoded, srgb_linear
from wildsr.imaging.exposure import exposed


@pytest.mark.parametrize(("value", "light"), [(0.0, 0.0), (0.04, 0.04 / 12.92), (0.5, 0.2140411), (1.0, 1.0)])
def test_light_of_srgb(value: float, light: float) -> None:
    """IEC 61966-2-1, both branches."""
    encoded = np.full((1,), value)
    assert srgb_linear(encoded)[0] == pytest.approx(light, abs=1e-6)
    assert srgb_encoded(srgb_linear(encoded))[0] == pytest.approx(value, abs=1e-6)


def test_steps_of_exposure_add() -> None:
    picture = np.linspace(0, 1, 64, dtype=np.float32).reshape(4, 16)
    assert exposed(np.float32([0.5]), -1)[0] == pytest.approx(0.3608, abs=1e-4)
    assert np.allclose(exposed(exposed(picture, -1), -2), exposed(picture, -3), atol=1e-5)
    assert np.allclose(exposed(picture, 0), picture, atol=1e-6)


def test_three_steps_darker() -> None:
    """sRGB 188 is half of all light: three steps darker it is a sixteenth, 71."""
    assert exposed(np.float32([188 / 255]), -3)[0] * 255 == pytest.approx(71, abs=0.5)
