"""Print drawn on crops: on the share asked for, on nothing else, the same for the same sample."""

from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from wildsr.data import DegradedCrops, Photo, degraded_validation_crops
from wildsr.data.lettering import lettered

Floats = NDArray[np.float32]


def crop(level: float = 0.5, height: int = 96, width: int = 128) -> Floats:
    return np.full((height, width, 3), level, dtype=np.float32)


def luma(picture: Floats) -> Floats:
    brightness: Floats = picture.mean(-1)
    return brightness


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_what_is_drawn_can_be_seen_on_any_ground(level: float) -> None:
    contrasts = []
    for seed in range(40):
        drawn = lettered(crop(level), np.random.default_rng(seed))
        assert drawn.shape == (96, 128, 3)
        assert drawn.dtype == np.float32
        assert drawn.min() >= 0
        assert drawn.max() <= 1
        contrasts.append(float(np.ptp(luma(drawn))))
    # a few lines may miss the crop; what is there differs by 70 levels or more
    assert sum(contrast > 60 / 255 for contrast in contrasts) >= 36


def test_strokes_have_hard_edges() -> None:
    steepest = []
    for seed in range(30):
        y = luma(lettered(crop(), np.random.default_rng(seed)))
        height = np.ptp(y)
        if height > 0.2:
            steepest.append(float(np.abs(np.diff(y, axis=1)).max() / height))
    assert len(steepest) > 20
    assert np.median(steepest) > 0.5


def test_the_photo_stays_where_nothing_is_drawn() -> None:
    photo = np.random.default_rng(0).random((64, 64, 3), dtype=np.float32)
    before = photo.copy()
    kept = []
    for seed in range(40):
        same = (lettered(photo, np.random.default_rng(seed)) == photo).all(-1)
        kept.append(float(same.mean()))
    assert min(kept) < 0.5  # a plate of even colour
    assert max(kept) > 0.8
    assert np.array_equal(photo, before)


def every_fourth(hr: Floats, _rng: np.random.Generator) -> Floats:
    return np.ascontiguousarray(hr[::4, ::4])


def test_a_share_of_the_crops_gets_print_and_the_others_are_as_before() -> None:
    hr = np.random.default_rng(5).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    photo = Photo(name="a", hr=hr, lr=None)
    plain = DegradedCrops([photo], scale=4, patch=32, degrade=every_fourth)
    some = DegradedCrops([photo], scale=4, patch=32, degrade=every_fourth, lettering=0.4)
    changed = 0
    for index in range(200):
        one, other = plain.sample(3, index), some.sample(3, index)
        assert np.array_equal(other.lr, other.hr[::4, ::4])  # LR is made of what was drawn on
        changed += not np.array_equal(one.hr, other.hr)
    assert changed == pytest.approx(80, abs=25)
    assert np.array_equal(some.sample(3, 7).hr, some.sample(3, 7).hr)


def test_photos_to_judge_by_get_their_share_too() -> None:
    hr = np.random.default_rng(5).integers(0, 256, (96, 96, 3), dtype=np.uint8)
    photos = [Photo(name=f"{number}", hr=hr, lr=None) for number in range(60)]
    judge = partial(degraded_validation_crops, photos, scale=4, side=48, degrade=every_fourth, margin=2)
    plain, some = judge(), judge(lettering=0.4)
    changed = [not np.array_equal(one.hr, other.hr) for one, other in zip(plain, some, strict=True)]
    assert sum(changed) == pytest.approx(24, abs=12)
    for one in some:
        assert np.abs(one.lr.astype(int) - one.hr[::4, ::4]).max() <= 1
    assert all(np.array_equal(one.hr, hr[24:72, 24:72]) for one in plain)
    assert np.array_equal(judge(lettering=0.4)[3].hr, some[3].hr)
