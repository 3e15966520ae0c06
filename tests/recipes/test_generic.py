"""Samsung's recipe on tiny data: three stages' losses, resumes at each of them, the sweep, the one model it leaves."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from tests.recipes.conftest import curves
from wildsr.checkpoints import load_network
from wildsr.data import DegradedCrops, Sample
from wildsr.degradation import choose
from wildsr.engine import Settings, Upscaler
from wildsr.errors import UsageError
from wildsr.imaging import Picture
from wildsr.models import FusionRule, load_model
from wildsr.recipes import generic
from wildsr.recipes.choosing import configured
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.generic import PRESETS, STAGES, GenericConfig
from wildsr.recipes.generic_page import gain, reported, sweep_csv, sweep_page
from wildsr.recipes.generic_sweep import Judged, Sweep, best_rule, darkened
from wildsr.training.budget import check_budget
from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
from wildsr.training.config import configure

Say = Callable[[str], None]


@pytest.fixture(autouse=True)
def _offline(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "models"))
    monkeypatch.setattr(
        "wildsr.recipes.generic_sweep.lpips", lambda sr, hr: float(abs(sr / 255 - hr / 255).mean())
    )


@pytest.fixture
def tiny_generic(tiny_gan: GanConfig) -> GenericConfig:
    """All stages of a compact ×2 network, four steps each."""
    return GenericConfig(
        network=tiny_gan.network,
        arguments=tiny_gan.arguments,
        psnr_steps=4,
        psnr_optimiser=replace(tiny_gan.optimiser, learning_rate=1e-3),
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


def test_losses_of_all_stages_and_what_is_left(
    tiny_generic: GenericConfig, tmp_path: Path, said: Say
) -> None:
    run = generic.run(tiny_generic, tmp_path / "run", resume=False, say=said)
    assert series(run / "psnr", "loss") == close(0.06212725, 0.03021683, 0.05253847, 0.05974505)
    for stage, adversarial, discriminator in (
        ("standard", (0.003414843, 0.003521651), (1.407602, 1.405051)),
        ("relativistic", (0.003439041, 0.003600383), (0.7091108, 0.6914067)),
    ):
        assert series(run / stage, "pixel")[:2] == close(0.0006095122, 0.000285717)
        assert series(run / stage, "perceptual")[:2] == close(0.008289632, 0.002512314)
        assert series(run / stage, "adversarial")[:2] == close(*adversarial)
        assert series(run / stage, "discriminator")[:2] == close(*discriminator)
    model = load_model(run)
    assert model.second is not None
    assert (model.spec.id, model.spec.architecture, model.spec.scale) == ("run", "fusion", 2)
    assert "samsung_generic" in model.spec.training
    swept = json.loads((run / "sweep.json").read_text())
    assert model.rule == FusionRule(**swept["rule"])
    assert len(swept["pictures"]) == 4  # two photos held out, each also darkened
    text = (run / "card.md").read_text()
    assert "wildsr train generic" in text
    assert "psnr_steps = 4" in text
    assert (run / "sweep.html").read_text().startswith("<!doctype html>")


def test_the_model_is_its_two_gans_by_the_rule(
    tiny_generic: GenericConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    rule = FusionRule(alpha=0.25, beta=0.75, gamma=90.0)
    monkeypatch.setattr("wildsr.recipes.generic_sweep.best_rule", lambda *_: rule)
    run = generic.run(tiny_generic, tmp_path / "run", resume=False, say=said)
    plain = Settings(color_fix=False, precision="fp32")
    rgb = np.random.default_rng(0).uniform(0.2, 0.8, (24, 30, 3)).astype(np.float32)
    r, s = (
        Upscaler(run / name, plain)(Picture(rgb=rgb * np.float32(0.5))).rgb
        for name in ("relativistic", "standard")
    )
    assert abs(r - s).max() > 1e-4
    ours = Upscaler(run, plain)
    assert abs(ours(Picture(rgb=rgb * np.float32(0.5))).rgb - (0.25 * r + 0.75 * s)).max() < 1e-4
    bright = Picture(rgb=rgb)
    assert np.array_equal(ours(bright).rgb, Upscaler(run / "relativistic", plain)(bright).rgb)
    start = load_network(run).network.state_dict()
    assert all(
        torch.equal(tensor, start[name])
        for name, tensor in load_network(run / "relativistic").network.state_dict().items()
    )


def test_a_run_cut_off_at_every_stage_ends_at_the_same_model(
    tiny_generic: GenericConfig, tmp_path: Path, said: Say
) -> None:
    whole = generic.run(tiny_generic, tmp_path / "a" / "run", resume=False, say=said)
    original, place = DegradedCrops.sample, tmp_path / "b" / "run"
    for stage in STAGES:

        def cut(self: DegradedCrops, seed: int, index: int, stage: str = stage) -> Sample:
            begun = [name for name in STAGES if (place / name).is_dir()]
            if index == 7 and begun[-1] == stage:
                raise RuntimeError("power cut")
            return original(self, seed, index)

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(DegradedCrops, "sample", cut)
            with pytest.raises(RuntimeError, match="power cut"):
                generic.run(tiny_generic, place, resume=stage != "psnr", say=said)
        assert load_checkpoint(checkpoints_in(place / stage)[-1]).step == 2
    assert not (place / "model.onnx").exists()
    chosen = configured("generic", resumed=place)
    assert chosen.config == tiny_generic
    chosen.run(place, resume=True, say=said)
    for name in STAGES:
        one, other = (load_checkpoint(checkpoints_in(run / name)[-1]) for run in (whole, place))
        assert one.step == other.step == 4
        assert all(torch.equal(one.tensors[key], other.tensors[key]) for key in one.tensors)
    for name in ("model.onnx", "model.safetensors", "sweep.json"):
        assert (place / name).read_bytes() == (whole / name).read_bytes()
    with pytest.raises(UsageError, match="holds a training already"):
        generic.run(tiny_generic, place, resume=False, say=said)


def test_both_gans_begin_where_l1_ended_and_differ_in_their_objective_alone(
    tiny_generic: GenericConfig, tmp_path: Path, said: Say
) -> None:
    config = configure(tiny_generic, sets=["optimiser.learning_rate=1e-12", "run.steps=1", "run.ema=0.0"])
    run = generic.run(config, tmp_path / "run", resume=False, say=said)
    psnr, *gans = (load_checkpoint(checkpoints_in(run / name)[-1]).tensors for name in STAGES)
    for gan in gans:
        names = [name for name in gan if name.startswith("network/ema/")]
        assert names
        assert all(torch.allclose(gan[name], psnr[name], atol=1e-7) for name in names)
    assert series(run / "standard", "pixel") == series(run / "relativistic", "pixel")
    assert series(run / "standard", "adversarial") != series(run / "relativistic", "adversarial")


def judged(name: str, luminance: float, r: float, s: float, half: float, *, chooses: bool = True) -> Judged:
    return Judged(name=name, luminance=luminance, chooses=chooses, lpips=(r, s, half))


WEIGHTS = ((1.0, 0.0), (0.0, 1.0), (0.5, 0.5))


def test_the_rule_with_the_lowest_mean_is_chosen() -> None:
    """Dark pictures gain by the half, bright ones lose by it; those that only report don't matter."""
    pictures = [
        judged("night", 20, 0.5, 0.6, 0.3),
        judged("dusk", 50, 0.5, 0.6, 0.4),
        judged("noon", 120, 0.2, 0.6, 0.4),
        judged("snow", 200, 0.2, 0.0, 0.0, chooses=False),
    ]
    rule = best_rule(WEIGHTS, pictures, (0.0, 40.0, 60.0, 80.0, 256.0))
    assert rule == FusionRule(alpha=0.5, beta=0.5, gamma=60.0)
    assert best_rule(WEIGHTS, pictures[2:], (0.0, 60.0, 256.0)) == FusionRule(alpha=1, beta=0, gamma=0)


def test_what_the_page_says_is_of_the_other_half() -> None:
    pictures = (
        judged("a", 20, 0.5, 0.6, 0.3),
        judged("b", 30, 0.5, 0.4, 0.35, chooses=False),
        judged("c", 30, 0.5, 0.6, 0.45, chooses=False),
        judged("d", 90, 0.1, 0.2, 0.3, chooses=False),
    )
    sweep = Sweep(weights=WEIGHTS, pictures=pictures, rule=FusionRule(gamma=60.0))
    dark = reported(sweep, dark=True)
    assert [one.name for one in dark] == ["b", "c"]
    found = gain(sweep, dark)
    assert found is not None
    assert found.mean == pytest.approx(-0.1)  # (.35 + .45)/2 − .5, both alone have .5
    assert gain(sweep, reported(sweep, dark=False)).mean == 0  # type: ignore[union-attr]
    text = sweep_page("x", sweep)
    assert "−0.1000 [−0.1500, −0.0500]" in text
    assert text.count("<svg") == 2
    assert sweep_csv(sweep).count("\n") == 1 + 4 * 3
    assert '"b",30.00,0,0.5,0.5,0.350000' in sweep_csv(sweep)


def test_a_darker_exposure() -> None:
    """Three steps: an eighth of the light; sRGB 188 is half of it, and 99 an eighth of that within one level."""
    hr = np.full((16, 16, 3), 188, np.uint8)
    dark = darkened(Sample(lr=hr[:8, :8], hr=hr, name="x"), choose("bicubic", scale=2), -3.0)
    light = ((188 / 255 + 0.055) / 1.055) ** 2.4
    expected = (1.055 * (light / 8) ** (1 / 2.4) - 0.055) * 255
    assert abs(dark.hr.astype(float) - expected).max() <= 0.5
    assert dark.lr.shape == (8, 8, 3)
    assert abs(dark.lr.astype(float) - expected).max() <= 1
    assert dark.name == "x -3 EV"


def test_no_photo_to_choose_by_is_said(tiny_generic: GenericConfig, tmp_path: Path, said: Say) -> None:
    config = configure(tiny_generic, sets=["data.validation_photos=0", "psnr_steps=1", "run.steps=1"])
    run = generic.run(config, tmp_path / "run", resume=False, say=said)
    assert any("no photos held out" in line for line in said.lines)  # type: ignore[attr-defined]
    assert load_model(run).rule == FusionRule()
    assert not (run / "sweep.json").exists()


def test_a_budget_too_small_is_refused_before_anything_starts(
    tiny_generic: GenericConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wildsr.training.budget.seconds_per_step", lambda *_, **__: (0.5, 0.1))
    with pytest.raises(UsageError, match="18 steps of the shortest stage") as refused:
        generic.run(
            configure(tiny_generic, sets=["run.time_budget=30"]), tmp_path / "run", resume=False, say=said
        )
    assert "13 min 53 s" in str(refused.value.hint)
    assert not (tmp_path / "run").exists()
    network = torch.nn.Conv2d(3, 3, 3)
    for seconds, notes in ((300, 1), (3000, 0), (0, 0)):
        said.lines.clear()  # type: ignore[attr-defined]
        check_budget(seconds, network, tiny_generic.data, scale=2, share=0.3, say=said)
        assert len(said.lines) == notes  # type: ignore[attr-defined]


def test_another_recipes_folder_is_refused(tiny_generic: GenericConfig, tmp_path: Path, said: Say) -> None:
    (tmp_path / "run" / "checkpoints").mkdir(parents=True)
    (tmp_path / "run" / "checkpoints" / "step-00000001.safetensors").touch()
    with pytest.raises(UsageError, match="another recipe"):
        generic.run(tiny_generic, tmp_path / "run", resume=False, say=said)


def test_the_papers_numbers() -> None:
    """ALGORITHMS 4.2: RCAN, the generic degradation; what the paper doesn't give is ESRGAN's."""
    preset = PRESETS["samsung"]
    assert (preset.network, preset.data.degradation) == ("rcan", "samsung_generic")
    assert (preset.pixel_weight, preset.perceptual_weight, preset.adversarial_weight) == (0.01, 1.0, 0.005)
    assert (preset.psnr_steps, preset.psnr_optimiser.learning_rate) == (1_000_000, 1e-4)
    assert generic._OBJECTIVES == {"standard": "vanilla", "relativistic": "relativistic"}


def test_the_papers_network_fits_into_one_file() -> None:
    """Two RCANs of the paper's depth have fewer operations than a model file may."""
    from wildsr.checkpoints.onnx_graph import translate
    from wildsr.models.fusion import fuse
    from wildsr.models.onnx_checks import check_structure
    from wildsr.networks import NETWORKS

    graph = translate(NETWORKS["rcan"](channels=4, reduction=2).eval())
    both = fuse(graph, graph, FusionRule())
    check_structure(both)
    onnx.checker.check_model(both)
    assert len(both.graph.node) > 4000
