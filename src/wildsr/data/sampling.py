"""Training samples: sample i depends only on (seed, i), whatever came before and whoever asks."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from wildsr.data.lettering import LETTERING, lettered_share
from wildsr.data.photos import Photo

Pixels: TypeAlias = NDArray[np.uint8] | NDArray[np.float32]
Degrade: TypeAlias = Callable[[NDArray[np.float32], np.random.Generator], NDArray[np.float32]]
"""(HR crop h×w×3 in [0, 1], randomness) → LR h/s×w/s×3 in [0, 1]."""

_NOISE = 1
"""Marks the random numbers of a sample's noise, which are others than those of its crop."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Sample:
    """One crop and its degraded form."""

    lr: Pixels
    """h×w×3, 8-bit or floats in [0, 1]."""

    hr: Pixels
    """sh×sw×3."""

    name: str
    """The photo it was cut from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Pair:
    """A batch."""

    lr: Tensor
    """N×3×h×w float32 in [0, 1]."""

    hr: Tensor
    """N×3×sh×sw float32 in [0, 1]."""

    names: tuple[str, ...]
    """The photo of each item."""


class Sampler(Protocol):
    """Gives sample `index` of an endless, seeded row."""

    def sample(self, seed: int, index: int) -> Sample:
        """Return the same sample for the same arguments, always."""
        ...


def _areas(photos: Sequence[Photo]) -> NDArray[np.float64]:
    """Cumulated share of each photo, so that every pixel is as likely as any other."""
    shares = np.cumsum([photo.hr.shape[0] * photo.hr.shape[1] for photo in photos], dtype=np.float64)
    cumulated: NDArray[np.float64] = shares / shares[-1]
    return cumulated


def _turned(array: Pixels, turns: int, *, flipped: bool) -> Pixels:
    array = np.rot90(array, turns)
    return array[:, ::-1] if flipped else array


class AlignedCrops:
    """Crops of photos that have their LR already (bicubic, or real pairs), flipped and turned.

    Args:
        photos: With LR.
        scale: HR pixels per LR pixel along one side.
        patch: Side of the crops in HR pixels, a multiple of `scale`.
        augment: Flip and turn.
    """

    def __init__(self, photos: Sequence[Photo], *, scale: int, patch: int, augment: bool = True) -> None:
        self._photos, self._scale, self._side, self._augment = photos, scale, patch // scale, augment
        self._areas = _areas(photos)

    def sample(self, seed: int, index: int) -> Sample:
        """Cut sample `index`."""
        rng = np.random.default_rng((seed, index))
        photo = self._photos[int(np.searchsorted(self._areas, rng.random(), side="right"))]
        assert photo.lr is not None
        s, side = self._scale, self._side
        y = int(rng.integers(photo.lr.shape[0] - side + 1))
        x = int(rng.integers(photo.lr.shape[1] - side + 1))
        lr: Pixels = photo.lr[y : y + side, x : x + side]
        hr: Pixels = photo.hr[s * y : s * (y + side), s * x : s * (x + side)]
        if self._augment:
            turns, flipped = int(rng.integers(4)), bool(rng.integers(2))
            lr, hr = _turned(lr, turns, flipped=flipped), _turned(hr, turns, flipped=flipped)
        return Sample(lr=lr, hr=hr, name=photo.name)


class DegradedCrops:
    """Crops of HR photos, flipped and turned, then degraded on the fly.

    Args:
        photos: Their LR is not looked at.
        scale: HR pixels per LR pixel along one side.
        patch: Side of the crops in HR pixels, a multiple of `scale`.
        degrade: Makes the LR; its randomness is the sample's own.
        margin: LR pixels around the crop that are degraded with it and cut off, so that blur sees true neighbours.
        lettering: Share of the crops that letters and lines are drawn on.
        augment: Flip and turn, before that.
    """

    def __init__(
        self,
        photos: Sequence[Photo],
        *,
        scale: int,
        patch: int,
        degrade: Degrade,
        margin: int = 0,
        lettering: float = 0.0,
        augment: bool = True,
    ) -> None:
        self._photos, self._scale, self._side, self._augment = photos, scale, patch // scale, augment
        self._degrade, self._margin, self._lettering = degrade, margin, lettering
        self._areas = _areas(photos)

    def sample(self, seed: int, index: int) -> Sample:
        """Cut and degrade sample `index`."""
        rng = np.random.default_rng((seed, index))
        photo = self._photos[int(np.searchsorted(self._areas, rng.random(), side="right"))]
        s = self._scale
        rows, columns = photo.hr.shape[0] // s, photo.hr.shape[1] // s
        margin = min(self._margin, (min(rows, columns) - self._side) // 2)
        side = self._side + 2 * margin
        y, x = int(rng.integers(rows - side + 1)), int(rng.integers(columns - side + 1))
        crop: Pixels = photo.hr[s * y : s * (y + side), s * x : s * (x + side)]
        if self._augment:
            crop = _turned(crop, int(rng.integers(4)), flipped=bool(rng.integers(2)))
        hr = np.ascontiguousarray(crop, dtype=np.float32) / np.float32(255)
        hr = lettered_share(hr, self._lettering, (seed, index, LETTERING))
        lr = self._degrade(hr, rng)
        inner = slice(margin, margin + self._side)
        outer = slice(s * margin, s * (margin + self._side))
        return Sample(lr=lr[inner, inner], hr=hr[outer, outer], name=photo.name)


class NoisyCrops:
    """Samples of another sampler, with noise injected into their LR on the fly (RealSR, Algorithm 1, step 4).

    Args:
        crops: Gives the samples.
        inject: Adds noise to an LR; its randomness is the sample's own.
    """

    def __init__(self, crops: Sampler, inject: Degrade) -> None:
        self._crops, self._inject = crops, inject

    def sample(self, seed: int, index: int) -> Sample:
        """Cut sample `index` and add noise to its LR."""
        clean = self._crops.sample(seed, index)
        return with_noise(clean, self._inject, np.random.default_rng((seed, index, _NOISE)))


def with_noise(clean: Sample, inject: Degrade, rng: np.random.Generator) -> Sample:
    """A sample with noise in its LR, which becomes float32."""
    lr = np.ascontiguousarray(clean.lr, dtype=np.float32)
    if clean.lr.dtype == np.uint8:
        lr /= np.float32(255)
    return Sample(lr=inject(lr, rng), hr=clean.hr, name=clean.name)


def collate(samples: Sequence[Sample]) -> Pair:
    """Put samples of one size into a batch."""
    return Pair(
        lr=_tensor([sample.lr for sample in samples]),
        hr=_tensor([sample.hr for sample in samples]),
        names=tuple(sample.name for sample in samples),
    )


def _tensor(arrays: Sequence[Pixels]) -> Tensor:
    stacked = np.ascontiguousarray(np.stack(arrays).transpose(0, 3, 1, 2))
    tensor = torch.from_numpy(stacked)
    return tensor if tensor.dtype == torch.float32 else tensor.float().div_(255)
