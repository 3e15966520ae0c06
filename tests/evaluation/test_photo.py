"""Photos damaged on purpose must be recognised as such."""

import importlib.util
import io
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.evaluation.pictures import save, scene
from wildsr.errors import InputError, LimitError
from wildsr.evaluation.photo import _middle, examine, measure, noise_level, true_resolution
from wildsr.imaging import open_source, resize
from wildsr.metrics.blocks import block_steps

Plane = NDArray[np.float32]
PHOTOS = ("astronaut.png", "chelsea.png", "coffee.png", "camera.png")


def found_photo(name: str) -> Path:
    """A photo from scikit-image's wheel; nothing of that package is imported."""
    spec = importlib.util.find_spec("skimage")
    assert spec is not None, "the development extras are not installed"
    assert spec.origin is not None, "scikit-image is a package"
    return Path(spec.origin).parent / "data" / name


@pytest.fixture(params=PHOTOS)
def photo(request: pytest.FixtureRequest) -> Plane:
    """Luma of a clean photo at half its size, so that it is sharp to the last pixel."""
    samples = open_source(found_photo(request.param)).samples.astype(np.float32)
    luma = (
        samples[..., 0]
        if samples.shape[2] < 3
        else samples[..., :3] @ np.array([0.299, 0.587, 0.114], np.float32)
    )
    return levels(resize(luma, (luma.shape[0] // 2, luma.shape[1] // 2)))


def levels(plane: Plane) -> Plane:
    return np.clip(np.rint(plane), 0, 255).astype(np.float32)


def noisy(plane: Plane, sigma: float) -> Plane:
    return levels(plane + np.random.default_rng(7).normal(0, sigma, plane.shape).astype(np.float32))


def blurred(plane: Plane, sigma: float) -> Plane:
    radius = int(4 * sigma + 1)
    taps = np.exp(-0.5 * (np.arange(-radius, radius + 1) / sigma) ** 2)
    taps /= taps.sum()
    for _ in range(2):
        padded = np.pad(plane, ((radius, radius), (0, 0)), mode="symmetric")
        plane = sum(tap * padded[k : k + plane.shape[0]] for k, tap in enumerate(taps)).T.astype(np.float32)
    return levels(plane)


def enlarged(plane: Plane, factor: float) -> Plane:
    small = resize(plane, (round(plane.shape[0] / factor), round(plane.shape[1] / factor)))
    return levels(resize(small, plane.shape))


def compressed(plane: Plane, quality: int) -> Plane:
    out = io.BytesIO()
    Image.fromarray(plane.astype(np.uint8)).save(out, "JPEG", quality=quality)
    return np.asarray(Image.open(out), np.float32)


def test_a_clean_photo_is_clean(photo: Plane) -> None:
    facts = measure(photo)
    assert facts.noise < 1
    assert facts.seen_quality is None
    assert facts.detail > 0.85
    assert facts.blur <= 0.6


@pytest.mark.parametrize("sigma", [3, 6, 12])
def test_noise_is_measured(photo: Plane, sigma: float) -> None:
    assert measure(noisy(photo, sigma)).noise == pytest.approx(sigma, rel=0.3)


def test_noise_under_jpeg_is_still_seen(photo: Plane) -> None:
    assert measure(compressed(noisy(photo, 10), 70)).noise > 4


@pytest.mark.parametrize(("quality", "low", "high"), [(75, 55, 86), (50, 35, 70), (30, 10, 55)])
def test_jpeg_is_seen_in_the_pixels(photo: Plane, quality: int, low: int, high: int) -> None:
    seen = measure(compressed(photo, quality)).seen_quality
    assert seen is not None
    assert low <= seen <= high


def test_the_grid_is_found_where_it_starts(photo: Plane) -> None:
    damaged = compressed(photo, 40)
    assert block_steps(damaged[3:, 5:]) == pytest.approx(block_steps(damaged), abs=0.25)
    assert block_steps(damaged[3:, 5:]) > 0.7


@pytest.mark.parametrize(("sigma", "low", "high"), [(1.2, 0.3, 0.5), (2.0, 0.2, 0.35)])
def test_blur_takes_resolution(photo: Plane, sigma: float, low: float, high: float) -> None:
    facts = measure(blurred(photo, sigma))
    assert low <= facts.detail <= high
    assert facts.blur == pytest.approx(sigma, rel=0.25)


@pytest.mark.parametrize(("factor", "low", "high"), [(2, 0.4, 0.6), (3, 0.28, 0.45), (4, 0.22, 0.36)])
def test_an_enlarged_photo_is_seen_through(photo: Plane, factor: float, low: float, high: float) -> None:
    facts = measure(enlarged(photo, factor))
    assert low <= facts.detail <= high
    assert facts.seen_quality is None


def test_noise_is_no_detail(photo: Plane) -> None:
    damaged = noisy(enlarged(photo, 2), 6)
    assert true_resolution(damaged, noise_level(damaged)) < 0.65


def test_resolution_of_compressed_photos_holds(photo: Plane) -> None:
    assert measure(compressed(enlarged(photo, 2), 75)).detail < 0.65


@pytest.mark.parametrize("level", [0, 128, 255])
def test_flat_pictures_claim_nothing(level: int) -> None:
    facts = measure(np.full((64, 64), level, np.float32))
    assert (facts.noise, facts.blocks, facts.detail, facts.blur) == (0, 0, 1, 0)


def test_files_are_examined(tmp_path: Path) -> None:
    path = tmp_path / "photo.jpg"
    Image.open(found_photo("coffee.png")).save(path, quality=60)
    facts = examine(path)
    assert (facts.width, facts.height, facts.file_quality) == (600, 400, 60)
    again = tmp_path / "again.png"
    Image.open(path).save(again)
    facts = examine(again)
    assert facts.file_quality is None
    assert facts.seen_quality is not None


def test_16_bit_is_measured_in_levels_of_8(tmp_path: Path) -> None:
    rgb = scene(96, 96)
    rgb = np.clip(rgb + np.random.default_rng(0).normal(0, 8 / 255, rgb.shape), 0, 1).astype(np.float32)
    deep = examine(save(tmp_path / "deep.png", rgb, depth=16))
    assert deep.noise == pytest.approx(examine(save(tmp_path / "flat.png", rgb)).noise, rel=0.02)


def test_too_small_is_said(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"a\.png has 40×60 pixels; at least 48 a side"):
        examine(save(tmp_path / "a.png", scene(60, 40)))


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((4000, 6000), (4000, 6000)),  # 24 MP: whole
        ((16000, 24000), (6928, 6928)),  # 384 MP
        ((1000, 262_000), (1000, 48_000)),
        ((262_000, 48), (262_000, 48)),
        ((500_000, 400), (120_000, 400)),
    ],
)
def test_of_a_huge_picture_the_middle_is_measured(size: tuple[int, int], expected: tuple[int, int]) -> None:
    rows, columns = _middle(*size)
    assert (rows.stop - rows.start, columns.stop - columns.start) == expected
    assert rows.start % 8 == columns.start % 8 == 0
    assert 0 <= rows.start <= size[0] - rows.stop + 16
    assert 0 <= columns.start <= size[1] - columns.stop + 16


def test_a_result_larger_than_photos_may_be_is_measured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a reader refuses by default is taken, and facts speak of the whole."""
    path = tmp_path / "wide.png"
    Image.fromarray(np.tile(np.arange(64, dtype=np.uint8)[:, None], (1, 131_100))).save(
        path, compress_level=1
    )
    with pytest.raises(LimitError):
        open_source(path)
    monkeypatch.setattr("wildsr.evaluation.photo._MOST_PIXELS", 64 * 2048)
    facts = examine(path)
    assert (facts.width, facts.height) == (131_100, 64)
