"""Samsung's fine-tuning for a phone (Ren et al., CVPRW 2020), weakly supervised by a better camera's pictures.

The story: registered windows of a phone and a DSLR, of one size → the DSLR's windows, super-resolved by the generic
model, are the HR, the phone's windows the LR → the generic model's y_R is fine-tuned on them against a relativistic
discriminator. Without a DSLR the phone's own windows, enhanced (DPED) and then super-resolved, stand in for it.

Supervision is weak: windows agree to a few pixels only. So pixels weigh little and features much, as in ESRGAN; the
paper gives no numbers.
"""

import json
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from wildsr.checkpoints import load_network
from wildsr.engine import Settings, Upscaler
from wildsr.errors import InputError, UsageError
from wildsr.files import atomic_write, find_pictures, make_folder, shown
from wildsr.files.matching import match
from wildsr.imaging import WriteOptions, probe, read, write
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.datasets import Dataset, gather, joined, sampler_of
from wildsr.training.gan_stage import critics_of, train_gan
from wildsr.training.launch import Process, launch
from wildsr.training.publish import publish
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings, OptimiserSettings, RunSettings

SUMMARY: Final = "fine-tune the generic model for a phone, on registered pictures of a better camera"
TARGETS: Final = "targets"
"""Folder of the HR pictures inside the run's."""
_MADE_BY: Final = "made-by.json"


@dataclass(frozen=True, kw_only=True)
class MobileConfig(AdversarialSettings):
    """Everything `wildsr train mobile` can be told."""

    pairs: Path | None = None
    """Folder with `phone` and `dslr` in it: registered windows of equal names and sizes (`wildsr pairs register`). With
    an enhancer `phone` is enough."""

    generic: str = ""
    """The generic model: the folder of its run, or another model's. It makes the HR, and its y_R is fine-tuned."""

    enhancer: str | None = None
    """A model of scale 1 (`wildsr train dped`) that makes phone pictures look like a better camera's, in the place of
    `dslr`."""

    start: str | None = None
    """Weights to fine-tune, where they are not the generic model's."""

    data: DataSettings = field(default_factory=DataSettings)
    """Crops; where pictures come from is said by `pairs`."""


def run(config: MobileConfig, folder: Path, *, resume: bool, say: Say) -> Path:
    """Make the HR, fine-tune, export, describe.

    Args:
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there.
        say: Takes messages.

    Returns:
        The folder, which `wildsr upscale -m` takes.
    """
    return launch("mobile", _train, config, folder, resume=resume, say=say)


def _train(process: Process, config: MobileConfig) -> None:
    phone, better = _folders(config)
    start = load_network(config.start or config.generic)
    scale = start.spec.scale
    critics = critics_of(config, start.network)
    dataset = _pairs(process, config, phone, better, scale=scale)

    with process.open_session(dataset.fingerprint) as session:
        session.tell(f"start: {start.spec.id}; data: {dataset.summary}")
        samples = sampler_of(dataset, config.data, scale=scale)
        state = train_gan(session, config, start.network, critics, dataset, samples)
        spec = start.spec
        publish(session, state, dataset, config.data, preset=spec.architecture, arguments=spec.arguments)


def _folders(config: MobileConfig) -> tuple[Path, Path]:
    """The phone's pictures, and those that become HR; checked by name and size before anything is computed."""
    if config.pairs is None or not config.generic:
        raise UsageError(
            "registered pairs and a generic model are needed",
            hint="--set pairs=pairs/ (of `wildsr pairs register`) --set generic=runs/generic",
        )
    if config.data.hr or config.data.lr or config.data.profile or config.data.degradation:
        raise UsageError(
            "mobile takes its pictures from the registered pairs",
            hint="leave out --hr, data.lr, --profile and --degradation",
        )
    phone = config.pairs / "phone"
    if config.enhancer is not None:
        return phone, phone
    better = config.pairs / "dslr"
    ours, theirs = (
        {one.relative.as_posix(): one.path for one in find_pictures([side], recursive=True).pictures}
        for side in (phone, better)
    )
    found = match(list(ours), list(theirs))
    offenders = [f"{name}: only in {shown(phone)}" for name in found.unmatched]
    offenders += [f"{name}: only in {shown(better)}" for name in found.spare]
    for name, partner in found.pairs.items():
        one, other = probe(ours[name]), probe(theirs[partner])
        if (one.width, one.height) != (other.width, other.height):
            offenders.append(
                f"{name}: {one.width} × {one.height} by the phone, {other.width} × {other.height} by the DSLR"
            )
    if offenders or not found.pairs:
        listed = "\n  ".join(offenders[:10]) or "there are none"
        raise InputError(
            f"{len(offenders)} of the pictures in {shown(config.pairs)} are no registered pairs:\n  {listed}",
            hint="`wildsr pairs register PHONE DSLR -o pairs/` makes windows of equal names and sizes",
        )
    return phone, better


def _pairs(process: Process, config: MobileConfig, phone: Path, better: Path, *, scale: int) -> Dataset:
    """HR made by the generic model (the first process makes it, what is there is kept), and the phone's LR."""
    folder, say, fabric = process.folder, process.say, process.fabric
    if not fabric.is_global_zero:
        fabric.barrier()
    made_by = _make_targets(config, better, folder / TARGETS, scale=scale, say=say)
    if fabric.is_global_zero:
        fabric.barrier()
    data = replace(config.data, hr=folder / TARGETS, lr=phone)
    found = gather(data, scale=scale, folder=folder, say=say)
    eye = "the enhanced phone pictures" if config.enhancer else "the DSLR's pictures"
    return joined(
        [found],
        summary=f"HR: {eye}, super-resolved by the generic model",
        degradation=" ".join(made_by.values()),
    )


def _make_targets(
    config: MobileConfig, pictures: Path, targets: Path, *, scale: int, say: Say
) -> dict[str, str]:
    """Super-resolve every picture that has no target yet; return digests of what they are made by."""
    settings = Settings(precision="fp32")
    generic = Upscaler(config.generic, settings)
    enhancer = None if config.enhancer is None else Upscaler(config.enhancer, settings)
    if generic.scale != scale or (enhancer is not None and enhancer.scale != 1):
        raise UsageError(
            f"the generic model enlarges ×{generic.scale}, the one to fine-tune ×{scale}"
            if generic.scale != scale
            else f"the enhancer {config.enhancer} enlarges; one of scale 1 is needed",
            hint="`wildsr train dped` makes an enhancer; leave out start to fine-tune the generic model itself",
        )
    made_by = {"generic": generic.model.sha256}
    if enhancer is not None:
        made_by["enhancer"] = enhancer.model.sha256
    make_folder(targets)
    record = targets / _MADE_BY
    if record.is_file() and json.loads(record.read_text(encoding="utf-8")) != made_by:
        raise UsageError(
            f"the pictures in {shown(targets)} were made by other models",
            hint="put those back, or choose another folder for the run (-o)",
        )
    with atomic_write(record) as temporary:
        temporary.write_text(json.dumps(made_by) + "\n", encoding="utf-8")
    missing = [
        (one.path, targets / one.relative.with_suffix(".png"))
        for one in find_pictures([pictures], recursive=True).pictures
        if not (targets / one.relative.with_suffix(".png")).is_file()
    ]
    if missing:
        say(f"making {len(missing)} HR pictures with {generic.model.spec.id}")
    for source, target in missing:
        picture = read(source)
        make_folder(target.parent)
        write(
            generic(picture if enhancer is None else enhancer(picture)),
            target,
            options=WriteOptions(overwrite=True),
        )
    return made_by


_FINE_TUNING = OptimiserSettings(
    learning_rate=1e-4, betas=(0.9, 0.99), schedule="steps", milestones=(0.5, 0.75)
)
_CPU = OptimiserSettings(
    learning_rate=5e-5, betas=(0.9, 0.99), schedule="cosine", floor=0.05, warm_up=20, clip=1.0
)

PRESETS: dict[str, MobileConfig] = {
    "samsung-mobile": MobileConfig(
        data=DataSettings(patch=192, batch=16),
        optimiser=_FINE_TUNING,
        discriminator_optimiser=_FINE_TUNING,
        run=RunSettings(steps=50_000),
    ),
    "samsung-mobile-cpu": MobileConfig(
        discriminator="vgg-small",
        perceptual="esrgan-vgg16",
        data=DataSettings(patch=96, batch=4, validation_photos=6),
        optimiser=_CPU,
        discriminator_optimiser=_CPU,
        run=RunSettings(steps=300, ema=0.98, checkpoint_every=50, validate_every=100),
    ),
}
"""The paper's way with ESRGAN's numbers, since it gives none (VGG19: give its file), and sizes for two CPU cores."""
