"""What one photo has alone is left out; what the camera has everywhere stays."""

from dataclasses import replace

import numpy as np
import pytest

from wildsr.degradation.profile_notes import NoiseNote, PhotoNote
from wildsr.estimation.profile.aggregate import AggregationContext, aggregate
from wildsr.estimation.profile.agreement import noise_that_agrees
from wildsr.estimation.profile.photo import Examined


def photo(name: str, sigmas: list[float], levels: list[float], iso: float | None = None) -> Examined:
    """A photo with a patch of each strength (in levels) at each brightness."""
    rng = np.random.default_rng(len(name))
    patches = [rng.normal(0, sigma / 255, (3, 64, 64)) for sigma in sigmas]
    notes = tuple(
        NoiseNote(photo=name, row=0, column=0, brightness=level, std=float(patch.std()))
        for level, patch in zip(levels, patches, strict=True)
    )
    scores = {} if iso is None else {"iso": iso}
    note = PhotoNote(photo=name, width=640, height=480, scores=scores)
    return Examined(note=note, noise=np.array(patches, np.float32).reshape(-1, 3, 64, 64), noise_notes=notes)


def camera(count: int = 6, iso: float | None = None) -> list[Examined]:
    """Photos whose noise grows with brightness; each sees another part of the range."""
    photos = []
    for index in range(count):
        levels = [0.1 + 0.1 * index + 0.02 * step for step in range(6)]
        photos.append(photo(f"shot{index}.png", [10 * level**0.5 for level in levels], levels, iso))
    return photos


def test_sand_is_told_from_noise_by_the_other_photos() -> None:
    sand = photo("beach.png", [12.0, 14.0, 5.5], [0.3, 0.3, 0.3])
    kept, left_out = noise_that_agrees([*camera(), sand])
    assert [len(one.noise) for one in kept] == [6] * 6 + [1]
    assert len(kept[-1].noise_notes) == 1
    assert kept[-1].noise_notes[0].std == pytest.approx(5.5 / 255, rel=0.05)
    (told,) = left_out
    assert (told.kind, told.photo, told.count) == ("noise", "beach.png", 2)
    assert told.reason.startswith("2.4 times as strong")


def test_noise_that_follows_brightness_stays() -> None:
    kept, left_out = noise_that_agrees(camera())
    assert not left_out
    assert sum(len(one.noise) for one in kept) == 36


def test_a_higher_sensitivity_may_be_noisier() -> None:
    night = [15.0, 16.0]
    stated = photo("night.png", night, [0.3, 0.3], iso=400)
    kept, left_out = noise_that_agrees([*camera(iso=100), stated])
    assert len(kept[-1].noise) == 2
    assert not left_out
    unstated = photo("night.png", night, [0.3, 0.3])
    kept, left_out = noise_that_agrees([*camera(iso=100), unstated])
    assert len(kept[-1].noise) == 0
    assert left_out[0].count == 2


def test_photos_of_many_kinds_all_stay() -> None:
    photos = [
        photo(f"{index}.png", [sigma] * 3, [0.5] * 3) for index, sigma in enumerate((1, 2, 3, 5, 8, 12))
    ]
    kept, left_out = noise_that_agrees(photos)
    assert not left_out
    assert len(kept) == 6


def test_few_photos_are_not_judged() -> None:
    photos = [*camera(2), photo("beach.png", [30.0], [0.3])]
    kept, left_out = noise_that_agrees(photos)
    assert [len(one.noise) for one in kept] == [6, 6, 1]
    assert not left_out


def test_photos_without_noise_stay_where_they_were() -> None:
    empty = photo("empty.png", [], [])
    kept, _ = noise_that_agrees([empty, *camera()])
    assert kept[0] is empty
    assert len(kept) == 7


def with_side(name: str, count: int, side: int) -> Examined:
    one = photo(name, [3.0] * count, [0.5] * count)
    return replace(one, noise=one.noise[:, :, :side, :side])


@pytest.mark.parametrize(("large", "shape"), [(4, (4, 3, 64, 64)), (3, (17, 3, 32, 32))])
def test_small_patches_fill_in_where_there_are_few_large_ones(large: int, shape: tuple[int, ...]) -> None:
    photos = [with_side("plain.png", large, 64), with_side("busy.png", 5, 32)]
    made = aggregate(photos, AggregationContext(settings={}))
    assert made.noise.shape == shape
    assert len(made.meta.noise) == shape[0]
    assert np.abs(made.noise.mean(axis=(2, 3))).max() < 1e-6
    if shape[2] == 32:
        quarters = [(note.row, note.column) for note in made.meta.noise if note.photo == "plain.png"]
        assert quarters[:4] == [(0, 0), (0, 32), (32, 0), (32, 32)]
        cut = made.noise[1] + photos[0].noise[0][:, :32, 32:].mean(axis=(1, 2), keepdims=True)
        np.testing.assert_allclose(cut, photos[0].noise[0][:, :32, 32:], atol=1e-6)
