"""`wildsr metrics`: the list, and fitting a NIQE model from pictures on disk."""

import json
import math
from pathlib import Path

import pytest
from PIL import Image as Pillow
from typer.testing import CliRunner

from tests.metrics.conftest import photo_like
from wildsr.cli.metrics import app
from wildsr.errors import MetricError, UsageError
from wildsr.metrics import METRICS, load_niqe, niqe
from wildsr.metrics.user_files import FOLDER_VARIABLE

RUN = CliRunner()


def test_list_shows_every_metric() -> None:
    result = RUN.invoke(app, ["list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert all(any(line.split()[:1] == [name] for line in lines) for name in METRICS)


def test_list_as_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(FOLDER_VARIABLE, raising=False)
    facts = {item["name"]: item for item in json.loads(RUN.invoke(app, ["list", "--json"]).stdout)["metrics"]}
    assert list(facts) == list(METRICS)
    assert facts["psnr"]["range"] == [0, None]
    assert facts["niqe"]["minimum"] == [96, 192]
    assert facts["nrqm"]["parameters"] == "needs a file"
    assert facts["lpips"]["reference"] == "hr"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six pictures of 384² in a folder."""
    (tmp_path / "clean").mkdir()
    for seed in range(6):
        Pillow.fromarray(photo_like(seed, 384, 384)).save(tmp_path / "clean" / f"{seed}.png")
    return tmp_path / "clean"


def test_fit_and_judge_by_it(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    output = tmp_path / "niqe_own.npz"
    arguments = ["fit-niqe", str(folder), "-o", str(output), "--sharpness", "0.3"]
    result = RUN.invoke(app, arguments, catch_exceptions=False)
    assert result.stdout.splitlines()[-1] == str(output)
    model = load_niqe(output)
    assert model.source == "6 photographs, sharpness 0.3"
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path))
    picture = photo_like(0, 384, 384)
    assert METRICS["niqe_own"].measure(picture) == niqe(picture, model)
    assert math.isfinite(niqe(picture, model))
    with pytest.raises(UsageError, match="exists"):
        RUN.invoke(app, arguments, catch_exceptions=False)
    assert RUN.invoke(app, [*arguments, "--overwrite"]).exit_code == 0


def test_fit_refuses_what_cannot_be(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.npz"):
        RUN.invoke(app, ["fit-niqe", str(folder), "-o", "model.mat"], catch_exceptions=False)
    one = str(folder / "0.png")
    with pytest.raises(MetricError, match="needs more than 36"):
        RUN.invoke(app, ["fit-niqe", one, "-o", str(tmp_path / "m.npz")], catch_exceptions=False)
    assert not (tmp_path / "m.npz").exists()
