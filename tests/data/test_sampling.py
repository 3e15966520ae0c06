"""Sample i depends only on (seed, i); crops are aligned; batches resume and split over processes exactly."""

from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from wildsr.data import AlignedCrops, DegradedCrops, Photo, Sampler, batches, collate, validation_crops

SCALE = 4


def photo(name: str, seed: int, rows: int = 12, columns: int = 17) -> Photo:
    """LR of random values; HR repeats each LR pixel, so that alignment can be seen."""
    lr = np.random.default_rng(seed).integers(0, 256, (rows, columns, 3), dtype=np.uint8)
    return Photo(name=name, hr=lr.repeat(SCALE, 0).repeat(SCALE, 1), lr=lr)


def sampler() -> AlignedCrops:
    return AlignedCrops([photo("a", 1), photo("b", 2, 30, 9)], scale=SCALE, patch=32)


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10), st.integers(0, 10_000))
def test_lr_and_hr_are_the_same_place_turned_the_same_way(seed: int, index: int) -> None:
    sample = sampler().sample(seed, index)
    assert sample.lr.shape == (8, 8, 3)
    assert sample.hr.shape == (32, 32, 3)
    assert np.array_equal(sample.lr.repeat(SCALE, 0).repeat(SCALE, 1), sample.hr)


def test_a_sample_depends_on_seed_and_index_only() -> None:
    one, other = sampler(), sampler()
    forward = [one.sample(7, index).lr.tobytes() for index in range(20)]
    backward = [other.sample(7, index).lr.tobytes() for index in reversed(range(20))]
    assert forward == backward[::-1]
    assert len(set(forward)) == 20
    assert forward[3] != one.sample(8, 3).lr.tobytes()


def test_photos_are_drawn_by_their_area() -> None:
    crops = AlignedCrops([photo("small", 1, 10, 10), photo("large", 2, 30, 30)], scale=SCALE, patch=8)
    drawn = [crops.sample(0, index).name for index in range(1000)]
    assert drawn.count("large") == pytest.approx(900, abs=40)


def test_all_eight_orientations_occur() -> None:
    marker = np.zeros((8, 8, 3), dtype=np.uint8)
    marker[0, 1] = 255
    crops = AlignedCrops(
        [Photo(name="m", hr=marker.repeat(4, 0).repeat(4, 1), lr=marker)], scale=SCALE, patch=32
    )
    seen = {tuple(np.argwhere(crops.sample(0, index).lr[..., 0])[0]) for index in range(100)}
    assert seen == {(0, 1), (0, 6), (7, 1), (7, 6), (1, 0), (6, 0), (1, 7), (6, 7)}


def box_down(hr: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    h, w, _ = hr.shape
    return hr.reshape(h // SCALE, SCALE, w // SCALE, SCALE, 3).mean((1, 3)).astype(np.float32)


@pytest.mark.parametrize("margin", [0, 2])
def test_degraded_crops_stay_aligned_with_any_margin(margin: int) -> None:
    crops = DegradedCrops([photo("a", 1, 20, 20)], scale=SCALE, patch=32, degrade=box_down, margin=margin)
    for index in range(10):
        sample = crops.sample(0, index)
        assert sample.lr.shape == (8, 8, 3)
        assert np.allclose(sample.lr.repeat(SCALE, 0).repeat(SCALE, 1), sample.hr, atol=1e-6)


def test_a_margin_lets_the_degradation_see_true_neighbours() -> None:
    seen: list[tuple[int, ...]] = []

    def watch(hr: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(hr.shape)
        return box_down(hr, rng)

    DegradedCrops([photo("a", 1, 20, 20)], scale=SCALE, patch=32, degrade=watch, margin=3).sample(0, 0)
    assert seen == [((8 + 6) * 4, (8 + 6) * 4, 3)]
    DegradedCrops([photo("a", 1, 9, 20)], scale=SCALE, patch=32, degrade=watch, margin=3).sample(0, 0)
    assert seen[1] == (32, 32, 3)  # no room


def test_the_degradations_randomness_is_the_samples_own() -> None:
    def noisy(hr: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return box_down(hr, rng) + rng.normal(0, 0.1, (hr.shape[0] // 4, hr.shape[1] // 4, 3)).astype(
            np.float32
        )

    crops = DegradedCrops([photo("a", 1, 20, 20)], scale=SCALE, patch=32, degrade=noisy)
    first = crops.sample(3, 5).lr
    crops.sample(3, 6)
    assert np.array_equal(first, crops.sample(3, 5).lr)
    assert not np.array_equal(first, crops.sample(3, 6).lr)


def test_collate_makes_floats_in_0_to_1() -> None:
    pair = collate([sampler().sample(0, index) for index in range(3)])
    assert pair.lr.shape == (3, 3, 8, 8)
    assert pair.hr.shape == (3, 3, 32, 32)
    assert pair.lr.dtype == torch.float32
    assert 0 <= pair.lr.min() < pair.lr.max() <= 1
    assert torch.equal(
        (pair.lr[1] * 255).round().byte().permute(1, 2, 0), torch.from_numpy(sampler().sample(0, 1).lr.copy())
    )
    assert len(pair.names) == 3


def take(sampler_: Sampler, count: int, **options: int) -> list[torch.Tensor]:
    source = batches(sampler_, seed=5, **options)
    found = [pair.lr for pair in islice(source, count)]
    source.close()
    return found


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 6), st.integers(1, 3))
def test_a_loader_started_later_gives_the_same_batches(start: int, workers: int) -> None:
    whole = take(sampler(), 9, batch=2)
    rest = take(sampler(), 9 - start, batch=2, start=start, workers=workers)
    assert all(torch.equal(a, b) for a, b in zip(whole[start:], rest, strict=True))


def test_two_processes_see_together_what_one_with_twice_the_batch_sees() -> None:
    whole = take(sampler(), 3, batch=4)
    ranks = [take(sampler(), 3, batch=2, rank=rank, world=2) for rank in range(2)]
    for number in range(3):
        assert torch.equal(whole[number], torch.cat([ranks[0][number], ranks[1][number]]))


def test_validation_crops_are_the_middle() -> None:
    (crop,) = validation_crops([photo("a", 1, 12, 17)], scale=SCALE, side=24)
    assert crop.lr.shape == (6, 6, 3)
    assert np.array_equal(crop.lr, photo("a", 1, 12, 17).lr[3:9, 5:11])
    assert np.array_equal(crop.hr, crop.lr.repeat(4, 0).repeat(4, 1))
    (whole,) = validation_crops([photo("a", 1, 3, 5)], scale=SCALE, side=24)
    assert whole.lr.shape == (3, 5, 3)
