"""RealSR's Algorithm 1: kernels and noise of the source photos, clean HR out of them, and LR of that."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal, TypeAlias

import numpy as np

from wildsr.data import PairSettings, make_pairs, plan_pairs
from wildsr.data.pairs import CLEAN_UP
from wildsr.degradation import Chosen, Profile, choose, empty_kernels, empty_noise
from wildsr.degradation.profile import FloatArray
from wildsr.errors import InputError, UsageError
from wildsr.estimation.kernels.methods import METHODS
from wildsr.estimation.noise.variance_rule import VarianceRule, low_variance_patches
from wildsr.estimation.profile.make import ProfileSettings, make_profile
from wildsr.estimation.profile.photo import PhotoSettings
from wildsr.files import counted, find_pictures, make_folder, shown
from wildsr.imaging import open_source, probe
from wildsr.machine import cores
from wildsr.training.choices import OneOf
from wildsr.training.session import Say

Parts: TypeAlias = Literal["both", "noise", "kernel", "neither"]
MethodName: TypeAlias = Annotated[str, OneOf("method", METHODS)]

KEPT_PROFILE: Final = "pool.profile"
"""The profile of the source photos, inside the run's folder."""
_MOST_PATCHES: Final = 1000


@dataclass(frozen=True, kw_only=True, eq=False)
class Pool:
    """What Algorithm 1 drew from the source photos."""

    blur: Chosen
    """From HR to LR without noise: one of the kernels, or bicubic."""

    noise: FloatArray
    """N×3×p×p; none where none is wanted."""

    summary: str
    """For the card."""

    fingerprint: str
    """Of kernels, noise and scale."""


@dataclass(frozen=True, kw_only=True)
class PoolSettings:
    """How the pools are filled."""

    parts: Parts = "both"
    """What LR gets: kernels and noise of the source photos, only one of them, or neither (the ablation)."""

    method: MethodName = "auto"
    """How kernels are estimated; the paper's is kernelgan."""

    noise_rule: Literal["variance", "profile"] = "variance"
    """Which patches count as noise: the paper's rule, or the one of `wildsr profile`."""

    noise: VarianceRule = field(default_factory=VarianceRule)
    """The paper's rule."""


def fill_pool(
    settings: PoolSettings, source: Path | None, profile: Path | None, *, folder: Path, scale: int, say: Say
) -> Pool:
    """Kernel pool and noise pool (steps 1 and 2).

    Args:
        settings: What, and how.
        source: Folder of the source photos.
        profile: Kernels and noise that were learnt before, in their place.
        folder: The run's; what is learnt is kept there.
        scale: HR pixels per LR pixel along one side.
        say: Takes messages.

    Raises:
        UsageError: Neither photos nor a profile, a profile of another scale or without what is wanted.
        InputError: No patch is noise by the rule.
        ProfileError: No kernel can be trusted.
    """
    wants_kernels, wants_noise = settings.parts in ("both", "kernel"), settings.parts in ("both", "noise")
    if source is None and profile is None and settings.parts != "neither":
        raise UsageError(
            "nothing given to learn the degradation from",
            hint="--set source=FOLDER names the photos to upscale later; or --profile cam.profile",
        )
    by_rule = settings.noise_rule == "variance" and profile is None
    learnt = None
    if wants_kernels or (wants_noise and not by_rule):
        learnt = _learnt(settings, source, profile, folder, say)
    noise = empty_noise()
    if wants_noise:
        noise = learnt.noise if learnt is not None and not by_rule else _by_variance(source, settings.noise)
        if not len(noise):
            raise UsageError(
                "the profile has no noise patches", hint="--set pool.parts=kernel trains without"
            )
    kernels = empty_kernels()
    blur = choose("bicubic", scale=scale)
    if wants_kernels and learnt is not None:
        kernels = learnt.kernels
        if not len(kernels):
            raise UsageError("the profile has no kernels", hint="--set pool.parts=noise trains without")
        blur = choose("realsr", scale=scale, profile=Profile(kernels=kernels, scale=learnt.scale))
    digest = hashlib.sha256(f"{scale} {settings.parts} ".encode())
    digest.update(np.ascontiguousarray(kernels).tobytes() if wants_kernels else b"bicubic")
    digest.update(np.ascontiguousarray(noise).tobytes())
    blurred = counted(len(kernels), "kernel") if wants_kernels else "bicubic"
    return Pool(
        blur=blur,
        noise=noise,
        summary=f"LR by {blurred} and {counted(len(noise), 'noise patch') if wants_noise else 'no noise'}",
        fingerprint=digest.hexdigest(),
    )


def make_clean_pairs(
    pool: Pool,
    sources: Mapping[str, tuple[Path, bool]],
    *,
    folder: Path,
    scale: int,
    least_side: int,
    seed: int,
    say: Say,
) -> list[Path]:
    """HR and blurred LR (steps 3 and 4, without the noise, which is added on the fly).

    Args:
        pool: With the blur.
        sources: Name → folder of photos, and whether they are noisy: those are shrunk by 2 (bicubic), which takes
            noise and compression out of them.
        folder: The run's; pairs that are there already are kept.
        scale: HR pixels per LR pixel along one side.
        least_side: Pixels that HR needs along a side; smaller photos are left out.
        seed: Of the kernel drawn for each photo.
        say: Told about photos that give no pair.

    Returns:
        Folders with `HR` and `LR` in them.

    Raises:
        InputError: A folder in which no photo is large enough.
    """
    made = []
    for name, (photos, noisy) in sources.items():
        target = folder / "pairs" / name
        settings = PairSettings(chosen=pool.blur, scale=scale, seed=seed, clean_up=noisy)
        found = find_pictures([photos], recursive=True, exclude=folder)
        needed = least_side * (CLEAN_UP if noisy else 1)
        large = tuple(one for one in found.pictures if _is_large(one.path, needed, say))
        if not large:
            raise InputError(
                f"none of the {counted(len(found.pictures), 'photo')} in {shown(photos)} has {needed} pixels along "
                "each side, which a training crop needs",
                hint=f"larger photos, or a smaller crop: --set data.patch={max(least_side // 2, scale)}",
            )
        done = make_pairs(target, plan_pairs(large, target), settings)
        for path, reason in done.failed:
            say(f"skipped {shown(path)}: {reason}")
        made.append(target)
    return made


def _is_large(photo: Path, needed: int, say: Say) -> bool:
    """Whether it is; one that can't be opened is named when a pair is made of it."""
    try:
        size = probe(photo)
    except InputError:
        return True
    if min(size.height, size.width) >= needed:
        return True
    say(f"skipped {shown(photo)}: {size.width} × {size.height} pixels; {needed} along each side are needed")
    return False


def _learnt(
    settings: PoolSettings, source: Path | None, profile: Path | None, folder: Path, say: Say
) -> Profile:
    """The profile given, or the one of the source photos, which is kept."""
    if profile is not None:
        return Profile.load(profile)
    assert source is not None
    kept = folder / KEPT_PROFILE
    if kept.is_file():
        return Profile.load(kept)
    make_folder(folder)
    photos = find_pictures([source], recursive=True, exclude=folder)
    say(f"learning kernels from {counted(len(photos.pictures), 'photo')}")
    how = ProfileSettings(photo=PhotoSettings(method=settings.method), jobs=cores())
    return make_profile(photos, kept, how)


def _by_variance(source: Path | None, rule: VarianceRule) -> FloatArray:
    assert source is not None
    found = []
    for one in find_pictures([source], recursive=True).pictures:
        try:
            picture = open_source(one.path)
        except InputError:
            continue  # named when pairs are made of it
        rgb = np.rint(picture.rgb(0, picture.height, 0, picture.width) * 255).astype(np.uint8)
        found.append(low_variance_patches(rgb, rule))
    patches = np.concatenate(found) if found else np.zeros((0, 3, rule.side, rule.side), np.float32)
    if not len(patches):
        raise InputError(
            f"no {rule.side}×{rule.side} patch of the source photos varies by less than {rule.variance:g} "
            f"(gray levels squared) above a mean of {rule.mean:g}",
            hint="smaller patches or more variance: --set pool.noise.side=64 --set pool.noise.variance=100; "
            "or --set pool.noise_rule=profile",
        )
    evenly = np.linspace(0, len(patches) - 1, min(len(patches), _MOST_PATCHES)).astype(int)
    chosen: FloatArray = patches[evenly]
    return chosen
