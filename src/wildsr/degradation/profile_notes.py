"""What a profile knows about its kernels and noise patches: where from, how sure, what was turned down and why."""

from collections import Counter
from dataclasses import dataclass, field
from math import isfinite
from typing import Final, Literal, TypeAlias

from wildsr.errors import ProfileError
from wildsr.version import __version__

_LARGEST: Final = 1 << 40
"""Of counts and of places in photos: far more than there can be."""
_LEVELS: Final = 255

Setting: TypeAlias = bool | int | float | str | None


@dataclass(frozen=True, kw_only=True)
class KernelNote:
    """Where a kernel comes from."""

    photo: str = ""
    """File name of the photo, without its folder."""

    method: str = ""
    """How it was estimated: kernelgan, realsr, recurrence, …"""

    confidence: float = 1.0
    """0 (a guess) to 1 (certain)."""

    agreement: float | None = None
    """How much the estimates of several seeds and crops were alike, 0 to 1; None: there was only one."""

    seeds: tuple[int, ...] = ()
    """Seeds of the estimates behind it."""

    scores: dict[str, float] = field(default_factory=dict)
    """Anything else that was measured, by name."""

    def __post_init__(self) -> None:
        _check_share("confidence", self.confidence)
        if self.agreement is not None:
            _check_share("agreement", self.agreement)
        _check_finite("scores", self.scores)


@dataclass(frozen=True, kw_only=True)
class NoiseNote:
    """Where a noise patch comes from."""

    photo: str = ""
    """File name of the photo, without its folder."""

    row: int = 0
    """Of the patch's upper left corner in the photo."""

    column: int = 0
    """Of the patch's upper left corner in the photo."""

    brightness: float = 0.5
    """Mean luma of the patch before its mean was taken off, 0 to 1."""

    std: float = 0.0
    """Standard deviation of its noise over all channels, in units of [0, 1]."""

    def __post_init__(self) -> None:
        _check_share("brightness", self.brightness)
        _check_share("std", self.std)
        _check_range("row", self.row, 0, _LARGEST)
        _check_range("column", self.column, 0, _LARGEST)


@dataclass(frozen=True, kw_only=True)
class PhotoNote:
    """A photo that was looked at."""

    photo: str
    """File name, without its folder."""

    camera: str = ""
    """Maker and model from its EXIF; empty where it doesn't say."""

    width: int = 0
    """In pixels."""

    height: int = 0
    """In pixels."""

    jpeg_quality: int | None = None
    """Quality setting its quantisation tables stand for, 1 to 100; None for other formats."""

    blockiness: float | None = None
    """How much steps at multiples of 8 pixels exceed others."""

    scores: dict[str, float] = field(default_factory=dict)
    """Anything else that was measured, by name."""

    def __post_init__(self) -> None:
        _check_finite("scores", self.scores)
        _check_range("width", self.width, 0, _LARGEST)
        _check_range("height", self.height, 0, _LARGEST)
        if self.jpeg_quality is not None:
            _check_range("jpeg_quality", self.jpeg_quality, 1, 100)
        if self.blockiness is not None:
            _check_range("blockiness", self.blockiness, -_LEVELS, _LEVELS)


@dataclass(frozen=True, kw_only=True)
class Rejected:
    """Something that was looked at and not taken."""

    kind: Literal["photo", "kernel", "noise"]
    """What it was."""

    photo: str
    """File name of the photo it belongs to, without its folder."""

    reason: str
    """Why, in words for the user."""

    count: int = 1
    """How many of this kind in this photo for this reason."""

    def __post_init__(self) -> None:
        _check_range("count", self.count, 0, _LARGEST)


@dataclass(frozen=True, kw_only=True)
class Meta:
    """All that a profile knows beside its arrays."""

    kernels: tuple[KernelNote, ...] = ()
    """One for each kernel, in their order."""

    noise: tuple[NoiseNote, ...] = ()
    """One for each noise patch, in their order."""

    photos: tuple[PhotoNote, ...] = ()
    """Every photo that could be read."""

    rejected: tuple[Rejected, ...] = ()
    """Photos, kernels and noise patches that were turned down."""

    confidence: float | None = None
    """Of the profile as a whole, 0 to 1."""

    remarks: tuple[str, ...] = ()
    """What the user should know: mixed cameras, few patches, …"""

    settings: dict[str, Setting] = field(default_factory=dict)
    """How it was made: method, seeds, thresholds."""

    wildsr: str = __version__
    """Version of wildsr that made it."""

    def __post_init__(self) -> None:
        if self.confidence is not None:
            _check_share("confidence", self.confidence)
        numbers = {name: float(one) for name, one in self.settings.items() if isinstance(one, float)}
        _check_finite("settings", numbers)

    def cameras(self) -> dict[str, int]:
        """Photos by camera, the most frequent first; `unknown` are those without EXIF."""
        counts = Counter(note.camera or "unknown" for note in self.photos)
        return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))

    def jpeg_qualities(self) -> tuple[int, ...]:
        """Quality settings of the photos that are JPEG files, ascending."""
        return tuple(sorted(one.jpeg_quality for one in self.photos if one.jpeg_quality is not None))


def _check_share(name: str, value: float) -> None:
    if not 0 <= value <= 1:  # false for NaN too
        raise ProfileError(f"{name} is {value}; it must lie between 0 and 1")


def _check_range(name: str, value: float, low: int, high: int) -> None:
    if not low <= value <= high:
        raise ProfileError(f"{name} is {value:.6g}; it must lie between {low} and {high}")


def _check_finite(name: str, values: dict[str, float]) -> None:
    bad = [key for key, value in values.items() if not isfinite(value)]
    if bad:
        raise ProfileError(f"{name} {', '.join(bad)}: not a finite number".replace(" :", ":"))
