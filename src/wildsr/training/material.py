"""From a recipe's settings to what the loop is fed: photos, samples, the starting network."""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from wildsr.data import (
    AlignedCrops,
    Photo,
    Sample,
    Sampler,
    hold_out,
    open_pairs,
    open_photos,
    validation_crops,
)
from wildsr.errors import UsageError
from wildsr.training.config import nearest
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings


@dataclass(frozen=True, kw_only=True, eq=False)
class Material:
    """Photos of one training."""

    train: tuple[Photo, ...]
    """To learn from."""

    validation: tuple[Sample, ...]
    """To judge on."""

    fingerprint: str
    """Of names and sizes."""

    summary: str
    """For the card: how many, how many skipped."""

    names: tuple[str, ...]
    """Of the photos learnt from."""


def gather(settings: DataSettings, *, scale: int, folder: Path, say: Say) -> Material:
    """Open the photos a recipe was given.

    Args:
        settings: Folders, sizes.
        scale: HR pixels per LR pixel along one side.
        folder: The run's, for the cache.
        say: Told about skipped files.

    Raises:
        UsageError: No HR folder, or a patch that is no multiple of the scale.
        InputError: Nothing usable in the folders, pairs that don't fit.
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
    cache = settings.cache or folder / "cache"
    if settings.lr is not None:
        found = open_pairs(settings.hr, settings.lr, scale=scale, patch=settings.patch, cache=cache)
    else:
        found = open_photos(settings.hr, scale=scale, patch=settings.patch, cache=cache, say=say)
    if settings.validation is not None:
        judged = open_photos(settings.validation, scale=scale, patch=scale, cache=cache, say=say)
        train, held = found.photos, judged.photos
    else:
        train, held = hold_out(found.photos, settings.validation_photos)
    return Material(
        train=train,
        validation=validation_crops(held, scale=scale, side=settings.validation_side),
        fingerprint=_fingerprint([*train, *held]),
        names=tuple(photo.name for photo in train),
        summary=f"{len(train)} photos, {len(held)} more for validation, {len(found.skipped)} skipped",
    )


def aligned_sampler(material: Material, settings: DataSettings, *, scale: int) -> Sampler:
    """Crops of photos and their LR, flipped and turned."""
    return AlignedCrops(material.train, scale=scale, patch=settings.patch)


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
        raise UsageError(f"unknown {what} `{name}`", hint=nearest(name, list(presets)))
    known = list(inspect.signature(presets[name]).parameters)
    for key in arguments:
        if key not in known:
            raise UsageError(f"{what} `{name}` has no argument `{key}`", hint=nearest(key, known))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return presets[name](**arguments)


def _fingerprint(photos: list[Photo]) -> str:
    lines = [f"{photo.name} {photo.hr.shape}" for photo in photos]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()
