"""The profile of a camera (a scanner, an app, an archive): blur kernels and noise patches, with their provenance.

Kernels are in correlation orientation: LR pixel (i, j) = Σ kernel[u, v] · HR[s·i + u − n//2, s·j + v − n//2]; so the
centre of mass of an odd kernel lies at n//2 + (s−1)/2, which makes an LR pixel stand for the middle of its s×s block.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray

from wildsr.degradation import kernels
from wildsr.degradation.profile_file import check_limits, encode, read_profile, write_profile
from wildsr.degradation.profile_notes import KernelNote, Meta, NoiseNote
from wildsr.errors import ProfileError
from wildsr.files import shown

FloatArray: TypeAlias = NDArray[np.float32]

SUM_TOLERANCE: Final = 1e-3
CENTRE_TOLERANCE: Final = 0.25
"""In HR pixels. Half a pixel costs more than a decibel downstream."""
MEAN_TOLERANCE: Final = 1e-3
"""Of a noise patch's channel: a quarter of an 8-bit level."""
_STRONGEST_LOBES: Final = 3.0
"""Largest Σ|kernel|: bicubic's is 1.6; far above that a kernel amplifies noise instead of blurring."""


def empty_kernels(size: int = 25) -> FloatArray:
    """Return no kernels, of the given size."""
    return np.zeros((0, size, size), dtype=np.float32)


def empty_noise(size: int = 64) -> FloatArray:
    """Return no noise patches, of the given size."""
    return np.zeros((0, 3, size, size), dtype=np.float32)


@dataclass(frozen=True, kw_only=True, eq=False)
class Profile:
    """How one camera damages pictures. Checked when made: a Profile that exists is sound.

    No kernels means that the blur is not known (degrading takes bicubic in its place), no patches that no noise was
    found (none is added); with neither there is nothing to degrade by.

    Raises:
        ProfileError: Wrong shapes or types, values that are not finite, a kernel that doesn't sum to 1 or lies off
            centre, noise out of range or with a mean, notes that don't match in number.

    Examples:
        >>> profile = wildsr.Profile.load("phone.profile")
        >>> profile.kernels.shape[1] % 2
        1
    """

    kernels: FloatArray = field(default_factory=empty_kernels)
    """K×n×n float32, odd n, each summing to 1, correlation orientation, centre of mass at n//2 + (scale−1)/2."""

    noise: FloatArray = field(default_factory=empty_noise)
    """N×3×p×p float32 in [−1, 1] (units of pictures in [0, 1]), mean 0 in every channel."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    meta: Meta = field(default_factory=Meta)
    """Provenance; the default is filled up with empty notes."""

    def __post_init__(self) -> None:
        for name in ("kernels", "noise"):
            array = _as_floats(name, getattr(self, name))
            array.flags.writeable = False
            object.__setattr__(self, name, array)
        if isinstance(self.scale, np.integer):
            object.__setattr__(self, "scale", int(self.scale))
        check_limits(self.kernels.shape, self.noise.shape, self.scale)
        for number, kernel in enumerate(self.kernels):
            _check_kernel(f"kernel {number}", kernel, self.scale)
        for number, patch in enumerate(self.noise):
            _check_patch(f"noise patch {number}", patch)
        object.__setattr__(self, "meta", self._noted())

    def _noted(self) -> Meta:
        """Return the notes, made up as empty ones where there are none at all."""
        kernels = self.meta.kernels or (KernelNote(),) * len(self.kernels)
        noise = self.meta.noise or tuple(NoiseNote(std=float(patch.std())) for patch in self.noise)
        for name, array, notes in (("kernels", self.kernels, kernels), ("noise", self.noise, noise)):
            if len(array) != len(notes):
                raise ProfileError(f"meta.{name} has {len(notes)} notes for {len(array)} {name}")
        return replace(self.meta, kernels=kernels, noise=noise)

    @classmethod
    def load(cls, path: str | Path) -> "Profile":
        """Read a profile; every fault of the file is named, nothing is allocated before shapes are checked.

        Raises:
            ProfileError: Missing, damaged, of a later format, or holding what a Profile may not.
        """
        kernels, noise, scale, meta = read_profile(Path(path))
        try:
            return cls(kernels=kernels, noise=noise, scale=scale, meta=meta)
        except ProfileError as error:
            raise ProfileError(f"{shown(path)}: {error}", hint=error.hint) from error

    def save(self, path: str | Path) -> None:
        """Write the profile: whole or not at all, the same bytes for the same content.

        Raises:
            OutputError: Full disk, missing permission.
        """
        write_profile(Path(path), self._bytes())

    @property
    def fingerprint(self) -> str:
        """SHA-256 of the content, as it would be saved."""
        return hashlib.sha256(self._bytes()).hexdigest()

    def _bytes(self) -> bytes:
        return encode(self.kernels, self.noise, self.scale, self.meta)


def merge(profiles: Sequence[Profile]) -> Profile:
    """Pool several profiles of one scale into one.

    Smaller kernels are padded with zeros, larger noise patches cut from their upper left corner (so that the noted
    position stays true) and freed of their mean again. What is in several profiles is kept once.

    Raises:
        ProfileError: No profile, or different scales.
    """
    if not profiles:
        raise ProfileError("no profile to merge", hint="name at least one")
    scales = sorted({one.scale for one in profiles})
    if len(scales) > 1:
        raise ProfileError(f"profiles of scales {' and '.join(map(str, scales))} can't be merged")
    size = max((one.kernels.shape[1] for one in profiles if len(one.kernels)), default=0)
    side = min((one.noise.shape[2] for one in profiles if len(one.noise)), default=0)
    kernels = {
        (kernel.tobytes(), note.photo): (kernel, note)
        for one in profiles
        for kernel, note in zip(_padded(one.kernels, size), one.meta.kernels, strict=True)
    }
    noise = {
        (patch.tobytes(), note.photo): (patch, note)
        for one in profiles
        for patch, note in zip(_cut(one.noise, side), one.meta.noise, strict=True)
    }
    metas = [one.meta for one in profiles]
    sure = [(meta.confidence, max(len(meta.kernels), 1)) for meta in metas if meta.confidence is not None]
    return Profile(
        kernels=np.stack([kernel for kernel, _ in kernels.values()]) if kernels else empty_kernels(),
        noise=np.stack([patch for patch, _ in noise.values()]) if noise else empty_noise(),
        scale=scales[0],
        meta=Meta(
            kernels=tuple(note for _, note in kernels.values()),
            noise=tuple(note for _, note in noise.values()),
            photos=_once([note for meta in metas for note in meta.photos]),
            rejected=_once([note for meta in metas for note in meta.rejected]),
            confidence=sum(c * n for c, n in sure) / sum(n for _, n in sure) if sure else None,
            remarks=_once([remark for meta in metas for remark in meta.remarks]),
            settings={"merged": len(profiles)},
        ),
    )


def with_widths(profile: Profile, factors: Sequence[float]) -> Profile:
    """Return a profile with every kernel at several widths, since how wide the blur is, is never known exactly.

    Args:
        profile: Of a camera.
        factors: Widths in units of each kernel's own, 1 among them where it is to be kept.

    Raises:
        UsageError: A factor that is not above 0.
        ProfileError: A factor that takes a kernel beyond its side.
    """
    pool = [
        (kernels.widened(kernel, factor, scale=profile.scale).astype(np.float32), note)
        for kernel, note in zip(profile.kernels, profile.meta.kernels, strict=True)
        for factor in factors
    ]
    if not pool:
        return profile
    return replace(
        profile,
        kernels=np.stack([kernel for kernel, _ in pool]),
        meta=replace(profile.meta, kernels=tuple(note for _, note in pool)),
    )


def _as_floats(name: str, given: object) -> FloatArray:
    """Return a copy as float32."""
    try:
        array = np.array(given)
    except ValueError as error:
        raise ProfileError(f"{name} are no array: their rows differ in length") from error
    if array.dtype not in (np.float32, np.float64):
        raise ProfileError(f"{name} are {array.dtype}; floats are expected")
    with np.errstate(over="ignore"):  # what is too large becomes infinite, which is refused
        return array.astype(np.float32, copy=False)


def _padded(kernels: FloatArray, size: int) -> FloatArray:
    if not len(kernels):
        return kernels
    more = (size - kernels.shape[1]) // 2
    return np.pad(kernels, ((0, 0), (more, more), (more, more)))


def _cut(noise: FloatArray, side: int) -> FloatArray:
    if not len(noise) or noise.shape[2] == side:
        return noise
    cut = noise[:, :, :side, :side]
    centred: FloatArray = cut - cut.mean(axis=(2, 3), keepdims=True)
    return np.clip(centred, -1, 1)


Note = TypeVar("Note")


def _once(notes: Sequence[Note]) -> tuple[Note, ...]:
    kept: list[Note] = []
    seen: set[str] = set()
    for note in notes:
        if (text := repr(note)) not in seen:
            seen.add(text)
            kept.append(note)
    return tuple(kept)


def _check_kernel(name: str, kernel: FloatArray, scale: int) -> None:
    if not np.isfinite(kernel).all():
        raise ProfileError(f"{name} has values that are not finite")
    exact = kernel.astype(np.float64)
    total = float(exact.sum())
    if abs(total - 1) > SUM_TOLERANCE:
        raise ProfileError(f"{name} sums to {total:.4g}; it must sum to 1")
    if float(np.abs(exact).sum()) > _STRONGEST_LOBES:
        raise ProfileError(
            f"{name} has negative lobes that amplify (Σ|k| = {np.abs(exact).sum():.3g}; at most {_STRONGEST_LOBES:g})"
        )
    places = np.arange(len(kernel))
    wanted = len(kernel) // 2 + (scale - 1) / 2
    row, column = float(exact.sum(1) @ places) / total, float(exact.sum(0) @ places) / total
    if max(abs(row - wanted), abs(column - wanted)) > CENTRE_TOLERANCE:
        raise ProfileError(
            f"{name} has its centre of mass at ({row:.2f}, {column:.2f}); at scale {scale} and size {len(kernel)} "
            f"it must be ({wanted:g}, {wanted:g}) within {CENTRE_TOLERANCE:g}",
            hint="shift the kernel; an off-centre one moves the picture",
        )


def _check_patch(name: str, patch: FloatArray) -> None:
    if not np.isfinite(patch).all():
        raise ProfileError(f"{name} has values that are not finite")
    if float(np.abs(patch).max()) > 1:
        raise ProfileError(f"{name} has values up to {np.abs(patch).max():.3g}; noise lies between -1 and 1")
    mean = float(np.abs(patch.mean(axis=(1, 2), dtype=np.float64)).max())
    if mean > MEAN_TOLERANCE:
        raise ProfileError(f"{name} has a channel of mean {mean:.3g}; noise has mean 0")
