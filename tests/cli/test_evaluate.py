import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from tests.evaluation.pictures import fill, save, scene
from wildsr.cli import evaluate
from wildsr.errors import InputError, UsageError

NAMES = ["a.png", "b.png"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def run(*arguments: str | Path) -> Result:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(evaluate.evaluate)
    return CliRunner().invoke(app, [str(one) for one in arguments])


def test_results_against_ground_truth(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    out = tmp_path / "out"
    result = run(
        sr,
        "--hr",
        hr,
        "--metrics",
        "psnr,ssim",
        "--json",
        out / "e.json",
        "--csv",
        out / "e.csv",
        "--html",
        out / "e.html",
        "--markdown",
        out / "e.md",
    )
    assert result.exit_code == 0
    assert result.stdout.startswith("| method | psnr ↑ | ssim ↑ |\n")
    found = json.loads((out / "e.json").read_text())
    assert set(found) == {"protocol", "rows", "mean", "ranks"}
    assert [set(row) for row in found["rows"]] == [{"image", "method", "psnr", "ssim"}] * 2
    assert [row["image"] for row in found["rows"]] == NAMES
    assert found["mean"]["sr"]["psnr"] == pytest.approx(sum(row["psnr"] for row in found["rows"]) / 2)
    assert found["protocol"]["crop_border"] == 0
    assert (out / "e.csv").read_text().startswith("image,method,psnr,ssim\na.png,sr,")
    assert (out / "e.md").read_text() == result.stdout
    assert (out / "e.html").read_text().startswith("<!doctype html>")


def test_nested_folders_are_judged_by_their_mirrored_names(tmp_path: Path) -> None:
    for place, names in (("s1", ["a", "b"]), ("s2", ["a"])):
        fill(tmp_path / "hr" / place, [f"{name}.png" for name in names])
        fill(tmp_path / "sr" / place, [f"{name}_x4.png" for name in names], sigma=8)
    result = run(tmp_path / "sr", "--hr", tmp_path / "hr", "--metrics", "psnr", "--json", "-")
    found = json.loads(result.stdout)
    assert [row["image"] for row in found["rows"]] == ["s1/a.png", "s1/b.png", "s2/a.png"]
    assert result.exit_code == 0


def test_json_to_stdout_is_data_alone(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    result = run(sr, "--hr", hr, "--metrics", "psnr", "--json", "-")
    found = json.loads(result.stdout)
    assert [row["psnr"] for row in found["rows"]] == ["inf", "inf"]
    assert found["mean"] == {"sr": {"psnr": None}}
    assert "infinite (identical pictures) for a.png, b.png" in found["protocol"]["notes"][0]


def test_bicubic_on_a_set_by_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(tmp_path / "sets" / "Mine" / "HR", NAMES, scale=2)
    fill(tmp_path / "sets" / "Mine" / "LR", NAMES)
    monkeypatch.setenv("WILDSR_SETS", str(tmp_path / "sets"))
    result = run("--models", "bicubic", "--set", "mine", "--metrics", "psnr", "--json", "-")
    found = json.loads(result.stdout)
    assert found["protocol"]["scale"] == 2
    assert found["rows"][0]["method"] == "bicubic"
    assert found["rows"][0]["seconds"] > 0


def test_several_methods_follow_models(tmp_path: Path) -> None:
    fill(tmp_path / "set" / "HR", NAMES, scale=2)
    fill(tmp_path / "set" / "LR", NAMES)
    fill(tmp_path / "mine", NAMES, scale=2, sigma=4)
    result = run(
        "--models",
        "bicubic",
        tmp_path / "mine",
        "--set",
        tmp_path / "set",
        "--metrics",
        "psnr",
        "--json",
        "-",
    )
    assert list(json.loads(result.stdout)["mean"]) == ["bicubic", "mine"]


def test_failures_are_named_and_exit_1(tmp_path: Path) -> None:
    for folder in ("hr", "sr"):
        save(tmp_path / folder / "tiny.png", scene(5, 5))
    result = run(tmp_path / "sr", "--hr", tmp_path / "hr", "--metrics", "psnr,ssim")
    assert result.exit_code == 1
    assert "failed: tiny.png, sr: ssim: 5×5 pixels are too few" in " ".join(result.stderr.split())


@pytest.mark.parametrize("shown", [(), ("--blind-reference",)])
def test_a_blind_page_is_written_and_its_choices_scored(shown: tuple[str, ...], tmp_path: Path) -> None:
    hr = fill(tmp_path / "hr", NAMES, scale=4)
    one, two = (
        fill(tmp_path / "one", NAMES, scale=4, sigma=4),
        fill(tmp_path / "two", NAMES, scale=4, sigma=9),
    )
    page = tmp_path / "choose.html"
    result = run(one, two, "--hr", hr, "--metrics", "psnr", "--blind-page", page, *shown)
    assert result.exit_code == 0
    assert page.read_text(encoding="utf-8").count('alt="truth"') == 2 * len(shown)
    assert "2 pairs to choose from" in " ".join(result.stderr.split())
    key = json.loads((tmp_path / "choose.key.json").read_text())
    side = ["left" if crop["left"] == "one" else "right" for crop in key["crops"]]
    choices = tmp_path / "choices.json"
    choices.write_text(json.dumps({"wildsr_blind_choices": 1, "test": key["test"], "choices": side}))
    arguments = ("--blind-key", tmp_path / "choose.key.json", "--blind-choices", choices)
    lines = run(*arguments).stdout.splitlines()
    assert lines[:2] == ["one preferred: 2", "two preferred: 0"]
    assert lines[3].startswith("one in 100% of those where one is preferred (95 % interval 34% to 100%")
    assert json.loads(run(*arguments, "--json", "-").stdout)["preferred"] == {"one": 2, "two": 0}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "nothing to judge"),
        (["--models", "bicubic"], "models are run on a test set"),
        (["sr", "--set", "Set5"], "models are run on a test set"),
        (["sr", "--metrics", "psnrr"], "no metric is called 'psnrr'"),
        (["sr", "--metrics", ","], "metrics are none"),
        (["sr", "--metrics", "psnr"], "psnr compare with ground truth"),
        (["sr", "--crop-border", "-1"], "crop-border is -1"),
        (["--models", "bicubic", "bicubic", "--set", "sr"], "two methods are called bicubic"),
        (["sr", "--blind-page", "p.html"], "a blind page compares two methods, not 1"),
        (
            ["sr", "sr2", "--metrics", "niqe", "--blind-page", "p.html", "--blind-reference"],
            "truth, which is not",
        ),
        (["sr", "--metrics", "niqe", "--blind-reference"], "and none is asked for"),
        (["--blind-key", "k.json"], "choices are scored with the key of their page"),
        (["--blind-choices", "c.json"], "choices are scored with the key of their page"),
    ],
)
def test_misuse(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str], message: str) -> None:
    for name in ("sr", "sr2"):
        fill(tmp_path / name, NAMES)
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)


def test_a_missing_folder_is_named(tmp_path: Path) -> None:
    result = run(tmp_path / "nowhere", "--hr", tmp_path)
    assert isinstance(result.exception, InputError)
    assert "nowhere does not exist" in str(result.exception)


@pytest.mark.e2e
def test_evaluate_leaves_torch_alone(tmp_path: Path) -> None:
    fill(tmp_path / "set" / "HR", NAMES, scale=2)
    fill(tmp_path / "set" / "LR", NAMES)
    code = (
        "import sys\n"
        "from wildsr.cli.evaluate import evaluate\n"
        "evaluate(models=['bicubic'], test_set=sys.argv[1], metrics='psnr,psnr_y,ssim,ssim_y,piqe,colour_drift',"
        " html=sys.argv[1] + '/r.html')\n"
        "print('loaded', sorted(set(sys.modules) & {'torch', 'numpy', 'scipy', 'onnxruntime'}))\n"
    )
    environment = {**os.environ, "WILDSR_CACHE": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "set")],
        capture_output=True,
        text=True,
        env=environment,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "loaded ['numpy']"
    assert (tmp_path / "set" / "r.html").is_file()


def test_official_means_of_bicubic_on_realsr(shared_data: Path) -> None:
    """Computed independently on these 50 pairs: 26.51 dB and .7518 (data/README.md, issue 4)."""
    result = run(
        "--models",
        "bicubic",
        "--set",
        shared_data / "benchmarks" / "RealSR",
        "--metrics",
        "psnr_y,ssim_y",
        "--json",
        "-",
    )
    mean = json.loads(result.stdout)["mean"]["bicubic"]
    assert mean["psnr_y"] == pytest.approx(26.51, abs=0.02)
    assert mean["ssim_y"] == pytest.approx(0.7518, abs=0.001)
