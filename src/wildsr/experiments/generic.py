"""What generic degradation gives: on pictures with processing artefacts that no training knew.

Published (PSNR / SSIM / LPIPS): a GAN trained on bicubic 19.06 / .2424 / .7552, the PSNR-oriented generic network
27.36 / .7620 / .3680, the fused generic GAN 25.78 / .7119 / .2482.
"""

import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np

from wildsr.experiments.asked import Asked
from wildsr.experiments.budget import gan_steps, psnr_steps
from wildsr.experiments.generic_table import (
    BICUBIC_GAN,
    DARK,
    FUSED,
    MEASURES,
    METHODS,
    NETWORK,
    PSNR_GENERIC,
    PUBLISHED,
    generic_page,
    plane_plot,
)
from wildsr.experiments.hidden import processed
from wildsr.experiments.measuring import Bytes, Row, clean_picture, enlarger, measured, to_bytes, to_floats
from wildsr.experiments.training import once, short_run
from wildsr.experiments.writing import (
    detailed_place,
    write_crops,
    write_results,
)
from wildsr.files import make_folder
from wildsr.imaging.exposure import exposed
from wildsr.imaging.luma import luma
from wildsr.models import load_model
from wildsr.recipes import gan, psnr
from wildsr.recipes import generic as recipe
from wildsr.recipes.gan import GanConfig
from wildsr.recipes.generic import GenericConfig
from wildsr.recipes.generic_sweep import SweepSettings
from wildsr.recipes.psnr import PsnrConfig
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.settings import DataSettings, OptimiserSettings

SUMMARY: Final = "on hidden processing artefacts: a GAN trained on bicubic, generic L1, the fused generic GAN"
DISCRIMINATOR: Final = "vgg-small"
PERCEPTUAL: Final = "esrgan-vgg16"
SHARES: Final = dict.fromkeys(("bicubic L1", "bicubic GAN", "generic L1", "y_S", "y_R"), 0.2)
"""Of the budget: both L1 trainings are as long as each other, and all three GANs."""

_EXPOSURE: Final = -3.0
_SIDE: Final = 128
_DATA: Final = DataSettings(patch=96, batch=4, validation_photos=12, validation_side=128)
_L1: Final = OptimiserSettings(learning_rate=1e-3, schedule="cosine", floor=0.05, warm_up=30, clip=1.0)
_GAN: Final = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.1, warm_up=20, clip=1.0
)


@dataclass(frozen=True, kw_only=True)
class Models:
    """Folders of what was trained."""

    bicubic_psnr: Path
    bicubic_gan: Path
    generic: Path

    def of(self, method: str) -> Path | None:
        """The folder of a method of the table."""
        return {
            "bicubic enlargement": None,
            "L1 trained on bicubic": self.bicubic_psnr,
            BICUBIC_GAN: self.bicubic_gan,
            PSNR_GENERIC: self.generic / recipe.PSNR,
            "standard GAN alone (y_S)": self.generic / recipe.STANDARD,
            "relativistic GAN alone (y_R)": self.generic / recipe.RELATIVISTIC,
            FUSED: self.generic,
        }[method]


def run(asked: Asked) -> Path:
    """Train all, enlarge every test picture as it is and three exposure steps darker, write the page."""
    tests = {path.stem: clean_picture(path) for path in asked.tests()}
    steps = stage_steps(asked)
    models = trained(asked, steps)
    pictures = {("", name): hr for name, hr in tests.items()}
    pictures |= {(DARK, name): to_bytes(exposed(to_floats(hr), _EXPOSURE)) for name, hr in tests.items()}
    lrs = {key: processed(hr, " ".join(key)) for key, hr in pictures.items()}
    shown = max(tests, key=lambda name: float(np.std(tests[name])))
    rows: list[Row] = []
    crops: list[Bytes] = []
    top, left = detailed_place(tests[shown], _SIDE)
    for method in METHODS:
        enlarge = enlarger(models.of(method))
        for (condition, name), hr in pictures.items():
            sr = enlarge(lrs[condition, name])
            rows.append(
                Row(picture=name, condition=condition, method=method, values=measured(sr, hr, MEASURES))
            )
            if (condition, name) == ("", shown):
                crops.append(sr[top : top + _SIDE, left : left + _SIDE])
    folder = asked.output / "generic"
    make_folder(folder)
    shutil.copyfile(models.generic / "sweep.csv", folder / "sweep.csv")
    write_crops(folder / "crops.jpg", [tests[shown][top : top + _SIDE, left : left + _SIDE], *crops])
    rule = load_model(models.generic).rule
    assert rule is not None
    medians = {name: _median(lrs[DARK, name]) for name in tests}
    return write_results(
        folder,
        page=generic_page(asked, rows, steps, shown, rule, medians),
        rows=rows,
        plots={"plane": plane_plot(rows)},
        facts={
            "experiment": "generic",
            "budget": asked.budget,
            "steps": steps,
            "rule": {"alpha": rule.alpha, "beta": rule.beta, "gamma": rule.gamma},
            "published": PUBLISHED,
        },
    )  # fmt: skip


def stage_steps(asked: Asked) -> dict[str, int]:
    """Steps of each stage within the budget, decided once."""
    kept = asked.runs / "generic-steps.txt"
    if kept.is_file():
        lines = [line.rsplit(" ", 1) for line in kept.read_text(encoding="utf-8").splitlines()]
        return {name: int(number) for name, number in lines}
    perceptual = perceptual_network(PERCEPTUAL, vgg19=None)
    steps = {}
    for name, share in SHARES.items():
        seconds = asked.budget * share
        steps[name] = (
            psnr_steps(seconds, NETWORK, _DATA)
            if name.endswith("L1")
            else gan_steps(seconds, NETWORK, DISCRIMINATOR, perceptual, _DATA)
        )
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text("".join(f"{name} {number}\n" for name, number in steps.items()), encoding="utf-8")
    return steps


def trained(asked: Asked, steps: dict[str, int]) -> Models:
    """Train what is not there yet, on bicubic LR and on generic degradation."""
    models = Models(
        bicubic_psnr=asked.runs / "bicubic-psnr",
        bicubic_gan=asked.runs / "bicubic-gan",
        generic=asked.runs / "generic",
    )
    data = replace(_DATA, hr=asked.hr, cache=asked.runs / "cache")
    asked.say(f"steps: {', '.join(f'{name} {number}' for name, number in steps.items())}")
    plain = PsnrConfig(network=NETWORK, data=data, optimiser=_L1, run=short_run(steps["bicubic L1"]))
    once(models.bicubic_psnr, lambda folder, resume: psnr.run(plain, folder, resume=resume, say=asked.say))
    against = GanConfig(
        network=NETWORK,
        start=str(models.bicubic_psnr),
        discriminator=DISCRIMINATOR,
        perceptual=PERCEPTUAL,
        data=data,
        optimiser=_GAN,
        discriminator_optimiser=_GAN,
        run=short_run(steps["bicubic GAN"]),
    )
    once(models.bicubic_gan, lambda folder, resume: gan.run(against, folder, resume=resume, say=asked.say))
    if steps["y_S"] != steps["y_R"]:
        steps["y_S"] = steps["y_R"] = min(steps["y_S"], steps["y_R"])
    whole = GenericConfig(
        network=NETWORK,
        psnr_steps=steps["generic L1"],
        psnr_optimiser=_L1,
        discriminator=DISCRIMINATOR,
        perceptual=PERCEPTUAL,
        sweep=SweepSettings(exposure=_EXPOSURE),
        data=replace(data, degradation="samsung_generic"),
        optimiser=_GAN,
        discriminator_optimiser=_GAN,
        run=short_run(steps["y_R"]),
    )
    once(
        models.generic,
        lambda folder, resume: recipe.run(whole, folder, resume=resume, say=asked.say),
        stages=recipe.STAGES,
    )
    return models


def _median(lr: Bytes) -> float:
    return float(np.median(luma(lr.astype(np.float32))))
