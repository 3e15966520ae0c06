"""Train a generator on pixels, perceptual features and texture, and against a discriminator.

SRGAN, ESRGAN, EnhanceNet and Real-ESRGAN are presets of it.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated

import torch
from pydantic import Field
from torch import Tensor

from wildsr.checkpoints import load_weights, scale_of
from wildsr.errors import UsageError
from wildsr.networks import NETWORKS
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.adversary import adversarial_loss, new_discriminator, teach_discriminator
from wildsr.training.choices import (
    DiscriminatorName,
    NetworkName,
    ObjectiveName,
    PixelName,
)
from wildsr.training.datasets import build, gather, sampler_of
from wildsr.training.launch import Process, launch
from wildsr.training.loop import steps
from wildsr.training.losses import (
    OBJECTIVES,
    PIXEL,
    Perceptual,
    check_crop,
    grid,
    random_crops,
    random_views,
    texture,
)
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import (
    Count,
    CountOrNone,
    DataSettings,
    NotNegative,
    OptimiserSettings,
    RunSettings,
)
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator

SUMMARY = "SRGAN, ESRGAN, EnhanceNet: pixels, perceptual features and texture, against a discriminator"


@dataclass(frozen=True, kw_only=True)
class GanConfig(AdversarialSettings):
    """Everything `wildsr train gan` can be told."""

    network: NetworkName = "rrdb"
    """Generator preset."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments on top of the preset's, `scale` for example."""

    start: str | None = None
    """Weights to start from: a `psnr` run's folder, a model file, a checkpoint, or a name of the catalog. Adversarial
    training from random weights fails."""

    discriminator: DiscriminatorName = "vgg-128"
    """Discriminator preset; with `adversarial_weight` 0 there is none."""

    objective: ObjectiveName = "relativistic"
    """Adversarial losses of generator and discriminator; `wasserstein` is WGAN-GP, `relativistic` the relativistic
    average of ESRGAN."""

    discriminator_every: Count = 1
    """Generator steps for one step of the discriminator."""

    pixel: PixelName = "l1"
    """Distance between pixels."""

    perceptual_crop: CountOrNone = 0
    """Side of a random square of each patch, HR pixels, that features and discriminator see; 0: the whole patch. Half
    of `data.patch` takes a quarter of their time."""

    perceptual_zoom: Annotated[float, Field(ge=1, le=4)] = 1.0
    """Features and discriminator see each patch (its `perceptual_crop`) turned a little, a random part of it enlarged
    up to this many times: patterns that hide between a classifier's pixels are seen. 1: as it is."""

    texture: dict[str, float] = field(default_factory=dict)
    """Layer and weight of each Gram term (EnhanceNet)."""

    grid_weight: NotNegative = 0.0
    """Weight of the error's part that repeats with the network's scale: the grid that features don't see."""

    adversarial_weight: NotNegative = 0.005
    """Weight of the adversarial loss; 0: pixels, features and texture alone, no discriminator is built."""


def run(config: GanConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Train, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes.
    """
    return launch("gan", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: GanConfig) -> None:
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not process.resume:
        load_weights(network, config.start)
    _check(config)
    judge = None
    if config.adversarial_weight:
        judge = new_discriminator(
            config.discriminator, patch=_seen_side(config), batch=config.data.batch, seed=config.run.seed
        )
    pixel, objective = PIXEL[config.pixel], OBJECTIVES[config.objective]
    perceptual = perceptual_network(config.perceptual, vgg19=config.vgg19, extra=tuple(config.texture))
    sides = {
        network: config.data.patch // scale,
        perceptual.vgg: _seen_side(config),
        **({judge: _seen_side(config)} if judge else {}),
    }
    refuse_what_cannot_fit(sides, config.data, scale=scale)
    dataset = gather(config.data, scale=scale, folder=process.folder, say=process.say)
    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"data: {dataset.summary}")
        if not config.start and judge is not None:
            session.tell(
                "note: no starting weights (start=…); a GAN trained from random weights rarely gets good"
            )
        generator = trainable(session, "generator", network, config.optimiser)
        discriminator = judge and trainable(session, "discriminator", judge, config.discriminator_optimiser)
        perceptual.to(process.fabric.device)
        state = start_state(session, generator, *([discriminator] if discriminator else []))
        samples = sampler_of(dataset, config.data, scale=scale)
        validate = validator(session, dataset.validation, border=scale, looks=True)
        for step in steps(session, state, samples, config.data, validate=validate):
            whole, whole_hr = generator(step.lr), step.hr
            rng = step.random()
            fake, hr = random_crops(whole, whole_hr, config.perceptual_crop, rng)
            fake, hr = random_views(fake, hr, config.perceptual_zoom, rng)

            terms: dict[str, Tensor] = {}
            with process.fabric.autocast():
                if config.pixel_weight:
                    terms["pixel"] = config.pixel_weight * pixel(whole, whole_hr)
                terms |= _feature_terms(config, perceptual, fake, hr)
                if config.grid_weight:
                    terms["grid"] = config.grid_weight * grid(whole, whole_hr, scale)
                if discriminator:
                    adversarial = adversarial_loss(objective, discriminator.network, fake, hr)
                    terms["adversarial"] = config.adversarial_weight * adversarial
            step.minimise(generator, terms)

            if discriminator and step.number % config.discriminator_every == 0:
                teach_discriminator(step, discriminator, objective, fake.detach(), hr)
        publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _check(config: GanConfig) -> None:
    check_crop(config.perceptual_crop, config.data.patch)
    if not (config.pixel_weight or config.perceptual_weight or config.texture or config.adversarial_weight):
        raise UsageError(
            "every loss has weight 0: there is nothing to learn from",
            hint="set pixel_weight, perceptual_weight or adversarial_weight above 0",
        )


def _seen_side(config: GanConfig) -> int:
    """Side of what features and discriminator see, HR pixels."""
    return config.perceptual_crop or config.data.patch


def _feature_terms(config: GanConfig, perceptual: Perceptual, fake: Tensor, hr: Tensor) -> dict[str, Tensor]:
    """What the classifier sees: perceptual loss and texture, weighted."""
    if not config.perceptual_weight and not config.texture:
        return {}
    with torch.no_grad():
        truth = perceptual.features(hr)
    features = perceptual.features(fake)
    terms: dict[str, Tensor] = {}
    if config.perceptual_weight:
        terms["perceptual"] = config.perceptual_weight * perceptual.compare(features, truth)
    if config.texture:
        terms["texture"] = texture(features, truth, config.texture, hr_side=hr.shape[2])
    return terms


_ESRGAN = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="steps", milestones=(0.125, 0.25, 0.5, 0.75)
)
_SRGAN = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.999), schedule="steps", milestones=(0.5,), decay=0.1
)
_ENHANCENET = OptimiserSettings(learning_rate=1e-4, betas=(0.9, 0.999), schedule="constant")
_CPU = OptimiserSettings(
    learning_rate=2e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=50, clip=1.0
)

_CPU_DISCRIMINATOR = replace(_CPU, learning_rate=1e-4)
"""Half the generator's: at the same rate it was right 98 times of 100 after 350 steps."""

PRESETS: dict[str, GanConfig] = {
    "srgan": GanConfig(
        network="srresnet",
        discriminator="srgan",
        objective="vanilla",
        pixel="l2",
        pixel_weight=0.0,
        perceptual="srgan",
        adversarial_weight=1e-3,
        data=DataSettings(patch=96, batch=16),
        optimiser=_SRGAN,
        discriminator_optimiser=_SRGAN,
        run=RunSettings(steps=200_000, ema=0.0),
    ),
    "msrgan": GanConfig(
        network="msrresnet",
        objective="vanilla",
        data=DataSettings(patch=128, batch=16),
        optimiser=_ESRGAN,
        discriminator_optimiser=_ESRGAN,
        run=RunSettings(steps=400_000),
    ),
    "esrgan": GanConfig(
        data=DataSettings(patch=128, batch=16),
        optimiser=_ESRGAN,
        discriminator_optimiser=_ESRGAN,
        run=RunSettings(steps=400_000),
    ),
    "enhancenet-pat": GanConfig(
        network="enhancenet",
        discriminator="enhancenet",
        objective="vanilla",
        discriminator_every=3,
        pixel_weight=0.0,
        perceptual="enhancenet",
        texture={"conv1_1": 3e-7, "conv2_1": 1e-6, "conv3_1": 1e-6},
        adversarial_weight=2.0,
        data=DataSettings(patch=128, batch=16),
        optimiser=_ENHANCENET,
        discriminator_optimiser=_ENHANCENET,
        run=RunSettings(steps=400_000, ema=0.0),
    ),
    "real-esrgan": GanConfig(
        discriminator="unet",
        objective="vanilla",
        pixel_weight=1.0,
        perceptual="real-esrgan",
        adversarial_weight=0.1,
        data=DataSettings(patch=256, batch=48),
        optimiser=OptimiserSettings(learning_rate=1e-4, schedule="constant"),
        discriminator_optimiser=OptimiserSettings(learning_rate=1e-4, schedule="constant"),
        run=RunSettings(steps=400_000),
    ),
    "esrgan-cpu": GanConfig(
        network="srvgg-16",
        discriminator="vgg-small",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4),
        optimiser=_CPU,
        discriminator_optimiser=_CPU_DISCRIMINATOR,
        run=RunSettings(steps=2000, time_budget=3600.0, checkpoint_every=100, validate_every=250),
    ),
    "srgan-cpu": GanConfig(
        network="srvgg-16",
        discriminator="vgg-small",
        objective="vanilla",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4),
        optimiser=_CPU,
        discriminator_optimiser=_CPU_DISCRIMINATOR,
        run=RunSettings(steps=2000, time_budget=3600.0, checkpoint_every=100, validate_every=250),
    ),
}
"""The papers' numbers (VGG19: give its file), and sizes that two CPU cores train in an hour (`-cpu`, VGG16)."""
