"""The table of metrics tests itself: every entry measures, refuses and explains."""

import math
import re
from pathlib import Path

import numpy as np
import pytest

from tests.metrics.conftest import Pixels, photo_like
from wildsr.errors import MetricError
from wildsr.metrics import METRICS, metric
from wildsr.metrics.parameters import FOLDER_VARIABLE, USER_FILES, has_parameters

REFERENCE = ["psnr", "psnr_y", "ssim", "ssim_y", "ssim_rgb", "lpips", "lpips_vgg", "dists"]
ALONE = [
    "niqe",
    "niqe_matlab",
    "niqe_own",
    "brisque_wheel",
    "brisque",
    "brisque_matlab",
    "piqe",
    "nrqm",
    "pi",
]
NAMES = [*REFERENCE, *ALONE, "lr_consistency", "colour_drift"]
LEARNED = {"lpips", "lpips_vgg", "dists"}
FREE = [name for name in NAMES if not METRICS[name].user_file and name not in LEARNED]


def test_names_and_order() -> None:
    assert list(METRICS) == NAMES
    assert all(name == entry.name for name, entry in METRICS.items())


def test_every_entry_is_quotable() -> None:
    for entry in METRICS.values():
        assert entry.protocol.endswith(".")
        assert entry.family
        assert entry.citation
        assert entry.range[0] < entry.range[1]
        assert entry.minimum[0] <= entry.minimum[1]
        assert entry.needs_reference == (entry.reference != "none")
    higher = {name for name, entry in METRICS.items() if entry.higher_is_better}
    assert higher == {"psnr", "psnr_y", "ssim", "ssim_y", "ssim_rgb", "nrqm", "lr_consistency"}


def test_user_given_files() -> None:
    assert {name for name, entry in METRICS.items() if entry.user_file} == {*USER_FILES, "pi"}


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(MetricError, match="no metric is called 'lpip'") as caught:
        metric("lpip")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean lpips or ")
    assert metric("psnr") is METRICS["psnr"]


@pytest.mark.usefixtures("niqe_parameters", "wheel_parameters")
@pytest.mark.parametrize("name", FREE)
def test_measures_and_prefers_the_better(name: str, photo: Pixels, worse: Pixels) -> None:
    entry = METRICS[name]
    reference = {"hr": photo, "lr": photo, "none": None}[entry.reference]
    good = entry.measure(photo if reference is None else np.clip(photo, 1, 255), reference)
    bad = entry.measure(worse, reference)
    assert math.isfinite(bad)
    if name not in {"niqe", "brisque_wheel", "piqe"}:  # a synthetic picture is not natural to begin with
        assert (good > bad) == entry.higher_is_better
    assert entry.measure(worse, reference) == bad


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].minimum[0] > 1])
def test_too_small_is_an_error_of_its_own(name: str) -> None:
    entry = METRICS[name]
    short, long = entry.minimum
    small = photo_like(3, short - 1, long)
    with pytest.raises(MetricError, match=rf"^{name}: {long}×{short - 1} pixels are too few"):
        entry.measure(small, small)


@pytest.mark.usefixtures("niqe_parameters", "wheel_parameters")
@pytest.mark.parametrize("name", ["niqe", "brisque_wheel"])
@pytest.mark.parametrize("level", [0, 128, 255])
def test_constant_pictures_have_no_statistics(name: str, level: int) -> None:
    constant = np.full((192, 192, 3), level, np.uint8)
    with pytest.raises(MetricError, match=re.compile("constant|texture")):
        METRICS[name].measure(constant)


def test_a_constant_picture_is_the_worst_for_piqe() -> None:
    assert METRICS["piqe"].measure(np.full((40, 40, 3), 90, np.uint8)) == 100


def test_missing_reference_and_border() -> None:
    picture = np.zeros((32, 32, 3), np.uint8)
    with pytest.raises(MetricError, match="psnr needs the HR picture"):
        METRICS["psnr"].measure(picture)
    with pytest.raises(MetricError, match="lr_consistency needs the LR picture"):
        METRICS["lr_consistency"].measure(picture)
    with pytest.raises(MetricError, match="takes no border"):
        METRICS["colour_drift"].measure(picture, picture, border=2)


def test_border_is_cropped_from_both() -> None:
    sr, hr = np.zeros((2, 20, 30, 3), np.uint8)
    sr[:4] = sr[-4:] = 255
    sr[:, :4] = sr[:, -4:] = 255
    assert METRICS["psnr"].measure(sr, hr, border=4) == math.inf
    assert METRICS["psnr"].measure(sr, hr, border=3) < 20


@pytest.mark.parametrize("name", [*USER_FILES, "pi"])
def test_without_its_file_a_metric_says_which(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object, photo: Pixels
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert not has_parameters(name)
    with pytest.raises(MetricError, match=f"set {FOLDER_VARIABLE} to its folder") as caught:
        METRICS[name].measure(photo)
    assert caught.value.hint
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(MetricError, match=re.escape(f"in {tmp_path}")):
        METRICS[name].measure(photo)


@pytest.mark.parametrize("name", NAMES)
def test_the_documented_table_is_this_one(name: str) -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text("utf-8")
    rows = [line for line in page.splitlines() if line.startswith(f"| `{name}`") and line.count("|") == 8]
    assert len(rows) == 1
    entry = METRICS[name]
    cells = [cell.strip() for cell in rows[0].strip("|").split("|")]
    assert cells[1] == ("↑" if entry.higher_is_better else "↓")
    assert cells[3] == {"none": "–", "hr": "HR", "lr": "LR"}[entry.reference]
    assert cells[5] == f"{entry.minimum[1]}×{entry.minimum[0]}"
    assert ("¹" in cells[0]) == entry.user_file
