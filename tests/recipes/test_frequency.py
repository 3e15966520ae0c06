"""Frequency separation on tiny data: both stages' losses, resumes, the degrader in another recipe's hands."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import curves, vgg_weights
from wildsr.checkpoints import load_network
from wildsr.data import DegradedCrops, Sample
from wildsr.data.learnt import chosen_degradation
from wildsr.data.unpaired import UnpairedCrops
from wildsr.errors import UsageError
from wildsr.networks.dsgan import low_pass
from wildsr.recipes import frequency, psnr
from wildsr.recipes.choosing import configured
from wildsr.recipes.frequency import PRESETS, FrequencyConfig
from wildsr.recipes.frequency_settings import DegraderSettings
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.psnr import PsnrConfig
from wildsr.recipes.train import named_settings
from wildsr.training import perceptual_network as module
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure

Say = Callable[[str], None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four 64×64 photos with noise."""
    folder = tmp_path_factory.mktemp("source")
    for number in range(4):
        rng = np.random.default_rng(50 + number)
        picture = 100 + 20 * number + rng.normal(0, 12, (64, 64, 3))
        Image.fromarray(picture.round().clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def tiny_frequency(tiny_gan: GanConfig, source: Path, monkeypatch: pytest.MonkeyPatch) -> FrequencyConfig:
    """Degrader, warm start and GAN, four steps each."""
    monkeypatch.setattr(
        module, "_lpips_heads", lambda: [torch.full((n,), 0.1) for n in (64, 128, 256, 512, 512)]
    )
    monkeypatch.setattr(module, "_vgg16", lambda: vgg_weights("vgg16"))
    return FrequencyConfig(
        source=source,
        degrader=DegraderSettings(
            steps=4,
            batch=2,
            arguments={"blocks": 1, "channels": 8},
            optimiser=replace(tiny_gan.optimiser, learning_rate=1e-3),
        ),
        network=tiny_gan.network,
        arguments=tiny_gan.arguments,
        warm_steps=4,
        warm_optimiser=replace(tiny_gan.optimiser, learning_rate=1e-3),
        discriminator="patch",
        perceptual="esrgan-vgg16",
        data=tiny_gan.data,
        optimiser=tiny_gan.optimiser,
        discriminator_optimiser=tiny_gan.discriminator_optimiser,
        run=replace(tiny_gan.run, steps=4, validate_every=2, checkpoint_every=2),
    )


def series(run: Path, name: str) -> list[float]:
    return [point[name] for point in curves(run) if name in point]


def close(*values: float) -> object:
    return pytest.approx(list(values), rel=3e-4)


def test_losses_of_all_stages(tiny_frequency: FrequencyConfig, tmp_path: Path, said: Say) -> None:
    run = frequency.run(tiny_frequency, tmp_path / "run", resume=False, say=said)
    expected = {
        "dsgan": {
            "colour": (0.1526358, 0.1660772),
            "perceptual": (0.001725972, 0.001784182),
            "texture": (0.003695915, 0.007263102),
            "discriminator": (1.420303, 2.833363),
        },
        "l1": {"loss": (0.1838452, 0.1945452)},
        "": {
            "pixel": (0.001413964, 0.001506382),
            "perceptual": (0.03052412, 0.02855686),
            "adversarial": (0.003361283, 0.009231471),
            "discriminator": (0.7277695, 0.1827128),
        },
    }
    for stage, terms in expected.items():
        for name, values in terms.items():
            assert series(run / stage, name)[:2] == close(*values), (stage, name)
    degrader = load_network(run / "dsgan")
    assert (degrader.spec.architecture, degrader.spec.scale) == ("dsgan", 1)
    gap = json.loads((run / "dsgan" / "gap.json").read_text())
    assert gap.keys() == {"bicubic", "degraded"}
    card = json.loads((run / "card.json").read_text())
    assert "learnt from real photos" in card["data"]["photos"]
    assert any("too few pictures to say" in line for line in said.lines)  # type: ignore[attr-defined]


@pytest.fixture
def with_identity(tiny_frequency: FrequencyConfig) -> FrequencyConfig:
    """The degrader begins with four steps on L1."""
    how = replace(
        tiny_frequency.degrader,
        warm_steps=4,
        warm_optimiser=replace(tiny_frequency.optimiser, learning_rate=1e-3),
    )
    return replace(tiny_frequency, degrader=how)


def test_the_degrader_first_learns_to_let_pictures_through(
    with_identity: FrequencyConfig, tmp_path: Path, said: Say
) -> None:
    config = configure(
        replace(with_identity, parts="degrader"),
        sets=[
            "degrader.warm_steps=40",
            "degrader.warm_optimiser.learning_rate=1e-2",
            "degrader.steps=1",
            "run.ema=0",
        ],
    )
    run = frequency.run(config, tmp_path / "run", resume=False, say=said)
    losses = series(run / "identity", "loss")
    assert np.mean(losses[-4:]) < 0.7 * np.mean(losses[:4])
    first = load_checkpoint(checkpoints_in(run / "identity")[-1]).tensors
    last = load_checkpoint(checkpoints_in(run / "dsgan")[-1]).tensors
    names = [name for name in first if name.startswith("network/ema/")]
    assert names
    assert all(abs(last[name] - first[name]).max() < 0.01 for name in names)


def test_a_run_cut_off_at_every_stage_ends_at_the_same_weights(
    with_identity: FrequencyConfig, tmp_path: Path, said: Say
) -> None:
    tiny_frequency = with_identity
    whole = frequency.run(tiny_frequency, tmp_path / "a" / "run", resume=False, say=said)
    assert series(whole / "identity", "loss")[:2] == close(0.1984884, 0.2118938)
    place = tmp_path / "b" / "run"
    for stage, crops in (
        ("identity", UnpairedCrops),
        ("dsgan", UnpairedCrops),
        ("l1", DegradedCrops),
        ("tensorboard", DegradedCrops),
    ):
        original = crops.sample

        def cut(
            self: object, seed: int, index: int, stage: str = stage, original: object = original
        ) -> Sample:
            if index == 7 and (place / stage).is_dir():
                raise RuntimeError("power cut")
            return original(self, seed, index)  # type: ignore[operator, no-any-return]

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(crops, "sample", cut)
            with pytest.raises(RuntimeError, match="power cut"):
                frequency.run(tiny_frequency, place, resume=stage != "identity", say=said)
    chosen = configured("frequency", resumed=place)
    assert chosen.config == tiny_frequency
    chosen.run(place, resume=True, say=said)
    for name in ("identity", "dsgan", "l1", ""):
        one, other = (load_checkpoint(checkpoints_in(run / name)[-1]) for run in (whole, place))
        assert one.step == other.step == 4
        assert all(torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)


def test_the_degrader_serves_other_recipes(
    tiny_frequency: FrequencyConfig, tiny: PsnrConfig, tmp_path: Path, said: Say
) -> None:
    """By name of the run; LR is the network's result on bicubic LR, and another degrader is another training."""
    run = frequency.run(replace(tiny_frequency, parts="degrader"), tmp_path / "deg", resume=False, say=said)
    assert not (run / "model.onnx").exists()
    (text,) = named_settings(degradation=str(run))
    config = configure(replace(tiny, run=replace(tiny.run, steps=1)), sets=[text])
    done = psnr.run(config, tmp_path / "psnr", resume=False, say=said)
    assert "learnt from real photos" in json.loads((done / "card.json").read_text())["data"]["photos"]
    chosen = chosen_degradation(str(run), scale=2)
    hr = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    plain = chosen_degradation("bicubic", scale=2).pipeline(hr, np.random.default_rng(0))
    made = chosen.pipeline(hr, np.random.default_rng(0))
    with torch.no_grad():
        expected = load_network(run / "dsgan").network(plain)
    assert abs(made - expected).max() <= 0.5 / 255 + 1e-6
    other = frequency.run(
        configure(tiny_frequency, sets=["parts=degrader", "run.seed=5"]),
        tmp_path / "deg2",
        resume=False,
        say=said,
    )
    assert chosen_degradation(str(other), scale=2).fingerprint != chosen.fingerprint


def test_what_is_no_degrader_is_refused(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    run = psnr.run(replace(tiny, run=replace(tiny.run, steps=1)), tmp_path / "run", resume=False, say=said)
    with pytest.raises(UsageError, match="a model to upscale with"):
        chosen_degradation(str(run), scale=2)
    with pytest.raises(UsageError, match="there is no degradation"):
        chosen_degradation(str(tmp_path / "nothing"), scale=2)


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["source=none"], "nothing given to learn the degradation from"),
        (["data.degradation=bsrgan"], "learns how LR looks"),
    ],
)
def test_what_is_missing_or_too_much(
    tiny_frequency: FrequencyConfig, tmp_path: Path, said: Say, sets: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        frequency.run(configure(tiny_frequency, sets=sets), tmp_path / "run", resume=False, say=said)


def test_clean_photos_that_are_noisier_are_said(
    tiny_frequency: FrequencyConfig,
    photos: Path,
    source: Path,
    tmp_path: Path,
    said: Say,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise RuntimeError("enough")

    monkeypatch.setattr(frequency, "_learn_to_degrade", stop)
    config = replace(tiny_frequency, source=photos, data=replace(tiny_frequency.data, hr=source))
    with pytest.raises(RuntimeError, match="enough"):
        frequency.run(config, tmp_path / "run", resume=False, say=said)
    assert any("HR photos are noisier" in line for line in said.lines)  # type: ignore[attr-defined]


def test_the_high_frequencies_are_what_the_low_ones_leave() -> None:
    picture = torch.rand(1, 3, 24, 24, generator=torch.Generator().manual_seed(0))
    assert torch.allclose(frequency._high_pass(picture) + low_pass(picture, 9), picture, atol=1e-6)
    flat = torch.full((1, 3, 24, 24), 0.3)
    assert abs(frequency._high_pass(flat)).max() < 1e-6


def test_the_papers_numbers() -> None:
    """ALGORITHMS 9.3 and 9.5."""
    preset = PRESETS["esrgan-fs"]
    how = preset.degrader
    assert (how.colour_weight, how.texture_weight, how.perceptual_weight, how.batch) == (1, 0.005, 0.01, 16)
    assert (how.optimiser.learning_rate, how.optimiser.betas) == (2e-4, (0.5, 0.999))
    assert (preset.network, preset.discriminator, preset.filters) == ("rrdb", "vgg-128", True)
    assert (preset.pixel_weight, preset.perceptual_weight, preset.adversarial_weight) == (0.01, 1.0, 0.005)
    assert (preset.run.steps, preset.optimiser.learning_rate) == (60_001, 1e-4)
    assert (frequency._COLOUR_FILTER, frequency._FILTER) == (5, 9)
