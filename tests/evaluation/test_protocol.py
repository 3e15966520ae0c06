"""What stands beside the numbers."""

import datetime
import platform
from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.pictures import fill
from wildsr.engine import Settings
from wildsr.evaluation import BicubicEnlargement, Measures, Network, Store, existing_results, judge, read_set
from wildsr.metrics import METRICS
from wildsr.models import Model
from wildsr.version import __version__

NAMES = ["a.png", "b.png", "c.png"]


def described(
    tmp_path: Path, store: Store, *names: str, hr: bool = True, **options: object
) -> dict[str, object]:
    truth = fill(tmp_path / "truth", NAMES)
    sr = fill(tmp_path / "mine", NAMES, sigma=8)
    test_set, methods = existing_results([sr], hr=truth if hr else None)
    measures = Measures(metrics=names, **options)  # type: ignore[arg-type]
    return dict(judge(test_set, methods, measures, store=store).protocol)


def test_every_metric_is_quoted_with_its_sentence(tmp_path: Path, store: Store) -> None:
    found = described(tmp_path, store, "psnr_y", "ssim")
    assert found["metrics"] == {
        name: {
            "protocol": METRICS[name].protocol,
            "family": METRICS[name].family,
            "better": "higher",
            "compares_with": "hr",
        }
        for name in ("psnr_y", "ssim")
    }


def test_how_the_set_was_judged_is_said(tmp_path: Path, store: Store) -> None:
    found = described(tmp_path, store, "psnr", crop_border=2, crop=True)
    assert (found["set"], found["pictures"], found["reference"]) == ("truth", 3, "HR pictures")
    assert (found["crop_border"], found["crop_to_common_size"], found["scale"]) == (2, True, None)
    assert found["methods"] == {"mine": {"kind": "results"}}


def test_without_ground_truth_none_is_claimed(tmp_path: Path, store: Store) -> None:
    test_set, methods = existing_results([fill(tmp_path / "large", NAMES, scale=4)])
    found = judge(test_set, methods, Measures(metrics=("piqe",)), store=store).protocol
    assert found["reference"] is None
    assert found["set"] == "large"


def test_intervals_are_those_of_the_means(tmp_path: Path, store: Store) -> None:
    truth, sr = fill(tmp_path / "truth", NAMES), fill(tmp_path / "mine", NAMES, sigma=8)
    test_set, methods = existing_results([sr], hr=truth)
    found = judge(test_set, methods, Measures(metrics=("psnr",)), store=store)
    one = found.means["mine"]["psnr"]
    assert one is not None
    assert found.protocol["confidence_95"] == {"mine": {"psnr": [one.low, one.high]}}
    assert one.low <= np.mean([row.values["psnr"] for row in found.rows]) <= one.high


def test_versions_date_and_machine_are_named(tmp_path: Path, store: Store) -> None:
    found = described(tmp_path, store, "psnr")
    versions = found["versions"]
    assert isinstance(versions, dict)
    assert versions["wildsr"] == __version__
    assert versions["numpy"] == np.__version__
    assert versions["python"] == platform.python_version()
    hardware = found["hardware"]
    assert isinstance(hardware, dict)
    assert isinstance(hardware["cores"], int)
    assert hardware["processor"]
    today = datetime.datetime.now(tz=datetime.UTC).date()
    assert datetime.date.fromisoformat(str(found["date"])) in {today, today - datetime.timedelta(days=1)}


@pytest.mark.parametrize("color_fix", [False, True])
def test_models_say_all_that_changes_pixels(
    tmp_path: Path, store: Store, tiny: Model, color_fix: bool
) -> None:
    fill(tmp_path / "set" / "HR", NAMES, scale=4)
    fill(tmp_path / "set" / "LR", NAMES)
    methods = [
        BicubicEnlargement(store, scale=4),
        Network("tiny", tiny, Settings(color_fix=color_fix, precision="fp32"), store, scale=4),
    ]
    measures = Measures(metrics=("psnr",))
    found = judge(read_set(tmp_path / "set"), methods, measures, store=store, scale=4).protocol
    named = found["methods"]
    assert isinstance(named, dict)
    assert found["scale"] == 4
    assert named["bicubic"] == {"kind": "interpolation", "resampling": "bicubic, a = -1/2 (MATLAB's)"}
    facts = named["tiny"]
    assert isinstance(facts, dict)
    assert (facts["color_fix"], facts["precision"], facts["sha256"]) == (color_fix, "fp32", "0" * 64)
    assert {"backend", "device", "threads", "strength", "ensemble", "tiling", "licence"} <= set(facts)


def test_notes_and_errors_go_along(tmp_path: Path, store: Store) -> None:
    truth, sr = fill(tmp_path / "truth", NAMES), fill(tmp_path / "mine", NAMES)
    (sr / "b.png").write_bytes((sr / "b.png").read_bytes()[:-40])
    test_set, methods = existing_results([sr], hr=truth)
    found = judge(test_set, methods, Measures(metrics=("psnr",)), store=store).protocol
    notes, errors = found["notes"], found["errors"]
    assert isinstance(notes, list)
    assert isinstance(errors, list)
    assert any("infinite (identical pictures) for a.png, c.png" in str(note) for note in notes)
    assert len(errors) == 1
    assert str(errors[0]).startswith("b.png, mine: ")
