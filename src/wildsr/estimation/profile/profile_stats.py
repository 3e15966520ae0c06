"""A profile in numbers: what `wildsr profile show` prints, `compare` compares and the page draws."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Final

import numpy as np

from wildsr.degradation import Profile, Rejected
from wildsr.estimation.kernels.shapes import second_moments
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray

_KINDS: Final = ("photo", "kernel", "noise")
_RINGS: Final = 16
BRIGHTNESS_STEPS: Final = 8


@dataclass(frozen=True, kw_only=True)
class Axes:
    """The ellipse of a kernel."""

    long: float
    """Standard deviation along the long axis, in HR pixels."""

    short: float
    """Standard deviation across it."""

    angle: float
    """Of the long axis in degrees, 0…180, from the x axis towards y (down)."""


@dataclass(frozen=True, kw_only=True)
class RejectionCount:
    """What was rejected for one reason."""

    kind: str
    """photo, kernel or noise."""

    reason: str
    """Without its numbers, so that equal ones are counted together."""

    count: int
    """How many."""

    photos: tuple[str, ...]
    """Where; each once."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ProfileStats:
    """The numbers of a profile."""

    scale: int
    """HR pixels per LR pixel; kernels are in HR pixels."""

    kernels: int
    """How many."""

    patches: int
    """How many."""

    confidence: float
    """Of the whole, 0…1."""

    mean_kernel: Doubles | None
    """n×n; None without kernels."""

    axes: tuple[Axes, ...]
    """Of every kernel."""

    noise: float | None
    """Root mean square of all patches, in levels; None without patches."""

    noise_by_brightness: tuple[tuple[float, float, int], ...]
    """(brightness 0…1, σ in levels, patches) where there are patches."""

    spectrum: tuple[tuple[float, float], ...]
    """(frequency in cycles per pixel, power relative to the mean): 1 everywhere is white noise."""

    grain: float | None
    """How much stronger the noise's coarse half (below 1/4 cycle per pixel) is than its fine half; 1 is white.
    None without patches."""

    colour: float | None
    """Part of the noise that is common to the three channels, 0…1; None without patches."""

    jpeg: tuple[int, int, int] | None
    """Lowest, median and highest quality of the JPEG files."""

    cameras: dict[str, int]
    """Photos by camera."""

    rejected: tuple[RejectionCount, ...]
    """Photos first, then kernels, then noise; of each the most frequent first."""

    remarks: tuple[str, ...]
    """What the user should know."""

    @property
    def blur(self) -> tuple[float, float] | None:
        """Medians of the kernels' long and short axes in HR pixels; None without kernels."""
        if not self.axes:
            return None
        return (
            round(median(one.long for one in self.axes), 3),
            round(median(one.short for one in self.axes), 3),
        )


def profile_stats(profile: Profile) -> ProfileStats:
    """Measure a profile."""
    noise = profile.noise
    spectrum = _spectrum(noise) if len(noise) else ()
    qualities = profile.meta.jpeg_qualities()
    return ProfileStats(
        scale=profile.scale,
        kernels=len(profile.kernels),
        patches=len(noise),
        confidence=profile.meta.confidence or 0.0,
        mean_kernel=profile.kernels.mean(axis=0, dtype=np.float64) if len(profile.kernels) else None,
        axes=tuple(axes_of(kernel.astype(np.float64)) for kernel in profile.kernels),
        noise=round(float(np.sqrt((noise**2).mean())) * 255, 3) if len(noise) else None,
        noise_by_brightness=_by_brightness(profile),
        spectrum=spectrum,
        grain=_grain(spectrum) if len(noise) else None,
        colour=_common(noise) if len(noise) else None,
        jpeg=(qualities[0], qualities[len(qualities) // 2], qualities[-1]) if qualities else None,
        cameras=profile.meta.cameras(),
        rejected=_counted(profile.meta.rejected),
        remarks=profile.meta.remarks,
    )


def _counted(rejected: Sequence[Rejected]) -> tuple[RejectionCount, ...]:
    counts: Counter[tuple[str, str]] = Counter()
    photos: dict[tuple[str, str], dict[str, None]] = {}
    for one in rejected:
        key = one.kind, _general(one.reason)
        counts[key] += one.count
        photos.setdefault(key, {})[one.photo] = None
    order = sorted(counts.items(), key=lambda item: (_KINDS.index(item[0][0]), -item[1]))
    return tuple(
        RejectionCount(kind=key[0], reason=key[1], count=count, photos=tuple(photos[key]))
        for key, count in order
    )


def axes_of(kernel: Doubles) -> Axes:
    """Return the ellipse of a kernel's second moments."""
    values, vectors = np.linalg.eigh(second_moments(kernel))
    short, long = np.sqrt(np.maximum(values, 0))
    angle = np.degrees(np.arctan2(vectors[1, 1], vectors[0, 1])) % 180
    return Axes(long=round(float(long), 3), short=round(float(short), 3), angle=round(float(angle), 1))


def _general(reason: str) -> str:
    """A reason without its numbers, so that equal ones are counted together."""
    return reason.partition(" (")[0].partition(":")[0]


def _by_brightness(profile: Profile) -> tuple[tuple[float, float, int], ...]:
    if not len(profile.noise):
        return ()
    levels = np.array([note.brightness for note in profile.meta.noise])
    power = (profile.noise.astype(np.float64) ** 2).mean(axis=(1, 2, 3))
    steps = np.minimum((levels * BRIGHTNESS_STEPS).astype(int), BRIGHTNESS_STEPS - 1)
    return tuple(
        (
            round(float(levels[steps == step].mean()), 3),
            round(float(np.sqrt(power[steps == step].mean())) * 255, 3),
            int(np.count_nonzero(steps == step)),
        )
        for step in np.unique(steps)
    )


def _spectrum(noise: FloatArray) -> tuple[tuple[float, float], ...]:
    """Radial power of the patches, each at its own strength."""
    side = noise.shape[2]
    scaled = noise / np.maximum(noise.std(axis=(1, 2, 3), keepdims=True), 1e-6)
    power = (np.abs(np.fft.fft2(scaled)) ** 2).mean(axis=(0, 1)) / side**2
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.fftfreq(side)[None])
    ring = np.minimum((radius / 0.5 * _RINGS).astype(int), _RINGS)
    # what was fitted and taken out lies in the first ring
    return tuple(
        (round((index + 0.5) / _RINGS * 0.5, 4), round(float(power[ring == index].mean()), 4))
        for index in range(1, _RINGS)
        if (ring == index).any()
    )


def _grain(spectrum: tuple[tuple[float, float], ...]) -> float:
    coarse = [power for frequency, power in spectrum if frequency < 0.25]
    fine = [power for frequency, power in spectrum if frequency >= 0.25]
    if not coarse or not fine:
        return 1.0
    return round(float(np.mean(coarse) / max(float(np.mean(fine)), 1e-6)), 3)


def _common(noise: FloatArray) -> float:
    """Mean correlation of the channels."""
    flat = noise.transpose(1, 0, 2, 3).reshape(3, -1).astype(np.float64)
    if float(flat.std(axis=1).min()) < 1e-9:
        return 0.0
    correlation = np.corrcoef(flat)
    return round(float(np.clip((correlation.sum() - 3) / 6, 0, 1)), 3)
