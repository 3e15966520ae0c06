"""Train any network on a pixel loss: for fidelity, and as the start of adversarial training."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from wildsr.checkpoints import load_weights, scale_of
from wildsr.networks import NETWORKS
from wildsr.training.choices import NetworkName, PixelName
from wildsr.training.datasets import build, gather, sampler_of
from wildsr.training.launch import Process, launch
from wildsr.training.loop import steps
from wildsr.training.losses import PIXEL, luma
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator

SUMMARY = "any network on a pixel loss: for fidelity, and as the start of adversarial training"


@dataclass(frozen=True, kw_only=True)
class PsnrConfig:
    """Everything `wildsr train psnr` can be told."""

    network: NetworkName = "srvgg-16"
    """Network preset (`wildsr.networks.NETWORKS`)."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments on top of the preset's, `scale` for example."""

    start: str | None = None
    """Weights to start from: a run's folder, a model file, another trainer's checkpoint, or a name of the catalog."""

    loss: PixelName = "l1"
    """Distance between result and truth."""

    loss_on: Literal["rgb", "y"] = "rgb"
    """Compare all channels, or the luma only (SRCNN, VDSR)."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run."""


def run(config: PsnrConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Train, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes.
    """
    return launch("psnr", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: PsnrConfig) -> None:
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not process.resume:
        load_weights(network, config.start)
    distance = PIXEL[config.loss]
    refuse_what_cannot_fit({network: config.data.patch // scale}, config.data, scale=scale)
    dataset = gather(config.data, scale=scale, folder=process.folder, say=process.say)
    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"data: {dataset.summary}")
        generator = trainable(session, "generator", network, config.optimiser)
        state = start_state(session, generator)
        samples = sampler_of(dataset, config.data, scale=scale)
        validate = validator(session, dataset.validation, border=scale)
        for step in steps(session, state, samples, config.data, validate=validate):
            sr, hr = generator(step.lr), step.hr
            loss = distance(luma(sr), luma(hr)) if config.loss_on == "y" else distance(sr, hr)
            step.minimise(generator, {"loss": loss})
        publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


_HALVINGS_200K = OptimiserSettings(
    learning_rate=2e-4, betas=(0.9, 0.99), schedule="steps", milestones=(0.2, 0.4, 0.6, 0.8)
)

PRESETS: dict[str, PsnrConfig] = {
    "srcnn": PsnrConfig(
        network="srcnn-915",
        loss="l2",
        loss_on="y",
        data=DataSettings(patch=132, batch=16),
        optimiser=OptimiserSettings(kind="sgd", learning_rate=1e-4, schedule="constant"),
        run=RunSettings(steps=1_000_000, ema=0.0),
    ),
    "vdsr": PsnrConfig(
        network="vdsr",
        loss="l2",
        loss_on="y",
        data=DataSettings(patch=40, batch=128),
        optimiser=OptimiserSettings(
            kind="sgd",
            learning_rate=0.1,
            weight_decay=1e-4,
            schedule="steps",
            milestones=(0.2, 0.4, 0.6, 0.8),
            decay=0.1,
            clip=0.4,
        ),
        run=RunSettings(steps=300_000, ema=0.0),
    ),
    "srresnet": PsnrConfig(
        network="srresnet",
        loss="l2",
        data=DataSettings(patch=96, batch=16),
        optimiser=OptimiserSettings(learning_rate=1e-4, betas=(0.9, 0.999), schedule="constant"),
        run=RunSettings(steps=1_000_000, ema=0.0),
    ),
    "msrresnet": PsnrConfig(
        network="msrresnet",
        data=DataSettings(patch=128, batch=16),
        optimiser=OptimiserSettings(learning_rate=2e-4, schedule="cosine", restarts=4, floor=5e-4),
        run=RunSettings(steps=1_000_000, ema=0.999),
    ),
    "edsr-baseline": PsnrConfig(
        network="edsr-baseline",
        data=DataSettings(patch=192, batch=16),
        optimiser=OptimiserSettings(learning_rate=1e-4, schedule="steps", milestones=(0.667,)),
        run=RunSettings(steps=300_000),
    ),
    "edsr": PsnrConfig(
        network="edsr",
        data=DataSettings(patch=192, batch=16),
        optimiser=OptimiserSettings(learning_rate=1e-4, schedule="steps", milestones=(0.667,)),
        run=RunSettings(steps=300_000),
    ),
    "rcan": PsnrConfig(
        network="rcan",
        data=DataSettings(patch=192, batch=16),
        optimiser=OptimiserSettings(
            learning_rate=1e-4, betas=(0.9, 0.999), schedule="steps", milestones=(0.2, 0.4, 0.6, 0.8)
        ),
        run=RunSettings(steps=1_000_000, ema=0.0),
    ),
    "rrdb": PsnrConfig(
        network="rrdb",
        data=DataSettings(patch=128, batch=16),
        optimiser=_HALVINGS_200K,
        run=RunSettings(steps=1_000_000),
    ),
    "enhancenet-e": PsnrConfig(
        network="enhancenet",
        loss="l2",
        data=DataSettings(patch=128, batch=32),
        optimiser=OptimiserSettings(learning_rate=1e-4, betas=(0.9, 0.999), schedule="constant"),
        run=RunSettings(steps=400_000, ema=0.0),
    ),
    "compact-cpu": PsnrConfig(
        network="srvgg-16",
        data=DataSettings(patch=96, batch=16),
        optimiser=OptimiserSettings(learning_rate=1e-3, schedule="cosine", warm_up=50, clip=0.1),
        run=RunSettings(steps=6000, time_budget=3600.0),
    ),
    "edsr-cpu": PsnrConfig(
        network="edsr-baseline",
        arguments={"blocks": 8, "channels": 32},
        data=DataSettings(patch=96, batch=16),
        optimiser=OptimiserSettings(learning_rate=5e-4, schedule="cosine", warm_up=50),
        run=RunSettings(steps=6000, time_budget=3600.0),
    ),
    "rrdb-cpu": PsnrConfig(
        network="rrdb-small",
        data=DataSettings(patch=96, batch=8),
        optimiser=OptimiserSettings(learning_rate=5e-4, schedule="cosine", warm_up=50),
        run=RunSettings(steps=6000, time_budget=3600.0),
    ),
    "rcan-cpu": PsnrConfig(
        network="rcan-small",
        data=DataSettings(patch=96, batch=8),
        optimiser=OptimiserSettings(learning_rate=5e-4, schedule="cosine", warm_up=50),
        run=RunSettings(steps=6000, time_budget=3600.0),
    ),
}
"""The papers' numbers under the papers' names, and sizes that two CPU cores train in an hour (`-cpu`)."""
