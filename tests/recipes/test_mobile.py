"""Fine-tuning for a phone on tiny data: losses, targets of both modes, resume, pairs that are none."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.engine.tiny import save, tiny_compact
from tests.recipes.conftest import curves
from wildsr.checkpoints import build_network, save_model
from wildsr.checkpoints.onnx_export import export_onnx
from wildsr.data import AlignedCrops, Sample
from wildsr.engine import Settings, Upscaler
from wildsr.errors import InputError, UsageError
from wildsr.imaging import read
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec
from wildsr.recipes import mobile
from wildsr.recipes.choosing import configured
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.mobile import PRESETS, TARGETS, MobileConfig
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure

Say = Callable[[str], None]


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "models"))


@pytest.fixture
def generic(tmp_path: Path) -> Path:
    """A ×2 model as a run leaves it."""
    spec = ModelSpec(
        id="generic",
        architecture="srvgg-16",
        arguments={"blocks": 1, "channels": 8, "scale": 2},
        scale=2,
        halo=6,
        halo_exact=6,
    )
    torch.manual_seed(3)
    network = build_network(spec).eval()
    folder = tmp_path / "generic"
    folder.mkdir()
    save_model(folder / "model.safetensors", network, spec)
    export_onnx(network, spec, folder / "model.onnx")
    return folder


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """Five windows: the phone's are duller and noisier."""
    for number in range(5):
        rng = np.random.default_rng(number)
        coarse = Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8))
        sharp = np.asarray(coarse.resize((40, 40), Image.Resampling.BICUBIC)).astype(float)
        dull = 0.7 * sharp + 20 + rng.normal(0, 4, sharp.shape)
        for name, picture in (("dslr", sharp), ("phone", dull)):
            (tmp_path / "pairs" / name).mkdir(parents=True, exist_ok=True)
            pixels = picture.round().clip(0, 255).astype(np.uint8)
            Image.fromarray(pixels).save(tmp_path / "pairs" / name / f"{number}.png")
    return tmp_path / "pairs"


@pytest.fixture
def tiny_mobile(tiny_gan: GanConfig, generic: Path, pairs: Path) -> MobileConfig:
    return MobileConfig(
        pairs=pairs,
        generic=str(generic),
        discriminator="patch",
        perceptual="esrgan-vgg16",
        data=replace(tiny_gan.data, hr=None, validation_photos=1),
        optimiser=tiny_gan.optimiser,
        discriminator_optimiser=tiny_gan.discriminator_optimiser,
        run=replace(tiny_gan.run, steps=4, validate_every=2, checkpoint_every=2),
    )


def series(run: Path, name: str) -> list[float]:
    return [point[name] for point in curves(run) if name in point]


def close(*values: float) -> object:
    return pytest.approx(list(values), rel=3e-4)


def test_losses_targets_and_card(
    tiny_mobile: MobileConfig, generic: Path, pairs: Path, tmp_path: Path, said: Say
) -> None:
    run = mobile.run(tiny_mobile, tmp_path / "run", resume=False, say=said)
    assert series(run, "pixel")[:2] == close(0.0006793045, 0.0007665427)
    assert series(run, "perceptual")[:2] == close(0.007837112, 0.008597689)
    assert series(run, "adversarial")[:2] == close(0.00346564, 0.003601095)
    assert series(run, "discriminator")[:2] == close(0.7053336, 0.6930990)
    upscaler = Upscaler(generic, Settings(precision="fp32"))
    for number in range(5):
        expected = upscaler(read(pairs / "dslr" / f"{number}.png")).rgb
        target = np.asarray(Image.open(run / TARGETS / f"{number}.png"))
        assert target.shape == (80, 80, 3)
        assert abs(target / 255 - expected).max() <= 0.5 / 255 + 1e-6
    card = json.loads((run / "card.json").read_text())
    assert card["recipe"] == "mobile"
    assert "the DSLR's pictures, super-resolved by the generic model" in card["data"]["photos"]
    assert card["model"]["architecture"] == "srvgg-16"


def test_it_begins_at_the_generic_model(
    tiny_mobile: MobileConfig, generic: Path, tmp_path: Path, said: Say
) -> None:
    config = configure(tiny_mobile, sets=["optimiser.learning_rate=1e-12", "run.steps=1", "run.ema=0.0"])
    run = mobile.run(config, tmp_path / "run", resume=False, say=said)
    plain = Settings(precision="fp32")
    picture = read(tiny_mobile.pairs / "phone" / "0.png")  # type: ignore[operator]
    assert abs(Upscaler(run, plain)(picture).rgb - Upscaler(generic, plain)(picture).rgb).max() < 1e-5


def test_a_run_cut_off_ends_at_the_same_weights(tiny_mobile: MobileConfig, tmp_path: Path, said: Say) -> None:
    whole = mobile.run(tiny_mobile, tmp_path / "a" / "run", resume=False, say=said)
    place, original = tmp_path / "b" / "run", AlignedCrops.sample

    def cut(self: AlignedCrops, seed: int, index: int) -> Sample:
        if index == 7:
            raise RuntimeError("power cut")
        return original(self, seed, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(AlignedCrops, "sample", cut)
        with pytest.raises(RuntimeError, match="power cut"):
            mobile.run(tiny_mobile, place, resume=False, say=said)
    (place / TARGETS / "3.png").unlink()  # made again
    chosen = configured("mobile", resumed=place)
    assert chosen.config == tiny_mobile
    chosen.run(place, resume=True, say=said)
    one, other = (load_checkpoint(checkpoints_in(run)[-1]) for run in (whole, place))
    assert one.step == other.step == 4
    assert all(torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)
    # another generic model in its place is noticed
    (place / TARGETS / "made-by.json").write_text('{"generic": "other"}')
    with pytest.raises(UsageError, match="made by other models"):
        mobile.run(tiny_mobile, place, resume=True, say=said)


def test_without_a_dslr_the_enhanced_phone_pictures_are_super_resolved(
    tiny_mobile: MobileConfig, generic: Path, pairs: Path, tmp_path: Path, said: Say
) -> None:
    spec = ModelSpec(id="enhancer", architecture="graph", scale=1, halo=6, halo_exact=6)
    enhancer = save(embed_spec(tiny_compact(scale=1, seed=5), spec), tmp_path / "enhancer.onnx")
    config = configure(tiny_mobile, sets=[f"enhancer={enhancer}", "run.steps=1"])
    run = mobile.run(config, tmp_path / "run", resume=False, say=said)
    plain = Settings(precision="fp32")
    enhanced = Upscaler(enhancer, plain)(read(pairs / "phone" / "2.png"))
    expected = Upscaler(generic, plain)(enhanced).rgb
    target = np.asarray(Image.open(run / TARGETS / "2.png"))
    assert abs(target / 255 - expected).max() <= 0.5 / 255 + 1e-6
    assert "enhanced phone pictures" in (run / "card.md").read_text()
    with pytest.raises(UsageError, match="one of scale 1 is needed"):
        mobile.run(replace(config, enhancer=str(generic)), tmp_path / "other", resume=False, say=said)


def test_pairs_that_are_none_are_named_before_anything_is_made(
    tiny_mobile: MobileConfig, pairs: Path, tmp_path: Path, said: Say
) -> None:
    (pairs / "phone" / "4.png").unlink()
    Image.new("RGB", (41, 40)).save(pairs / "phone" / "1.png")
    with pytest.raises(InputError) as refused:
        mobile.run(tiny_mobile, tmp_path / "run", resume=False, say=said)
    assert "2 of the pictures" in str(refused.value)
    assert "1.png: 41 × 40 by the phone, 40 × 40 by the DSLR" in str(refused.value)
    assert "4.png: only in" in str(refused.value)
    assert not (tmp_path / "run" / TARGETS).exists()


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["pairs=none"], "registered pairs and a generic model"),
        (["generic=''"], "registered pairs and a generic model"),
        (["data.degradation=bsrgan"], "takes its pictures from"),
    ],
)
def test_what_is_missing_or_too_much(
    tiny_mobile: MobileConfig, tmp_path: Path, said: Say, sets: list[str], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        mobile.run(configure(tiny_mobile, sets=sets), tmp_path / "run", resume=False, say=said)


def test_the_presets() -> None:
    preset = PRESETS["samsung-mobile"]
    assert (preset.pixel_weight, preset.perceptual_weight, preset.adversarial_weight) == (0.01, 1.0, 0.005)
    assert preset.perceptual == "esrgan"
