"""`wildsr train` from the outside: printed configuration, listed recipes, refused mistakes, one real run."""

import json
import os
import subprocess
import sys
import tomllib
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from wildsr.cli.main import app
from wildsr.errors import UsageError
from wildsr.recipes import RECIPES
from wildsr.training.durations import seconds

runner = CliRunner()
CASES = [(recipe, preset) for recipe, item in RECIPES.items() for preset in item.presets]


@pytest.mark.parametrize(("recipe", "preset"), CASES)
def test_every_preset_prints_its_configuration(recipe: str, preset: str) -> None:
    result = runner.invoke(app, ["train", recipe, "--preset", preset, "--print-config"])
    assert result.exit_code == 0
    config = RECIPES[recipe].presets[preset]
    printed = tomllib.loads(result.stdout)
    assert printed
    assert set(printed) <= {field.name for field in fields(config)}
    assert printed.get("network") == getattr(config, "network", None)


def test_options_become_settings(tmp_path: Path) -> None:
    (tmp_path / "c.toml").write_text("[data]\nbatch = 3\npatch = 64\n")
    options = [
        "--hr",
        str(tmp_path),
        "--steps",
        "7",
        "--config",
        str(tmp_path / "c.toml"),
        "--set",
        "data.patch=32",
    ]
    result = runner.invoke(app, ["train", "rcan", *options, "--print-config"])
    assert result.exit_code == 0
    printed = tomllib.loads(result.stdout)
    assert printed["network"] == "rcan"
    assert printed["data"]["hr"] == str(tmp_path.resolve())
    assert (printed["data"]["batch"], printed["data"]["patch"]) == (3, 32)
    assert (printed["run"]["steps"], printed["run"]["time_budget"]) == (7, 0.0)
    result = runner.invoke(
        app, ["train", "psnr", "--time-budget", "1h30m", "--start", "realsr-df2k", "--print-config"]
    )
    assert tomllib.loads(result.stdout)["run"]["time_budget"] == 5400
    assert tomllib.loads(result.stdout)["start"] == "realsr-df2k"


@pytest.mark.parametrize("recipe", ["psnr", "gan"])
def test_a_profile_and_a_degradation_are_settings(recipe: str, tmp_path: Path) -> None:
    file = tmp_path / "cam.profile"
    result = runner.invoke(app, ["train", recipe, "--profile", str(file), "--print-config"])
    assert tomllib.loads(result.stdout)["data"]["profile"] == str(file.resolve())
    result = runner.invoke(app, ["train", recipe, "--degradation", "bsrgan", "--print-config"])
    assert tomllib.loads(result.stdout)["data"]["degradation"] == "bsrgan"
    result = runner.invoke(app, ["train", recipe, "--degradation", "bsrgam", "--print-config"])
    assert isinstance(result.exception, UsageError)
    assert str(result.exception) == "`data.degradation` = 'bsrgam': unknown degradation `bsrgam`"
    assert result.exception.hint == "did you mean bsrgan?"


def test_without_a_recipe_all_are_listed() -> None:
    result = runner.invoke(app, ["train"])
    assert result.exit_code == 0
    for recipe, item in RECIPES.items():
        assert f"{recipe}: {item.summary}" in result.stdout
        assert all(preset in result.stdout for preset in item.presets)


@pytest.mark.parametrize(
    ("arguments", "message", "hint"),
    [
        (["pnsr"], "there is no recipe `pnsr`", "did you mean psnr"),
        (["psnr", "--preset", "rcam"], "has no preset `rcam`", "did you mean rcan"),
        (["psnr", "--set", "data.pacth=3"], "unknown setting `data.pacth`", "did you mean patch"),
        (["psnr", "--hr", "."], "no folder given for the run", "-o runs/psnr"),
        (["psnr", "--time-budget", "soon"], "'soon' is not a time", "40m"),
        (["psnr", "--resume", "-o", "nowhere"], "nowhere holds nothing to resume", "leave out --resume"),
    ],
)
def test_mistakes_are_named_with_the_way_out(arguments: list[str], message: str, hint: str) -> None:
    result = runner.invoke(app, ["train", *arguments])
    assert isinstance(result.exception, UsageError)
    assert message in str(result.exception)
    assert hint in (result.exception.hint or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [("40m", 2400), ("1h30m", 5400), ("90s", 90), ("90", 90), ("1.5 h", 5400), ("2min", 120)],
)
def test_times(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "m", "5 apples", "-3m", "1h-3m"])
def test_no_times(text: str) -> None:
    with pytest.raises(UsageError):
        seconds(text)


@pytest.mark.e2e
@pytest.mark.slow
@pytest.mark.train
def test_train_then_resume_then_refuse(tmp_path: Path) -> None:
    """In real processes: exit codes, stdout for data, stderr for talk."""
    (tmp_path / "hr").mkdir()
    for number in range(3):
        rng = np.random.default_rng(number)
        Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)).save(
            tmp_path / "hr" / f"{number}.png"
        )
    sets = [
        "arguments.blocks=1",
        "arguments.channels=4",
        "data.patch=16",
        "data.batch=1",
        "data.validation_photos=1",
    ]
    options = [piece for text in sets for piece in ("--set", text)]
    command = [sys.executable, "-m", "wildsr", "train", "psnr", "-o", "run"]

    def call(*more: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [*command, *more],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
            env=dict(os.environ),
        )

    first = call("--hr", "hr", "--steps", "3", *options)
    assert first.returncode == 0, first.stderr
    assert first.stdout == "run\n"
    assert "step 3/3: loss" in first.stderr
    assert json.loads((tmp_path / "run" / "card.json").read_text())["steps"] == 3
    again = call("--resume")
    assert again.returncode == 0, again.stderr
    assert "resumed at step 3 of 3" in again.stderr
    other = call("--resume", "--set", "loss=l2")
    assert other.returncode == 2
    assert "loss: l1 → l2" in other.stderr
    assert "hint:" in other.stderr
