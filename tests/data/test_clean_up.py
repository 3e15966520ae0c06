"""Clean pictures out of photos, and the crops that a training is judged on."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.data.clean_up import clean_up
from wildsr.data.photos import Photo
from wildsr.data.validation import degraded_validation_crops, validation_crops
from wildsr.imaging import read


def photo_file(path: Path, height: int, width: int, *, noise: float = 0.0) -> Path:
    rng = np.random.default_rng(height * width)
    ramp = np.linspace(60, 190, width)[None, :, None] + np.zeros((height, width, 3))
    pixels = np.clip(np.rint(ramp + noise * rng.normal(size=ramp.shape)), 0, 255).astype(np.uint8)
    Image.fromarray(pixels).save(path)
    return path


def test_shrinking_halves_the_sides_and_takes_noise_out(tmp_path: Path) -> None:
    """Antialiased bicubic by 2 keeps .404 of white noise's σ: the sum of the squares of its eight taps, as
    `x = np.abs((np.arange(-4, 4) + .5) / 2)` gives them."""
    found = clean_up([photo_file(tmp_path / "a.png", 80, 121, noise=12.0)], tmp_path / "out", least_side=16)
    (clean,) = found.pictures
    assert clean.name == "00000.png"
    rgb = read(clean).rgb
    assert rgb.shape == (40, 60, 3)
    ramp = np.linspace(60, 190, 121)[:120].reshape(60, 2).mean(axis=1) / 255
    left = (rgb - ramp[None, :, None])[4:-4, 4:-4]
    assert abs(float(left.mean())) < 0.003
    assert float(left.std()) * 255 == pytest.approx(12 * 0.404, rel=0.08)


def test_small_and_damaged_photos_are_named(tmp_path: Path) -> None:
    photos = [
        photo_file(tmp_path / "small.png", 60, 300),
        photo_file(tmp_path / "good.png", 64, 64),
        tmp_path / "broken.png",
    ]
    photos[2].write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    told: list[tuple[int, int]] = []
    found = clean_up(
        photos, tmp_path / "out", least_side=32, done=lambda now, total: told.append((now, total))
    )
    assert [one.name for one in found.pictures] == ["00001.png"]
    assert found.skipped[0].startswith("small.png: it is 300 × 60 pixels; 64 along each side are needed")
    assert found.skipped[1].startswith("broken.png: ")
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert sorted(one.name for one in (tmp_path / "out").iterdir()) == ["00001.png"]


def test_what_is_there_is_kept(tmp_path: Path) -> None:
    photo = photo_file(tmp_path / "a.png", 64, 64)
    (first,) = clean_up([photo], tmp_path / "out", least_side=8).pictures
    before = first.stat().st_mtime_ns, first.stat().st_ino
    (second,) = clean_up([photo], tmp_path / "out", least_side=8).pictures
    assert (second.stat().st_mtime_ns, second.stat().st_ino) == before


def test_of_a_very_large_photo_the_middle_is_taken(tmp_path: Path) -> None:
    """3072 of 3080 pixels: four are left out at each end."""
    pixels = np.zeros((40, 3080, 3), np.uint8)
    pixels[:, :4] = 255
    pixels[:, -4:] = 255
    Image.fromarray(pixels).save(tmp_path / "wide.png")
    (clean,) = clean_up([tmp_path / "wide.png"], tmp_path / "out", least_side=8).pictures
    rgb = read(clean).rgb
    assert rgb.shape == (20, 1536, 3)
    assert float(rgb.max()) == 0


def photo(height: int, width: int, *, scale: int = 2, name: str = "a") -> Photo:
    """HR whose red is the row and whose green the column; LR likewise, in its own pixels."""

    def places(rows: int, columns: int) -> np.ndarray:
        out = np.zeros((rows, columns, 3), np.uint8)
        out[..., 0], out[..., 1] = np.arange(rows)[:, None], np.arange(columns)[None]
        return out

    return Photo(name=name, hr=places(height, width), lr=places(height // scale, width // scale))


def test_the_middle_of_both_is_cut_at_one_place() -> None:
    (crop,) = validation_crops([photo(40, 60)], scale=2, side=16)
    assert (crop.hr.shape, crop.lr.shape) == ((16, 16, 3), (8, 8, 3))
    assert tuple(crop.lr[0, 0, :2]) == (6, 11)
    assert tuple(crop.hr[0, 0, :2]) == (12, 22)
    assert tuple(crop.hr[-1, -1, :2]) == (27, 37)


def test_small_photos_are_taken_whole() -> None:
    (crop,) = validation_crops([photo(20, 12)], scale=2, side=16)
    assert crop.hr.shape == (16, 12, 3)
    assert tuple(crop.hr[0, 0, :2]) == (2, 0)
    (whole,) = validation_crops([photo(8, 6)], scale=2, side=64)
    assert whole.hr.shape == (8, 6, 3)


def block_means(x: np.ndarray, _rng: np.random.Generator) -> np.ndarray:
    return x.reshape(x.shape[0] // 2, 2, x.shape[1] // 2, 2, 3).mean(axis=(1, 3), dtype=np.float32)


@pytest.mark.parametrize("margin", [0, 2, 50])
def test_a_margin_is_degraded_with_the_crop_and_cut_off(margin: int) -> None:
    seen: list[tuple[int, ...]] = []

    def degrade(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        seen.append(x.shape)
        return block_means(x, rng)

    (crop,) = degraded_validation_crops([photo(40, 60)], scale=2, side=16, degrade=degrade, margin=margin)
    assert seen == [{0: (16, 16, 3), 2: (24, 24, 3), 50: (40, 60, 3)}[margin]]
    assert tuple(crop.hr[0, 0, :2]) == (12, 22)
    assert crop.lr.shape == (8, 8, 3)
    np.testing.assert_array_equal(crop.lr[:, 0, 0], np.rint(np.arange(12, 28, 2) + 0.5))


def test_randomness_is_the_names_own() -> None:
    def noise(x: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        return rng.random((x.shape[0] // 2, x.shape[1] // 2, 3), dtype=np.float32)

    def crops(*names: str) -> dict[str, np.ndarray]:
        photos = [photo(40, 60, name=name) for name in names]
        made = degraded_validation_crops(photos, scale=2, side=16, degrade=noise, margin=1)
        return {one.name: one.lr for one in made}

    alone, together = crops("b"), crops("a", "b", "c")
    np.testing.assert_array_equal(alone["b"], together["b"])
    assert not np.array_equal(together["a"], together["b"])
