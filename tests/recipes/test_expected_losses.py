"""What every recipe's first steps cost on tiny data, to four digits, also across a resume and a rollback.

The numbers are those of the fixtures `tiny` and `tiny_gan` (fp32, one thread), read from `curves.jsonl`. They were the
same, with all weights bit for bit, when the loop called the recipe instead of the recipe running the loop.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.recipes.conftest import curves
from wildsr.data import AlignedCrops, Sample
from wildsr.recipes import RECIPES, gan, psnr
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.config import configure
from wildsr.training.losses import OBJECTIVES

Say = Callable[[str], None]
Spoil = Callable[[Sample], Sample]

PSNR = (0.02338644, 0.03023947, 0.02843231, 0.02818142)
CONTENT = {"pixel": (0.0002570721, 0.00026678), "perceptual": (0.002187724, 0.002226728)}
AVX_512 = {-4.740281e-05: -4.736780e-05, 0.003580871: 0.003582092, 0.6766582: 0.6764219}
"""What these are where oneDNN has AVX-512: it rounds otherwise, which a game amplifies by its third step. By
`ONEDNN_MAX_CPU_ISA=AVX2` the same processor gives the numbers below."""

GAMES = {
    "vanilla": {
        "adversarial": (0.003475975, 0.003446886, 0.003462688),
        "discriminator": (1.386374, 1.386336, 1.386211),
    },
    "least-squares": {
        "adversarial": (0.005041683, 0.004777761, 0.004561827),
        "discriminator": (1.008929, 0.9568554, 0.9154351),
    },
    "hinge": {
        "adversarial": (2.011499e-05, -2.248852e-05, -4.740281e-05),
        "discriminator": (2.000015, 1.999867, 1.999679),
    },
    "wasserstein": {
        "adversarial": (2.011499e-05, 0.000118037, 0.0001592413),
        "discriminator": (5.016336, 0.8862126, 0.6301237),
    },
    "relativistic": {
        "adversarial": (0.003465529, 0.003465897, 0.003466331),
        "discriminator": (0.6931936, 0.693136, 0.6930424),
    },
}
RECIPES_ELSEWHERE = {
    "dped": "tests/recipes/test_dped.py",
    "adapt": "tests/recipes/test_adapt.py",
    "realsr": "tests/recipes/test_realsr.py",
    "generic": "tests/recipes/test_generic.py",
    "frequency": "tests/recipes/test_frequency.py",
    "mobile": "tests/recipes/test_mobile.py",
}
RECIPES_HERE = ("psnr", "gan")


def test_every_recipe_and_every_objective_is_here() -> None:
    assert set(RECIPES_HERE) | RECIPES_ELSEWHERE.keys() == RECIPES.keys()
    assert GAMES.keys() == OBJECTIVES.keys()


def close(values: Sequence[float]) -> object:
    here = AVX_512 if torch.backends.cpu.get_cpu_capability().startswith("AVX512") else {}
    return pytest.approx([here.get(value, value) for value in values], rel=3e-4, abs=2e-8)


def series(run: Path, name: str) -> list[float]:
    return [point[name] for point in curves(run) if name in point]


def test_psnr(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    run = psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    assert series(run, "loss")[:4] == close(PSNR)
    assert series(run, "psnr")[-1] == pytest.approx(33.7254, abs=2e-3)
    assert series(run, "ssim")[-1] == pytest.approx(0.942138, abs=2e-5)


def test_psnr_on_luma_with_sgd(tiny: PsnrConfig, tmp_path: Path, said: Say) -> None:
    sets = ["loss_on=y", "loss=l2", "optimiser.kind=sgd", "optimiser.clip=0.4", "optimiser.warm_up=3"]
    run = psnr.run(configure(tiny, sets=sets), tmp_path / "run", resume=False, say=said)
    assert series(run, "loss")[:4] == close((0.0001361982, 0.0003983628, 0.0003826637, 0.0004019321))
    assert series(run, "psnr")[-1] == pytest.approx(33.5724, abs=2e-3)


@pytest.mark.parametrize("objective", GAMES)
def test_gan(tiny_gan: GanConfig, objective: str, tmp_path: Path, said: Say) -> None:
    config = configure(tiny_gan, sets=[f"objective={objective}"])
    run = gan.run(config, tmp_path / "run", resume=False, say=said)
    for name, expected in {**CONTENT, **GAMES[objective]}.items():
        assert series(run, name)[: len(expected)] == close(expected), name
    assert series(run, "discriminator_wins")[0] == pytest.approx(0.4980469)


def test_gan_with_texture_and_a_slower_discriminator(tiny_gan: GanConfig, tmp_path: Path, said: Say) -> None:
    sets = ["texture.conv1_1=1.0", "discriminator_every=3", "discriminator=vgg-small", "pixel_weight=0"]
    run = gan.run(configure(tiny_gan, sets=sets), tmp_path / "run", resume=False, say=said)
    assert series(run, "texture")[:4] == close((1.471532e-07, 1.491237e-07, 1.251166e-07, 1.728087e-07))
    assert series(run, "adversarial")[:4] == close((0.003594198, 0.00346, 0.003588226, 0.003580871))
    assert series(run, "discriminator") == close((0.6689235, 0.6766582))
    assert "pixel" not in curves(run)[0]


def spoil(monkeypatch: pytest.MonkeyPatch, at: int, change: Spoil) -> None:
    """Change one sample of the endless row."""
    original = AlignedCrops.sample

    def sample(self: AlignedCrops, seed: int, index: int) -> Sample:
        found = original(self, seed, index)
        lr, hr = (np.asarray(picture, dtype=np.float32) / 255 for picture in (found.lr, found.hr))
        found = Sample(lr=lr, hr=hr, name=found.name)
        return change(found) if index == at else found

    monkeypatch.setattr(AlignedCrops, "sample", sample)


def endless_hr(sample: Sample) -> Sample:
    return Sample(lr=sample.lr, hr=sample.hr * np.float32(math.inf), name=sample.name)


def bright_hr(sample: Sample) -> Sample:
    return Sample(lr=sample.lr, hr=sample.hr * np.float32(1e4), name=sample.name)


def power_cut(_: Sample) -> Sample:
    raise RuntimeError("power cut")


def test_psnr_after_a_rollback(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Step 5 of 12 is rejected; step 4, done since the last good state, is lost with it."""
    spoil(monkeypatch, 9, endless_hr)
    run = psnr.run(tiny, tmp_path / "run", resume=False, say=said)
    assert series(run, "loss")[:4] == close(PSNR)
    assert series(run, "psnr")[-1] == pytest.approx(33.8168, abs=2e-3)


def test_psnr_after_an_explosion(
    tiny: PsnrConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 61, bright_hr)
    run = psnr.run(configure(tiny, sets=["run.steps=40"]), tmp_path / "run", resume=False, say=said)
    assert any(
        line.startswith("step 31: the loss `loss` exploded to 2595, 106863 × its mean") for line in said.lines
    )
    assert series(run, "psnr")[-1] == pytest.approx(34.5379, abs=5e-3)


def test_gan_after_a_rollback(
    tiny_gan: GanConfig, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(monkeypatch, 5, endless_hr)
    run = gan.run(configure(tiny_gan, sets=["discriminator=patch"]), tmp_path / "run", resume=False, say=said)
    (line,) = [line for line in said.lines if "rolled back" in line]
    assert line.startswith("step 3: the norm of the gradients is nan; first found: Inf in `hr` of the batch")
    expected = (0.6915134, 0.6998672, 0.6998672, 0.7025658)  # the third point repeats the last good step
    assert series(run, "discriminator")[:4] == close(expected)
    assert series(run, "psnr")[-1] == pytest.approx(33.5277, abs=2e-3)


@pytest.mark.parametrize("recipe", RECIPES_HERE)
def test_losses_go_on_where_they_stopped(
    recipe: str, tiny: PsnrConfig, tiny_gan: GanConfig, tmp_path: Path, said: Say
) -> None:
    def run(folder: str, *, resume: bool) -> Path:
        if recipe == "psnr":
            return psnr.run(tiny, tmp_path / folder, resume=resume, say=said)
        return gan.run(tiny_gan, tmp_path / folder, resume=resume, say=said)

    with pytest.MonkeyPatch.context() as patch:
        spoil(patch, -1, power_cut)
        whole = curves(run("whole", resume=False))
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch, 9, power_cut)
        with pytest.raises(RuntimeError, match="power cut"):
            run("cut", resume=False)
    with pytest.MonkeyPatch.context() as patch:
        spoil(patch, -1, power_cut)
        assert curves(run("cut", resume=True)) == whole
