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
from torch import Tensor, nn

from wildsr.checkpoints import load_weights, scale_of
from wildsr.data import Photo, Sampler, open_photos
from wildsr.data.learnt import DEGRADER
from wildsr.data.noisiness import noisier
from wildsr.data.unpaired import UnpairedCrops
from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.networks.dsgan import low_pass
from wildsr.recipes.frequency_gap import write_gap
from wildsr.recipes.frequency_settings import DegraderSettings
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.adversary import adversarial_loss, teach_discriminator
from wildsr.training.choices import NetworkName
from wildsr.training.datasets import Dataset, build, gather, sampler_of
from wildsr.training.gan_stage import critics_of, train_gan
from wildsr.training.l1_stage import train_on_l1
from wildsr.training.launch import Process, launch
from wildsr.training.loop import steps
from wildsr.training.losses import OBJECTIVES, l1, low_frequency_l1
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import (
    CountOrNone,
    DataSettings,
    OptimiserSettings,
    RunSettings,
)
from wildsr.training.trainable import start_state, trainable

SUMMARY: Final = (
    "learn the degradation from unpaired photos (DSGAN), then ESRGAN with frequency-separated losses"
)
IDENTITY: Final = "identity"
WARM_START: Final = "l1"
STAGES: Final = (IDENTITY, DEGRADER, WARM_START)
"""Folders inside the run's: the degrader's warm start, the degrader, and the generator's warm start on L1."""

_COLOUR_FILTER: Final = 5
_FILTER: Final = 9


@dataclass(frozen=True, kw_only=True)
class FrequencyConfig(AdversarialSettings):
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
    return launch("frequency", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: FrequencyConfig) -> None:
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not process.resume:
        load_weights(network, config.start)
    clean = gather(_plain(config), scale=scale, folder=process.folder, say=process.say)
    real = _source(process, config, clean, scale=scale)
    _learn_to_degrade(process, config, clean, real, scale=scale)
    if config.parts == "degrader":
        return

    data = replace(config.data, degradation=str(process.folder / DEGRADER))
    dataset = gather(data, scale=scale, folder=process.folder, say=process.say)
    samples = sampler_of(dataset, config.data, scale=scale)
    if config.warm_steps:
        settings = _early(config, config.warm_steps)
        with process.open_session(dataset.fingerprint, stage=WARM_START, settings=settings) as session:
            session.tell(f"warm start on L1, {config.warm_steps} steps; data: {dataset.summary}")
            train_on_l1(session, network, config.warm_optimiser, dataset, samples, config.data)
    _train_fs(process, config, network, dataset, samples)


def _learn_to_degrade(
    process: Process, config: FrequencyConfig, clean: Dataset, real: list[Photo], *, scale: int
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
    crops = UnpairedCrops(clean.train, real, side=side, candidates=how.candidates)
    if how.warm_steps:
        _learn_identity(process, config, network, crops, data, fingerprint)
    settings = _early(config, how.steps)
    with process.open_session(fingerprint, stage=DEGRADER, settings=settings) as session:
        session.tell(f"degrader: {len(clean.train)} clean photos, {len(real)} of the source")
        degrader = trainable(session, "generator", network, how.optimiser)
        discriminator = trainable(session, "discriminator", judge, how.optimiser)
        lpips.to(session.fabric.device)
        state = start_state(session, degrader, discriminator)
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


def _learn_identity(
    process: Process,
    config: FrequencyConfig,
    network: nn.Module,
    crops: Sampler,
    data: DataSettings,
    fingerprint: str,
) -> None:
    """The degrader's warm start: bicubic LR → the same; the network ends with the averaged weights."""
    how = config.degrader
    settings = _early(config, how.warm_steps)
    with process.open_session(fingerprint, stage=IDENTITY, settings=settings) as session:
        session.tell(f"warm start of the degrader, {how.warm_steps} steps")
        degrader = trainable(session, "generator", network, how.warm_optimiser)
        state = start_state(session, degrader)
        for step in steps(session, state, crops, data):
            step.minimise(degrader, {"loss": l1(degrader(step.lr), step.lr)})
        network.load_state_dict(state.ema.module.state_dict())


def _train_fs(
    process: Process, config: FrequencyConfig, network: nn.Module, dataset: Dataset, samples: Sampler
) -> None:
    """ESRGAN-FS: the same losses, each on its own frequencies."""
    critics = critics_of(config, network)
    pixel, seen = (partial(low_frequency_l1, side=_FILTER), _high_pass) if config.filters else (l1, None)
    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"data: {dataset.summary}")
        if not config.start and not config.warm_steps:
            session.tell("note: no starting weights (start=…) and no warm start; such a GAN rarely gets good")
        state = train_gan(session, config, network, critics, dataset, samples, pixel=pixel, seen=seen)
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


def _source(process: Process, config: FrequencyConfig, clean: Dataset, *, scale: int) -> list[Photo]:
    if config.source is None:
        raise UsageError(
            "nothing given to learn the degradation from",
            hint="--set source=FOLDER names the photos to upscale later",
        )
    cache = config.data.cache or process.folder / "cache"
    side = config.data.patch // scale
    found = open_photos(
        config.source, scale=1, patch=side, cache=cache, make_lr=False, say=process.say
    ).photos
    if (told := noisier(clean.train, found)) is not None:
        process.say(f"note: {told}")
    return list(found)


def _early(config: FrequencyConfig, steps: int) -> RunSettings:
    """Of a stage before the last, which a budget is for: those before it have steps of their own."""
    return replace(config.run, steps=steps, time_budget=0.0)


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
            warm_steps=2000,
            warm_optimiser=OptimiserSettings(learning_rate=1e-3, schedule="cosine", warm_up=50, clip=1.0),
            candidates=16,
            colour_weight=0.05,
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
pixels, here of 32, and its rate falls in steps rather than along a line), and sizes for two CPU cores (`-cpu`; at the
paper's weights the gradient of colour is 24 times that of texture, which a few hundred steps don't overcome)."""
