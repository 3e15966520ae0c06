"""Frequency separation (Fritsche, Gu, Timofte, ICCVW 2019), winner of AIM 2019: a learnt degradation, and ESRGAN-FS.

The story: source photos, as they are, and clean photos, which show other things → DSGAN learns to make bicubic LR look
like the source: colour and content are held by low frequencies and LPIPS, the discriminator sees high frequencies
only → clean photos degraded by it are the pairs → ESRGAN-FS learns from them: L1 on low frequencies, the discriminator
on high ones, perceptual features on all. So no loss fights another over the same frequencies.

The degrader in `dsgan/` serves every recipe: `--degradation runs/x`.
"""

from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final, Literal

import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from wildsr.checkpoints import load_weights, scale_of
from wildsr.data import Photo, open_photos
from wildsr.data.learnt import DEGRADER
from wildsr.data.noisiness import noisier
from wildsr.data.unpaired import UnpairedCrops
from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, FIXED_PATCH, NETWORKS
from wildsr.networks.dsgan import low_pass
from wildsr.recipes.frequency_gap import write_gap
from wildsr.recipes.frequency_settings import DegraderSettings
from wildsr.training.adversary import adversarial_loss, teach_discriminator
from wildsr.training.choices import DiscriminatorName, NetworkName, PerceptualName
from wildsr.training.config import to_toml
from wildsr.training.datasets import Dataset, build, gather, sampler_of
from wildsr.training.loop import steps
from wildsr.training.losses import OBJECTIVES, l1, low_frequency_l1
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.session import Say, Session, open_fabric, open_session, silent
from wildsr.training.settings import (
    CountOrNone,
    DataSettings,
    NotNegative,
    OptimiserSettings,
    RunSettings,
)
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator

SUMMARY: Final = (
    "learn the degradation from unpaired photos (DSGAN), then ESRGAN with frequency-separated losses"
)
WARM_START: Final = "l1"
STAGES: Final = (DEGRADER, WARM_START)
"""Folders inside the run's: the degrader, and the warm start on L1."""

_COLOUR_FILTER: Final = 5
_FILTER: Final = 9


@dataclass(frozen=True, kw_only=True)
class FrequencyConfig:
    """Everything `wildsr train frequency` can be told."""

    source: Path | None = None
    """Folder of the photos to upscale later: LR shall look like them. The HR photos (--hr) show other things."""

    parts: Literal["both", "degrader"] = "both"
    """Degrader and super-resolution, or the degrader alone."""

    degrader: DegraderSettings = field(default_factory=DegraderSettings)
    """DSGAN."""

    network: NetworkName = "rrdb"
    """Generator preset."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments on top of the preset's, `scale` for example."""

    start: str | None = None
    """Weights to start from; the authors took ESRGAN's."""

    warm_steps: CountOrNone = 0
    """Steps on L1 alone before the GAN, where there are no weights to start from (0: none)."""

    warm_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning in the warm start."""

    filters: bool = True
    """Separate frequencies; the authors switched it off for DPED's photos."""

    discriminator: DiscriminatorName = "vgg-128"
    """Discriminator preset."""

    pixel_weight: NotNegative = 0.01
    """Weight of L1."""

    perceptual: PerceptualName = "esrgan"
    """Which method's features; the ones ending in -vgg16 need no file."""

    perceptual_weight: NotNegative = 1.0
    """Weight of the distance between features."""

    vgg19: Path | None = None
    """File of torchvision's VGG19 weights."""

    adversarial_weight: NotNegative = 0.005
    """Weight of the relativistic adversarial loss."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the generator."""

    discriminator_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the discriminator."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run; its steps are the GAN's."""


def run(config: FrequencyConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Learn to degrade, train on what it makes, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there, at whatever stage.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` and `--degradation` take.
    """
    training: Path = open_fabric(config.run).launch(
        partial(_train, config=config, folder=folder, resume=resume, say=say)
    )
    return training


def _train(fabric: Fabric, *, config: FrequencyConfig, folder: Path, resume: bool, say: Say) -> Path:
    say = say if fabric.is_global_zero else silent
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not resume:
        load_weights(network, config.start)
    clean = gather(_plain(config), scale=scale, folder=folder, say=say)
    real = _source(config, clean, scale=scale, folder=folder, say=say)
    stage = partial(_open, fabric, config, folder, resume=resume, say=say)
    _learn_to_degrade(stage, config, clean, real, scale=scale)
    if config.parts == "degrader":
        return folder

    data = replace(config.data, degradation=str(folder / DEGRADER))
    dataset = gather(data, scale=scale, folder=folder, say=say)
    if config.warm_steps:
        _warm_start(stage, config, network, dataset)
    _train_fs(stage, config, network, dataset)
    return folder


def _learn_to_degrade(
    stage: "partial[Session]", config: FrequencyConfig, clean: Dataset, real: list[Photo], *, scale: int
) -> None:
    """DSGAN: bicubic LR → LR as of the source."""
    how, side = config.degrader, config.data.patch // scale
    network = build(NETWORKS, DEGRADER, how.arguments, seed=config.run.seed)
    judge = build(DISCRIMINATORS, DEGRADER, {}, seed=config.run.seed + 1, what="discriminator")
    lpips = perceptual_network("lpips-vgg16", vgg19=None)
    objective = OBJECTIVES["vanilla"]
    data = replace(config.data, batch=how.batch)
    refuse_what_cannot_fit({network: side, judge: side, lpips.vgg: side}, data, scale=scale)
    fingerprint = f"{clean.fingerprint} {' '.join(f'{photo.name} {photo.hr.shape}' for photo in real)}"
    with stage(DEGRADER, fingerprint, steps=how.steps) as session:
        session.tell(f"degrader: {len(clean.train)} clean photos, {len(real)} of the source")
        degrader = trainable(session, "generator", network, how.optimiser)
        discriminator = trainable(session, "discriminator", judge, how.optimiser)
        lpips.to(session.fabric.device)
        state = start_state(session, degrader, discriminator)
        crops = UnpairedCrops(clean.train, real, side=side)
        for step in steps(session, state, crops, data):
            bicubic, real_crop = step.lr, step.hr
            fake = degrader(bicubic)

            terms: dict[str, Tensor] = {}
            with session.fabric.autocast():
                drift = F.avg_pool2d(fake - bicubic, _COLOUR_FILTER, stride=1)
                terms["colour"] = how.colour_weight * drift.abs().mean()
                terms["perceptual"] = how.perceptual_weight * lpips(fake, bicubic)
                texture = adversarial_loss(objective, discriminator.network, fake, real_crop)
                terms["texture"] = how.texture_weight * texture
            step.minimise(degrader, terms)

            teach_discriminator(step, discriminator, objective, fake.detach(), real_crop)
        if not (session.folder / "model.onnx").is_file():
            publish(session, state, clean, data, preset=DEGRADER, arguments=how.arguments)
        if session.leads:
            session.tell(write_gap(session.folder, state.ema.module, clean, real))


def _warm_start(
    stage: "partial[Session]", config: FrequencyConfig, network: nn.Module, dataset: Dataset
) -> None:
    """Train the generator on L1; `network` ends with the averaged weights."""
    with stage(WARM_START, dataset.fingerprint, steps=config.warm_steps) as session:
        session.tell(f"warm start on L1, {config.warm_steps} steps; data: {dataset.summary}")
        generator = trainable(session, "generator", network, config.warm_optimiser)
        state = start_state(session, generator)
        samples = sampler_of(dataset, config.data, scale=scale_of(network))
        validate = validator(session, dataset.validation, border=scale_of(network))
        for step in steps(session, state, samples, config.data, validate=validate):
            step.minimise(generator, {"loss": l1(generator(step.lr), step.hr)})
        network.load_state_dict(state.ema.module.state_dict())


def _train_fs(
    stage: "partial[Session]", config: FrequencyConfig, network: nn.Module, dataset: Dataset
) -> None:
    """ESRGAN-FS."""
    scale, patch = scale_of(network), config.data.patch
    arguments = {"patch": patch} if config.discriminator in FIXED_PATCH else {}
    judge = build(
        DISCRIMINATORS, config.discriminator, arguments, seed=config.run.seed + 1, what="discriminator"
    )
    objective = OBJECTIVES["relativistic"]
    perceptual = perceptual_network(config.perceptual, vgg19=config.vgg19)
    refuse_what_cannot_fit(
        {network: patch // scale, judge: patch, perceptual.vgg: patch}, config.data, scale=scale
    )
    with stage("", dataset.fingerprint, steps=config.run.steps) as session:
        session.tell(f"data: {dataset.summary}")
        if not config.start and not config.warm_steps:
            session.tell("note: no starting weights (start=…) and no warm start; such a GAN rarely gets good")
        generator = trainable(session, "generator", network, config.optimiser)
        discriminator = trainable(session, "discriminator", judge, config.discriminator_optimiser)
        perceptual.to(session.fabric.device)
        state = start_state(session, generator, discriminator)
        samples = sampler_of(dataset, config.data, scale=scale)
        validate = validator(session, dataset.validation, border=scale, looks=True)
        for step in steps(session, state, samples, config.data, validate=validate):
            fake, hr = generator(step.lr), step.hr
            high_fake, high_hr = (_high_pass(fake), _high_pass(hr)) if config.filters else (fake, hr)

            terms: dict[str, Tensor] = {}
            with session.fabric.autocast():
                pixel = low_frequency_l1(fake, hr, _FILTER) if config.filters else l1(fake, hr)
                terms["pixel"] = config.pixel_weight * pixel
                terms["perceptual"] = config.perceptual_weight * perceptual(fake, hr)
                adversarial = adversarial_loss(objective, discriminator.network, high_fake, high_hr)
                terms["adversarial"] = config.adversarial_weight * adversarial
            step.minimise(generator, terms)

            teach_discriminator(step, discriminator, objective, high_fake.detach(), high_hr)
        publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _high_pass(picture: Tensor) -> Tensor:
    return picture - low_pass(picture, _FILTER)


def _plain(config: FrequencyConfig) -> DataSettings:
    """Clean photos with bicubic LR, which the degrader starts from."""
    data = config.data
    if data.lr is not None or data.degradation is not None or data.profile is not None:
        raise UsageError(
            "frequency learns how LR looks from the source photos",
            hint="leave out data.lr, --profile and --degradation; --set source=FOLDER names the photos",
        )
    return data


def _source(config: FrequencyConfig, clean: Dataset, *, scale: int, folder: Path, say: Say) -> list[Photo]:
    if config.source is None:
        raise UsageError(
            "nothing given to learn the degradation from",
            hint="--set source=FOLDER names the photos to upscale later",
        )
    cache = config.data.cache or folder / "cache"
    side = config.data.patch // scale
    found = open_photos(config.source, scale=1, patch=side, cache=cache, make_lr=False, say=say).photos
    if (told := noisier(clean.train, found)) is not None:
        say(f"note: {told}")
    return list(found)


def _open(
    fabric: Fabric,
    config: FrequencyConfig,
    folder: Path,
    name: str,
    data: str,
    *,
    steps: int,
    resume: bool,
    say: Say,
) -> Session:
    # a budget is the last stage's; those before it have steps of their own
    settings = config.run if not name else replace(config.run, steps=steps, time_budget=0.0)
    return open_session(
        fabric,
        folder=folder / name,
        recipe="frequency",
        config=to_toml(config),
        data=data,
        settings=settings,
        resume=resume,
        say=say,
    )


_DSGAN = OptimiserSettings(
    learning_rate=2e-4, betas=(0.5, 0.999), schedule="steps", milestones=(0.6, 0.7, 0.8, 0.9)
)
_FS = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="steps", milestones=(5 / 60, 10 / 60, 20 / 60, 30 / 60)
)
_GAN_CPU = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=20, clip=1.0
)

PRESETS: dict[str, FrequencyConfig] = {
    "esrgan-fs": FrequencyConfig(
        degrader=DegraderSettings(optimiser=_DSGAN),
        data=DataSettings(patch=128, batch=16),
        optimiser=_FS,
        discriminator_optimiser=_FS,
        run=RunSettings(steps=60_001, ema=0.0),
    ),
    "esrgan-fs-cpu": FrequencyConfig(
        degrader=DegraderSettings(
            steps=600,
            batch=8,
            arguments={"blocks": 4, "channels": 32},
            optimiser=replace(_GAN_CPU, learning_rate=2e-4, betas=(0.5, 0.999)),
        ),
        network="srvgg-16",
        warm_steps=2000,
        warm_optimiser=OptimiserSettings(learning_rate=1e-3, schedule="cosine", warm_up=50, clip=0.1),
        discriminator="vgg-small",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=128, batch=4),
        optimiser=_GAN_CPU,
        discriminator_optimiser=_GAN_CPU,
        run=RunSettings(steps=600, ema=0.99, checkpoint_every=100, validate_every=200),
    ),
}
"""The papers' numbers (AIM 2019; VGG19 and ESRGAN's weights: give the files; DSGAN was trained on LR crops of 128
pixels, here of 32, and its rate falls in steps rather than along a line), and sizes for two CPU cores (`-cpu`)."""
