"""Adapt a published network to one camera: its own blur and noise, a few dozen steps, the best state kept.

The story: the camera's photos → its degradation profile → clean photos, degraded by the profile → L1 and LPIPS from
published weights, toward the photos, or partly toward what the start makes of them undegraded → of the states on the
way, and of their blends with the start (network interpolation, ESRGAN §3.4), the one that is best on degraded photos
held out → a model, a card and a page.

What one camera's photos give is never compared with its own pairs; what judges are clean photos, degraded with kernels
somewhat narrower and wider than those found, so that no state is chosen that only suits exactly these kernels.
"""

from copy import deepcopy
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Final

import torch
from pydantic import Field
from torch import Tensor, nn
from torch.nn.functional import interpolate

from wildsr.checkpoints import Loaded, load_network
from wildsr.degradation import Profile
from wildsr.errors import UsageError
from wildsr.networks.dsgan import low_pass
from wildsr.recipes.adapt_page import adapt_page, before_and_after, write_adapt_page
from wildsr.training.choices import PerceptualName, PixelName
from wildsr.training.datasets import gather, sampler_of
from wildsr.training.launch import Process, launch
from wildsr.training.loop import steps
from wildsr.training.losses import PIXEL, check_crop, grid, low_frequency_l1, overshoot, random_crops
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.publish import publish
from wildsr.training.selection import Chosen, Snapshots, finished
from wildsr.training.session import Say, Session
from wildsr.training.settings import CountOrNone, DataSettings, Fraction, OptimiserSettings, RunSettings
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator

STARTS: Final = {
    "crisp": "realesrgan-x4plus",
    "balanced": "realesrgan-x4plus",
    "faithful": "realsr-df2k",
}
"""Words for starting weights → names of the catalog. `balanced` learns the photo's light and shade with more weight
than `crisp`, which keeps more of the start's look."""

PAGE: Final = "page.html"

SUMMARY: Final = (
    "a published network to one camera: its blur and noise, a few dozen steps, the best state kept"
)

Weight = Annotated[float, Field(ge=0)]


@dataclass(frozen=True, kw_only=True)
class AdaptConfig:
    """Everything `wildsr train adapt` can be told."""

    start: str = "crisp"
    """Weights to start from: crisp or balanced (realesrgan-x4plus), faithful (realsr-df2k), a run's folder, a model
    file, a name of the catalog."""

    pixel: PixelName = "l1"
    """Distance between pixels."""

    pixel_weight: Weight = 1.0
    """Weight of that distance."""

    perceptual: PerceptualName = "lpips-vgg16"
    """Which distance between features."""

    perceptual_weight: Weight = 1.0
    """Weight of that distance."""

    perceptual_crop: CountOrNone = 0
    """Side of a random square of each patch, HR pixels, that features are compared on; 0: the whole patch."""

    vgg19: Path | None = None
    """File of torchvision's VGG19 weights, for the perceptual losses that use it."""

    low_frequency_weight: Weight = 0.0
    """Weight of L1 between 9×9 means and those of HR (Fritsche et al. 2019), which edges and texture don't show in."""

    overshoot_weight: Weight = 0.0
    """Weight of what is brighter or darker than all that HR has within 4 pixels: halos and ringing at edges."""

    grid_weight: Weight = 0.0
    """Weight of the error's part that repeats with the network's scale: the grid that features don't see."""

    self_distillation: Fraction = 0.0
    """Share of the start's own result from clean LR (the crop downscaled by bicubic) in what is learnt from; the rest
    is HR. A start that draws harder edges than photos have keeps them so."""

    self_distillation_side: CountOrNone = 0
    """Side (odd) of squares of HR pixels whose means are learnt from HR whatever the share: the start's edges and
    texture, on the light and shade of the photo. 0: everything goes by the share."""

    psnr_loss: Weight = 0.0
    """Decibels of PSNR (Y, on the photos held out) that a better LPIPS may cost."""

    blends: tuple[Fraction, ...] = (0.25, 0.5, 0.75)
    """Shares of the best state that are tried against the start (network interpolation), beside 0 and 1."""

    show: tuple[Path, ...] = ()
    """Photos of the camera that the page shows before and after."""

    data: DataSettings = field(default_factory=DataSettings)
    """Pictures."""

    optimiser: OptimiserSettings = field(default_factory=OptimiserSettings)
    """Learning of the network."""

    run: RunSettings = field(default_factory=RunSettings)
    """The run."""


def run(config: AdaptConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Fine-tune, choose, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the run that is there.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes.
    """
    return launch("adapt", _adapt, config, folder, resume=resume, say=say)


def _adapt(process: Process, config: AdaptConfig) -> None:
    start = load_network(STARTS.get(config.start, config.start))
    scale = start.spec.scale
    check_crop(config.perceptual_crop, config.data.patch)
    if config.self_distillation_side and config.self_distillation_side % 2 == 0:
        raise UsageError(
            f"self_distillation_side is {config.self_distillation_side}; an even square has no pixel in its middle",
            hint="an odd number of pixels, for example 9, or 0 for none",
        )
    pixel, perceptual = PIXEL[config.pixel], perceptual_network(config.perceptual, vgg19=config.vgg19)
    sides = {start.network: config.data.patch // scale, perceptual.vgg: config.data.patch}
    refuse_what_cannot_fit(sides, config.data, scale=scale)
    dataset = gather(config.data, scale=scale, folder=process.folder, say=process.say)
    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"start: {start.spec.id}; data: {dataset.summary}")
        if finished(session):
            session.tell(f"done already: wildsr upscale … -m {session.folder}")
            return
        teacher = _Teacher(start.network, scale, process) if config.self_distillation else None
        generator = trainable(session, "generator", start.network, config.optimiser)
        perceptual.to(process.fabric.device)
        state = start_state(session, generator)
        samples = sampler_of(dataset, config.data, scale=scale)
        judge = validator(session, dataset.validation, border=scale, looks=True, artefacts=True)
        if judge is None:
            raise UsageError(
                "nothing to choose the best state by", hint="data.validation_photos must be above 0"
            )
        snapshots = Snapshots(session, judge, start.network)
        for step in steps(session, state, samples, config.data, validate=snapshots.validate):
            sr = generator(step.lr)

            with process.fabric.autocast():
                wanted = step.hr
                if teacher is not None:
                    wanted = _with_details(
                        step.hr, teacher(step.hr), config.self_distillation, config.self_distillation_side
                    )
                terms: dict[str, Tensor] = {}
                if config.pixel_weight:
                    terms["pixel"] = config.pixel_weight * pixel(sr, wanted)
                if config.low_frequency_weight:
                    terms["low_frequency"] = config.low_frequency_weight * low_frequency_l1(sr, step.hr)
                if config.overshoot_weight:
                    terms["overshoot"] = config.overshoot_weight * overshoot(sr, step.hr)
                if config.grid_weight:
                    terms["grid"] = config.grid_weight * grid(sr, step.hr, scale)
                if config.perceptual_weight:
                    seen = random_crops(sr, wanted, config.perceptual_crop, step.random())
                    terms["perceptual"] = config.perceptual_weight * perceptual(*seen)
            step.minimise(generator, terms)

        chosen = snapshots.choose(state.ema.module, blends=config.blends, psnr_loss=config.psnr_loss)
        session.tell(chosen.in_words())
        state.ema.module.load_state_dict(snapshots.weights(chosen))
        publish(
            session,
            state,
            dataset,
            config.data,
            preset=start.spec.architecture,
            arguments=start.spec.arguments,
        )
        if session.leads:
            _write_page(config, session, start, state.ema.module, chosen)
        snapshots.remove()


class _Teacher:
    """The network before its first step, which sees what the camera didn't spoil."""

    def __init__(self, network: nn.Module, scale: int, process: Process) -> None:
        self._network = deepcopy(network).eval().requires_grad_(requires_grad=False).to(process.fabric.device)
        self._scale = scale

    @torch.no_grad()
    def __call__(self, hr: Tensor) -> Tensor:
        """Return its result (N×3×H×W, 0 to 1) of HR downscaled by bicubic with antialiasing."""
        lr = interpolate(hr, scale_factor=1 / self._scale, mode="bicubic", antialias=True).clamp(0, 1)
        result: Tensor = self._network(lr.contiguous(memory_format=torch.channels_last))
        return result.clamp(0, 1).to(hr.dtype)


def _with_details(hr: Tensor, drawn: Tensor, share: float, side: int) -> Tensor:
    """Return hr moved toward `drawn` by a share; with a side above 0 only in what side×side means don't show."""
    step = drawn - hr
    return hr + share * (step - low_pass(step, side) if side else step)


def _write_page(
    config: AdaptConfig, session: Session, start: Loaded, adapted: nn.Module, chosen: Chosen
) -> None:
    before = load_network(STARTS.get(config.start, config.start)).network
    text = adapt_page(
        name=session.folder.resolve().name,
        start=start.spec.id,
        chosen=chosen,
        points=session.curves,
        profile=None if config.data.profile is None else Profile.load(config.data.profile),
        crops=before_and_after(config.show, before, adapted),
    )
    write_adapt_page(session.folder / PAGE, text)


_FINE_TUNING: Final = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=20, clip=1.0
)

_DATA: Final = DataSettings(
    patch=128,
    batch=2,
    validation_photos=10,
    validation_side=192,
    kernel_widths=(0.8, 0.9, 1.0, 1.1),
    sharpened=0.7,
    colour_blur=(0.0, 1.8),
    lettering=0.3,
)
"""The kernels found are, if anything, too wide: softness of the scene passes for blur of the camera. Without print
among the photos, letters get a haze of the background's colour within a few dozen steps. Without the sharpening that
cameras do, their halos and noise are sharpened once more; without their blur of colour, the fringe that a coloured
ground leaves on letters is taken for their colour."""

_RUN: Final = RunSettings(
    steps=60, ema=0.97, log_every=10, validate_every=10, checkpoint_every=20, explosion=10.0
)

_ADAPT: Final = AdaptConfig(data=_DATA, optimiser=_FINE_TUNING, run=_RUN)

PRESETS: dict[str, AdaptConfig] = {
    "adapt": replace(
        _ADAPT,
        overshoot_weight=20.0,
        grid_weight=40.0,
        data=replace(_DATA, sharpened=1.0),
        run=replace(_RUN, steps=100),
    ),
    "adapt-crisp": replace(
        _ADAPT,
        self_distillation=1.0,
        self_distillation_side=9,
        data=replace(
            _DATA, sharpened=0.35, colour_blur=(0.0, 0.0)
        ),  # its start's strong colours became gaudy
        run=replace(_RUN, steps=40),
    ),
    "adapt-balanced": replace(
        _ADAPT,
        start="balanced",
        low_frequency_weight=6.0,
        overshoot_weight=3.0,
        self_distillation=1.0,
        self_distillation_side=9,
    ),
    "adapt-faithful": replace(
        _ADAPT,
        start="faithful",
        psnr_loss=0.25,
        overshoot_weight=80.0,
        data=replace(_DATA, lettering=0.1),
        run=replace(_RUN, steps=200, validate_every=20),
    ),
}
"""A few dozen steps from published weights, more where halos cost: after more, texture erodes and edges ring."""
