"""The gan recipe on tiny data, with a small stand-in for VGG's weights (the real ones are an asset)."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.recipes.conftest import curves, vgg_weights
from wildsr.checkpoints import load_network
from wildsr.data import AlignedCrops, Sample
from wildsr.errors import ModelError, UsageError
from wildsr.models import load_model
from wildsr.networks.discriminators import UNetDiscriminator
from wildsr.recipes import RECIPES, gan, psnr
from wildsr.recipes.choosing import find_recipe
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.adversary import new_discriminator
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure
from wildsr.training.losses import OBJECTIVES, Perceptual
from wildsr.training.perceptual_network import perceptual_network

Say = Callable[[str], None]


def test_psnr_then_gan(tiny: PsnrConfig, tiny_gan: GanConfig, tmp_path: Path, said: Say) -> None:
    first = psnr.run(tiny, tmp_path / "psnr", resume=False, say=said)
    run = gan.run(configure(tiny_gan, sets=[f'start="{first}"']), tmp_path / "gan", resume=False, say=said)
    points = curves(run)
    terms = {"pixel", "perceptual", "adversarial", "discriminator", "discriminator_wins"}
    assert terms <= set(points[-1]) | set(points[-2])
    assert [point["lpips"] for point in points if "lpips" in point]
    assert load_model(run).spec.source == "wildsr train gan"
    before, after = (load_network(folder).network.state_dict() for folder in (first, run))
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert max((before[name] - after[name]).abs().max() for name in before) < 0.05  # it went on from there
    assert any("discriminator" in line for line in said.lines)
    text = (run / "card.md").read_text()
    assert "![curves](curves.png)" in text


@pytest.mark.parametrize("objective", OBJECTIVES)
def test_every_objective_plays(tiny_gan: GanConfig, objective: str, tmp_path: Path, said: Say) -> None:
    config = configure(tiny_gan, sets=[f"objective={objective}", "run.steps=2", "data.validation_photos=0"])
    run = gan.run(config, tmp_path / "run", resume=False, say=said)
    checkpoint = load_checkpoint(checkpoints_in(run)[-1])
    assert checkpoint.step == 2
    assert not checkpoint.health.reasons
    start = new_discriminator(
        config.discriminator, patch=config.data.patch, batch=2, seed=config.run.seed
    ).state_dict()
    name = next(iter(start))
    assert not torch.equal(checkpoint.tensors[f"network/discriminator/{name}"], start[name])
    assert any("no starting weights" in line for line in said.lines)


def test_texture_and_a_slower_discriminator(tiny_gan: GanConfig, tmp_path: Path, said: Say) -> None:
    config = configure(
        tiny_gan,
        sets=[
            "texture.conv1_1=1.0",
            "texture.conv2_1=2.0",
            "discriminator_every=3",
            "run.steps=4",
            "run.checkpoint_every=4",
        ],
    )
    run = gan.run(config, tmp_path / "run", resume=False, say=said)
    points = [point for point in curves(run) if "texture" in point]
    assert all(point["texture"] > 0 for point in points)
    assert ["discriminator" in point for point in points] == [True, False, False, True]


def test_without_adversarial_weight_there_is_no_discriminator(
    tiny_gan: GanConfig, tmp_path: Path, said: Say
) -> None:
    config = configure(tiny_gan, sets=["adversarial_weight=0", "pixel_weight=1.0", "run.steps=3"])
    run = gan.run(config, tmp_path / "run", resume=False, say=said)
    checkpoint = load_checkpoint(checkpoints_in(run)[-1])
    assert not [name for name in checkpoint.tensors if "discriminator" in name]
    terms = set().union(*curves(run))
    assert {"pixel", "perceptual"} <= terms
    assert not {"adversarial", "discriminator", "discriminator_wins"} & terms
    assert not any("GAN" in line for line in said.lines)  # no note of a missing start: none is needed


def test_features_are_compared_on_a_square_of_each_patch(
    tiny_gan: GanConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[tuple[int, ...]] = []
    original = Perceptual.features

    def features(self: Perceptual, picture: torch.Tensor) -> dict[str, torch.Tensor]:
        shapes.append(tuple(picture.shape))
        return original(self, picture)

    monkeypatch.setattr(Perceptual, "features", features)
    sets = ["data.patch=48", "perceptual_crop=32", "adversarial_weight=0", "run.steps=2"]
    gan.run(configure(tiny_gan, sets=sets), tmp_path / "run", resume=False, say=said)
    assert set(shapes) == {(2, 3, 32, 32)}


def test_a_stopped_run_with_crops_ends_at_the_same_weights(
    tiny_gan: GanConfig, tmp_path: Path, said: Say
) -> None:
    sets = ["data.patch=48", "perceptual_crop=32", "perceptual_zoom=2", "adversarial_weight=0"]
    sets += ["optimiser.schedule=constant"]
    config = configure(tiny_gan, sets=sets)
    whole = gan.run(config, tmp_path / "whole", resume=False, say=said)
    broken = tmp_path / "broken"
    shutil.copytree(whole, broken)
    for later in checkpoints_in(broken)[1:]:
        later.unlink()
    assert load_checkpoint(checkpoints_in(broken)[-1]).step < 6
    gan.run(config, broken, resume=True, say=said)
    one, other = (load_checkpoint(checkpoints_in(run)[-1]) for run in (whole, broken))
    assert one.step == other.step == 6
    assert all(torch.equal(tensor, other.tensors[name]) for name, tensor in one.tensors.items())


@pytest.mark.parametrize(
    ("sets", "message"),
    [
        (["perceptual_crop=33"], r"perceptual_crop must be 0 .* or from 32 to data.patch \(32\), not 33"),
        (["perceptual_crop=8"], "not 8"),
        (["pixel_weight=0", "perceptual_weight=0", "adversarial_weight=0"], "nothing to learn from"),
    ],
)
def test_losses_that_cannot_be_are_refused(
    tiny_gan: GanConfig, sets: list[str], message: str, tmp_path: Path, said: Say
) -> None:
    with pytest.raises(UsageError, match=message):
        gan.run(configure(tiny_gan, sets=sets), tmp_path / "run", resume=False, say=said)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("discriminator", ["vgg-small", "srgan"])
def test_dense_discriminators_take_the_patch(
    tiny_gan: GanConfig, discriminator: str, tmp_path: Path, said: Say
) -> None:
    config = configure(
        tiny_gan, sets=[f"discriminator={discriminator}", "run.steps=1", "data.validation_photos=0"]
    )
    assert checkpoints_in(gan.run(config, tmp_path / "run", resume=False, say=said))


def test_a_stopped_game_ends_at_the_same_weights(
    tiny_gan: GanConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = configure(
        tiny_gan, sets=["objective=wasserstein", "discriminator=patch"]
    )  # with batch norm and random points
    whole = gan.run(config, tmp_path / "whole", resume=False, say=said)
    original = AlignedCrops.sample

    def breaks(self: AlignedCrops, seed: int, index: int) -> Sample:
        if index == 9:
            raise RuntimeError("power cut")
        return original(self, seed, index)

    monkeypatch.setattr(AlignedCrops, "sample", breaks)
    with pytest.raises(RuntimeError, match="power cut"):
        gan.run(config, tmp_path / "broken", resume=False, say=said)
    monkeypatch.setattr(AlignedCrops, "sample", original)
    broken = gan.run(config, tmp_path / "broken", resume=True, say=said)
    one, other = (load_checkpoint(checkpoints_in(run)[-1]) for run in (whole, broken))
    assert one.step == other.step == 6
    assert [
        name for name, tensor in one.tensors.items() if not torch.equal(tensor, other.tensors[name])
    ] == []


def test_vgg19_comes_from_the_users_file(tmp_path: Path) -> None:
    torch.save(vgg_weights("vgg19"), tmp_path / "vgg19.pth")
    loss = perceptual_network("esrgan", vgg19=tmp_path / "vgg19.pth")
    picture = torch.rand(1, 3, 32, 32)
    assert loss(picture, picture.flip(3)).item() > 0


def test_vgg19_without_a_file_is_explained() -> None:
    with pytest.raises(UsageError, match="`real-esrgan` needs VGG19") as caught:
        perceptual_network("real-esrgan", vgg19=None)
    assert "perceptual=real-esrgan-vgg16" in (caught.value.hint or "")


def test_vgg19_from_a_wrong_file_is_refused(tmp_path: Path) -> None:
    torch.save(vgg_weights("vgg16"), tmp_path / "vgg16.pth")
    with pytest.raises(ModelError, match=r"VGG weights: features\.\d+\.weight must have shape"):
        perceptual_network("esrgan", vgg19=tmp_path / "vgg16.pth")


def test_presets_are_found_by_their_own_name() -> None:
    assert find_recipe("psnr") == ("psnr", RECIPES["psnr"].default)
    assert find_recipe("rcan") == ("psnr", "rcan")
    assert find_recipe("esrgan") == ("gan", "esrgan")
    assert find_recipe("nonsense") is None


def test_the_papers_weights() -> None:
    presets = gan.PRESETS

    def triple(name: str) -> tuple[float, float, float]:
        preset = presets[name]
        return preset.pixel_weight, preset.perceptual_weight, preset.adversarial_weight

    assert triple("esrgan") == (0.01, 1.0, 0.005)
    assert triple("srgan") == (0.0, 1.0, 0.001)
    assert triple("real-esrgan") == (1.0, 1.0, 0.1)
    assert presets["enhancenet-pat"].texture == {"conv1_1": 3e-7, "conv2_1": 1e-6, "conv3_1": 1e-6}
    assert presets["enhancenet-pat"].discriminator_every == 3
    assert presets["esrgan"].objective == "relativistic"


def test_the_discriminator_sees_the_same_square_as_the_classifier(
    tiny_gan: GanConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: set[tuple[int, ...]] = set()
    original = UNetDiscriminator.forward

    def forward(self: UNetDiscriminator, picture: torch.Tensor) -> torch.Tensor:
        shapes.add(tuple(picture.shape[1:]))  # with one picture its cost is counted before
        return original(self, picture)

    monkeypatch.setattr(UNetDiscriminator, "forward", forward)
    sets = ["data.patch=48", "perceptual_crop=32", "discriminator=unet-small", "grid_weight=2", "run.steps=2"]
    run = gan.run(configure(tiny_gan, sets=sets), tmp_path / "run", resume=False, say=said)
    assert shapes == {(3, 32, 32)}
    losses = [json.loads(line) for line in (run / "curves.jsonl").read_text().splitlines()]
    assert any(line.get("grid", 0) > 0 for line in losses)
