"""Samsung's generic method (Ren et al., CVPRW 2020), second of NTIRE 2020's track 1: for cameras nobody knows.

The story: clean photos, degraded generically, N(D(y ∗ k)) → RCAN on L1 → from there two GANs that differ in their
objective alone, the standard one (y_S) and the relativistic one (y_R) → the luminance rule, y = α·y_R + β·y_S where the
median luma of a picture is below γ, else y_R, its numbers by a sweep over bright and dark photos held out → one model
that holds all of it.

The paper gives neither loss weights nor a schedule, neither discriminators nor α, β, γ; ESRGAN's numbers stand in for
the former, the sweep for the latter.
"""

import copy
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

from lightning_fabric import Fabric
from torch import Tensor, nn

from wildsr.checkpoints import load_weights, scale_of
from wildsr.errors import UsageError
from wildsr.files import shown
from wildsr.networks import DISCRIMINATORS, FIXED_PATCH, NETWORKS
from wildsr.recipes.generic_fusion import fuse_branches
from wildsr.recipes.generic_sweep import SweepSettings
from wildsr.training.adversary import adversarial_loss, teach_discriminator
from wildsr.training.budget import check_budget
from wildsr.training.checkpoint import checkpoints_in
from wildsr.training.choices import DiscriminatorName, NetworkName, ObjectiveName, PerceptualName
from wildsr.training.config import to_toml
from wildsr.training.datasets import Dataset, build, gather, sampler_of
from wildsr.training.loop import steps
from wildsr.training.losses import OBJECTIVES, Perceptual, l1
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.session import Say, Session, open_fabric, open_session, silent
from wildsr.training.settings import Count, DataSettings, NotNegative, OptimiserSettings, RunSettings
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator

SUMMARY: Final = (
    "Samsung's generic: wide degradations, L1, then a standard and a relativistic GAN, fused in dark pictures"
)
PSNR: Final = "psnr"
STANDARD: Final = "standard"
RELATIVISTIC: Final = "relativistic"
STAGES: Final = (PSNR, STANDARD, RELATIVISTIC)
"""Folders inside the run's, each a model of its own: the start of both GANs, y_S and y_R."""

_OBJECTIVES: Final[dict[str, ObjectiveName]] = {STANDARD: "vanilla", RELATIVISTIC: "relativistic"}
_SHARES: Final = {PSNR: 0.4, STANDARD: 0.3, RELATIVISTIC: 0.3}
"""Of a time budget."""


@dataclass(frozen=True, kw_only=True)
class GenericConfig:
    """Everything `wildsr train generic` can be told."""

    network: NetworkName = "rcan"
    """Generator preset."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments on top of the preset's, `scale` for example."""

    start: str | None = None
    """Weights that the L1 stage begins with."""

    psnr_steps: Count = 1_000_000
    """Steps of the L1 stage; `run.steps` are those of each GAN. A time budget is shared out, two fifths to this one."""

    psnr_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning in the L1 stage."""

    discriminator: DiscriminatorName = "vgg-128"
    """Discriminator preset of both GANs."""

    pixel_weight: NotNegative = 0.01
    """Weight of L1."""

    perceptual: PerceptualName = "esrgan"
    """Which method's features; the ones ending in -vgg16 need no file."""

    perceptual_weight: NotNegative = 1.0
    """Weight of the distance between features."""

    vgg19: Path | None = None
    """File of torchvision's VGG19 weights."""

    adversarial_weight: NotNegative = 0.005
    """Weight of the adversarial loss, standard or relativistic."""

    sweep: SweepSettings = field(default_factory=SweepSettings)
    """How α, β and γ are chosen."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures; without a degradation LR is made by `samsung_generic`."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of both generators."""

    discriminator_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of both discriminators."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run; its steps are those of each GAN."""


def run(config: GenericConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Train the three stages, choose the rule, fuse, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there, at whatever stage.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes; so are the folders `psnr`, `standard` and `relativistic` in it.
    """
    training: Path = open_fabric(config.run).launch(
        partial(_train, config=config, folder=folder, resume=resume, say=say)
    )
    return training


def _train(fabric: Fabric, *, config: GenericConfig, folder: Path, resume: bool, say: Say) -> Path:
    say = say if fabric.is_global_zero else silent
    if checkpoints_in(folder):
        raise UsageError(
            f"{shown(folder)} holds another recipe's training", hint="choose another folder with -o"
        )
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale, patch = scale_of(network), config.data.patch
    if config.start and not resume:
        load_weights(network, config.start)
    perceptual = perceptual_network(config.perceptual, vgg19=config.vgg19)
    sides = {network: patch // scale, _discriminator(config): patch, perceptual.vgg: patch}
    refuse_what_cannot_fit(sides, config.data, scale=scale)
    if not resume:
        share = min(_SHARES.values())
        check_budget(config.run.time_budget, network, config.data, scale=scale, share=share, say=say)
    dataset = gather(_generic(config.data), scale=scale, folder=folder, say=say)

    stage = partial(_open, fabric, config, folder, dataset, resume=resume, say=say)
    _fit_psnr(stage(PSNR), config, network, dataset)
    branches: dict[str, nn.Module] = {}
    for name in (STANDARD, RELATIVISTIC):
        branches[name] = copy.deepcopy(network)
        _fit_gan(stage(name), config, branches[name], perceptual, dataset, objective=_OBJECTIVES[name])
    if fabric.is_global_zero:
        fuse_branches(
            config.sweep,
            folder,
            main=(RELATIVISTIC, branches[RELATIVISTIC]),
            second=(STANDARD, branches[STANDARD]),
            dataset=dataset,
            recipe="generic",
            configuration=to_toml(config),
            say=say,
        )
    fabric.barrier()
    return folder


def _fit_psnr(session: Session, config: GenericConfig, network: nn.Module, dataset: Dataset) -> None:
    """Train the generator on L1; `network` ends with the averaged weights."""
    with session:
        scale = scale_of(network)
        session.tell(f"data: {dataset.summary}")
        session.tell("stage 1 of 3: L1")
        generator = trainable(session, "generator", network, config.psnr_optimiser)
        state = start_state(session, generator)
        samples = sampler_of(dataset, config.data, scale=scale)
        validate = validator(session, dataset.validation, border=scale)
        for step in steps(session, state, samples, config.data, validate=validate):
            step.minimise(generator, {"loss": l1(generator(step.lr), step.hr)})
        network.load_state_dict(state.ema.module.state_dict())
        if not _is_published(session):
            publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _fit_gan(
    session: Session,
    config: GenericConfig,
    network: nn.Module,
    perceptual: Perceptual,
    dataset: Dataset,
    *,
    objective: ObjectiveName,
) -> None:
    """Train one of the two GANs; `network` ends with the averaged weights."""
    with session:
        scale, game = scale_of(network), OBJECTIVES[objective]
        session.tell(f"stage {2 if objective == 'vanilla' else 3} of 3: GAN, {objective} objective")
        generator = trainable(session, "generator", network, config.optimiser)
        judge = _discriminator(config)
        discriminator = trainable(session, "discriminator", judge, config.discriminator_optimiser)
        perceptual.to(session.fabric.device)
        state = start_state(session, generator, discriminator)
        samples = sampler_of(dataset, config.data, scale=scale)
        validate = validator(session, dataset.validation, border=scale, looks=True)
        for step in steps(session, state, samples, config.data, validate=validate):
            fake, hr = generator(step.lr), step.hr

            terms: dict[str, Tensor] = {}
            with session.fabric.autocast():
                terms["pixel"] = config.pixel_weight * l1(fake, hr)
                terms["perceptual"] = config.perceptual_weight * perceptual(fake, hr)
                adversarial = adversarial_loss(game, discriminator.network, fake, hr)
                terms["adversarial"] = config.adversarial_weight * adversarial
            step.minimise(generator, terms)

            teach_discriminator(step, discriminator, game, fake.detach(), hr)
        network.load_state_dict(state.ema.module.state_dict())
        if not _is_published(session):
            publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _open(
    fabric: Fabric,
    config: GenericConfig,
    folder: Path,
    dataset: Dataset,
    name: str,
    *,
    resume: bool,
    say: Say,
) -> Session:
    settings = replace(config.run, time_budget=config.run.time_budget * _SHARES[name])
    if name == PSNR:
        settings = replace(settings, steps=config.psnr_steps)
    return open_session(
        fabric,
        folder=folder / name,
        recipe="generic",
        config=to_toml(config),
        data=dataset.fingerprint,
        settings=settings,
        resume=resume,
        say=say,
    )


def _generic(data: DataSettings) -> DataSettings:
    if data.degradation is None and data.profile is None and data.lr is None:
        return replace(data, degradation="samsung_generic")
    return data


def _is_published(session: Session) -> bool:
    return (session.folder / "model.onnx").is_file()


def _discriminator(config: GenericConfig) -> nn.Module:
    arguments = {"patch": config.data.patch} if config.discriminator in FIXED_PATCH else {}
    return build(
        DISCRIMINATORS, config.discriminator, arguments, seed=config.run.seed + 1, what="discriminator"
    )


_RCAN = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.999), schedule="steps", milestones=(0.2, 0.4, 0.6, 0.8)
)
_ESRGAN = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="steps", milestones=(0.125, 0.25, 0.5, 0.75)
)
_PSNR_CPU = OptimiserSettings(learning_rate=5e-4, schedule="cosine", floor=0.05, warm_up=50, clip=1.0)
_GAN_CPU = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=20, clip=1.0
)

PRESETS: dict[str, GenericConfig] = {
    "samsung": GenericConfig(
        psnr_optimiser=_RCAN,
        data=DataSettings(patch=192, batch=16, degradation="samsung_generic"),
        optimiser=_ESRGAN,
        discriminator_optimiser=_ESRGAN,
        run=RunSettings(steps=400_000),
    ),
    "samsung-cpu": GenericConfig(
        network="rcan-small",
        psnr_steps=3000,
        psnr_optimiser=_PSNR_CPU,
        discriminator="vgg-small",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4, degradation="samsung_generic"),
        optimiser=_GAN_CPU,
        discriminator_optimiser=_GAN_CPU,
        run=RunSettings(steps=600, ema=0.99, checkpoint_every=100, validate_every=200),
    ),
}
"""Degradation, generator and objectives of the paper with RCAN's and ESRGAN's schedules, which it doesn't give (VGG19:
give its file); and sizes that two CPU cores train in an hour and a half (`-cpu`, VGG16)."""
