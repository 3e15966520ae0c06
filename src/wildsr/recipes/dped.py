"""Learn the look of a better camera: Ignatov et al., “DSLR-Quality Photos on Mobile Devices” (DPED, ICCV 2017).

From registered pairs (`wildsr pairs register`): the phone's windows are LR, the DSLR's HR, both of one size. Colour is
compared blurred, content by deep features, texture by a discriminator of gray patches; total variation keeps it calm.
Short trainings begin with a warm start on L1, which the paper has not: a fresh enhancer draws flat gray.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

import torch
import torch.nn.functional as F
from pydantic import Field
from torch import Tensor

from wildsr.checkpoints import load_weights
from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.training.choices import PerceptualName
from wildsr.training.datasets import build, gather, sampler_of
from wildsr.training.l1_stage import train_on_l1
from wildsr.training.launch import Process, launch
from wildsr.training.loop import steps
from wildsr.training.losses import blurred_colour, dped_total_variation
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import CountOrNone, DataSettings, OptimiserSettings, RunSettings
from wildsr.training.trainable import frozen, start_state, trainable
from wildsr.training.validation import validator

SUMMARY = "DPED: a phone's photos get a DSLR's look, from registered pairs of both"

NETWORK = "dped"
WARM_START: Final = "l1"
STAGES: Final = (WARM_START,)
"""Folder inside the run's of the warm start."""
PATCH = 100
"""The discriminator's last layers are dense: its patches have this side."""

Weight = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class DpedConfig:
    """Everything `wildsr train dped` can be told."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments of the enhancer, `blocks`, `channels` and `start`."""

    start: str | None = None
    """Weights to start from: a run's folder, a model file, or a published generator."""

    warm_steps: CountOrNone = 0
    """Steps on L1 alone before the others (0: none, as the paper)."""

    warm_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning in them."""

    colour_weight: Weight = 0.5
    """Weight of the squared difference of blurred pictures, summed over a picture."""

    perceptual_weight: Weight = 10.0
    """Weight of the squared difference of features."""

    texture_weight: Weight = 1.0
    """Weight of the adversarial loss on gray."""

    variation_weight: Weight = 2000.0
    """Weight of the total variation."""

    perceptual: PerceptualName = "dped"
    """Whose features; `dped-vgg16` needs no file."""

    vgg19: Path | None = None
    """File of torchvision's VGG19 weights."""

    data: DataSettings = field(default_factory=lambda: DataSettings(patch=PATCH, batch=50))
    """Pictures: `hr` is the DSLR's folder, `lr` the phone's."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the enhancer."""

    discriminator_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the discriminator."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run."""


def run(config: DpedConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Train, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale --enhance` takes.

    Raises:
        UsageError: No pairs, or patches of another side than the discriminator's.
    """
    if config.data.lr is None:
        raise UsageError(
            "no photos of the phone given (data.lr)",
            hint="wildsr pairs register PHONE DSLR -o pairs, then --hr pairs/dslr --set data.lr=pairs/phone",
        )
    if config.texture_weight and config.data.patch != PATCH:
        raise UsageError(
            f"data.patch is {config.data.patch}; the discriminator's patches have {PATCH} pixels a side",
            hint=f"--set data.patch={PATCH}, or do without it: --set texture_weight=0",
        )
    return launch("dped", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: DpedConfig) -> None:
    network = build(NETWORKS, NETWORK, config.arguments, seed=config.run.seed)
    if config.start and not process.resume:
        load_weights(network, config.start)
    judge = build(DISCRIMINATORS, "dped", {}, seed=config.run.seed + 1, what="discriminator")
    content = perceptual_network(config.perceptual, vgg19=config.vgg19) if config.perceptual_weight else None
    sides = {network: config.data.patch} | ({judge: PATCH} if config.texture_weight else {})
    refuse_what_cannot_fit(sides, config.data, scale=1)
    dataset = gather(config.data, scale=1, folder=process.folder, say=process.say)
    samples = sampler_of(dataset, config.data, scale=1)
    if config.warm_steps:
        early = replace(config.run, steps=config.warm_steps, time_budget=0.0)
        with process.open_session(dataset.fingerprint, stage=WARM_START, settings=early) as session:
            session.tell(f"warm start on L1, {config.warm_steps} steps")
            train_on_l1(session, network, config.warm_optimiser, dataset, samples, config.data)
    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"data: {dataset.summary}")
        generator = trainable(session, "generator", network, config.optimiser)
        discriminator = trainable(session, "discriminator", judge, config.discriminator_optimiser)
        if content is not None:
            content.to(process.fabric.device)
        state = start_state(session, generator, discriminator)
        validate = validator(session, dataset.validation, border=1)
        for step in steps(session, state, samples, config.data, validate=validate):
            enhanced, dslr = generator(step.lr), step.hr

            terms: dict[str, Tensor] = {}
            if config.colour_weight:
                terms["colour"] = config.colour_weight * blurred_colour(enhanced, dslr)
            if config.variation_weight:
                terms["variation"] = config.variation_weight * dped_total_variation(enhanced)
            with frozen(discriminator.network), process.fabric.autocast():
                if content is not None:
                    terms["content"] = config.perceptual_weight * content(enhanced, dslr)
                if config.texture_weight:
                    logits = discriminator.network(enhanced).float()
                    terms["texture"] = config.texture_weight * F.cross_entropy(logits, _labels(logits, 1))
            step.minimise(generator, terms)

            if config.texture_weight:
                # one of the two at random for each place in the batch: its norms see no batch, its labels no order
                real = torch.rand(len(dslr), generator=step.random()) < 0.5
                real = real.to(dslr.device)
                shown = torch.where(real.view(-1, 1, 1, 1), dslr, enhanced.detach())
                logits = discriminator(shown)
                step.minimise(discriminator, {"discriminator": F.cross_entropy(logits, real.long())})
        publish(session, state, dataset, config.data, preset=NETWORK, arguments=config.arguments)


def _labels(logits: Tensor, label: int) -> Tensor:
    return torch.full((len(logits),), label, dtype=torch.long, device=logits.device)


_ADAM = OptimiserSettings(learning_rate=5e-4, betas=(0.9, 0.999), schedule="constant")
_CPU = OptimiserSettings(learning_rate=1e-3, betas=(0.9, 0.99), schedule="cosine", warm_up=50, clip=100.0)
_VARIATION = 1000.0
"""A fresh enhancer draws flat gray: total variation begins near 0, and its rise is no explosion."""

PRESETS: dict[str, DpedConfig] = {
    "dped-paper": DpedConfig(
        optimiser=_ADAM,
        discriminator_optimiser=_ADAM,
        run=RunSettings(steps=20_000, ema=0.0, explosion=_VARIATION),
    ),
    "dped-cpu": DpedConfig(
        arguments={"blocks": 2, "channels": 16, "start": "kaiming"},
        warm_steps=2000,
        warm_optimiser=OptimiserSettings(learning_rate=2e-3, schedule="cosine", warm_up=50, clip=1.0),
        perceptual="dped-vgg16",
        variation_weight=200.0,
        data=DataSettings(patch=PATCH, batch=4),
        optimiser=_CPU,
        discriminator_optimiser=OptimiserSettings(learning_rate=1e-4, schedule="constant"),
        run=RunSettings(
            steps=4000, time_budget=3600.0, checkpoint_every=100, validate_every=250, explosion=_VARIATION
        ),
    ),
}
"""The paper's numbers (VGG19: give its file), and a size that two CPU cores train in an hour (`-cpu`, VGG16)."""
