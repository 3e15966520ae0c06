"""One photo's part of a profile: its kernel, its noise, what was rejected and why.

What is found is a plain value, kept in a file so that an interrupted run goes on where it was.
"""

import io
import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import ClassVar, Final
from zipfile import BadZipFile

import numpy as np

from wildsr.degradation.profile_notes import KernelNote, NoiseNote, PhotoNote, Rejected
from wildsr.errors import InputError
from wildsr.estimation.kernels.estimate import KernelEstimate, estimate_kernels
from wildsr.estimation.kernels.methods import METHODS
from wildsr.estimation.kernels.shapes import SIZE
from wildsr.estimation.kernels.spectrum import Doubles, Spectrum
from wildsr.estimation.kernels.spectrum_fit import SpectralEvidence
from wildsr.estimation.noise.patches import noise_patches
from wildsr.estimation.profile.camera import camera_of, sensitivity_of
from wildsr.files import shown
from wildsr.imaging import FloatArray, Picture, read
from wildsr.imaging.jpeg_tables import jpeg_quality
from wildsr.imaging.luma import luma
from wildsr.metrics.blocks import block_steps

_DRAWN: Final = 0.6
"""Part of neighbouring pixels that are equal in a screenshot or a drawing; photos stay below a third."""
_LARGE_ENOUGH: Final = 48
"""Pixels along the shorter side below which a grid can't be told."""
_SEEDS_AGREE: Final = 0.7
SMALL_PATCH: Final = 32
"""Side of the noise patches of photos that have no larger plain part; as large as the crops in RealSR's training."""
_MOST_SMALL: Final = 8
_MILD: Final = 6.0
"""σ in levels up to which small patches are taken: in so few pixels stronger texture can't be told from noise."""
_LARGEST_SIDE: Final = 3072
"""Noise is looked for in the middle of larger photos."""


@dataclass(frozen=True, kw_only=True)
class PhotoSettings:
    """How a photo is examined."""

    method: str = "auto"
    """How kernels are estimated: a name in `kernels.methods.METHODS`."""

    seeds: tuple[int, ...] = (0, 1)
    """The kernel is the mean over these, if they agree."""

    patch: int = 64
    """Side of the noise patches."""

    patches: int = 32
    """Most noise patches of one photo."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Examined:
    """What one photo gave."""

    note: PhotoNote | None
    """None for a file that can't be read."""

    kernel: Doubles | None = None
    """The accepted ×2 kernel."""

    evidence: SpectralEvidence | None = None
    """The spectrum `kernel` was found from."""

    kernel_note: KernelNote | None = None
    """Provenance of `kernel`."""

    noise: FloatArray
    """N×3×p×p."""

    noise_notes: tuple[NoiseNote, ...] = ()
    """One for each patch."""

    rejected: tuple[Rejected, ...] = field(default=())
    """What was rejected."""

    DAMAGED: ClassVar = (ValueError, OSError, KeyError, TypeError, EOFError, AttributeError, BadZipFile)
    """What `load` raises for a damaged file."""

    def save(self, path: Path) -> None:
        """Write the value to a file (numpy's format, without pickles)."""
        notes = {
            "note": asdict(self.note) if self.note else None,
            "kernel_note": asdict(self.kernel_note) if self.kernel_note else None,
            "noise_notes": [asdict(one) for one in self.noise_notes],
            "rejected": [asdict(one) for one in self.rejected],
        }
        kernel = np.zeros((0, 0)) if self.kernel is None else self.kernel
        grid, levels, compression = _packed(self.evidence)
        with path.open("wb") as file:
            np.savez(
                file,
                kernel=kernel,
                noise=self.noise,
                notes=np.array(json.dumps(notes)),
                grid=grid,
                levels=levels,
                compression=compression,
            )

    @classmethod
    def load(cls, path: Path) -> "Examined":
        """Read the value back.

        Raises:
            Those in `DAMAGED`: The file is damaged.
        """
        with np.load(io.BytesIO(path.read_bytes()), allow_pickle=False) as file:
            notes = json.loads(str(file["notes"]))
            kernel, noise = file["kernel"], file["noise"]
            evidence = _unpacked(file["grid"], file["levels"], file["compression"])
        if notes["kernel_note"]:
            notes["kernel_note"]["seeds"] = tuple(notes["kernel_note"]["seeds"])
        return cls(
            note=PhotoNote(**notes["note"]) if notes["note"] else None,
            kernel=kernel if kernel.size else None,
            evidence=evidence,
            kernel_note=KernelNote(**notes["kernel_note"]) if notes["kernel_note"] else None,
            noise=noise,
            noise_notes=tuple(NoiseNote(**one) for one in notes["noise_notes"]),
            rejected=tuple(Rejected(**one) for one in notes["rejected"]),
        )


def _packed(evidence: SpectralEvidence | None) -> tuple[Doubles, Doubles, Doubles]:
    """A spectrum as arrays of a part: its grid, its levels, the compression; empty ones for nothing."""
    nothing = np.zeros((0, 0))
    if evidence is None:
        return nothing, nothing, nothing
    spectrum, compression = evidence.spectrum, evidence.compression
    grid = np.stack([spectrum.log_power, spectrum.radius, spectrum.count])
    levels = np.array([spectrum.tiles, spectrum.floor, spectrum.gain])
    return grid, levels, nothing if compression is None else compression


def _unpacked(grid: Doubles, levels: Doubles, compression: Doubles) -> SpectralEvidence | None:
    if not grid.size:
        return None
    log_power, radius, count = grid
    tiles, floor, gain = levels
    return SpectralEvidence(
        spectrum=Spectrum(
            log_power=log_power,
            radius=radius,
            count=count,
            tiles=int(tiles),
            floor=float(floor),
            gain=float(gain),
        ),
        compression=compression if compression.size else None,
    )


def examine_photo(path: Path, settings: PhotoSettings) -> Examined:
    """Estimate a photo's kernel and cut its noise; never raises for what a photo may be."""
    name = shown(path.name)
    nothing = np.zeros((0, 3, settings.patch, settings.patch), np.float32)
    try:
        picture = read(path)
    except InputError as error:
        return Examined(
            note=None, noise=nothing, rejected=(Rejected(kind="photo", photo=name, reason=str(error)),)
        )
    plane = luma(picture.rgb)
    note = _photo_note(path, name, picture, plane)
    drawn = _equal_neighbours(picture.rgb)
    if drawn > _DRAWN:
        reason = f"it looks like a screenshot or a drawing: {drawn:.0%} of neighbouring pixels are equal"
        return Examined(
            note=note, noise=nothing, rejected=(Rejected(kind="photo", photo=name, reason=reason),)
        )
    kernel, kernel_note, evidence, why_not = _kernel(picture.rgb, name, settings)
    noise, noise_notes, rejected = _noise(picture.rgb, name, settings)
    if why_not is not None:
        rejected = (Rejected(kind="kernel", photo=name, reason=why_not), *rejected)
    return Examined(
        note=note,
        kernel=kernel,
        evidence=evidence,
        kernel_note=kernel_note,
        noise=noise,
        noise_notes=noise_notes,
        rejected=rejected,
    )


def _photo_note(path: Path, name: str, picture: Picture, plane: FloatArray) -> PhotoNote:
    large = min(plane.shape) >= _LARGE_ENOUGH
    scores = {"brightness": round(float(plane.mean()), 4)}
    iso = sensitivity_of(picture.metadata.exif)
    if iso is not None:
        scores["iso"] = float(iso)
    return PhotoNote(
        photo=name,
        camera=camera_of(picture.metadata.exif),
        width=picture.width,
        height=picture.height,
        jpeg_quality=jpeg_quality(path),
        blockiness=block_steps(plane * np.float32(255)) if large else None,
        scores=scores,
    )


def _equal_neighbours(rgb: FloatArray) -> float:
    """Part of horizontal and vertical neighbours that are equal in all channels, black and white apart."""
    parts = []
    for a, b in ((rgb[:, 1:], rgb[:, :-1]), (rgb[1:], rgb[:-1])):
        inside = ((a > 0.01) & (a < 0.99)).any(axis=2)
        if np.count_nonzero(inside) > 100:
            parts.append(float((a == b).all(axis=2)[inside].mean()))
    # a flat picture is told by its missing texture, with the better reason
    return min(parts) if parts and rgb.std() > 0.02 else 0.0


def _kernel(
    rgb: FloatArray, name: str, settings: PhotoSettings
) -> tuple[Doubles | None, KernelNote | None, SpectralEvidence | None, str | None]:
    """The mean of the seeds' kernels, or why there is none."""
    estimates: list[KernelEstimate] = []
    seeds = settings.seeds[: 1 if METHODS[settings.method].refinement is None else None]
    for estimate in estimate_kernels(rgb, method=settings.method, seeds=seeds):
        if estimate.reason is not None:
            return None, None, None, estimate.reason
        estimates.append(estimate)
    kernel: Doubles = np.mean([one.kernel for one in estimates], axis=0)
    shared = min(float(np.minimum(one.kernel, kernel).sum()) for one in estimates)
    if shared < _SEEDS_AGREE:
        return None, None, None, f"different seeds give different kernels (they share {shared:.0%})"
    assert kernel.shape == (SIZE, SIZE)
    note = KernelNote(
        photo=name,
        method=settings.method,
        confidence=round(float(np.mean([one.confidence for one in estimates])) * shared, 4),
        agreement=round(min(shared, estimates[0].agreement), 4),
        seeds=settings.seeds,
        scores={"noise": round(estimates[0].noise, 4)},
    )
    return kernel, note, estimates[0].evidence, None


def _noise(
    rgb: FloatArray, name: str, settings: PhotoSettings
) -> tuple[FloatArray, tuple[NoiseNote, ...], tuple[Rejected, ...]]:
    """Patches of the wanted size; of the smaller where there is none."""
    top, left = (max(0, (side - _LARGEST_SIDE) // 2) for side in rgb.shape[:2])
    middle = rgb[top : top + _LARGEST_SIDE, left : left + _LARGEST_SIDE]
    found = noise_patches(middle, side=settings.patch, most=settings.patches)
    left_out = found.rejected
    if not len(found.patches) and settings.patch > SMALL_PATCH:
        smaller = noise_patches(middle, side=SMALL_PATCH, most=_MOST_SMALL)
        strength = 255 * smaller.patches.std(axis=(1, 2, 3))
        if len(strength) and float(np.median(strength)) > _MILD:
            left_out = {**left_out, "small, and too strong to be told from texture": len(strength)}
        elif len(strength):
            found, left_out = smaller, smaller.rejected
    notes = tuple(
        NoiseNote(
            photo=name,
            row=int(row) + top,
            column=int(column) + left,
            brightness=round(float(np.clip(level, 0, 1)), 4),
            std=round(float(patch.std()), 6),
        )
        for patch, level, (row, column) in zip(found.patches, found.brightness, found.corners, strict=True)
    )
    rejected = tuple(
        Rejected(kind="noise", photo=name, reason=reason, count=count)
        for reason, count in sorted(left_out.items())
        if reason != "more than are needed"
    )
    return found.patches, notes, rejected
