"""What the tables of the two tracks compare: models trained here, published ones that were fetched, ZSSR."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.engine import Upscaler
from wildsr.estimation.noise.variance_rule import VarianceRule
from wildsr.experiments.asked import Asked
from wildsr.experiments.budget import gan_steps, psnr_steps
from wildsr.experiments.generic import stage_steps, trained
from wildsr.experiments.measuring import Bytes, enlarger, to_bytes, to_floats
from wildsr.experiments.training import once, short_run
from wildsr.files import atomic_write, make_folder
from wildsr.imaging import Picture
from wildsr.models import is_cached
from wildsr.recipes import adapt, frequency, realsr
from wildsr.recipes.frequency import FrequencyConfig
from wildsr.recipes.realsr import RealsrConfig
from wildsr.recipes.realsr_pool import KEPT_PROFILE, PoolSettings
from wildsr.recipes.zssr import ZssrConfig
from wildsr.recipes.zssr_upscaler import zssr_upscaler
from wildsr.training.perceptual_network import perceptual_network

BICUBIC: Final = "bicubic"
BICUBIC_NET: Final = "bicubic-trained"
ESRGAN: Final = "esrgan-style"
GENERIC: Final = "generic-fused"
REALSR: Final = "realsr"
FS: Final = "esrgan-fs-style"
ZSSR: Final = "zssr"
COMPACT: Final = "wild-compact"
ADAPTED: Final = "adapted"
PUBLISHED: Final = ("realsr-df2k-jpeg", "realsr-df2k", "realesrgan-x4plus")
"""Of the catalog; compared where they were fetched."""

MEANT: Final = {
    BICUBIC: "bicubic enlargement",
    BICUBIC_NET: "`rcan-small`, L1 on bicubic LR",
    ESRGAN: "the same, then a relativistic GAN on bicubic LR",
    GENERIC: "Samsung's: generic degradation, two GANs, fused where it is dark",
    REALSR: "the winner's: kernels and noise of the photos, GAN (`srvgg-16`)",
    FS: "degradation learnt by DSGAN, frequency-separated GAN (`srvgg-16`)",
    ZSSR: "learnt from each picture alone, 8 s a picture",
    COMPACT: "the model that comes with wildsr, as it is",
    ADAPTED: "wild-compact, adapted to the photos",
}

GENERIC_SHARE: Final = 0.5
"""Of the budget; the rest is for the tracks' own trainings."""
_SHARES: Final = {REALSR: 0.5, FS: 0.4}
"""Of what a track has; adapting takes what is left, and less."""
_ZSSR_SECONDS: Final = 8.0
_ADAPT_STEPS: Final = 60

Enlarge = Callable[[Bytes], Bytes]


@dataclass(frozen=True, kw_only=True)
class Steps:
    """Of a track's trainings, decided once."""

    realsr: tuple[int, int]
    """Warm start and GAN."""

    frequency: tuple[int, int, int]
    """DSGAN, warm start and GAN."""


def shared_models(asked: Asked) -> dict[str, Path]:
    """Train what doesn't depend on the track: the same runs as of `wildsr reproduce generic`."""
    part = replace(asked, budget=asked.budget * GENERIC_SHARE)
    models = trained(part, stage_steps(part))
    return {BICUBIC_NET: models.bicubic_psnr, ESRGAN: models.bicubic_gan, GENERIC: models.generic}


def track_models(asked: Asked, track: str, source: Path, steps: Steps) -> dict[str, Path]:
    """Train what learns from a track's photos.

    Args:
        asked: Clean photos and places.
        track: Its name.
        source: Folder of its photos to learn from.
        steps: Of its trainings.

    Returns:
        Method → run.
    """
    place = {name: asked.runs / f"tracks-{track}-{name}" for name in (REALSR, FS, ADAPTED)}
    warm, gan = steps.realsr
    winner = _winner(asked, source, warm, gan)
    once(
        place[REALSR],
        lambda folder, resume: realsr.run(winner, folder, resume=resume, say=asked.say),
        stages=[realsr.WARM_START],
    )
    learnt = _frequency(asked, source, steps.frequency)
    once(
        place[FS],
        lambda folder, resume: frequency.run(learnt, folder, resume=resume, say=asked.say),
        stages=frequency.STAGES,
    )
    preset = adapt.PRESETS["adapt"]
    adapting = replace(
        preset,
        start=COMPACT,
        data=replace(preset.data, hr=asked.hr, profile=place[REALSR] / KEPT_PROFILE),
        run=replace(preset.run, steps=_ADAPT_STEPS),
    )
    once(place[ADAPTED], lambda folder, resume: adapt.run(adapting, folder, resume=resume, say=asked.say))
    return place


def published_models(asked: Asked) -> dict[str, str]:
    """The catalog's models that are there; the others are named."""
    missing = [name for name in PUBLISHED if not is_cached(name)]
    if missing:
        asked.say(f"note: left out, since not fetched: {', '.join(missing)} (wildsr models fetch)")
    return {name: name for name in PUBLISHED if name not in missing}


def enlargers(models: dict[str, Path], published: dict[str, str]) -> dict[str, Callable[[], Enlarge]]:
    """Method → what opens it, in the order of the tables."""
    found: dict[str, Callable[[], Enlarge]] = {BICUBIC: lambda: enlarger(None)}
    for name in (BICUBIC_NET, ESRGAN, FS):
        found[name] = _opening(models[name])
    found[ZSSR] = lambda: _enlarge(zssr_upscaler(ZssrConfig(steps=10_000, time_budget=_ZSSR_SECONDS)))
    for name in (GENERIC, REALSR):
        found[name] = _opening(models[name])
    found[COMPACT] = _opening(COMPACT)
    found[ADAPTED] = _opening(models[ADAPTED])
    return found | {name: _opening(model) for name, model in published.items()}


def _opening(model: str | Path) -> Callable[[], Enlarge]:
    return lambda: enlarger(model)


def _enlarge(upscaler: Upscaler) -> Enlarge:
    return lambda lr: to_bytes(upscaler(Picture(rgb=to_floats(lr))).rgb)


def _winner(asked: Asked, source: Path, warm: int, gan: int) -> RealsrConfig:
    preset = realsr.PRESETS["track2-cpu"]
    return replace(
        preset,
        source=source,
        pool=PoolSettings(parts="both", noise=VarianceRule(side=32, stride=32, variance=25.0)),
        warm_steps=warm,
        data=replace(preset.data, hr=asked.hr, patch=64, validation_photos=4),
        run=short_run(gan),
    )


def _frequency(asked: Asked, source: Path, steps: tuple[int, int, int]) -> FrequencyConfig:
    preset = frequency.PRESETS["esrgan-fs-cpu"]
    return replace(
        preset,
        source=source,
        degrader=replace(preset.degrader, steps=steps[0]),
        warm_steps=steps[1],
        data=replace(preset.data, hr=asked.hr, cache=asked.runs / "cache", validation_photos=4),
        run=short_run(steps[2]),
    )


def track_steps(asked: Asked, seconds: float) -> Steps:
    """Steps of a track's trainings within processor seconds, decided once.

    Half of each method's time for L1 or DSGAN and L1, half is for its GAN.

    Raises:
        UsageError: So few that nothing would be learnt.
    """
    kept = asked.runs / "tracks-steps.txt"
    if not kept.is_file():
        perceptual = perceptual_network("esrgan-vgg16", vgg19=None)
        winner, learnt = realsr.PRESETS["track2-cpu"], frequency.PRESETS["esrgan-fs-cpu"]
        of_winner, of_learnt = (seconds * _SHARES[name] / 2 for name in (REALSR, FS))
        numbers = (
            psnr_steps(of_winner, winner.network, winner.data),
            gan_steps(of_winner, winner.network, winner.discriminator, perceptual, winner.data),
            psnr_steps(of_learnt / 2, learnt.network, learnt.data),
            psnr_steps(of_learnt / 2, learnt.network, learnt.data),
            gan_steps(of_learnt, learnt.network, learnt.discriminator, perceptual, learnt.data),
        )
        make_folder(kept.parent)
        with atomic_write(kept) as temporary:
            temporary.write_text(" ".join(map(str, numbers)) + "\n", encoding="utf-8")
    numbers_ = [int(number) for number in kept.read_text(encoding="utf-8").split()]
    first, second, third, fourth, fifth = numbers_
    return Steps(realsr=(first, second), frequency=(third, fourth, fifth))
