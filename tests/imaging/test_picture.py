"""What is a picture, and what is refused before anything is made of it."""

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.errors import InputError, UsageError
from wildsr.imaging import Limits, Picture, Source

GOOD = np.full((4, 5, 3), 0.5, np.float32)
HOLE = GOOD.copy()
HOLE[2, 3, 1] = np.nan


@pytest.mark.parametrize(
    ("rgb", "says", "hint"),
    [
        (HOLE, "not finite", None),
        (GOOD * np.float32(np.inf), "not finite", None),
        ((GOOD * 255).astype(np.uint8), "array of uint8; it must be float32", "rgb.astype(np.float32) / 255"),
        ((GOOD * 255).astype(np.uint16), "array of uint16", "rgb.astype(np.float32) / 65535"),
        (GOOD.astype(np.float64), "array of float64", "rgb.astype(np.float32)"),
        (GOOD * 255, "from 127.5 to 127.5", "divide by 255 (or 65535)"),
        (GOOD + np.float32(1.6), "from 2.1 to 2.1", "divide by 255 (or 65535)"),
        (GOOD - 2, "from -1.5 to -1.5", "divide by 255 (or 65535)"),
        (GOOD[:0], "shape (0, 5, 3)", None),
        (GOOD[:, :0], "shape (4, 0, 3)", None),
        (GOOD[..., 0], "shape (4, 5); it must be H×W×3", None),
        (GOOD[..., :1], "shape (4, 5, 1); it must be H×W×3", None),
        (GOOD.transpose(2, 0, 1), "shape (3, 4, 5); it must be H×W×3", None),
        (GOOD[None], "shape (1, 4, 5, 3)", None),
    ],
)
def test_an_array_that_is_no_picture_is_named(rgb: NDArray[np.float32], says: str, hint: str | None) -> None:
    with pytest.raises(InputError) as caught:
        Picture(rgb=rgb)
    assert says in str(caught.value)
    assert caught.value.hint == hint


@pytest.mark.parametrize(
    ("alpha", "says"),
    [
        (np.ones((4, 4), np.float32), "alpha is an array of shape (4, 4); it must be 4×5"),
        (np.ones((4, 5, 1), np.float32), "alpha is an array of shape (4, 5, 1)"),
        (np.full((4, 5), 255, np.uint8), "alpha is an array of uint8"),
        (np.full((4, 5), np.nan, np.float32), "alpha has values that are not finite"),
        (np.full((4, 5), 200, np.float32), "alpha has values from 200 to 200"),
    ],
)
def test_an_alpha_that_is_none_is_named(alpha: NDArray[np.float32], says: str) -> None:
    with pytest.raises(InputError) as caught:
        Picture(rgb=GOOD, alpha=alpha)
    assert says in str(caught.value)


def test_an_overshoot_is_clipped_and_no_fault() -> None:
    over = Picture(rgb=GOOD + np.float32(0.7), alpha=np.full((4, 5), -0.25, np.float32))
    source = Source.from_picture(over)
    assert source.samples[0, 0].tolist() == [1, 1, 1, 0]
    assert source.rgb(0, 4, 0, 5).max() == 1


def test_a_depth_no_file_has_is_refused() -> None:
    with pytest.raises(UsageError, match="depth is 12"):
        Picture(rgb=GOOD, depth=12)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [0, -5])
@pytest.mark.parametrize("name", ["max_pixels", "max_side", "max_file_bytes"])
def test_a_limit_nothing_can_meet_is_refused(name: str, value: int) -> None:
    with pytest.raises(UsageError, match=rf"{name.replace('_', '-')} is {value}; it must be 1 or more"):
        Limits(**{name: value})
