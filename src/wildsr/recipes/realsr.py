"""RealSR (Ji et al., CVPRW 2020), winner of both tracks of NTIRE 2020: training for the degradation of one source.

The story, as in the paper's Algorithm 1 and its code: source photos → kernel pool and noise pool; the same photos
shrunk by 2, which takes their noise out, are the HR (clean photos may be added); HR blurred by one kernel a photo and
subsampled is the LR, to which a crop of the noise pool is added on the fly. On these pairs a network is trained with
L1 (the warm start), then with L1, perceptual and relativistic adversarial losses.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from wildsr.checkpoints import load_weights, scale_of
from wildsr.data import Degrade, NoisyCrops, Sampler, array_degrader
from wildsr.degradation import Clip, NoisePool, Pipeline
from wildsr.errors import UsageError
from wildsr.estimation.noise.variance_rule import VarianceRule
from wildsr.networks import NETWORKS
from wildsr.recipes.realsr_pool import Pool, PoolSettings, fill_pool, make_clean_pairs
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.checkpoint import checkpoints_in
from wildsr.training.choices import DiscriminatorName, NetworkName
from wildsr.training.datasets import Dataset, build, gather, joined, sampler_of, with_noisy_validation
from wildsr.training.gan_stage import critics_of, train_gan
from wildsr.training.l1_stage import train_on_l1
from wildsr.training.launch import Process, launch
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import CountOrNone, DataSettings, OptimiserSettings, RunSettings

SUMMARY: Final = "RealSR: kernels and noise of your photos, clean HR out of them, L1 warm start, then a GAN"
WARM_START: Final = "warm-start"
"""Folder of the first stage inside the run's."""


@dataclass(frozen=True, kw_only=True)
class RealsrConfig(AdversarialSettings):
    """Everything `wildsr train realsr` can be told."""

    source: Path | None = None
    """Folder of the photos to upscale later: their kernels and noise are learnt, and they serve as HR. Clean photos
    given with --hr are added."""

    pool: PoolSettings = field(default_factory=PoolSettings)
    """Kernels and noise."""

    network: NetworkName = "rrdb"
    """Generator preset."""

    arguments: dict[str, int | float | str | bool] = field(default_factory=dict)
    """Arguments on top of the preset's, `scale` for example."""

    start: str | None = None
    """Weights that the warm start begins with, or the GAN where there is none; the authors took RRDB_PSNR_x4."""

    warm_steps: CountOrNone = 1_000_000
    """Steps of the warm start on L1 (0: none)."""

    warm_optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning in the warm start."""

    discriminator: DiscriminatorName = "vgg-128"
    """Discriminator preset: vgg-128 in track 1, patch in track 2."""


def run(config: RealsrConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Learn the degradation, make pairs, train, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there, at whatever stage.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes.
    """
    return launch("realsr", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: RealsrConfig) -> None:
    network = build(NETWORKS, config.network, config.arguments, seed=config.run.seed)
    scale = scale_of(network)
    if config.start and not process.resume:
        load_weights(network, config.start)
    critics = critics_of(config, network)

    pool, dataset = _algorithm_1(process, config, scale)
    samples = _with_noise(pool, sampler_of(dataset, config.data, scale=scale))
    if config.warm_steps and not checkpoints_in(process.folder):
        settings = replace(config.run, steps=config.warm_steps, time_budget=0.0)
        with process.open_session(dataset.fingerprint, stage=WARM_START, settings=settings) as session:
            session.tell(f"warm start on L1, {config.warm_steps} steps")
            train_on_l1(session, network, config.warm_optimiser, dataset, samples, config.data)

    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"data: {dataset.summary}")
        if not config.start and not config.warm_steps:
            session.tell("note: no warm start; a GAN trained from random weights rarely gets good")
        state = train_gan(session, config, network, critics, dataset, samples)
        publish(session, state, dataset, config.data, preset=config.network, arguments=config.arguments)


def _algorithm_1(process: Process, config: RealsrConfig, scale: int) -> tuple[Pool, Dataset]:
    """Pools and pairs; the first process makes them, and what is there already is kept."""
    data = config.data
    if data.lr is not None or data.degradation is not None:
        raise UsageError(
            "realsr makes LR by the source photos' own degradation",
            hint="leave out data.lr and --degradation; --set pool.parts=neither is the ablation by bicubic",
        )
    sources = {
        name: (photos, noisy)
        for name, photos, noisy in (("source", config.source, True), ("clean", data.hr, False))
        if photos is not None
    }
    if not sources:
        raise UsageError(
            "no photos given to learn from",
            hint="--set source=FOLDER names the photos to upscale later, --hr FOLDER clean, large ones",
        )
    folder, say, fabric = process.folder, process.say, process.fabric
    if not fabric.is_global_zero:
        fabric.barrier()
    pool = fill_pool(config.pool, config.source, data.profile, folder=folder, scale=scale, say=say)
    pairs = make_clean_pairs(
        pool, sources, folder=folder, scale=scale, least_side=data.patch, seed=config.run.seed, say=say
    )
    if fabric.is_global_zero:
        fabric.barrier()
    found = [
        gather(replace(data, hr=one / "HR", lr=one / "LR", profile=None), scale=scale, folder=folder, say=say)
        for one in pairs
    ]
    dataset = joined(found, summary=pool.summary, degradation=pool.fingerprint)
    return pool, with_noisy_validation(dataset, _injection(pool)) if len(pool.noise) else dataset


def _with_noise(pool: Pool, samples: Sampler) -> Sampler:
    return NoisyCrops(samples, _injection(pool)) if len(pool.noise) else samples


def _injection(pool: Pool) -> Degrade:
    return array_degrader(Pipeline((NoisePool(pool.noise), Clip())))


_WARM = OptimiserSettings(
    learning_rate=2e-4, betas=(0.9, 0.99), schedule="steps", milestones=(0.2, 0.4, 0.6, 0.8)
)
_GAN = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.999), schedule="steps", milestones=(5 / 60, 10 / 60, 20 / 60, 30 / 60)
)
_PAPER = RunSettings(steps=60_001, ema=0.0)
_WARM_CPU = OptimiserSettings(learning_rate=1e-3, schedule="cosine", warm_up=50, clip=0.1)
_GAN_CPU = OptimiserSettings(
    learning_rate=2e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=50, clip=1.0
)
_SMALL_PATCHES = VarianceRule(side=64, stride=64, variance=20.0)
_CPU = RunSettings(steps=1000, checkpoint_every=100, validate_every=250)

PRESETS: dict[str, RealsrConfig] = {
    "track1": RealsrConfig(
        pool=PoolSettings(parts="noise"),
        warm_optimiser=_WARM,
        data=DataSettings(patch=128, batch=16),
        optimiser=_GAN,
        discriminator_optimiser=_GAN,
        run=_PAPER,
    ),
    "track2": RealsrConfig(
        pool=PoolSettings(parts="both", method="kernelgan", noise=VarianceRule(mean=50.0)),
        warm_optimiser=_WARM,
        discriminator="patch",
        data=DataSettings(patch=128, batch=16),
        optimiser=_GAN,
        discriminator_optimiser=_GAN,
        run=_PAPER,
    ),
    "track1-cpu": RealsrConfig(
        pool=PoolSettings(parts="noise", noise=_SMALL_PATCHES),
        network="srvgg-16",
        warm_steps=3000,
        warm_optimiser=_WARM_CPU,
        discriminator="vgg-small",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4),
        optimiser=_GAN_CPU,
        discriminator_optimiser=replace(_GAN_CPU, learning_rate=1e-4),
        run=_CPU,
    ),
    "track2-cpu": RealsrConfig(
        pool=PoolSettings(parts="both", noise=replace(_SMALL_PATCHES, mean=50.0)),
        network="srvgg-16",
        warm_steps=3000,
        warm_optimiser=_WARM_CPU,
        discriminator="patch",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4),
        optimiser=_GAN_CPU,
        discriminator_optimiser=replace(_GAN_CPU, learning_rate=1e-4),
        run=_CPU,
    ),
}
"""The papers' numbers for NTIRE 2020's tracks (VGG19: give its file; the authors began at RRDB_PSNR_x4 instead of the
warm start: `start` and `warm_steps=0`), and sizes for two CPU cores and VGG16 (`-cpu`)."""
