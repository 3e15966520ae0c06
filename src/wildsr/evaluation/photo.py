"""Degradations of a photo, estimated from the photo alone: noise, JPEG blocking, blur, effective resolution.

Levels are 0…255 of full-range luma. How far to trust each number is tested on photos damaged on purpose
(`tests/evaluation/test_photo.py`).
"""

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.files import shown
from wildsr.imaging import RESULT_LIMITS, open_source
from wildsr.imaging.jpeg_tables import jpeg_quality
from wildsr.imaging.luma import luma
from wildsr.metrics.blocks import block_steps

Plane: TypeAlias = NDArray[np.float32]

SMALLEST: Final = 48
"""Shorter side in pixels below which nothing can be measured."""
_MOST_PIXELS: Final = 48_000_000  # at some 30 bytes each of working memory
_TILE: Final = 128
_MOST_TILES: Final = 400
_MOST_BINS: Final = 64  # radial frequency bins up to 1 cycle per pixel
_STILL_THERE: Final = 0.06
"""Spectral power, relative to a 1/f² photo's, below which a frequency holds no detail worth enlarging."""
_QUALITY_OF_BLOCKS: Final = ((0.25, 88.0), (0.35, 85.0), (0.65, 70.0), (1.0, 50.0), (1.55, 30.0), (2.4, 10.0))
_BLUR_OF_DETAIL: Final = ((0.28, 2.0), (0.41, 1.2), (0.53, 0.8), (0.75, 0.6), (0.91, 0.5), (1.0, 0.0))


@dataclass(frozen=True, kw_only=True)
class PhotoFacts:
    """What was measured on a photo."""

    width: int
    """Pixels."""

    height: int
    """Pixels."""

    noise: float
    """Standard deviation of the luma's noise in levels: the finer or the coarser grain, whichever is stronger."""

    blocks: float
    """Height of the steps on the 8×8 grid of JPEG, in levels; below 0.25 there is no grid."""

    file_quality: int | None
    """Quality the file itself was saved at, from its tables; None where it is no JPEG."""

    detail: float
    """Part of the picture's resolution that holds detail, along a side: 1 is sharp, 0.5 could be half as large."""

    blur: float
    """Standard deviation in pixels of the Gaussian blur that leaves this much detail; 0 for a sharp photo."""

    @property
    def seen_quality(self) -> int | None:
        """JPEG quality the blocks look like, whatever the file says; None where there is no grid."""
        if self.blocks < _QUALITY_OF_BLOCKS[0][0]:
            return None
        heights, qualities = zip(*_QUALITY_OF_BLOCKS, strict=True)
        return round(float(np.interp(self.blocks, heights, qualities)))


def examine(path: str | Path) -> PhotoFacts:
    """Measure a photo; of more than 48 megapixels the middle ones.

    Raises:
        InputError: It can't be read, or is too small to be measured.
    """
    source = open_source(path, limits=RESULT_LIMITS)
    if min(source.height, source.width) < SMALLEST:
        raise InputError(
            f"{shown(Path(path).name)} has {source.width}×{source.height} pixels; at least {SMALLEST} a side are "
            "needed to measure it",
            hint="any model can be tried on so small a picture",
        )
    rows, columns = _middle(source.height, source.width)
    samples = source.samples[rows, columns, : 1 if source.gray else 3].astype(np.float32)
    samples *= np.float32(1 if source.samples.dtype == np.uint8 else 1 / 257)
    plane = samples[..., 0] if source.gray else luma(samples)
    facts = measure(plane, file_quality=jpeg_quality(Path(path)))
    return replace(facts, width=source.width, height=source.height)


def _middle(height: int, width: int) -> tuple[slice, slice]:
    """The middle `_MOST_PIXELS` of a picture, its JPEG grid kept."""
    tall = min(height, max(SMALLEST, math.isqrt(_MOST_PIXELS), _MOST_PIXELS // width))
    wide = min(width, max(SMALLEST, _MOST_PIXELS // tall))
    top, left = (height - tall) // 16 * 8, (width - wide) // 16 * 8
    return slice(top, top + tall), slice(left, left + wide)


def measure(plane: Plane, *, file_quality: int | None = None) -> PhotoFacts:
    """Measure a plane of levels 0…255, at least `SMALLEST` pixels a side."""
    fine = noise_level(plane)
    detail = true_resolution(plane, fine)
    shares, sigmas = zip(*_BLUR_OF_DETAIL, strict=True)
    return PhotoFacts(
        width=plane.shape[1],
        height=plane.shape[0],
        noise=max(fine, grain_level(plane)),
        blocks=block_steps(plane),
        file_quality=file_quality,
        detail=detail,
        blur=round(float(np.interp(detail, shares, sigmas)), 2),
    )


def noise_level(plane: Plane) -> float:
    """Return σ of pixel-to-pixel noise: the quietest tenth of 16×16 blocks under Immerkær's mask (CVIU 1996)."""
    quiet, _ = _quiet_blocks(plane, 16)
    return quiet


def grain_level(plane: Plane) -> float:
    """Return σ of noise two pixels wide (denoised, enlarged or compressed noise), as of white noise that strong.

    Texture of that size looks the same, so it counts only where quiet and less quiet blocks agree.
    """
    height, width = plane.shape[0] // 2 * 2, plane.shape[1] // 2 * 2
    even = plane[:height, :width]
    half = (even[::2, ::2] + even[1::2, ::2] + even[::2, 1::2] + even[1::2, 1::2]) / np.float32(4)
    quiet, agreement = _quiet_blocks(half, 8)
    return 2 * quiet if agreement > 0.6 else 0.0


def true_resolution(plane: Plane, noise: float) -> float:
    """Return the part of the frequencies that hold detail, 0…1 of Nyquist's.

    The most detailed third of tiles is compared with a 1/f² spectrum (Field, JOSA A 1987) through its low
    frequencies, after subtracting the power of white noise.
    """
    frequencies, power = _spectrum(plane)
    signal = np.maximum(power - 1.5 * noise**2, 0) * frequencies**2
    reference = float(np.median(signal[(frequencies > 0.04) & (frequencies < 0.12)]))
    if reference <= 0:
        return 1.0  # a plane without detail: nothing says it is blurred
    above = signal > _STILL_THERE * reference
    above[frequencies < 0.1] = True
    last = int(np.argmin(above)) if not above.all() else above.size
    return round(min(1.0, float(frequencies[last - 1]) / 0.5), 3)


def _quiet_blocks(plane: Plane, side: int) -> tuple[float, float]:
    """σ in the quietest tenth of blocks, and how close the quietest twentieth is to the quietest quarter."""
    middle = plane[1:-1, 1:-1]
    corners = plane[:-2, :-2] + plane[:-2, 2:] + plane[2:, :-2] + plane[2:, 2:]
    edges = plane[:-2, 1:-1] + plane[2:, 1:-1] + plane[1:-1, :-2] + plane[1:-1, 2:]
    response = np.abs(4 * middle + corners - 2 * edges)
    rows, columns = response.shape[0] // side, response.shape[1] // side

    def blocks(values: Plane) -> Plane:
        cut = values[: rows * side, : columns * side].reshape(rows, side, columns, side)
        return cut.transpose(0, 2, 1, 3).reshape(rows * columns, side * side)

    sigma = np.sqrt(np.pi / 2) / 6 * blocks(response).mean(axis=1)
    values = blocks(middle)
    usable = (values.min(axis=1) > 3) & (values.max(axis=1) < 252) & (sigma > 0)  # clipping hides noise
    chosen = sigma[usable] if np.count_nonzero(usable) >= 8 else sigma
    low, quiet, common = np.quantile(chosen, (0.05, 0.1, 0.25))
    # the quietest tenth of 256 samples each lies 7 % below σ (white noise, measured)
    return round(1.07 * float(quiet), 3), float(low / common) if common > 0 else 1.0


def _spectrum(plane: Plane) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Radial frequencies (cycles per pixel, up to 0.5) and mean power of the most detailed third of tiles."""
    side = min(_TILE, *plane.shape)
    window = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    radius = np.hypot(np.fft.fftfreq(side)[:, None], np.fft.rfftfreq(side)[None])
    most = min(_MOST_BINS, side)
    bins = np.rint(radius * most).astype(np.intp).ravel()
    counts = np.maximum(np.bincount(bins), 1)
    corners = [
        (top, left)
        for top in range(0, plane.shape[0] - side + 1, side // 2)
        for left in range(0, plane.shape[1] - side + 1, side // 2)
    ]
    step = -(-len(corners) // _MOST_TILES)
    powers = []
    for top, left in corners[::step]:
        tile = plane[top : top + side, left : left + side]
        power = np.abs(np.fft.rfft2((tile - tile.mean()) * window)) ** 2 / float((window**2).sum())
        powers.append(np.bincount(bins, power.ravel()) / counts)
    stacked = np.array(powers)[:, 1 : most // 2 + 1]
    detail = stacked[:, 2:8].sum(axis=1)
    chosen = stacked[detail >= np.quantile(detail, 0.7)].mean(axis=0)
    return np.arange(1, most // 2 + 1) / most, chosen
