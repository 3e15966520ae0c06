"""What each part of RealSR (Ji et al., CVPRW 2020) gives: kernels, noise, both, neither; a hidden camera, real pairs.

All four variants begin at one network trained on bicubic LR, take as many steps with the same settings, and learn the
degradation from photos of the camera alone. `neither` is the same GAN trained on bicubic LR.
"""

import shutil
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image

from wildsr.errors import InputError
from wildsr.estimation.noise.variance_rule import VarianceRule
from wildsr.experiments.ablation_page import BICUBIC, CAMERA, PAIRS, PARTS, ablation_page, gains_plot
from wildsr.experiments.asked import Asked
from wildsr.experiments.budget import gan_steps, psnr_steps
from wildsr.experiments.hidden import LEAST_SIDE, camera
from wildsr.experiments.measuring import RECOVERY, Bytes, Row, clean_picture, enlarger, measured
from wildsr.experiments.real import halves, link
from wildsr.experiments.training import once, short_run
from wildsr.experiments.writing import detailed_place, write_crops, write_results
from wildsr.files import atomic_write, counted, find_pictures, make_folder
from wildsr.imaging import probe
from wildsr.recipes import psnr, realsr
from wildsr.recipes.psnr import PsnrConfig
from wildsr.recipes.realsr import WARM_START, RealsrConfig
from wildsr.recipes.realsr_pool import KEPT_PROFILE, PoolSettings
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.settings import DataSettings, OptimiserSettings

SUMMARY: Final = (
    "RealSR without noise, without kernels, with both and with neither, on a hidden camera and on pairs"
)
NETWORK: Final = "srvgg-16"
DISCRIMINATOR: Final = "patch"
PERCEPTUAL: Final = "esrgan-vgg16"

_SIDE: Final = 128
_START_SHARE: Final = 0.2
_WARM_SHARE: Final = 0.4
"""Of what a variant has; the rest is the GAN's."""
_SOURCES: Final = 40
"""Photos of the hidden camera at most."""
_DATA: Final = DataSettings(patch=64, batch=4, validation_photos=4, validation_side=128)
_L1: Final = OptimiserSettings(learning_rate=1e-3, schedule="cosine", floor=0.05, warm_up=30, clip=1.0)
_GAN: Final = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.1, warm_up=20, clip=1.0
)
_NOISE: Final = VarianceRule(side=32, stride=32, variance=25.0)
"""The paper's rule on patches that fit into small photos."""


@dataclass(frozen=True, kw_only=True)
class _Camera:
    """A camera: photos to learn from, and pictures to test on."""

    condition: str
    source: Path
    tests: dict[str, tuple[Bytes, Bytes]]
    """Name → HR and LR."""


@dataclass(frozen=True, kw_only=True)
class _Steps:
    """Steps of each training, decided once."""

    start: int
    warm: int
    gan: int


def run(asked: Asked) -> Path:
    """Train the start and the variants of each camera, enlarge the test pictures, write the page."""
    clean, cameras = _cameras(asked)
    steps = _steps(asked, variants=len(PARTS) * len(cameras))
    asked.say(
        f"steps: {steps.start} on bicubic LR; then {steps.warm} on L1 and {steps.gan} of the GAN a variant"
    )
    start = _start(asked, clean, steps)
    rows: list[Row] = []
    shown: dict[str, str] = {}
    folder = asked.output / "ablation"
    for one in cameras:
        shown[one.condition] = max(one.tests, key=lambda name: float(np.std(one.tests[name][0])))
        crops: list[Bytes] = []
        top, left = detailed_place(one.tests[shown[one.condition]][0], _SIDE)
        for method, model in ((BICUBIC, None), *_variants(asked, clean, one, start, steps)):
            enlarge = enlarger(model)
            for name, (hr, lr) in one.tests.items():
                sr = enlarge(lr)
                values = measured(sr, hr, tuple(RECOVERY))
                rows.append(Row(picture=name, method=method, condition=one.condition, values=values))
                if name == shown[one.condition]:
                    crops.append(sr[top : top + _SIDE, left : left + _SIDE])
        hr = one.tests[shown[one.condition]][0][top : top + _SIDE, left : left + _SIDE]
        write_crops(folder / f"{one.condition}.jpg", [hr, *crops])
    return write_results(
        folder,
        page=ablation_page(asked, rows, (steps.start, steps.warm, steps.gan), shown),
        rows=rows,
        plots={"gains": gains_plot(rows)},
        facts={
            "experiment": "ablation",
            "budget": asked.budget,
            "steps": {"start": steps.start, "warm start": steps.warm, "GAN": steps.gan},
        },
    )


def _cameras(asked: Asked) -> tuple[Path, list[_Camera]]:
    """The folder of clean photos, and the cameras: the hidden one, and the one of the pairs where there are some.

    Every other photo of `hr` is taken by the hidden camera, so that no photo is both clean and degraded.
    """
    photos = [one.path for one in find_pictures([asked.hr], recursive=True).pictures]
    if len(photos) < 2:
        raise InputError(
            f"{counted(len(photos), 'photo')} in {asked.hr}; half of them are the hidden camera's, half are learnt "
            "from as HR",
            hint="two are the fewest; a hundred are better",
        )
    clean, source = asked.runs / "ablation-clean", asked.runs / "ablation-hidden"
    link(photos[::2], clean)
    make_folder(source)
    large = [path for path in photos[1::2] if min(probe(path).width, probe(path).height) >= LEAST_SIDE]
    if not large:
        raise InputError(
            f"no photo for the hidden camera in {asked.hr}: it shrinks them to an eighth for training",
            hint=f"photos of {LEAST_SIDE} pixels a side or more are needed",
        )
    for path in large[:_SOURCES]:
        target = source / f"{path.stem}.png"
        if not target.exists():
            with atomic_write(target) as temporary:
                Image.fromarray(camera(clean_picture(path, largest=10_000), path.stem)).save(temporary, "PNG")
    tests = {path.stem: clean_picture(path) for path in asked.tests()}
    cameras = [
        _Camera(
            condition=CAMERA,
            source=source,
            tests={name: (hr, camera(hr, name)) for name, hr in tests.items()},
        )
    ]
    if asked.pairs is not None:
        learnt, pairs = halves(asked.pairs, asked.runs / "pairs-learnt")
        cameras.append(_Camera(condition=PAIRS, source=learnt, tests=pairs))
    return clean, cameras


def _steps(asked: Asked, *, variants: int) -> _Steps:
    kept = asked.runs / "ablation-steps.txt"
    if not kept.is_file():
        each = asked.budget * (1 - _START_SHARE) / variants
        perceptual = perceptual_network(PERCEPTUAL, vgg19=None)
        numbers = (
            psnr_steps(asked.budget * _START_SHARE, NETWORK, _DATA),
            psnr_steps(each * _WARM_SHARE, NETWORK, _DATA),
            gan_steps(each * (1 - _WARM_SHARE), NETWORK, DISCRIMINATOR, perceptual, _DATA),
        )
        make_folder(kept.parent)
        with atomic_write(kept) as temporary:
            temporary.write_text(" ".join(map(str, numbers)) + "\n", encoding="utf-8")
    start, warm, gan = map(int, kept.read_text(encoding="utf-8").split())
    return _Steps(start=start, warm=warm, gan=gan)


def _start(asked: Asked, clean: Path, steps: _Steps) -> Path:
    folder = asked.runs / "ablation-start"
    config = PsnrConfig(
        network=NETWORK,
        data=replace(_DATA, hr=clean, cache=asked.runs / "cache"),
        optimiser=_L1,
        run=short_run(steps.start),
    )
    return once(folder, lambda place, resume: psnr.run(config, place, resume=resume, say=asked.say))


def _variants(
    asked: Asked, clean: Path, one: _Camera, start: Path, steps: _Steps
) -> Sequence[tuple[str, Path]]:
    """Method and model of each variant; the kernels are estimated once."""
    made: list[tuple[str, Path]] = []
    profile: Path | None = None
    for method, parts in PARTS.items():
        folder = asked.runs / f"ablation-{one.condition}-{parts}"
        config = RealsrConfig(
            source=one.source,
            pool=PoolSettings(parts=parts, noise=_NOISE),
            network=NETWORK,
            start=str(start),
            warm_steps=steps.warm,
            warm_optimiser=replace(_L1, learning_rate=5e-4),
            discriminator=DISCRIMINATOR,
            perceptual=PERCEPTUAL,
            data=replace(_DATA, hr=clean),
            optimiser=_GAN,
            discriminator_optimiser=_GAN,
            run=short_run(steps.gan),
        )
        if profile is not None and not (folder / KEPT_PROFILE).is_file():
            make_folder(folder)
            shutil.copyfile(profile, folder / KEPT_PROFILE)
        asked.say(f"{one.condition}, {method}")
        once(folder, partial(_realsr, config, asked), stages=[WARM_START])
        if (folder / KEPT_PROFILE).is_file():
            profile = folder / KEPT_PROFILE
        made.append((method, folder))
    return made


def _realsr(config: RealsrConfig, asked: Asked, folder: Path, resume: bool) -> Path:
    return realsr.run(config, folder, resume=resume, say=asked.say)
