"""What every run of the whole program needs: a model, a cache of its own, pictures."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from tests.engine.tiny import save, tiny_compact
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

Run = Callable[..., subprocess.CompletedProcess[bytes]]
TIMEOUT = 120
"""Seconds any run may take, on a machine that is busy with other things."""


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ×4 model file that says what it is."""
    folder = tmp_path_factory.mktemp("model")
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    return save(embed_spec(tiny_compact(), spec), folder / "tiny.onnx")


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """The environment of a machine with an empty cache and no network."""
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "WILDSR_CACHE": str(cache), "WILDSR_OFFLINE": "1", "COLUMNS": "200"}


@pytest.fixture
def run(tmp_path: Path, environment: dict[str, str]) -> Run:
    """Run `wildsr …` in `tmp_path`."""

    def run(
        *arguments: str | bytes | Path, prepare: Callable[[], None] | None = None, **more: str
    ) -> subprocess.CompletedProcess[bytes]:
        return subprocess.run(
            [sys.executable, "-m", "wildsr", *arguments],
            cwd=tmp_path,
            env={**environment, **more},
            capture_output=True,
            timeout=TIMEOUT,
            check=False,
            preexec_fn=prepare,
        )

    return run


def photo(path: Path, *, seed: int = 0, size: tuple[int, int] = (24, 24)) -> Path:
    """Write a small picture: smooth, with some noise."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    waves = np.stack([128 + 90 * np.sin(x / (4 + c) + seed) * np.cos(y / (5 + c)) for c in range(3)], axis=2)
    noise = np.random.default_rng(seed).normal(0, 5, waves.shape)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.clip(waves + noise, 0, 255).astype(np.uint8)).save(path)
    return path


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder but journals, by name."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".wildsr-journal.jsonl"
    }


def pixels(path: Path) -> NDArray[np.uint8]:
    """Return a picture's samples as Pillow reads them."""
    with Image.open(path) as image:
        return np.asarray(image)
