"""RealSR's recipe on tiny data: Algorithm 1 to the letter, both stages' losses, resumes at any stage, ablation."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.recipes.conftest import curves
from tests.recipes.test_degraded import profile
from wildsr.data import AlignedCrops, NoisyCrops, Sample
from wildsr.degradation import Profile
from wildsr.degradation import kernels as kernels_of
from wildsr.errors import InputError, UsageError
from wildsr.estimation.noise.variance_rule import VarianceRule, low_variance_patches
from wildsr.estimation.profile.make import ProfileSettings
from wildsr.files import Findings
from wildsr.imaging.resize import resize_uint8
from wildsr.recipes import realsr, realsr_pool
from wildsr.recipes.choosing import configured
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.realsr import PRESETS, WARM_START, RealsrConfig
from wildsr.recipes.realsr_pool import PoolSettings, fill_pool, make_clean_pairs
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure

Say = Callable[[str], None]


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five 96×96 photos: texture, and a noisy flat half."""
    folder = tmp_path_factory.mktemp("source")
    for number in range(5):
        rng = np.random.default_rng(100 + number)
        coarse = rng.integers(0, 256, (12, 12, 3), dtype=np.uint8)
        picture = np.asarray(Image.fromarray(coarse).resize((96, 96), Image.Resampling.BICUBIC)).astype(float)
        picture[:, 48:] = 90 + 10 * number + rng.normal(0, 4, (96, 48, 3))
        Image.fromarray(picture.round().clip(0, 255).astype(np.uint8)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def tiny_realsr(tiny_gan: GanConfig, source: Path, tmp_path: Path) -> RealsrConfig:
    """Both stages of a compact ×2 network, four steps each."""
    profile().save(tmp_path / "cam.profile")
    return RealsrConfig(
        source=source,
        network=tiny_gan.network,
        arguments=tiny_gan.arguments,
        warm_steps=4,
        warm_optimiser=replace(tiny_gan.optimiser, learning_rate=1e-3),
        discriminator="patch",
        perceptual="esrgan-vgg16",
        data=replace(tiny_gan.data, hr=None, profile=tmp_path / "cam.profile", validation_photos=1),
        optimiser=tiny_gan.optimiser,
        discriminator_optimiser=tiny_gan.discriminator_optimiser,
        run=replace(tiny_gan.run, steps=4, validate_every=2, checkpoint_every=2),
    )


def series(run: Path, name: str) -> list[float]:
    return [point[name] for point in curves(run) if name in point]


def test_losses_of_both_stages(tiny_realsr: RealsrConfig, tmp_path: Path, said: Say) -> None:
    run = realsr.run(tiny_realsr, tmp_path / "run", resume=False, say=said)
    assert series(run / WARM_START, "loss") == close(0.04878648, 0.03969026, 0.04555239, 0.04277552)
    assert series(run, "pixel")[:2] == close(0.000478453, 0.0003872463)
    assert series(run, "perceptual")[:2] == close(0.008379156, 0.006904612)
    assert series(run, "adversarial")[:2] == close(0.003457695, 0.003665895)
    assert series(run, "discriminator")[:2] == close(0.7109368, 0.6706533)
    assert series(run, "psnr")[0] == pytest.approx(28.1579, abs=2e-3)
    card = json.loads((run / "card.json").read_text())
    assert card["recipe"] == "realsr"
    assert "4 photos, 1 more for validation" in card["data"]["photos"]
    assert "LR by 1 kernel and 3 noise patches" in card["data"]["photos"]
    assert "wildsr train realsr" in (run / "card.md").read_text()


def close(*values: float) -> object:
    return pytest.approx(list(values), rel=3e-4)


@pytest.mark.parametrize("parts", ["both", "noise", "kernel", "neither"])
def test_the_ablation_changes_what_lr_gets(
    tiny_realsr: RealsrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch, parts: str
) -> None:
    """Stored LR: the kernel, or MATLAB's bicubic; noise: on the fly or not at all."""
    seen: list[object] = []
    monkeypatch.setattr(realsr, "train_on_l1", lambda *arguments, **_: seen.extend(arguments))
    config = configure(tiny_realsr, sets=[f"pool.parts={parts}", "run.steps=1"])
    run = realsr.run(config, tmp_path / "run", resume=False, say=said)
    samples = seen[4]
    assert isinstance(samples, NoisyCrops if parts in ("both", "noise") else AlignedCrops)
    for photo in sorted(config.source.iterdir()):  # type: ignore[union-attr]
        hr = np.asarray(Image.open(run / "pairs/source/HR" / photo.name))
        lr = np.asarray(Image.open(run / "pairs/source/LR" / photo.name))
        clean = resize_uint8(np.asarray(Image.open(photo)), scale=1 / 2)
        assert np.array_equal(hr, clean)
        bicubic = resize_uint8(hr, scale=1 / 2)
        if parts in ("both", "kernel"):
            inner = (slice(4, -4), slice(4, -4))  # what lies beyond the border is anybody's choice
            assert abs(lr.astype(float) - blurred(hr))[inner].max() <= 0.51
            assert abs(lr.astype(float) - bicubic).max() > 2
        else:
            assert abs(lr.astype(float) - bicubic).max() <= 1  # rounded once, not after each pass
    assert series(run, "pixel")[0] == pytest.approx(PIXEL[parts], rel=3e-4)


PIXEL = {"both": 0.0004878648, "noise": 0.0004147415, "kernel": 0.0004281556, "neither": 0.0003535922}


def blurred(hr: np.ndarray) -> np.ndarray:
    """(HR ⊛ k)↓2 by the definition, mirrored at the border."""
    kernel = kernels_of.gaussian(13, (2.0, 1.0), 0.5, scale=2)
    padded = np.pad(hr.astype(float), ((6, 6), (6, 6), (0, 0)), mode="reflect")
    result = np.zeros((hr.shape[0] // 2, hr.shape[1] // 2, 3))
    for row in range(13):
        for column in range(13):
            part = padded[row : row + hr.shape[0] : 2, column : column + hr.shape[1] : 2]
            result += kernel[row, column] * part
    return result


def test_noise_is_drawn_anew_for_every_sample(tiny_realsr: RealsrConfig, source: Path) -> None:
    """The stored crop plus noise of the pool, free of its mean, cut to [0, 1]; the same for the same index."""
    lr = np.full((20, 20, 3), 128, np.uint8)
    flat = type(
        "Flat", (), {"sample": lambda *_: Sample(lr=lr, hr=np.repeat(lr, 2, 0).repeat(2, 1), name="x")}
    )()
    noise = profile().noise
    pool = realsr_pool.Pool(blur=None, noise=noise, summary="", fingerprint="")  # type: ignore[arg-type]
    crops = NoisyCrops(flat, realsr._injection(pool))
    added = [crops.sample(0, index).lr - np.float32(128 / 255) for index in (0, 1, 0)]
    assert np.array_equal(added[0], added[2])
    assert not np.array_equal(added[0], added[1])
    for one in added:
        assert abs(one.mean(axis=(0, 1))).max() < 1e-6
        assert one.std() == pytest.approx(noise.std(), rel=0.2)


@pytest.mark.parametrize("stage", ["warm", "gan"])
def test_a_run_cut_off_at_any_stage_ends_at_the_same_weights(
    tiny_realsr: RealsrConfig, tmp_path: Path, said: Say, stage: str
) -> None:
    whole = realsr.run(tiny_realsr, tmp_path / "whole", resume=False, say=said)
    original, warm = NoisyCrops.sample, tmp_path / "cut" / WARM_START

    def cut(self: NoisyCrops, seed: int, index: int) -> Sample:
        in_gan = bool(checkpoints_in(warm)) and checkpoints_in(warm)[-1].stem.endswith("4")
        if index == 7 and in_gan == (stage == "gan"):
            raise RuntimeError("power cut")
        return original(self, seed, index)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(NoisyCrops, "sample", cut)
        with pytest.raises(RuntimeError, match="power cut"):
            realsr.run(tiny_realsr, tmp_path / "cut", resume=False, say=said)
    assert bool(checkpoints_in(tmp_path / "cut")) == (stage == "gan")
    chosen = configured("realsr", resumed=tmp_path / "cut")
    assert chosen.config == tiny_realsr
    chosen.run(tmp_path / "cut", resume=True, say=said)
    for folder in ("", WARM_START):
        one, other = (load_checkpoint(checkpoints_in(run / folder)[-1]) for run in (whole, tmp_path / "cut"))
        assert one.step == other.step == 4
        assert all(torch.equal(one.tensors[name], other.tensors[name]) for name in one.tensors)


def test_the_gan_begins_where_the_warm_start_ended(
    tiny_realsr: RealsrConfig, tmp_path: Path, said: Say
) -> None:
    config = configure(tiny_realsr, sets=["optimiser.learning_rate=1e-12", "run.steps=1", "run.ema=0.0"])
    run = realsr.run(config, tmp_path / "run", resume=False, say=said)
    warm, gan = (load_checkpoint(checkpoints_in(folder)[-1]).tensors for folder in (run / WARM_START, run))
    names = [name for name in gan if name.startswith("network/generator/")]
    assert names
    assert all(torch.allclose(gan[name], warm[name], atol=1e-7) for name in names)


def test_noise_by_the_papers_rule_and_clean_photos_beside(
    tiny_realsr: RealsrConfig, photos: Path, tmp_path: Path, said: Say
) -> None:
    rule = VarianceRule(side=16, stride=16, variance=60.0, mean=50.0)
    config = replace(
        tiny_realsr,
        pool=PoolSettings(parts="noise", noise=rule),
        data=replace(tiny_realsr.data, profile=None, hr=photos),
        warm_steps=1,
        run=replace(tiny_realsr.run, steps=1),
    )
    run = realsr.run(config, tmp_path / "run", resume=False, say=said)
    summary = json.loads((run / "card.json").read_text())["data"]["photos"]
    # 3 of the 6 columns and all 6 rows of each of 5 photos are flat
    assert "LR by bicubic and 90 noise patches" in summary
    clean = np.asarray(Image.open(run / "pairs/clean/HR/0.png"))
    assert np.array_equal(clean, np.asarray(Image.open(photos / "0.png")))  # not shrunk


def test_the_variance_rule() -> None:
    """On a grid from the corner; gray variance below, gray mean above the limits; free of each channel's mean."""
    rng = np.random.default_rng(0)
    photo = np.full((40, 50, 3), 100, np.uint8)
    photo[:16, :16] = rng.integers(98, 103, (16, 16, 3))
    photo[:16, 16:32] = rng.integers(0, 255, (16, 16, 3))
    photo[16:32, :16] = 20
    found = low_variance_patches(photo, VarianceRule(side=16, stride=16, variance=20.0, mean=50.0))
    assert found.shape == (4, 3, 16, 16)
    assert found.dtype == np.float32
    expected = photo[:16, :16].transpose(2, 0, 1) / 255
    assert np.allclose(found[0], expected - expected.mean(axis=(1, 2), keepdims=True), atol=1e-7)
    assert abs(found[1:]).max() < 1e-7
    dark = low_variance_patches(photo, VarianceRule(side=16, stride=16, variance=20.0, mean=0.0))
    assert len(dark) == 5
    assert len(low_variance_patches(photo, VarianceRule())) == 0


def test_the_papers_numbers() -> None:
    """ALGORITHMS 5.3: tracks 1 and 2 of NTIRE 2020."""
    for name, discriminator, parts, mean in (
        ("track1", "vgg-128", "noise", 0.0),
        ("track2", "patch", "both", 50.0),
    ):
        preset = PRESETS[name]
        assert (preset.network, preset.discriminator, preset.pool.parts) == ("rrdb", discriminator, parts)
        assert preset.pool.noise == VarianceRule(side=256, stride=256, variance=20.0, mean=mean)
        assert (preset.pixel_weight, preset.perceptual_weight, preset.adversarial_weight) == (
            0.01,
            1.0,
            0.005,
        )
        assert (preset.perceptual, preset.data.batch, preset.data.patch) == ("esrgan", 16, 128)
        for optimiser in (preset.optimiser, preset.discriminator_optimiser):
            assert (optimiser.learning_rate, optimiser.betas, optimiser.decay) == (1e-4, (0.9, 0.999), 0.5)
            halved = [round(share * preset.run.steps, -2) for share in optimiser.milestones]
            assert halved == [5000, 10000, 20000, 30000]
        assert (preset.run.steps, preset.run.ema) == (60_001, 0.0)
    assert PRESETS["track2"].pool.method == "kernelgan"


@pytest.mark.parametrize(
    ("sets", "kind", "message"),
    [
        (
            ["data.profile=none", "pool.noise.variance=0.001"],
            InputError,
            "no 256×256 patch of the source photos",
        ),
        (["source=none", "data.profile=none"], UsageError, "no photos given to learn from"),
        (["data.degradation=bsrgan"], UsageError, "by the source photos' own degradation"),
        (['data.lr="x"'], UsageError, "by the source photos' own degradation"),
        (["arguments.scale=4"], UsageError, "profile is for scale 2, not 4"),
    ],
)
def test_what_does_not_go_together_is_refused(
    tiny_realsr: RealsrConfig, tmp_path: Path, said: Say, sets: list[str], kind: type[Exception], message: str
) -> None:
    if "pool.noise.variance=0.001" in sets:
        sets = [*sets, "pool.parts=noise"]
    with pytest.raises(kind, match=message):
        realsr.run(configure(tiny_realsr, sets=sets), tmp_path / "run", resume=False, say=said)


def test_kernels_are_learnt_once_by_the_method_asked_for(
    source: Path, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[tuple[list[str], str]] = []

    def learn(photos: Findings, output: Path, settings: ProfileSettings) -> Profile:
        calls.append(([one.path.name for one in photos.pictures], settings.photo.method))
        made = profile()
        made.save(output)
        return made

    monkeypatch.setattr(realsr_pool, "make_profile", learn)
    settings = PoolSettings(parts="both", method="kernelgan", noise_rule="profile")
    pools = [fill_pool(settings, source, None, folder=tmp_path / "run", scale=2, say=said) for _ in range(2)]
    assert calls == [([f"{number}.png" for number in range(5)], "kernelgan")]
    assert pools[0].fingerprint == pools[1].fingerprint
    assert np.array_equal(pools[0].noise, profile().noise)
    without = fill_pool(
        replace(settings, parts="kernel"), source, None, folder=tmp_path / "run", scale=2, say=said
    )
    assert without.fingerprint != pools[0].fingerprint
    assert len(without.noise) == 0


def test_a_photo_that_gives_no_patch_is_no_harm_but_none_at_all_is(
    source: Path, tmp_path: Path, said: Say
) -> None:
    rule = VarianceRule(
        side=48, stride=48, variance=60.0, mean=100.0
    )  # flat halves are 90, 100, … 130 bright
    settings = PoolSettings(parts="noise", noise=rule)
    pool = fill_pool(settings, source, None, folder=tmp_path, scale=2, say=said)
    assert 4 <= len(pool.noise) <= 8
    bright = replace(settings, noise=replace(rule, mean=200.0))
    with pytest.raises(InputError, match="above a mean of 200"):
        fill_pool(bright, source, None, folder=tmp_path, scale=2, say=said)


def test_small_photos_are_left_out_and_named_but_not_all_of_them(source: Path, tmp_path: Path) -> None:
    """Shrunk by 2, a photo of 96 pixels has 48 left."""
    source = Path(shutil.copytree(source, tmp_path / "photos"))
    Image.new("RGB", (60, 90)).save(source / "small.png")
    settings, heard = PoolSettings(parts="neither"), list[str]()
    pool = fill_pool(settings, source, None, folder=tmp_path, scale=2, say=heard.append)
    make = partial(make_clean_pairs, pool, folder=tmp_path / "run", scale=2, seed=0, say=heard.append)
    folders = make({"source": (source, True)}, least_side=40)
    made = sorted(path.name for path in (folders[0] / "HR").iterdir())
    assert made == sorted(path.name for path in source.iterdir() if path.name != "small.png")
    assert next(line for line in heard if "small.png" in line).endswith(
        "60 × 90 pixels; 80 along each side are needed"
    )
    with pytest.raises(InputError, match="has 100 pixels along each side"):
        make({"other": (source, True)}, least_side=50)
