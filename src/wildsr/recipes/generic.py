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
from pathlib import Path
from typing import Final

from torch import nn

from wildsr.checkpoints import load_weights, scale_of
from wildsr.errors import UsageError
from wildsr.files import shown
from wildsr.networks import NETWORKS
from wildsr.recipes.generic_fusion import fuse_branches
from wildsr.recipes.generic_sweep import SweepSettings
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.budget import check_budget
from wildsr.training.checkpoint import checkpoints_in
from wildsr.training.choices import NetworkName, ObjectiveName
from wildsr.training.datasets import Dataset, build, gather, sampler_of
from wildsr.training.gan_stage import critics_of, train_gan
from wildsr.training.l1_stage import train_on_l1
from wildsr.training.launch import Process, launch
from wildsr.training.publish import publish
from wildsr.training.session import Say, Session
from wildsr.training.settings import Count, DataSettings, OptimiserSettings, RunSettings
from wildsr.training.state import State

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
class GenericConfig(AdversarialSettings):
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

    sweep: SweepSettings = field(default_factory=SweepSettings)
    """How α, β and γ are chosen."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures; without a degradation LR is made by `samsung_generic`."""


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
    return launch("generic", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: GenericConfig) -> None:
    if checkpoints_in(process.folder):
        raise UsageError(
            f"{shown(process.folder)} holds another recipe's training", hint="choose another folder with -o"
        )
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not process.resume:
        load_weights(network, config.start)
    critics = critics_of(config, network)
    if not process.resume:
        share = min(_SHARES.values())
        check_budget(config.run.time_budget, network, config.data, scale=scale, share=share, say=process.say)
    dataset = gather(_generic(config.data), scale=scale, folder=process.folder, say=process.say)

    samples = sampler_of(dataset, config.data, scale=scale)

    with _open(process, config, dataset, PSNR) as session:
        session.tell(f"data: {dataset.summary}")
        session.tell("stage 1 of 3: L1")
        state = train_on_l1(session, network, config.psnr_optimiser, dataset, samples, config.data)
        _publish_once(session, state, config, dataset)
    branches: dict[str, nn.Module] = {}
    for number, name in enumerate((STANDARD, RELATIVISTIC), 2):
        branch = branches[name] = copy.deepcopy(network)
        opponents = replace(critics, discriminator=copy.deepcopy(critics.discriminator))
        objective = _OBJECTIVES[name]
        with _open(process, config, dataset, name) as session:
            session.tell(f"stage {number} of 3: GAN, {objective} objective")
            state = train_gan(session, config, branch, opponents, dataset, samples, objective=objective)
            branch.load_state_dict(state.ema.module.state_dict())
            _publish_once(session, state, config, dataset)
    if process.fabric.is_global_zero:
        fuse_branches(
            config.sweep,
            process.folder,
            main=(RELATIVISTIC, branches[RELATIVISTIC]),
            second=(STANDARD, branches[STANDARD]),
            dataset=dataset,
            recipe="generic",
            configuration=process.config,
            say=process.say,
        )
    process.fabric.barrier()


def _open(process: Process, config: GenericConfig, dataset: Dataset, name: str) -> Session:
    settings = replace(config.run, time_budget=config.run.time_budget * _SHARES[name])
    if name == PSNR:
        settings = replace(settings, steps=config.psnr_steps)
    return process.open_session(dataset.fingerprint, stage=name, settings=settings)


def _publish_once(session: Session, state: State, config: GenericConfig, dataset: Dataset) -> None:
    """Publish a stage, unless it was before the run was resumed."""
    if not (session.folder / "model.onnx").is_file():
        publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _generic(data: DataSettings) -> DataSettings:
    if data.degradation is None and data.profile is None and data.lr is None:
        return replace(data, degradation="samsung_generic")
    return data


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
