"""From a recipe's settings to what the loop is fed: photos, samples, the starting network."""

import hashlib
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from wildsr.data import (
    AlignedCrops,
    Degrade,
    DegradedCrops,
    Photo,
    Sample,
    Sampler,
    array_degrader,
    degraded_validation_crops,
    hold_out,
    open_pairs,
    open_photos,
    open_shards,
    shards_in,
    validation_crops,
    with_noise,
)
from wildsr.data.duplicates import near_duplicates
from wildsr.data.learnt import chosen_degradation
from wildsr.degradation import Chosen, Profile, with_widths
from wildsr.degradation.presets import mixed_with_bicubic
from wildsr.errors import InputError, UsageError, did_you_mean
from wildsr.files import counted
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """Photos of one training."""

    train: tuple[Photo, ...]
    """To learn from."""

    validation: tuple[Sample, ...]
    """To judge on."""

    fingerprint: str
    """Of names and sizes, and of the degradation behind a space."""

    summary: str
    """For the card: how many, how many skipped."""

    names: tuple[str, ...]
    """Of the photos learnt from."""

    degradation: Chosen | None = field(default=None)
    """What makes LR on the fly; None: the photos have their LR."""


def gather(settings: DataSettings, *, scale: int, folder: Path, say: Say) -> Dataset:
    """Open the photos a recipe was given.

    Args:
        settings: Folders, sizes.
        scale: HR pixels per LR pixel along one side.
        folder: The run's, for the cache.
        say: Told about skipped files.

    Raises:
        UsageError: No HR folder, a patch that is no multiple of the scale, a degradation that doesn't fit.
        InputError: Nothing usable in the folders, pairs that don't fit, photos to judge on that are learnt from.
        ProfileError: A profile that can't be read or trusted.
    """
    if settings.hr is None:
        raise UsageError(
            "no photos given to learn from", hint="--hr FOLDER names a folder of clean, large photos"
        )
    if settings.patch % scale:
        raise UsageError(
            f"data.patch is {settings.patch}, which is no multiple of the scale {scale}",
            hint=f"for example --set data.patch={max(settings.patch // scale, 1) * scale}",
        )
    degradation = _degradation(settings, scale)
    stored = degradation is None
    cache = settings.cache or folder / "cache"
    shards = shards_in(settings.hr)
    if shards:
        _refuse_beside_shards(settings)
        found = open_shards(shards, scale=scale, patch=settings.patch, cache=cache)
    elif settings.lr is not None:
        found = open_pairs(settings.hr, settings.lr, scale=scale, patch=settings.patch, cache=cache)
    else:
        found = open_photos(
            settings.hr, scale=scale, patch=settings.patch, cache=cache, make_lr=stored, say=say
        )
    if settings.validation is not None:
        judged = open_photos(
            settings.validation, scale=scale, patch=scale, cache=cache, make_lr=stored, say=say
        )
        train, held = found.photos, judged.photos
        _refuse_copies(held, train)
    else:
        train, held = hold_out(found.photos, settings.validation_photos)
        for one, other in near_duplicates(held, train)[:3]:
            say(
                f"note: {one}, held out, shows the same as {other}, which is learnt from; its figures will flatter"
            )
    fingerprint = _fingerprint([*train, *held])
    summary = f"{counted(len(train), 'photo')}, {len(held)} more for validation, {len(found.skipped)} skipped"
    if degradation is None:
        crops = validation_crops(held, scale=scale, side=settings.validation_side)
    else:
        crops = degraded_validation_crops(
            held,
            scale=scale,
            side=settings.validation_side,
            degrade=array_degrader(degradation.pipeline),
            margin=degradation.margin,
            lettering=settings.lettering,
        )
        fingerprint += f" {degradation.fingerprint}"
        summary += f"; LR by {degradation.name} ({degradation.summary})"
    return Dataset(
        train=train,
        validation=crops,
        fingerprint=fingerprint,
        names=tuple(photo.name for photo in train),
        summary=summary,
        degradation=degradation,
    )


def joined(datasets: Sequence[Dataset], *, summary: str, degradation: str) -> Dataset:
    """Several folders' pairs as one.

    Args:
        datasets: Of stored pairs.
        summary: How their LR is made, for the card.
        degradation: Fingerprint of how.
    """
    photos = hashlib.sha256(" ".join(one.fingerprint for one in datasets).encode()).hexdigest()
    return Dataset(
        train=tuple(photo for one in datasets for photo in one.train),
        validation=tuple(crop for one in datasets for crop in one.validation),
        fingerprint=f"{photos} {degradation}",
        names=tuple(name for one in datasets for name in one.names),
        summary="; ".join((*(one.summary for one in datasets), summary)),
    )


def with_noisy_validation(dataset: Dataset, inject: Degrade) -> Dataset:
    """The same with noise in the LR that is judged on, drawn by the photo's name alone."""
    crops = []
    for crop in dataset.validation:
        name = hashlib.sha256(crop.name.encode("utf-8", "surrogateescape")).digest()
        noisy = with_noise(crop, inject, np.random.default_rng(int.from_bytes(name[:8], "little")))
        rounded = np.rint(np.asarray(noisy.lr) * 255).astype(np.uint8)
        crops.append(replace(noisy, lr=rounded))
    return replace(dataset, validation=tuple(crops))


def sampler_of(dataset: Dataset, settings: DataSettings, *, scale: int) -> Sampler:
    """Crops of photos, flipped and turned, with their LR or degraded on the fly."""
    chosen = dataset.degradation
    if chosen is None:
        return AlignedCrops(dataset.train, scale=scale, patch=settings.patch)
    return DegradedCrops(
        dataset.train,
        scale=scale,
        patch=settings.patch,
        degrade=array_degrader(chosen.pipeline),
        margin=chosen.margin,
        lettering=settings.lettering,
    )


def build(
    presets: Mapping[str, Callable[..., nn.Module]],
    name: str,
    arguments: Mapping[str, int | float | str | bool],
    *,
    seed: int,
    what: str = "network",
) -> nn.Module:
    """Build a preset with the given arguments on top, initialised from the seed.

    Raises:
        UsageError: No such preset, or no such argument; the nearest names are given.
    """
    if name not in presets:
        raise UsageError(f"unknown {what} `{name}`", hint=did_you_mean(name, list(presets)))
    known = list(inspect.signature(presets[name]).parameters)
    for key in arguments:
        if key not in known:
            raise UsageError(f"{what} `{name}` has no argument `{key}`", hint=did_you_mean(key, known))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return presets[name](**arguments)


def _degradation(settings: DataSettings, scale: int) -> Chosen | None:
    """What makes LR on the fly; None for bicubic, which is made once, and for given pairs."""
    if settings.lr is not None and (settings.profile is not None or settings.degradation is not None):
        raise UsageError(
            "LR pictures are given, and a degradation to make them by",
            hint="leave out data.lr, or --profile and --degradation",
        )
    if settings.lr is not None and settings.bicubic:
        raise UsageError(
            "LR pictures are given; none of them can be made bicubic",
            hint="leave out data.lr, or --set data.bicubic=0",
        )
    profile = None if settings.profile is None else Profile.load(settings.profile)
    if profile is not None and settings.kernel_widths != (1.0,):
        profile = with_widths(profile, settings.kernel_widths)
    sharpened = settings.sharpened if profile is not None and len(profile.kernels) else 0.0
    colour_blur = settings.colour_blur if profile is not None else (0.0, 0.0)
    chosen = chosen_degradation(
        settings.degradation, scale=scale, profile=profile, sharpened=sharpened, colour_blur=colour_blur
    )
    return None if chosen.name == "bicubic" else mixed_with_bicubic(chosen, settings.bicubic, scale=scale)


def _refuse_beside_shards(settings: DataSettings) -> None:
    given = {
        "data.lr": settings.lr,
        "a profile": settings.profile,
        "a degradation": settings.degradation,
        "data.bicubic": settings.bicubic or None,
    }
    if named := [name for name, value in given.items() if value is not None]:
        raise UsageError(
            f"{settings.hr} holds shards of pairs, which have their LR; {' and '.join(named)} can't be used",
            hint="leave it out; to degrade HR on the fly, give a folder of photos",
        )


def _refuse_copies(judged: Sequence[Photo], learnt: Sequence[Photo]) -> None:
    copies = near_duplicates(judged, learnt)
    if copies:
        listed = "\n  ".join(f"{one} shows the same as {other}" for one, other in copies[:10])
        more = f"\n  … and {len(copies) - 10} more" if len(copies) > 10 else ""
        raise InputError(
            f"{counted(len(copies), 'photo')} to judge on {'is' if len(copies) == 1 else 'are'} among those learnt "
            f"from:\n  {listed}{more}",
            hint="take them out of one of the two folders; what was learnt by heart judges nothing",
        )


def _fingerprint(photos: list[Photo]) -> str:
    lines = [f"{photo.name} {photo.hr.shape}" for photo in photos]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
