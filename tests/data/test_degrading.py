"""Crops degraded on the fly: the same for the same seed, and judged on the same LR every time."""

import numpy as np
import pytest

from tests.degradation.pictures import scene
from tests.degradation.test_profile import white
from wildsr.data import DegradedCrops, Photo, array_degrader, degraded_validation_crops
from wildsr.degradation import Profile, choose, kernels

PROFILE = Profile(kernels=kernels.gaussian(21, (4.0, 2.0), 0.4, scale=4)[None].astype(np.float32))
NOISY = Profile(kernels=PROFILE.kernels, noise=white(3, 48))


def photo(name: str = "a", height: int = 160, width: int = 200) -> Photo:
    return Photo(name=name, hr=np.rint(scene(height, width) * 255).astype(np.uint8), lr=None)


def crops(profile: Profile) -> DegradedCrops:
    chosen = choose(None, profile=profile)
    return DegradedCrops(
        [photo()], scale=4, patch=64, degrade=array_degrader(chosen.pipeline), margin=chosen.margin
    )


def test_a_crop_is_degraded_as_the_whole_photo_would_be() -> None:
    """Its border too: the margin is degraded with it."""
    one = photo()
    whole = array_degrader(choose(None, profile=PROFILE).pipeline)(
        one.hr.astype(np.float32) / 255, np.random.default_rng(0)
    )
    sampler = DegradedCrops(
        [one],
        scale=4,
        patch=64,
        degrade=array_degrader(choose(None, profile=PROFILE).pipeline),
        margin=3,
        augment=False,
    )
    for index in range(8):
        sample = sampler.sample(0, index)
        assert sample.lr.shape == (16, 16, 3)
        hr = np.rint(sample.hr * 255).astype(np.uint8)
        places = [
            (y, x)
            for y in range(25)
            for x in range(35)
            if np.array_equal(one.hr[4 * y : 4 * y + 64, 4 * x : 4 * x + 64], hr)
        ]
        ((y, x),) = places
        assert np.abs(sample.lr - whole[y : y + 16, x : x + 16]).max() < 1.01 / 255


def test_a_sample_depends_on_seed_and_index_only() -> None:
    one, other = crops(NOISY), crops(NOISY)
    forward = [one.sample(7, index).lr.tobytes() for index in range(10)]
    backward = [other.sample(7, index).lr.tobytes() for index in reversed(range(10))]
    assert forward == backward[::-1]
    assert len(set(forward)) == 10
    assert forward[3] != one.sample(8, 3).lr.tobytes()


def validation(photos: list[Photo], side: int = 64) -> dict[str, bytes]:
    chosen = choose(None, profile=NOISY)
    made = degraded_validation_crops(
        photos, scale=4, side=side, degrade=array_degrader(chosen.pipeline), margin=chosen.margin
    )
    assert all(sample.lr.dtype == np.uint8 for sample in made)
    assert all(sample.hr.shape[0] == 4 * sample.lr.shape[0] for sample in made)
    return {sample.name: sample.lr.tobytes() for sample in made}


def test_validation_pictures_do_not_depend_on_their_neighbours() -> None:
    both = validation([photo("a"), photo("b")])
    alone = validation([photo("b")])
    assert both["b"] == alone["b"]
    assert both["a"] != both["b"]  # the same picture, other noise


@pytest.mark.parametrize(("height", "width"), [(64, 64), (72, 200), (40, 44), (20, 20)])
def test_validation_takes_photos_smaller_than_crop_and_margin(height: int, width: int) -> None:
    made = degraded_validation_crops(
        [photo("a", height, width)],
        scale=4,
        side=64,
        degrade=array_degrader(choose("bsrgan").pipeline),
        margin=8,
    )
    assert made[0].lr.shape == (min(height, 64) // 4, min(width, 64) // 4, 3)
    assert made[0].hr.shape == (min(height, 64), min(width, 64), 3)


def test_the_middle_is_cut() -> None:
    (sample,) = degraded_validation_crops(
        [photo()], scale=4, side=64, degrade=array_degrader(choose("bicubic").pipeline), margin=3
    )
    assert np.array_equal(sample.hr, photo().hr[48:112, 68:132])
    from wildsr.imaging import resize

    whole = resize(photo().hr.astype(np.float32) / 255, scale=0.25)
    expected = np.rint(np.clip(whole[12:28, 17:33], 0, 1) * 255)
    assert np.abs(sample.lr - expected).max() <= 1
    assert np.mean(sample.lr == expected) > 0.99
