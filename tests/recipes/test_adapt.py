"""Adapting a network to a camera: the state that is chosen, exact resume, the folder, and what is refused."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from tests.degradation.test_profile import white
from tests.recipes.conftest import curves
from wildsr.checkpoints import load_network
from wildsr.degradation import Profile, kernels
from wildsr.errors import TrainingError, UsageError
from wildsr.imaging import probe
from wildsr.recipes import adapt, adapt_camera, psnr
from wildsr.recipes.adapt import AdaptConfig
from wildsr.recipes.adapt_camera import AdaptOptions
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.config import configure
from wildsr.training.selection import Chosen, Snapshots

Say = Callable[[str], None]


def camera(scale: int = 2) -> Profile:
    kernel = kernels.gaussian(13, (2.0, 1.0), 0.5, scale=scale)
    return Profile(kernels=kernel[None].astype(np.float32), noise=white(3, 24, 0), scale=scale)


@pytest.fixture
def config(tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch) -> AdaptConfig:
    """From a tiny trained network, by pixels alone; `looks` is the mean difference."""
    monkeypatch.setattr(
        "wildsr.training.validation.lpips", lambda sr, hr: float(abs(sr / 255 - hr / 255).mean())
    )
    start = psnr.run(tiny, tmp_path / "start", resume=False, say=said)
    camera().save(tmp_path / "cam.profile")
    return AdaptConfig(
        start=str(start),
        perceptual="esrgan-vgg16",
        perceptual_weight=0.0,
        psnr_loss=1.0,
        blends=(0.5,),
        data=replace(tiny.data, profile=tmp_path / "cam.profile", kernel_widths=(0.8, 1.0)),
        optimiser=replace(tiny.optimiser, learning_rate=5e-4),
        run=replace(tiny.run, steps=12, validate_every=4, checkpoint_every=3),
    )


@pytest.fixture(autouse=True)
def _no_weights_from_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.recipes.conftest import vgg_weights
    from wildsr.training import perceptual_network

    monkeypatch.setattr(perceptual_network, "_vgg16", lambda: vgg_weights("vgg16"))
    heads = [torch.ones(width) / width for width in (64, 128, 256, 512, 512)]
    monkeypatch.setattr(perceptual_network, "_lpips_heads", lambda: heads)


def test_it_gets_better_on_the_camera_and_leaves_a_model_a_card_and_a_page(
    config: AdaptConfig, photos: Path, tmp_path: Path, said: Say
) -> None:
    shown = tuple(sorted(photos.glob("*.png"))[:2])
    run = adapt.run(replace(config, show=shown), tmp_path / "run", resume=False, say=said)
    judged = {point["step"]: point for point in curves(run) if "lpips" in point}
    assert list(judged) == [0, 4, 8, 12]
    chosen = next(line for line in said.lines if line.startswith("chosen: step"))  # type: ignore[attr-defined]
    assert f"LPIPS {judged[0]['lpips']:.4f} → " in chosen
    assert min(point["lpips"] for point in judged.values()) < judged[0]["lpips"]
    assert (run / "model.onnx").is_file()
    assert not (run / "snapshots").exists()
    page = (run / "page.html").read_text(encoding="utf-8")
    assert page.count("<h3>") == 2 + 2  # two photos; kernels and noise
    assert all(photo.name in page for photo in shown)
    assert 'src="http' not in page


def test_first_losses(config: AdaptConfig, tmp_path: Path, said: Say) -> None:
    full = replace(
        config, perceptual="lpips-vgg16", perceptual_weight=1.0, data=replace(config.data, patch=32)
    )
    run = adapt.run(full, tmp_path / "run", resume=False, say=said)
    points = [point for point in curves(run) if "pixel" in point]
    assert [point["pixel"] for point in points[:3]] == pytest.approx(PIXEL, rel=2e-3)
    assert [point["perceptual"] for point in points[:3]] == pytest.approx(LPIPS, rel=2e-3)


PIXEL = (0.03087322, 0.03160786, 0.03081891)
LPIPS = (0.000859458, 0.0008789701, 0.0009391794)


def test_of_lr_that_no_camera_spoilt_a_start_learns_nothing_from_itself(
    config: AdaptConfig, tmp_path: Path, said: Say
) -> None:
    data = replace(config.data, profile=None, degradation="bicubic", kernel_widths=(1.0,))
    first = {}
    for share in (0.0, 0.5, 1.0):
        asked = replace(config, self_distillation=share, data=data, run=replace(config.run, steps=2))
        run = adapt.run(asked, tmp_path / f"run-{share}", resume=False, say=said)
        first[share] = next(point["pixel"] for point in curves(run) if "pixel" in point)
    assert first[1.0] < 0.1 * first[0.0]  # LR is rounded to 8 bits, and the crop has borders
    assert first[0.5] == pytest.approx(0.5 * first[0.0], rel=0.1)


def test_what_it_learns_from_itself_is_details_on_the_light_of_the_photo() -> None:
    hr = torch.rand(1, 3, 32, 32)
    check = 0.1 * (-1.0) ** torch.arange(32).add(torch.arange(32)[:, None])
    inner = (..., slice(4, -4), slice(4, -4))
    for share in (0.0, 0.5, 1.0):
        brighter = adapt._with_details(hr, hr + 0.2, share, 8 + 1)
        assert torch.allclose(brighter, hr, atol=1e-6)
        textured = adapt._with_details(hr, hr + check, share, 8 + 1)
        assert torch.allclose(textured[inner], (hr + share * check)[inner], atol=0.1 / 80)
        assert torch.allclose(adapt._with_details(hr, hr + 0.2, share, 0), hr + 0.2 * share)


def test_an_even_side_is_refused(config: AdaptConfig, tmp_path: Path, said: Say) -> None:
    asked = replace(config, self_distillation=1.0, self_distillation_side=8)
    with pytest.raises(UsageError, match="self_distillation_side is 8") as caught:
        adapt.run(asked, tmp_path / "run", resume=False, say=said)
    assert "odd" in str(caught.value.hint)


@pytest.mark.parametrize("term", ["low_frequency", "overshoot", "grid"])
def test_light_and_shade_halos_and_a_grid_can_weigh_more(
    config: AdaptConfig, term: str, tmp_path: Path, said: Say
) -> None:
    first = {}
    for weight in (0.0, 2.0, 4.0):
        asked = replace(config, **{f"{term}_weight": weight}, run=replace(config.run, steps=2))
        run = adapt.run(asked, tmp_path / f"run-{weight}", resume=False, say=said)
        first[weight] = next(point for point in curves(run) if "pixel" in point).get(term)
    assert first[0.0] is None
    assert first[2.0] > 0
    assert first[4.0] == pytest.approx(2 * first[2.0], rel=1e-3)


@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_run_that_was_stopped_ends_at_the_same_bytes(
    config: AdaptConfig, share: float, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = replace(config, self_distillation=share)
    whole = adapt.run(config, tmp_path / "whole" / "phone", resume=False, say=said)
    from wildsr.data import DegradedCrops

    original, broken = DegradedCrops.sample, []

    def breaks(self: DegradedCrops, seed: int, index: int) -> object:
        if index == 15 and not broken:
            broken.append(index)
            raise RuntimeError("power cut")
        return original(self, seed, index)

    monkeypatch.setattr(DegradedCrops, "sample", breaks)
    folder = tmp_path / "stopped" / "phone"
    with pytest.raises(RuntimeError, match="power cut"):
        adapt.run(config, folder, resume=False, say=said)
    resumed = adapt.run(config, folder, resume=True, say=said)
    assert broken
    for name in ("model.safetensors", "model.onnx", "page.html"):
        assert (whole / name).read_bytes() == (resumed / name).read_bytes(), name


def test_a_run_that_ended_or_was_killed_at_its_end_is_done(
    config: AdaptConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """States are removed last; without them nothing could be chosen again."""
    told: list[str] = []
    monkeypatch.setattr("wildsr.training.selection.shutil.rmtree", lambda *_, **__: None)  # killed before it
    run = adapt.run(config, tmp_path / "run", resume=False, say=said)
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert (run / "snapshots-removed").exists()
    monkeypatch.undo()
    adapt.run(config, run, resume=True, say=told.append)
    assert told[-1] == f"done already: wildsr upscale … -m {run}"
    assert not (run / "snapshots-removed").exists()
    (run / "model.onnx").unlink()
    with pytest.raises(TrainingError, match=r"the state after step .* is gone"):
        adapt.run(config, run, resume=True, say=said)
    model = run / "model.safetensors"
    assert model.read_bytes() == before[model]


def test_when_nothing_is_better_the_start_is_kept(config: AdaptConfig, tmp_path: Path, said: Say) -> None:
    wild = configure(
        config, sets=["optimiser.learning_rate=0.5", "psnr_loss=0", "blends=[]", "run.explosion=1e9"]
    )
    run = adapt.run(wild, tmp_path / "run", resume=False, say=said)
    assert any("no state is better than the start" in line for line in said.lines)  # type: ignore[attr-defined]
    before, after = (load_network(one).network.state_dict() for one in (config.start, run))
    assert all(torch.equal(before[name], after[name]) for name in before)


def test_without_photos_held_out_nothing_can_be_chosen(
    config: AdaptConfig, tmp_path: Path, said: Say
) -> None:
    with pytest.raises(UsageError, match="nothing to choose the best state by"):
        adapt.run(
            configure(config, sets=["data.validation_photos=0"]), tmp_path / "run", resume=False, say=said
        )


def test_the_choice_obeys_the_bound_on_psnr() -> None:
    class Fixed(Snapshots):
        def __init__(self, points: list[dict[str, float]]) -> None:
            self._session = type("S", (), {"curves": points})()

    points = [
        {"step": 0.0, "psnr": 25.0, "lpips": 0.30},
        {"step": 10.0, "psnr": 24.9, "lpips": 0.25},
        {"step": 20.0, "psnr": 25.1, "lpips": 0.28},
        {"step": 30.0, "psnr": 25.2, "lpips": 0.31},
    ]
    network = torch.nn.Identity()
    strict = Fixed(points).choose(network, blends=(), psnr_loss=0.0)
    assert (strict.step, strict.alpha, strict.better) == (20, 1.0, True)
    assert Fixed(points).choose(network, blends=(), psnr_loss=0.2).step == 10
    ringing = [{**point, "ringing": 0.4 + 0.02 * point["step"], "grid": 0.1} for point in points]
    assert Fixed(ringing).choose(network, blends=(), psnr_loss=0.2).step == 0
    ringing[1]["ringing"] = 0.48
    assert Fixed(ringing).choose(network, blends=(), psnr_loss=0.2).step == 10
    ringing[1]["grid"] = 0.2
    assert Fixed(ringing).choose(network, blends=(), psnr_loss=0.2).step == 0
    kept = Fixed([points[0], points[3]]).choose(network, blends=(), psnr_loss=0.0)
    assert not kept.better
    assert "start's weights are kept" in kept.in_words()


def test_a_blend_is_named_with_its_share() -> None:
    scores = {"psnr": 25.0, "lpips": 0.3}
    chosen = Chosen(step=40, alpha=0.75, scores=scores, start=scores)
    assert "step 40, 75% of it with 25% of the start" in chosen.in_words()


@pytest.fixture
def options(config: AdaptConfig, monkeypatch: pytest.MonkeyPatch) -> AdaptOptions:
    """The whole journey with the tiny configuration."""
    monkeypatch.setitem(
        adapt.PRESETS, "adapt", replace(config, data=replace(config.data, profile=None, hr=None))
    )
    return AdaptOptions(start=config.start, profile=config.data.profile, hr=config.data.hr, time_budget=3600)


def test_the_journey(options: AdaptOptions, photos: Path, tmp_path: Path, said: Say) -> None:
    given = sorted(photos.glob("*.png"))
    folder = adapt_camera.adapt_camera(given, tmp_path / "phone", options, say=said)
    assert {"model.onnx", "card.md", "camera.profile", "page.html", "adapt.json"} <= {
        p.name for p in folder.iterdir()
    }
    assert json.loads((folder / "adapt.json").read_text())["steps"] == 12
    assert any("6 photos; start" in line and "12 steps" in line for line in said.lines)  # type: ignore[attr-defined]


def test_the_journey_with_the_cameras_own_photos_shrunk(
    options: AdaptOptions, tmp_path: Path, said: Say
) -> None:
    own = tmp_path / "own"
    own.mkdir()
    for number in range(4):
        rng = np.random.default_rng(number)
        picture = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
        picture.resize((96, 80), Image.Resampling.BICUBIC).save(own / f"{number}.jpg", quality=95)
    Image.new("RGB", (20, 20)).save(own / "small.png")
    given = sorted(own.iterdir())
    folder = adapt_camera.adapt_camera(given, tmp_path / "phone", replace(options, hr=None), say=said)
    clean = sorted((folder / "hr").iterdir())
    assert [(probe(path).width, probe(path).height) for path in clean] == [(48, 40)] * 4
    assert any(line.startswith("not learnt from: small.png") for line in said.lines)  # type: ignore[attr-defined]


def test_what_is_refused_before_anything_is_begun(
    options: AdaptOptions, photos: Path, tmp_path: Path, said: Say
) -> None:
    given = sorted(photos.glob("*.png"))
    folder = tmp_path / "phone"
    with pytest.raises(UsageError, match="photos given: 2; a camera can't be learnt from fewer than 3"):
        adapt_camera.adapt_camera(given[:2], folder, replace(options, profile=None), say=said)
    with pytest.raises(UsageError, match="not enough to change anything: 10 steps need about"):
        adapt_camera.adapt_camera(given, folder, replace(options, time_budget=1), say=said)
    assert not folder.exists()


def test_the_plan_counts_the_loss_the_judging_and_the_page(
    options: AdaptOptions, photos: Path, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def pace(*_: object, loss: object, **__: object) -> tuple[float, float]:
        asked.append(loss)
        return 3.0, 1.0

    monkeypatch.setattr(adapt_camera, "seconds_per_step", pace)
    monkeypatch.setattr(adapt_camera, "cores", lambda: 2)
    given = sorted(photos.glob("*.png"))
    with pytest.raises(UsageError, match="10 steps need about") as caught:
        adapt_camera.adapt_camera(given, tmp_path / "phone", replace(options, time_budget=60), say=said)
    assert asked[0] is not None
    # a pixel takes 1/(2·8²) s: 2 crops of 16² LR judged take 4 s and 1.5 s of two cores; 12 crops of 64² for the page
    validation = 2 * (16**2 / 128) + 2 * 1.5 / 2
    fixed = 2 * validation + 30 + 12 * 64**2 / 128
    needed = fixed + 10 * (3 * 1.15 + validation / 4)
    assert caught.value.hint is not None
    assert f"--time-budget {int(needed / 60) + 1}m" in caught.value.hint
    assert "--profile" not in caught.value.hint  # it is given


def test_a_profile_of_another_scale_is_refused(
    options: AdaptOptions, photos: Path, tmp_path: Path, said: Say
) -> None:
    camera(scale=4).save(tmp_path / "x4.profile")
    with pytest.raises(UsageError, match=r"the profile is for scale 4, the start .* for scale 2"):
        adapt_camera.adapt_camera(
            sorted(photos.glob("*.png")),
            tmp_path / "phone",
            replace(options, profile=tmp_path / "x4.profile"),
            say=said,
        )


def test_another_question_in_the_same_folder_is_refused(
    options: AdaptOptions, photos: Path, tmp_path: Path, said: Say
) -> None:
    given, folder = sorted(photos.glob("*.png")), tmp_path / "phone"
    adapt_camera.adapt_camera(given, folder, options, say=said)
    with pytest.raises(UsageError, match="asked for in another way"):
        adapt_camera.adapt_camera(given, folder, replace(options, seed=1), say=said)
    camera().save(tmp_path / "other.profile")
    other = replace(options, profile=tmp_path / "other.profile")
    with pytest.raises(UsageError, match="asked for in another way"):
        adapt_camera.adapt_camera(given, folder, other, say=said)


def test_states_that_vanished_are_named(config: AdaptConfig, tmp_path: Path, said: Say) -> None:
    kept = Snapshots.choose

    def choose(self: Snapshots, *arguments: object, **options: object) -> Chosen:
        self.remove()
        return kept(self, *arguments, **options)  # type: ignore[arg-type]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Snapshots, "choose", choose)
        with pytest.raises(TrainingError, match=r"the state after step .* is gone"):
            adapt.run(config, tmp_path / "run", resume=False, say=said)
