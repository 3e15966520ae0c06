"""The table of metrics tests itself: every entry measures, refuses and explains."""

import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from tests.conftest import REPOSITORY
from tests.metrics.conftest import Pixels, photo_like
from wildsr.cli.metrics import app as metrics_app
from wildsr.errors import MetricError
from wildsr.evaluation import evaluate, html_report, to_markdown
from wildsr.metrics import METRICS, Metric, markdown_table, metric
from wildsr.metrics.user_files import FOLDER_VARIABLE

NAMES = list(METRICS)
USER_FILES = [name for name, entry in METRICS.items() if entry.file is not None]
LEARNED = {"lpips", "lpips_vgg", "dists"}
FREE = [name for name in NAMES if METRICS[name].file is None and name not in LEARNED]


def test_names_are_keys() -> None:
    assert all(name == entry.name for name, entry in METRICS.items())
    assert len({entry.label for entry in METRICS.values()}) == len(METRICS)


@pytest.mark.parametrize(
    ("kind", "first"), [("distortion", "psnr_y"), ("perceptual", "lpips"), ("no-reference", "pi")]
)
def test_the_first_of_a_kind_is_the_one_plots_prefer(kind: str, first: str) -> None:
    assert next(name for name, entry in METRICS.items() if entry.kind == kind) == first


def test_kinds_follow_from_what_is_compared() -> None:
    expected = {"distortion": "hr", "perceptual": "hr", "no-reference": "none", "consistency": "lr"}
    assert all(
        entry.reference == expected[entry.kind] for entry in METRICS.values() if entry.kind != "artefact"
    )


def test_every_entry_is_quotable() -> None:
    for entry in METRICS.values():
        assert entry.protocol.endswith(".")
        assert entry.family
        assert entry.citation
        assert entry.range[0] < entry.range[1]
        assert entry.minimum[0] <= entry.minimum[1]
    higher = {name for name, entry in METRICS.items() if entry.higher_is_better}
    assert higher == {"psnr", "psnr_y", "ssim", "ssim_y", "ssim_rgb", "nrqm", "lr_consistency"}


def test_user_given_files() -> None:
    assert set(USER_FILES) == {"niqe_matlab", "niqe_own", "brisque_matlab", "nrqm", "pi"}


def test_unknown_names_get_a_suggestion() -> None:
    with pytest.raises(MetricError, match="no metric is called 'lpip'") as caught:
        metric("lpip")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("did you mean lpips or ")
    assert metric("psnr") is METRICS["psnr"]


@pytest.mark.usefixtures("niqe_parameters", "wheel_parameters", "brisque_parameters")
@pytest.mark.parametrize("name", FREE)
def test_measures_and_prefers_the_better(name: str, photo: Pixels, worse: Pixels) -> None:
    entry = METRICS[name]
    reference = {"hr": photo, "lr": photo, "none": None}[entry.reference]
    good = entry.measure(photo if reference is None else np.clip(photo, 1, 255), reference)
    bad = entry.measure(worse, reference)
    assert math.isfinite(bad)
    if name not in {
        "niqe",
        "brisque",
        "brisque_wheel",
        "piqe",
    }:  # a synthetic picture is not natural to begin with
        assert (good > bad) == entry.higher_is_better
    assert entry.measure(worse, reference) == bad


@pytest.mark.parametrize("name", [name for name in NAMES if METRICS[name].minimum[0] > 1])
def test_too_small_is_an_error_of_its_own(name: str) -> None:
    entry = METRICS[name]
    short, long = entry.minimum
    small = photo_like(3, short - 1, long)
    with pytest.raises(MetricError, match=rf"^{name}: {long}×{short - 1} pixels are too few"):
        entry.measure(small, small)


@pytest.mark.usefixtures("niqe_parameters", "wheel_parameters", "brisque_parameters")
@pytest.mark.parametrize("name", ["niqe", "brisque", "brisque_wheel"])
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


@pytest.mark.parametrize("name", USER_FILES)
def test_without_its_file_a_metric_says_which(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object, photo: Pixels
) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    assert not METRICS[name].available
    with pytest.raises(MetricError, match=f"set {FOLDER_VARIABLE} to its folder") as caught:
        METRICS[name].measure(photo)
    assert caught.value.hint
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    with pytest.raises(MetricError, match=re.escape(f"in {tmp_path}")):
        METRICS[name].measure(photo)


def test_the_documented_table_is_this_one() -> None:
    page = (REPOSITORY / "docs" / "metrics.md").read_text("utf-8")
    assert markdown_table() in page, "paste what wildsr metrics list --markdown prints into docs/metrics.md"


@pytest.fixture
def darkness(monkeypatch: pytest.MonkeyPatch) -> Metric:
    """A metric added to the table for a test."""
    entry = Metric(
        name="darkness",
        label="Darkness",
        call=lambda picture: float(255 - picture.mean()),
        kind="no-reference",
        direction="lower",
        range=(0, 255),
        unit="levels",
        decimals=1,
        reference="none",
        family="a test",
        citation="no paper",
        minimum=(1, 1),
        protocol="Mean distance from white.",
    )
    monkeypatch.setitem(METRICS, "darkness", entry)
    return entry


def test_a_new_line_in_the_table_is_all_a_metric_takes(darkness: Metric, tmp_path: Path) -> None:
    """Its choice, its help, its place in tables, reports and documentation come from its entry alone."""
    for number in range(2):
        picture = np.full((40, 40, 3), 55 + number, np.uint8)
        Pillow.fromarray(picture).save(tmp_path / f"{number}.png")
    runner = CliRunner()
    listed = json.loads(runner.invoke(metrics_app, ["list", "--json"]).stdout)["metrics"]
    assert listed[-1]["name"] == "darkness"
    assert "| `darkness` | ↓ | 0…255 levels | – | a test | 1×1 | no paper |" in markdown_table()
    found = evaluate([tmp_path], metrics=["darkness"], resume=False)
    assert [row.values["darkness"] for row in found.rows] == [200.0, 199.0]
    assert "| darkness ↓ |" in to_markdown(found)
    assert "| 199.5 |" in to_markdown(found)
    page = html_report(found)
    assert "Darkness ↓" in page
    assert "Mean distance from white. no paper." in page


def test_no_other_file_lists_metrics() -> None:
    """Names appear where a metric is defined, and where some are chosen: evaluation's usual ones, trainings'."""
    source = REPOSITORY / "src" / "wildsr"
    allowed = {
        "evaluation/measures.py",
        "experiments/measuring.py",
        "training/selection.py",
        "training/validation.py",
    }
    listing = {
        path.relative_to(source).as_posix()
        for path in source.rglob("*.py")
        if sum(f'"{name}"' in path.read_text("utf-8") for name in NAMES) > 3
        and path.relative_to(source).as_posix() not in allowed
    }
    assert {name for name in listing if not name.startswith("metrics/")} == set()
