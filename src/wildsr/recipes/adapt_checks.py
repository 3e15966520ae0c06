"""What is looked at before an adaptation begins: photos, start and memory; and what its pictures should be told of."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np
from torch import nn

from wildsr.checkpoints import Loaded
from wildsr.degradation import Profile
from wildsr.errors import InputError, UsageError
from wildsr.estimation.noise.patches import noise_patches
from wildsr.estimation.profile.profile_stats import profile_stats
from wildsr.files import counted, find_pictures
from wildsr.imaging import open_source
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings

FEWEST_PHOTOS: Final = 3
FEW_PHOTOS: Final = 10
PROFILE_SCALE: Final = 4
"""Of every profile that is made of photos."""
_COARSE: Final = 20.0
"""Power of the noise's coarse half in terms of its fine half. White noise has 1, photos of cameras up to about 10; six
photos enlarged by 2 had 47, the same denoised (total variation) 35."""
_PICTURES: Final = 8
"""HR pictures whose noise is measured."""
_SIDE: Final = 512
"""Of the part of each, in pixels."""
_FAINT: Final = 1.5 / 255
"""Noise in HR pictures that does no harm, whatever the camera's is."""


def check_photos(count: int, *, profile: bool, hr: bool, say: Say) -> None:
    """Refuse too few photos, and say where they are few.

    Args:
        count: Of photos.
        profile: Whether a profile is given.
        hr: Whether pictures to learn from are given.
        say: Takes messages.

    Raises:
        UsageError: They are too few.
    """
    least = 1 if profile and hr else FEWEST_PHOTOS
    if count < least:
        raise UsageError(
            f"photos given: {count}; a camera can't be learnt from fewer than {least}",
            hint="ten or more ordinary photos, with edges and plain parts, as they came from the camera",
        )
    if not profile and count < FEW_PHOTOS:
        say(
            f"note: {counted(count, 'photo', 'is', 'are')} few; ten or more make the profile sure of what it found"
        )


def check_start(start: Loaded, profile: Path | None, data: DataSettings, judge: nn.Module) -> None:
    """Refuse a start that the profile or the memory doesn't suit.

    Args:
        start: Weights and what they are.
        profile: The camera's, where it is known before; one that is made of photos is for scale 4.
        data: Batch and patch.
        judge: Network of the perceptual loss, which is given the HR crops.

    Raises:
        UsageError: Another scale than the profile's, or steps that need more memory than is free.
        ProfileError: A profile that can't be read or trusted.
    """
    scale = start.spec.scale
    wanted = PROFILE_SCALE if profile is None else Profile.load(profile).scale
    if wanted != scale:
        raise UsageError(
            f"the profile is for scale {wanted}, the start {start.spec.id} for scale {scale}",
            hint=f"choose starting weights of scale {wanted} (--start)",
        )
    sides = {start.network: data.patch // scale, judge: data.patch}
    refuse_what_cannot_fit(sides, data, scale=scale, hint="a smaller network (--start), or close programs")


def remarks_on(profile: Profile) -> list[str]:
    """What the profile says against its photos, in sentences, beside its own remarks."""
    stats = profile_stats(profile)
    if stats.grain is None or stats.grain < _COARSE:
        return []
    return [
        f"the photos' noise is coarse ({stats.grain:.0f} times stronger in its coarse half than in its fine one): they "
        "seem enlarged, denoised or strongly compressed; photos as the camera made them teach more"
    ]


def remark_on_noise(pictures: Sequence[Path], profile: Profile) -> str | None:
    """Say where the pictures to learn from are noisier than the camera's photos: a model can't learn to clean by them.

    Args:
        pictures: Clean ones, as they should be; a few of them are looked at.
        profile: The camera's.
    """
    found = [sigma for path in _some(pictures) if (sigma := _noise(path)) is not None]
    if len(found) < 2:
        return None
    theirs = float(np.median(found))
    cameras = float(np.sqrt(np.mean(profile.noise**2))) if len(profile.noise) else 0.0
    if theirs <= max(cameras, _FAINT):
        return None
    return (
        f"the pictures to learn from have noise of σ {theirs * 255:.1f} levels, the camera's photos of "
        f"{cameras * 255:.1f}: the model will keep and make noise; give cleaner ones, or larger ones shrunk by 2"
    )


def pictures_in(folder: Path) -> list[Path]:
    """The pictures of a folder, in order."""
    return [one.path for one in find_pictures([str(folder)]).pictures]


def _some(pictures: Sequence[Path]) -> Sequence[Path]:
    return pictures[:: max(1, -(-len(pictures) // _PICTURES))]


def _noise(path: Path) -> float | None:
    """Median σ of the plain parts in the middle of a picture, in [0, 1]; None where there are none."""
    try:
        rgb = open_source(path).middle(_SIDE)
    except InputError:
        return None
    patches = noise_patches(rgb).patches
    return float(np.median(patches.std(axis=(1, 2, 3)))) if len(patches) else None
