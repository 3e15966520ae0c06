"""Near-duplicates, noisier photos and unpaired crops."""

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.data import Photo
from wildsr.data.duplicates import near_duplicates
from wildsr.data.noisiness import noise_level, noisier
from wildsr.data.unpaired import UnpairedCrops
from wildsr.errors import InputError
from wildsr.training.datasets import gather
from wildsr.training.settings import DataSettings


def photo(seed: int, *, side: int = 96, name: str = "") -> Photo:
    """Shapes of several sizes."""
    rng = np.random.default_rng(seed)
    total = np.zeros((side, side, 3))
    for cells, strength in ((4, 90), (9, 50), (24, 25)):
        coarse = rng.uniform(-1, 1, (cells, cells, 3)).astype(np.float32)
        for channel in range(3):
            layer = Image.fromarray(coarse[..., channel]).resize((side, side), Image.Resampling.BICUBIC)
            total[..., channel] += strength * np.asarray(layer)
    return Photo(name=name or f"{seed}", hr=np.clip(total + 128, 0, 255).astype(np.uint8), lr=None)


def changed(original: Photo, change: Callable[[Image.Image], Image.Image]) -> Photo:
    return Photo(name="copy", hr=np.asarray(change(Image.fromarray(original.hr)).convert("RGB")), lr=None)


def through_jpeg(picture: Image.Image) -> Image.Image:
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=20)
    return Image.open(buffer)


@pytest.mark.parametrize(
    "change",
    [
        lambda one: one,
        lambda one: one.resize((61, 61), Image.Resampling.BICUBIC),
        through_jpeg,
        lambda one: one.point(lambda level: 0.8 * level + 10),
        lambda one: one.convert("L"),
        lambda one: one.crop((1, 1, 96, 96)),
    ],
    ids=["same", "smaller", "jpeg", "darker", "gray", "a pixel off"],
)
def test_copies_are_found(change: Callable[[Image.Image], Image.Image]) -> None:
    others = [photo(seed) for seed in range(20)]
    found = near_duplicates([changed(others[7], change), photo(99)], others)
    assert found == [("copy", "7")]


def test_other_photos_are_no_copies() -> None:
    """Nor flat ones, nor two skies whose brightness falls alike but that show other things."""
    flat = Photo(name="flat", hr=np.full((64, 64, 3), 90, np.uint8), lr=None)
    noisy = [
        Photo(name=name, hr=np.random.default_rng(n).integers(0, 255, (64, 64, 3), np.uint8), lr=None)
        for n, name in enumerate("ab")
    ]
    pictures = [photo(seed) for seed in range(30)]
    assert near_duplicates([flat, noisy[0], *pictures[:5]], [noisy[1], *pictures[5:]]) == []
    assert near_duplicates([], pictures) == []


def test_photos_to_judge_on_that_are_learnt_from_are_refused(tmp_path: Path) -> None:
    for folder, seeds in (("hr", range(5)), ("val", (3, 9))):
        (tmp_path / folder).mkdir()
        for seed in seeds:
            Image.fromarray(photo(seed).hr).save(tmp_path / folder / f"{folder}{seed}.png")
    data = DataSettings(
        hr=tmp_path / "hr", validation=tmp_path / "val", patch=32, validation_side=32, cache=tmp_path / "c"
    )
    with pytest.raises(InputError, match=r"1 photo to judge on is[\s\S]*val3.png shows the same as hr3.png"):
        gather(data, scale=4, folder=tmp_path / "run", say=print)
    (tmp_path / "val" / "val3.png").unlink()
    assert len(gather(data, scale=4, folder=tmp_path / "run", say=print).validation) == 1


def test_a_copy_among_those_held_out_is_said(tmp_path: Path) -> None:
    (tmp_path / "hr").mkdir()
    for seed in range(4):
        for copy in "ab":
            Image.fromarray(photo(seed).hr).save(tmp_path / "hr" / f"{seed}{copy}.png")
    said: list[str] = []
    data = DataSettings(hr=tmp_path / "hr", patch=32, validation_photos=1, cache=tmp_path / "c")
    gather(data, scale=4, folder=tmp_path / "run", say=said.append)
    assert len(said) == 1
    assert "shows the same as" in said[0]


@pytest.mark.parametrize("sigma", [2.0, 5.0, 10.0])
def test_the_level_of_noise(sigma: float) -> None:
    """Of luma: three independent channels give √(.299² + .587² + .114²) = .669 of theirs."""
    rng = np.random.default_rng(0)
    flat = 120 + np.linspace(0, 40, 192)[None, :, None] + rng.normal(0, sigma, (128, 192, 3))
    found = noise_level(np.clip(flat, 0, 255).round().astype(np.uint8))
    assert found == pytest.approx(0.669 * sigma, rel=0.15)


def test_noisier_photos_are_named_and_others_not() -> None:
    rng = np.random.default_rng(0)

    def noisy(sigma: float) -> list[Photo]:
        clean = [photo(seed, side=128).hr.astype(float) for seed in range(3)]
        return [
            Photo(
                name="x", hr=np.clip(one + rng.normal(0, sigma, one.shape), 0, 255).astype(np.uint8), lr=None
            )
            for one in clean
        ]

    told = noisier(noisy(12), noisy(4))
    assert told is not None
    assert "noisier" in told
    assert noisier(noisy(4), noisy(12)) is None
    assert noisier(noisy(4), noisy(4)) is None


def test_unpaired_crops_alike_in_contrast() -> None:
    """Of the clean crops drawn the one with the real crop's coarse contrast is taken; one candidate changes nothing."""
    rng = np.random.default_rng(0)

    def bold(contrast: float) -> np.ndarray:
        cells = np.kron(rng.normal(0, contrast, (10, 10, 1)), np.ones((4, 4, 3)))
        return np.clip(128 + cells, 0, 255).astype(np.uint8)

    clean = [Photo(name=f"{level}", hr=bold(5), lr=bold(level)) for level in (2, 10, 50)]
    real = [Photo(name="r", hr=bold(10), lr=None)]
    chosen = UnpairedCrops(clean, real, side=24, candidates=16)
    names = [chosen.sample(0, index).name for index in range(30)]
    assert names.count("10") > 25
    assert np.array_equal(chosen.sample(0, 7).lr, chosen.sample(0, 7).lr)
    one, other = UnpairedCrops(clean, real, side=24), UnpairedCrops(clean, real, side=24, candidates=1)
    assert all(np.array_equal(one.sample(0, index).lr, other.sample(0, index).lr) for index in range(9))


def test_unpaired_crops() -> None:
    """LR of clean photos and pixels of real ones, of one size; the same for the same number, whatever came before."""
    clean = [Photo(name="c", hr=np.zeros((40, 40, 3), np.uint8), lr=np.full((20, 20, 3), 7, np.uint8))]
    real = [photo(1, side=30), photo(2, side=33)]
    crops = UnpairedCrops(clean, real, side=12)
    samples = [crops.sample(0, index) for index in range(40)]
    assert all(one.lr.shape == one.hr.shape == (12, 12, 3) for one in samples)
    assert all((one.lr == 7).all() for one in samples)
    assert np.array_equal(crops.sample(0, 17).hr, samples[17].hr)
    assert not np.array_equal(crops.sample(1, 17).hr, samples[17].hr)
    means = {round(float(one.hr.mean()), 1) for one in samples}
    assert len(means) > 30
