"""What experiments measure with: cuts, hidden degradations, seeds, tables of means."""

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from wildsr.errors import InputError, UsageError
from wildsr.experiments import Asked, budget, hidden
from wildsr.experiments.hidden import camera, processed
from wildsr.experiments.measuring import (
    Row,
    clean_picture,
    enlarger,
    measured,
    middle_of_pair,
    rng_of,
    to_bytes,
    to_floats,
)
from wildsr.experiments.writing import detailed_place, mean_of, table, write_crops, write_results, written
from wildsr.imaging import resize_uint8
from wildsr.imaging.luma import luma
from wildsr.metrics.intervals import Interval


def places(height: int, width: int) -> np.ndarray:
    """Red is the row, green the column."""
    out = np.zeros((height, width, 3), np.uint8)
    out[..., 0], out[..., 1] = np.arange(height)[:, None], np.arange(width)[None]
    return out


def saved(path: Path, pixels: np.ndarray) -> Path:
    Image.fromarray(pixels).save(path)
    return path


def test_the_middle_is_cut_to_a_multiple(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", places(50, 71))
    whole = clean_picture(path)
    assert whole.shape == (48, 68, 3)
    assert tuple(whole[0, 0, :2]) == (1, 1)
    small = clean_picture(path, multiple=8, largest=20)
    assert small.shape == (16, 16, 3)
    assert tuple(small[0, 0, :2]) == (17, 27)


def test_pairs_are_cut_at_one_place(tmp_path: Path) -> None:
    hr, lr = saved(tmp_path / "hr.png", places(120, 160)), saved(tmp_path / "lr.png", places(30, 40))
    large, small = middle_of_pair(hr, lr, largest=48)
    assert (large.shape, small.shape) == ((48, 48, 3), (12, 12, 3))
    assert tuple(small[0, 0, :2]) == (9, 14)
    assert tuple(large[0, 0, :2]) == (36, 56)


def test_pairs_of_another_scale_are_named(tmp_path: Path) -> None:
    hr, lr = saved(tmp_path / "hr.png", places(120, 162)), saved(tmp_path / "lr.png", places(30, 40))
    with pytest.raises(InputError, match=r"hr\.png is 162×120, and its LR picture 40×30"):
        middle_of_pair(hr, lr)


def test_all_levels_survive_floats() -> None:
    levels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1).repeat(3, axis=2)
    np.testing.assert_array_equal(to_bytes(to_floats(levels)), levels)
    assert to_bytes(np.array([-0.5, 0.0019, 0.5, 1.7])).tolist() == [0, 0, 128, 255]


def test_seeds_are_words() -> None:
    assert rng_of("a", "b").random() == rng_of("a b").random()
    assert len({rng_of(word).random() for word in ("a", "b", "ä", "caf\udce9")}) == 4


def test_the_border_is_left_out_but_for_networks() -> None:
    hr = places(40, 40)
    sr = hr.copy()
    sr[:4] = sr[-4:] = 255
    sr[:, :4] = sr[:, -4:] = 255
    found = measured(sr, hr, ["psnr", "ssim"])
    assert found["psnr"] == float("inf")
    assert found["ssim"] == pytest.approx(1)
    sr[4, 4, 2] = 30  # 30² in one of 32·32·3 values
    assert measured(sr, hr, ["psnr"])["psnr"] == pytest.approx(10 * np.log10(255**2 * 32 * 32 * 3 / 900))


@pytest.mark.parametrize("scale", [2, 4])
def test_without_a_model_bicubic_enlarges(scale: int) -> None:
    lr = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype=np.uint8)
    np.testing.assert_array_equal(enlarger(None, scale=scale)(lr), resize_uint8(lr, (9 * scale, 12 * scale)))


GRAY = np.full((256, 256, 3), 128, np.uint8)


def test_the_cameras_noise_is_that_of_its_photons() -> None:
    """σ² = x/1500 + (2/255)² at x = .5: 5.1 levels; neighbours go together, since the noise is grained."""
    lr = camera(GRAY, "a")
    assert lr.shape == (64, 64, 3)
    left = lr.astype(np.float64) - 128
    wanted = 255 * np.sqrt((128 / 255) / 1500 + (2 / 255) ** 2)
    assert left.std() == pytest.approx(wanted, rel=0.05)
    beside = float((left[:, 1:] * left[:, :-1]).mean() / (left**2).mean())
    assert beside == pytest.approx(2 / 3, abs=0.05)  # 1 2 1 with itself shifted: 4/6


def test_processing_leaves_sharpened_noise_and_the_brightness(monkeypatch: pytest.MonkeyPatch) -> None:
    """σ = 8 in each channel before sharpening, which passes 1 + .6·(1 − B); luma mixes three channels.

    JPEG, which rounds the noise's highest frequencies by tens of levels, is left out but for shape and brightness.
    """
    lr = processed(GRAY, "a")
    assert lr.shape == (64, 64, 3)
    assert lr.mean() == pytest.approx(128, abs=1.5)
    monkeypatch.setattr(hidden, "_through_jpeg", lambda picture: picture)
    lr = processed(GRAY, "a")
    row = (1 + np.cos(np.arange(64) * 2 * np.pi / 64)) / 2
    binomial = row[:, None] * row[None]
    gain = np.sqrt(np.mean((1.6 - 0.6 * binomial) ** 2))
    wanted = 8 * gain * np.sqrt(0.299**2 + 0.587**2 + 0.114**2)
    assert float(luma(lr.astype(np.float32)).std()) == pytest.approx(wanted, rel=0.06)
    assert 1.1 < gain < 1.6


@pytest.mark.parametrize("degrade", [processed, camera])
def test_hidden_degradations_are_fixed_by_the_name(degrade: object) -> None:
    one, same, other = (degrade(GRAY, name) for name in ("a", "a", "b"))  # type: ignore[operator]
    np.testing.assert_array_equal(one, same)
    assert (one != other).mean() > 0.5


def test_the_camera_blurs_as_it_says() -> None:
    """A step of HR columns becomes a ramp of LR columns as wide as the Gaussian along x."""
    hr = np.zeros((64, 256, 3), np.uint8)
    hr[:, 128:] = 200
    edge = camera(hr, "edge").astype(np.float64).mean(axis=(0, 2))
    slope = np.diff(edge) / 200
    x = np.arange(len(slope))
    near = slice(26, 37)
    weight = slope[near] / slope[near].sum()
    middle = float(weight @ x[near])
    spread = 4 * np.sqrt(float(weight @ (x[near] - middle) ** 2))
    along_x = 2.6**2 * np.cos(np.pi / 6) ** 2 + 1.9**2 * np.sin(np.pi / 6) ** 2
    box = 16 / 12  # differences of samples four pixels apart widen by a box of four
    assert spread == pytest.approx(np.sqrt(along_x + box), rel=0.15)
    assert middle == pytest.approx(31.0, abs=0.15)  # the step lies between LR pixels 31 and 32


def test_the_steepest_place_is_found_and_noise_is_not() -> None:
    rng = np.random.default_rng(1)
    hr = np.full((128, 160, 3), 128, np.uint8)
    hr[:64, :80] = rng.integers(118, 139, (64, 80, 1))  # fine noise
    blocks = rng.integers(0, 2, (8, 8, 1)) * 200
    hr[64:128, 96:160] = np.kron(blocks, np.ones((8, 8, 1))).astype(np.uint8)
    top, left = detailed_place(hr, 32)
    assert 60 <= top <= 96
    assert 92 <= left <= 128
    assert top % 4 == left % 4 == 0
    assert detailed_place(hr, 32, multiple=32)[0] % 32 == 0


ROWS = [
    Row(picture="a", method="x", condition="c", values={"psnr": 20.0, "ssim": 0.5}),
    Row(picture="b", method="x", condition="d", values={"psnr": 22.0}),
    Row(picture="a", method="y", condition="c", values={"psnr": 30.0}),
]


def test_means_are_over_the_rows_wanted() -> None:
    assert mean_of(ROWS, "psnr", method="x").mean == 21  # type: ignore[union-attr]
    assert mean_of(ROWS, "psnr", picture="a").mean == 25  # type: ignore[union-attr]
    assert mean_of(ROWS, "ssim", method="x").mean == 0.5  # type: ignore[union-attr]
    assert mean_of(ROWS, "psnr", method="z") is None


def test_numbers_and_tables_are_written() -> None:
    assert written(None, 2) == "–"
    assert written(Interval(mean=0.25, low=-0.5, high=1.75, count=3), 2) == ".25 [−.50, 1.75]"
    assert written(Interval(mean=20.5, low=20.0, high=21.0, count=3), 1) == "20.5 [20.0, 21.0]"
    assert table(["a", "b"], [["1", "2"]]) == "| a | b |\n| -- | -- |\n| 1 | 2 |"


def test_every_value_is_written_twice(tmp_path: Path) -> None:
    page = write_results(
        tmp_path / "out", page="# Title\n\n\n", rows=ROWS, plots={}, facts={"budget": 60, "label": "ä"}
    )
    assert page.read_text(encoding="utf-8") == "# Title\n"
    rows = list(csv.DictReader((tmp_path / "out" / "values.csv").read_text().splitlines()))
    assert [row["psnr"] for row in rows] == ["20.00000", "22.00000", "30.00000"]
    assert [row["ssim"] for row in rows] == ["0.50000", "", ""]
    whole = json.loads((tmp_path / "out" / "values.json").read_text(encoding="utf-8"))
    assert (whole["budget"], whole["label"]) == (60, "ä")
    assert whole["rows"][2] == {"picture": "a", "method": "y", "condition": "c", "values": {"psnr": 30.0}}
    assert "Python" in whole["machine"]


def test_crops_stand_side_by_side_on_white(tmp_path: Path) -> None:
    crops = [np.full((20, 30, 3), 90, np.uint8), np.full((12, 10, 3), 30, np.uint8)]
    write_crops(tmp_path / "new" / "crops.jpg", crops, gap=6)
    found = np.asarray(Image.open(tmp_path / "new" / "crops.jpg"), np.int64)
    assert found.shape == (20, 46, 3)
    for place, wanted in (((5, 10), 90), ((5, 41), 30), ((5, 33), 255), ((17, 41), 255)):
        assert abs(found[place] - wanted).max() <= 6


def asked(folder: Path, seconds: float) -> Asked:
    return Asked(hr=folder, test=folder, budget=seconds, output=folder, runs=folder, say=print)


@pytest.mark.parametrize("seconds", [0.0, -5.0, float("nan")])
def test_a_budget_that_is_none(tmp_path: Path, seconds: float) -> None:
    with pytest.raises(UsageError, match="it must be above 0"):
        asked(tmp_path, seconds)


def test_pictures_to_test_on_are_found_below_the_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no picture found in"):
        asked(tmp_path, 60).tests()
    (tmp_path / "deep").mkdir()
    saved(tmp_path / "deep" / "b.png", places(8, 8))
    saved(tmp_path / "a.png", places(8, 8))
    assert sorted(one.name for one in asked(tmp_path, 60).tests()) == ["a.png", "b.png"]


def test_steps_that_fit_into_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps of 3, 2 and 1 s: the first also pays for what is done once, the fastest of the others counts."""
    clock = iter([0.0, 3.0, 10.0, 12.0, 20.0, 21.0, *[30.0, 33.0, 40.0, 42.0, 50.0, 51.0]])
    monkeypatch.setattr(budget.time, "process_time", lambda: next(clock))
    done: list[int] = []
    assert budget._fitting(100, lambda: done.append(1)) == 85
    assert len(done) == 3
    with pytest.raises(UsageError, match="hold 42 steps") as caught:
        budget._fitting(50, lambda: None)
    assert "1.2 times as large" in str(caught.value.hint)
