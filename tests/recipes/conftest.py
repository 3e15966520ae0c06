"""Tiny photos and configurations: a training in a second."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings


@pytest.fixture(autouse=True)
def _threads() -> None:
    """A run sets torch's threads; put them back."""
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="session")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six 64×64 pictures with edges and texture."""
    folder = tmp_path_factory.mktemp("hr")
    for number in range(6):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)).resize(
            (64, 64), Image.Resampling.BICUBIC
        )
        coarse.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def tiny(photos: Path, tmp_path: Path) -> PsnrConfig:
    """A 900-parameter compact network, twelve steps."""
    return PsnrConfig(
        network="srvgg-16",
        arguments={"blocks": 1, "channels": 8, "scale": 2},
        data=DataSettings(
            hr=photos, patch=16, batch=2, validation_photos=2, validation_side=32, cache=tmp_path / "cache"
        ),
        optimiser=OptimiserSettings(learning_rate=1e-3),
        run=RunSettings(
            steps=12, threads=1, log_every=1, validate_every=6, checkpoint_every=3, precision="fp32", ema=0.9
        ),
    )


@pytest.fixture
def said() -> Callable[[str], None]:
    """Takes messages; `.lines` holds them."""

    def say(line: str) -> None:
        say.lines.append(line)  # type: ignore[attr-defined]

    say.lines = []  # type: ignore[attr-defined]
    return say
