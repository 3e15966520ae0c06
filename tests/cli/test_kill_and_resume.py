"""SIGKILL at random points of `wildsr upscale`: resumed, it ends with the files of an undisturbed run."""

import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.engine.tiny import save, tiny_compact
from wildsr.files import JOURNAL_NAME
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

PICTURES, KILLS = 60, 5


def command(out: str) -> list[str]:
    return [sys.executable, "-m", "wildsr", "upscale", "in", "--recursive", "-o", out, "-m", "tiny.onnx"]


def results(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != JOURNAL_NAME)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with pictures in `in` and a tiny model."""
    spec = ModelSpec(id="tiny", architecture="graph", scale=2, halo=4, halo_exact=4)
    save(embed_spec(tiny_compact(scale=2, width=4, depth=1), spec), tmp_path / "tiny.onnx")
    dice = np.random.default_rng(0)
    (tmp_path / "in" / "sub").mkdir(parents=True)
    for number in range(PICTURES):
        name = f"sub/{number}.jpg" if number % 3 == 0 else f"{number}.jpg"
        pixels = dice.integers(0, 255, (60 + number, 96, 3), dtype=np.uint8)
        Image.fromarray(pixels).save(tmp_path / "in" / name)
    return tmp_path


@pytest.mark.slow
@pytest.mark.e2e
@pytest.mark.skipif(sys.platform == "win32", reason="needs SIGKILL")
def test_kills_change_nothing(place: Path) -> None:
    subprocess.run(command("undisturbed"), cwd=place, check=True, capture_output=True)
    expected = results(place / "undisturbed")
    assert len(expected) == PICTURES
    out = (
        place / "in" / "out"
    )  # inside the input folder, where a second run must not take results for pictures
    dice = random.Random(7)
    for _ in range(KILLS):
        before = len(list(out.rglob("*.png")))
        with subprocess.Popen(
            command("in/out"), cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as run:
            while run.poll() is None and len(list(out.rglob("*.png"))) == before:
                time.sleep(0.01)
            time.sleep(dice.uniform(0, 0.2))
            run.kill()
    subprocess.run(command("in/out"), cwd=place, check=True, capture_output=True)
    assert results(out) == expected
    done = subprocess.run(command("in/out"), cwd=place, check=True, capture_output=True, text=True)
    assert f"0 done, {PICTURES} already done, 0 failed" in done.stderr
