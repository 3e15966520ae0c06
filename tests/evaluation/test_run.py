import math
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.evaluation.pictures import fill, noisy, save, scene
from wildsr import metrics
from wildsr.engine import Settings
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import (
    BicubicEnlargement,
    Evaluation,
    Measures,
    Network,
    Store,
    existing_results,
    html_report,
    judge,
    read_set,
    to_json,
)
from wildsr.imaging import open_source
from wildsr.models import Model

NAMES = ["a.png", "b.png", "c.png"]


def judged(
    sr: list[Path],
    hr: Path | None,
    store: Store,
    names: str = "psnr,ssim",
    *,
    crop: bool = False,
    border: int = 0,
) -> Evaluation:
    test_set, methods = existing_results(sr, hr=hr)
    measures = Measures(metrics=tuple(names.split(",")), crop=crop, crop_border=border)
    return judge(test_set, methods, measures, store=store)


def pixels(path: Path) -> np.ndarray:
    return np.asarray(open_source(path).samples)


def test_rows_are_the_metrics_of_the_pairs(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    found = judged([sr], hr, store, "psnr,psnr_y,ssim")
    assert [(row.image, row.method) for row in found.rows] == [(name, "sr") for name in NAMES]
    for row in found.rows:
        a, b = pixels(sr / row.image), pixels(hr / row.image)
        assert row.values == {
            "psnr": metrics.psnr(a, b),
            "psnr_y": metrics.psnr_y(a, b),
            "ssim": metrics.ssim(a, b),
        }


def test_border_is_cropped_from_both(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    found = judged([sr], hr, store, "psnr", border=4)
    a, b = pixels(sr / "a.png")[4:-4, 4:-4], pixels(hr / "a.png")[4:-4, 4:-4]
    assert found.rows[0].values["psnr"] == metrics.psnr(a, b)
    assert found.rows[0].values != judged([sr], hr, store, "psnr").rows[0].values


def test_models_run_on_a_set(tmp_path: Path, store: Store, tiny: Model) -> None:
    fill(tmp_path / "set" / "HR", NAMES, scale=4)
    fill(tmp_path / "set" / "LR", NAMES)
    stages = []
    methods = [BicubicEnlargement(store, scale=4), Network("tiny", tiny, Settings(), store, scale=4)]
    found = judge(
        read_set(tmp_path / "set"),
        methods,
        Measures(metrics=("psnr", "lr_consistency")),
        store=store,
        scale=4,
        watch=lambda stage, done, total: stages.append((stage, done, total)),
    )
    assert len(found.rows) == 6
    assert all(row.seconds is not None and row.seconds > 0 for row in found.rows)
    assert stages[0] == ("super-resolving", 0, 6)
    assert stages[-1] == ("measuring", 6, 6)
    assert found.failures == ()


def test_a_rerun_computes_nothing(tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    first = judged([sr], hr, store)

    def refuse(*_: object) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr("wildsr.evaluation.scores.load", refuse)
    again = judged([sr], hr, Store(store.folder))
    assert [row.values for row in again.rows] == [row.values for row in first.rows]
    monkeypatch.undo()
    save(sr / "a.png", noisy(scene(24, 32), 20))
    changed = judged([sr], hr, Store(store.folder))
    assert changed.rows[0].values != first.rows[0].values
    assert changed.rows[1].values == first.rows[1].values


def test_a_rerun_adds_only_new_metrics(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    judged([sr], hr, store, "psnr")
    found = judged([sr], hr, store, "ssim")
    assert list(found.rows[0].values) == ["ssim"]
    assert sum(1 for _ in store.folder.rglob("*.json")) == 3


def test_identical_pictures_are_infinite_said_and_left_out(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    save(sr / "b.png", scene(24, 32, seed=1))
    found = judged([sr], hr, store)
    assert found.rows[1].values["psnr"] == math.inf
    one = found.means["sr"]["psnr"]
    assert one is not None
    assert one.mean == pytest.approx(np.mean([found.rows[k].values["psnr"] for k in (0, 2)]))
    assert one.count == 2
    assert any("infinite (identical pictures) for b.png; 1 of 3 are left out" in note for note in found.notes)
    assert found.failures == ()
    again = judged([sr], hr, Store(store.folder))
    assert again.rows[1].values["psnr"] == math.inf


def test_only_identical_pictures_have_no_mean(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    found = judged([sr], hr, store)
    assert found.means["sr"]["psnr"] is None
    one = found.means["sr"]["ssim"]
    assert one is not None
    assert one.mean == pytest.approx(1)


def test_sizes_that_differ_are_refused_by_name(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    save(sr / "a.png", scene(23, 32))
    save(sr / "c.png", scene(24, 30))
    with pytest.raises(InputError, match=r"a\.png: the result is 32×23, the ground truth 32×24") as error:
        judged([sr], hr, store)
    assert "c.png: the result is 30×24" in str(error.value)
    assert error.value.hint is not None
    assert "--crop" in error.value.hint
    found = judged([sr], hr, store, "psnr", crop=True)
    assert found.rows[0].values["psnr"] == metrics.psnr(pixels(sr / "a.png"), pixels(hr / "a.png")[:23])
    assert any("cut to a common size" in note for note in found.notes)


def test_crop_is_no_cover_for_another_scale(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", ["a.png"], scale=2), fill(tmp_path / "sr", ["a.png"])
    with pytest.raises(InputError, match="--crop takes off 16 pixels a side at most"):
        judged([sr], hr, store, crop=True)


def test_a_models_size_is_checked_before_it_runs(tmp_path: Path, store: Store) -> None:
    fill(tmp_path / "set" / "HR", NAMES, scale=3)
    fill(tmp_path / "set" / "LR", NAMES)
    with pytest.raises(InputError, match="the result is 128×96, the ground truth 96×72"):
        judge(
            read_set(tmp_path / "set"),
            [BicubicEnlargement(store, scale=4)],
            Measures(metrics=("psnr",)),
            store=store,
            scale=4,
        )
    assert not list(store.folder.rglob("*.png"))


def test_too_small_for_one_metric_is_an_error_of_its_own(tmp_path: Path, store: Store) -> None:
    hr, sr = tmp_path / "hr", tmp_path / "sr"
    for name, side in (("a.png", 40), ("tiny.png", 8)):
        save(hr / name, scene(side, side))
        save(sr / name, noisy(scene(side, side), 8))
    found = judged([sr], hr, store, "psnr,ssim")
    small = found.rows[1]
    assert "psnr" in small.values
    assert "ssim" not in small.values
    assert "8×8 pixels are too few; it needs at least 11×11" in small.errors["ssim"]
    assert found.failures == (f"tiny.png, sr: {small.errors['ssim']}",)
    assert to_json(found)["rows"][1]["ssim"] is None  # type: ignore[index,call-overload]
    one = found.means["sr"]["ssim"]
    assert one is not None
    assert one.count == 1
    assert any(note.startswith("ssim: 1 of 2 pictures have no value") for note in found.notes)


def test_constant_pictures_give_numbers(tmp_path: Path, store: Store) -> None:
    save(tmp_path / "hr" / "a.png", np.full((40, 40, 3), 0.5, np.float32))
    save(tmp_path / "sr" / "a.png", np.full((40, 40, 3), 0.25, np.float32))
    found = judged([tmp_path / "sr"], tmp_path / "hr", store, "psnr,ssim")
    # 128 − 64 = 64 levels everywhere: 20 log10(255/64)
    assert found.rows[0].values["psnr"] == pytest.approx(12.0071, abs=1e-3)
    assert 0 < found.rows[0].values["ssim"] < 1


def test_unreadable_pictures_are_refused_by_name(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    (sr / "a.png").write_bytes(b"")
    (sr / "b.png").write_bytes(b"no picture at all")
    with pytest.raises(InputError, match=r"a\.png is empty") as error:
        judged([sr], hr, store)
    assert "b.png" in str(error.value)


def test_a_truncated_picture_fails_alone(tmp_path: Path, store: Store) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    whole = (sr / "b.png").read_bytes()
    (sr / "b.png").write_bytes(whole[: len(whole) // 2])
    found = judged([sr], hr, store, "psnr")
    assert len(found.failures) == 1
    assert found.failures[0].startswith("b.png, sr: ")
    one = found.means["sr"]["psnr"]
    assert one is not None
    assert one.count == 2


def test_16_bit_and_gray_and_profiles_are_judged(tmp_path: Path, store: Store) -> None:
    rgb = scene(24, 32)
    save(tmp_path / "hr" / "a.png", rgb, depth=16)
    save(tmp_path / "sr" / "a.png", noisy(rgb, 8), depth=16)
    save(tmp_path / "hr" / "g.png", rgb, gray=True)
    save(tmp_path / "sr" / "g.png", noisy(rgb, 8), gray=True)
    found = judged([tmp_path / "sr"], tmp_path / "hr", store, "psnr")
    # σ 8: 20 log10(255/8) = 30.07 dB; the mean of three channels has σ 8/√3: 34.84 dB; clipping adds a little
    assert found.rows[0].values["psnr"] == pytest.approx(30.1, abs=0.5)
    assert found.rows[1].values["psnr"] == pytest.approx(34.9, abs=0.5)


@pytest.mark.parametrize("names", ["nothing", "psnr,psnr", ""])
def test_metric_names_are_checked(names: str) -> None:
    with pytest.raises(UsageError, match=r"no metric is called 'nothing'|metrics are"):
        Measures(metrics=tuple(name for name in names.split(",") if name))


def test_needs_are_checked(tmp_path: Path, store: Store) -> None:
    sr = fill(tmp_path / "sr", NAMES)
    with pytest.raises(UsageError, match="psnr compare with ground truth, which sr doesn't have"):
        judged([sr], None, store, "psnr,piqe")
    with pytest.raises(UsageError, match="colour_drift compare with LR pictures"):
        judged([sr], sr, store, "colour_drift")
    with pytest.raises(UsageError, match="crop-border is -1"):
        Measures(metrics=("psnr",), crop_border=-1)


def test_no_reference_metrics_need_no_truth(tmp_path: Path, store: Store) -> None:
    sr = fill(tmp_path / "sr", ["a.png"], scale=4)
    found = judged([sr], None, store, "piqe")
    assert found.rows[0].values["piqe"] == metrics.piqe(pixels(sr / "a.png"))
    assert found.protocol["reference"] is None


def test_a_metric_without_its_parameter_file_fails_first(
    tmp_path: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wildsr.errors import MetricError

    monkeypatch.delenv("WILDSR_METRICS", raising=False)
    with pytest.raises(MetricError, match="nrqm needs a parameter file"):
        judged([fill(tmp_path / "sr", NAMES)], None, store, "nrqm")


def test_results_wider_than_photos_may_be_are_judged(tmp_path: Path, store: Store) -> None:
    """262,000 pixels: four times the widest JPEG."""
    for number, folder in enumerate(("hr", "sr")):
        (tmp_path / folder).mkdir()
        row = (np.arange(262_000) // 4096 % 251 + number).astype(np.uint8)
        Image.fromarray(np.tile(row, (2, 1))).save(tmp_path / folder / "wide.png", compress_level=1)
    found = judged([tmp_path / "sr"], tmp_path / "hr", store, "psnr")
    assert found.failures == ()
    assert found.rows[0].values["psnr"] == pytest.approx(20 * math.log10(255))
    assert "wide.png" in html_report(found)
