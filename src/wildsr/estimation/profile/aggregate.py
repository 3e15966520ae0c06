"""From photos to one profile: which kernels and patches are taken, and what the user should know of them."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Final

import numpy as np

from wildsr.degradation import Meta, Profile, empty_kernels, empty_noise
from wildsr.degradation.profile_notes import NoiseNote, Rejected, Setting
from wildsr.errors import ProfileError
from wildsr.estimation.kernels.shapes import carried_to_4, centred
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.agreement import kernels_that_agree, log_variance, noise_that_agrees
from wildsr.estimation.profile.photo import SMALL_PATCH, Examined
from wildsr.estimation.profile.shared_blur import camera_kernels
from wildsr.files import counted
from wildsr.imaging import FloatArray

_SIZES: Final = (21, 25, 33)
"""Sides of ×4 kernels; the smallest that holds them all is taken."""
_LOST: Final = 0.005
_ENOUGH_TO_JUDGE: Final = 5
_MIXED_SPREAD: Final = 0.7
_MOST_PATCHES: Final = 400
_FEW_KERNELS, _FEW_PATCHES = 5, 16
_ENOUGH_LARGE: Final = 4
"""Large patches beside which small ones are left out: a few sure ones are worth more than many doubtful ones."""
_NO_NOISE: Final = 0.35 / 255


@dataclass(frozen=True, kw_only=True)
class AggregationContext:
    """What the run knows beside the photos."""

    settings: dict[str, Setting]
    """How the profile was made."""

    remarks: tuple[str, ...] = ()
    """What to tell the user first (photos left out for want of time)."""


def aggregate(photos: Sequence[Examined], context: AggregationContext) -> Profile:
    """Combine what the photos gave into one profile.

    Raises:
        ProfileError: No photo gave anything; the reasons are listed.
    """
    found = [one for one in photos if one.kernel is not None]
    kept, outliers = kernels_that_agree(found)
    plain, noisier = noise_that_agrees(_of_one_size(photos))
    patches, notes = _shared_out(plain)
    rejected = (*(note for one in photos for note in one.rejected), *outliers, *noisier)
    if not kept and not len(patches):
        raise _nothing_found(rejected)
    seen = [(one.kernel, one.evidence) for one in kept if one.kernel is not None]
    kernels = _at_scale_4(camera_kernels([kernel for kernel, _ in seen], [evidence for _, evidence in seen]))
    kernel_notes = tuple(one.kernel_note for one in kept if one.kernel_note is not None)
    confidences = [note.confidence for note in kernel_notes]
    # with few photos even sure kernels say little of the camera
    confidence = float(np.mean(confidences)) * len(kept) / (len(kept) + 1) if kept else 0.0
    photo_notes = tuple(one.note for one in photos if one.note is not None)
    meta = Meta(
        kernels=kernel_notes,
        noise=notes,
        photos=photo_notes,
        rejected=rejected,
        confidence=round(confidence, 4),
        settings=context.settings,
    )
    remarks = (*context.remarks, *_remarks(meta, kept, patches))
    return Profile(kernels=kernels, noise=patches, scale=4, meta=replace(meta, remarks=remarks))


def _at_scale_4(kernels: Sequence[Doubles]) -> FloatArray:
    """The ×4 kernels, all on the smallest grid that holds them."""
    if not kernels:
        return empty_kernels()
    large = [carried_to_4(kernel, size=_SIZES[-1]) for kernel in kernels]
    for size in _SIZES:
        edge = (_SIZES[-1] - size) // 2
        inner = slice(edge, _SIZES[-1] - edge)
        cut = [kernel[inner, inner] for kernel in large]
        if size == _SIZES[-1] or max(1 - float(kernel.sum()) for kernel in cut) < _LOST:
            break
    return np.stack([centred(kernel / kernel.sum(), size=size, scale=4) for kernel in cut]).astype(np.float32)


def _of_one_size(photos: Sequence[Examined]) -> list[Examined]:
    """Leave out the small patches where there are enough large ones, else cut up the large ones."""
    large = max((one.noise.shape[2] for one in photos if len(one.noise)), default=0)
    count = sum(len(one.noise) for one in photos if one.noise.shape[2] == large)
    if count >= _ENOUGH_LARGE or all(one.noise.shape[2] == large for one in photos if len(one.noise)):
        return [one if one.noise.shape[2] == large else _without_noise(one) for one in photos]
    return [_cut_up(one) for one in photos]


def _without_noise(one: Examined) -> Examined:
    return replace(one, noise=one.noise[:0], noise_notes=())


def _cut_up(one: Examined) -> Examined:
    """Cut every patch into small ones, each free of its mean."""
    small, notes = [], []
    for patch, note in zip(one.noise, one.noise_notes, strict=True):
        starts = range(0, patch.shape[1] - SMALL_PATCH + 1, SMALL_PATCH)
        for down, right in product(starts, starts):
            part = patch[:, down : down + SMALL_PATCH, right : right + SMALL_PATCH]
            small.append(part - part.mean(axis=(1, 2), keepdims=True))
            std = round(float(small[-1].std()), 6)
            notes.append(replace(note, row=note.row + down, column=note.column + right, std=std))
    noise = np.array(small, np.float32).reshape(-1, 3, SMALL_PATCH, SMALL_PATCH)
    return replace(one, noise=noise, noise_notes=tuple(notes))


def _shared_out(photos: Sequence[Examined]) -> tuple[FloatArray, tuple[NoiseNote, ...]]:
    """At most 400 patches, as evenly from all photos as there are."""
    counts = [len(one.noise) for one in photos]
    if not sum(counts):
        return empty_noise(), ()
    share = _MOST_PATCHES
    while sum(min(count, share) for count in counts) > _MOST_PATCHES:
        share -= 1
    patches, notes = [], []
    for one in photos:
        count = len(one.noise)
        for index in np.linspace(0, count - 1, min(count, share)).astype(int) if count else ():
            # float32 sums of thousands of pixels leave a trace of mean
            patch = one.noise[index].astype(np.float64)
            patches.append((patch - patch.mean(axis=(1, 2), keepdims=True)).astype(np.float32))
            notes.append(one.noise_notes[index])
    return np.stack(patches), tuple(notes)


def _remarks(meta: Meta, kept: Sequence[Examined], patches: FloatArray) -> list[str]:
    """What the user should know, in sentences."""
    remarks = []
    cameras = meta.cameras()
    known = [name for name in cameras if name != "unknown"]
    if len(known) > 1 or (known and cameras.get("unknown", 0)):
        names = ", ".join(f"{name} ({count})" for name, count in cameras.items())
        remarks.append(f"the photos are of several cameras: {names}; a profile fits one camera best")
    sizes = [log_variance(one.kernel) for one in kept if one.kernel is not None]
    if len(sizes) >= _ENOUGH_TO_JUDGE and float(np.std(sizes)) > _MIXED_SPREAD:
        low, high = np.exp(np.quantile(sizes, [0.1, 0.9]))
        remarks.append(
            f"the blur differs much from photo to photo (variance {low:.1f} to {high:.1f} squared pixels at ×2): "
            "several cameras, lenses or sizes?"
        )
    if len(meta.photos) == 1:
        remarks.append("there was one photo: it may say more of its subject than of the camera")
    if not kept:
        remarks.append("no kernel could be trusted: the blur is left to bicubic downscaling")
    elif len(kept) < _FEW_KERNELS and 1 < len(meta.photos) == len(kept):
        remarks.append(f"there were only {len(kept)} photos; more would make the profile surer")
    elif len(kept) < _FEW_KERNELS and len(meta.photos) > 1:
        remarks.append(f"only {len(kept)} of {len(meta.photos)} photos gave a kernel; more photos would help")
    if not len(patches):
        remarks.append("no noise was found: the photos have no plain, unclipped parts")
    elif len(patches) < _FEW_PATCHES:
        remarks.append(
            f"only {counted(len(patches), 'noise patch', 'was', 'were')} found; photos with sky or walls would help"
        )
    if len(patches) and float(np.median(patches.std(axis=(1, 2, 3)))) < _NO_NOISE:
        remarks.append(
            "there is hardly any noise: the photos were denoised, shrunk, or taken in bright light"
        )
    return remarks


def _nothing_found(rejected: Sequence[Rejected]) -> ProfileError:
    counts = Counter(note.reason for note in rejected if note.kind != "noise")
    listed = "\n  ".join(f"{count} × {reason}" for reason, count in counts.most_common(8))
    return ProfileError(
        f"no photo gave a kernel or noise that can be trusted:\n  {listed}",
        hint="give photos as the camera made them: in focus, with detail, at least 96 pixels a side, not screenshots",
    )
