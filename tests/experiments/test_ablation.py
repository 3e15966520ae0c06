"""The ablation of RealSR: its camera, its pairs, what it concludes; the trainings are the recipe's tests' matter."""

import csv
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.experiments.test_experiments import asked, pictures
from wildsr.errors import InputError
from wildsr.experiments import Asked, ablation
from wildsr.experiments.ablation_page import BICUBIC, BOTH, CAMERA, KERNELS, NEITHER, NOISE, PAIRS, gain
from wildsr.experiments.hidden import camera
from wildsr.experiments.measuring import Bytes, Row, enlarger, middle_of_pair

__all__ = ["asked", "pictures"]


def make_pairs(folder: Path, count: int) -> Path:
    """Noise and its upper left pixels of 4 × 4, as PNG."""
    for name in ("HR", "LR"):
        (folder / name).mkdir(parents=True)
    for number in range(count):
        lr = np.random.default_rng(number).integers(0, 256, (24, 28, 3), dtype=np.uint8)
        Image.fromarray(lr).save(folder / "LR" / f"{number}.png")
        Image.fromarray(lr.repeat(4, 0).repeat(4, 1)).save(folder / "HR" / f"{number}.png")
    return folder


def test_the_hidden_camera_blurs_by_the_kernel_it_names() -> None:
    """Variances of a line's profile: 2.6² and 1.9² HR pixels turned by 30°, beside the pixel's own and the rounding."""
    for axis, variance in ((0, 2.6**2 * 0.25 + 1.9**2 * 0.75), (1, 2.6**2 * 0.75 + 1.9**2 * 0.25)):
        hr = np.zeros((256, 256, 3), np.uint8)
        hr[(slice(126, 130), slice(None)) if axis == 0 else (slice(None), slice(126, 130))] = 255
        lr = np.mean([camera(hr, str(number)).astype(float) for number in range(20)], axis=0)
        profile = lr.mean(axis=(1 - axis, 2))
        profile = profile - np.median(profile)
        at = np.arange(64) * 4 + 1.5
        near = np.abs(at - 128) < 16
        centre = (profile * at)[near].sum() / profile[near].sum()
        found = (profile * (at - centre) ** 2)[near].sum() / profile[near].sum()
        assert abs(centre - 127.5) < 0.3
        assert abs(found - variance - 16 / 12) < 0.15 * variance


def test_the_hidden_camera_has_noise_with_a_grain() -> None:
    flat = np.full((256, 256, 3), 128, np.uint8)
    one = camera(flat, "a").astype(float)
    assert np.array_equal(one, camera(flat, "a"))
    assert not np.array_equal(one, camera(flat, "b"))
    expected = 255 * np.sqrt(128 / 255 / 1500 + (2 / 255) ** 2 + (1 / 255) ** 2 / 12)
    assert abs(one.std() / expected - 1) < 0.05
    assert np.corrcoef(one[:, 1:].ravel(), one[:, :-1].ravel())[0, 1] > 0.5
    dark = camera(np.full((256, 256, 3), 20, np.uint8), "a").astype(float)
    assert dark.std() < one.std()


def test_the_middle_of_a_pair_shows_the_same(tmp_path: Path) -> None:
    folder = make_pairs(tmp_path, 1)
    hr, lr = middle_of_pair(folder / "HR" / "0.png", folder / "LR" / "0.png", largest=50)
    assert lr.shape == (12, 12, 3)
    assert np.array_equal(hr, lr.repeat(4, 0).repeat(4, 1))
    assert np.array_equal(lr, np.asarray(Image.open(folder / "LR" / "0.png"))[6:18, 8:20])
    with pytest.raises(InputError, match="112×96, and its LR picture 112×96"):
        middle_of_pair(folder / "HR" / "0.png", folder / "HR" / "0.png")


def test_a_part_gives_what_it_changes_picture_by_picture() -> None:
    rows = [
        Row(picture=picture, method=method, condition=CAMERA, values={"lpips": value})
        for method, values in ((BOTH, (0.2, 0.4)), (NEITHER, (0.3, 0.6)))
        for picture, value in zip("ab", values, strict=True)
    ]
    rows.append(Row(picture="a", method=BOTH, condition=PAIRS, values={"lpips": 9.0}))
    rows.append(Row(picture="c", method=NEITHER, condition=CAMERA, values={"lpips": 9.0}))
    found = gain(rows, "lpips", CAMERA, BOTH, NEITHER)
    assert found is not None
    assert found.mean == pytest.approx(-0.15)
    assert gain(rows, "lpips", PAIRS, BOTH, NEITHER) is None


@pytest.fixture
def untrained(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Bicubic enlargement in place of each variant, the better the more it knows; returns the conditions trained."""
    trained: list[str] = []

    def variants(_: Asked, clean: Path, one: ablation._Camera, *__: object) -> list[tuple[str, Path]]:
        if one.condition == CAMERA:
            assert not {path.stem for path in clean.iterdir()} & {path.stem for path in one.source.iterdir()}
        trained.append(one.condition)
        return [(method, Path(method)) for method in (BOTH, NOISE, KERNELS, NEITHER)]

    def worse(model: Path | None) -> object:
        plain = enlarger(None)
        error = {None: 30, Path(NEITHER): 20, Path(NOISE): 15, Path(KERNELS): 10, Path(BOTH): 0}[model]

        def enlarge(lr: Bytes) -> Bytes:
            field = np.random.default_rng(0).integers(
                -error, error + 1, (lr.shape[0] * 4, lr.shape[1] * 4, 3)
            )
            return np.clip(plain(lr).astype(int) + field, 0, 255).astype(np.uint8)

        return enlarge

    monkeypatch.setattr(ablation, "_steps", lambda *_, **__: ablation._Steps(start=10, warm=20, gan=30))
    monkeypatch.setattr(ablation, "_start", lambda *_: Path("start"))
    monkeypatch.setattr(ablation, "_variants", variants)
    monkeypatch.setattr(ablation, "enlarger", worse)
    monkeypatch.setattr(ablation, "LEAST_SIDE", 64)
    monkeypatch.setattr(ablation, "RECOVERY", ("psnr_y", "ssim_y"))
    monkeypatch.setattr(
        ablation,
        "measured",
        lambda sr, hr, names: (
            ablation_measured(sr, hr, names)
            | {"lpips": float(np.abs(sr.astype(int) - hr).mean() / 255), "dists": 0.1}
        ),
    )
    return trained


ablation_measured = ablation.measured


def test_from_end_to_end_on_both_cameras(asked: Asked, tmp_path: Path, untrained: list[str]) -> None:
    """Halves of the photos are clean, the other the camera's; of the pairs each second one is tested."""
    pairs = make_pairs(tmp_path / "real", 4)
    whole = replace(asked, pairs=pairs)
    page = ablation.run(whole)
    assert untrained == [CAMERA, PAIRS]
    assert sorted(path.name for path in (asked.runs / "ablation-clean").iterdir()) == ["0.png", "2.png"]
    assert [path.name for path in (asked.runs / "ablation-hidden").iterdir()] == ["1.png"]
    with Image.open(asked.runs / "ablation-hidden" / "1.png") as taken:
        assert taken.size == (28, 24)
    assert sorted(path.name for path in (asked.runs / "pairs-learnt").iterdir()) == ["0.png", "2.png"]
    rows = list(csv.DictReader((page.parent / "values.csv").read_text().splitlines()))
    assert len(rows) == 5 * (3 + 2)
    assert {row["picture"] for row in rows if row["condition"] == PAIRS} == {"1.png", "3.png"}
    text = page.read_text()
    assert "## A hidden camera" in text
    assert "## Real pairs" in text
    assert "--pairs real/" in text
    assert text.count("Both: LPIPS falls, −") == 2
    assert "10 steps on bicubic LR, then 20 on L1 and 30 of the GAN" in text
    for name in ("gains.svg", "hidden.jpg", "pairs.jpg"):
        assert (page.parent / name).stat().st_size > 500


def test_without_pairs_there_is_the_hidden_camera_alone(asked: Asked, untrained: list[str]) -> None:
    text = ablation.run(asked).read_text()
    assert untrained == [CAMERA]
    assert "Real pairs" not in text
    assert BICUBIC in text


def test_too_few_photos_or_pairs_are_named(
    asked: Asked, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = tmp_path / "one"
    one.mkdir()
    Image.new("RGB", (64, 64)).save(one / "a.png")
    few = replace(asked, hr=one)
    with pytest.raises(InputError, match="1 photo in"):
        ablation.run(few)
    single = replace(asked, pairs=make_pairs(tmp_path / "real", 1))
    with pytest.raises(InputError, match="no photo for the hidden camera"):  # of 96 × 112 pixels
        ablation.run(asked)
    monkeypatch.setattr(ablation, "LEAST_SIDE", 64)
    with pytest.raises(InputError, match="1 pairs"):
        ablation.run(single)
