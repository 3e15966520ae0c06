"""Tiny photos and configurations: a training in a second."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor

from wildsr.networks.features import VGGFeatures
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training import perceptual_network as module
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


def vgg_weights(network: str) -> dict[str, Tensor]:
    torch.manual_seed(0)
    weights = VGGFeatures(network, ("pool5",)).state_dict()  # type: ignore[arg-type]
    return {name: tensor * 2 if name.endswith("weight") else tensor for name, tensor in weights.items()}


@pytest.fixture
def tiny_gan(tiny: PsnrConfig, monkeypatch: pytest.MonkeyPatch) -> GanConfig:
    monkeypatch.setattr(module, "_vgg16", lambda: vgg_weights("vgg16"))
    monkeypatch.setattr(
        "wildsr.training.validation.lpips", lambda sr, hr: float(abs(sr / 255 - hr / 255).mean())
    )
    return GanConfig(
        network=tiny.network,
        arguments=tiny.arguments,
        discriminator="unet-small",
        perceptual="esrgan-vgg16",
        data=replace(tiny.data, patch=32),
        optimiser=replace(tiny.optimiser, learning_rate=1e-4),
        discriminator_optimiser=replace(tiny.optimiser, learning_rate=1e-4),
        run=replace(tiny.run, steps=6, validate_every=3, checkpoint_every=2),
    )


@pytest.fixture
def said() -> Callable[[str], None]:
    """Takes messages; `.lines` holds them."""

    def say(line: str) -> None:
        say.lines.append(line)  # type: ignore[attr-defined]

    say.lines = []  # type: ignore[attr-defined]
    return say


def curves(run: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in (run / "curves.jsonl").read_text().splitlines()]
