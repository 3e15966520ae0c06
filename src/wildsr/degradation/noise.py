"""Noise by formula. Strengths are in units of [0, 1] or photons; drawn once a call, the noise for every picture."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wildsr.degradation.operation import Log, note
from wildsr.imaging.luma import BT601

_LUMA: Final = np.array(BT601)


@dataclass(frozen=True, kw_only=True)
class GaussianNoise:
    """Independent of the picture."""

    sigma: tuple[float, float]
    """Standard deviation from … to, in units of [0, 1] (5/255: five levels)."""

    gray: float = 0.0
    """How often the three channels share their noise, 0 to 1."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one strength."""
        sigma = rng.uniform(*self.sigma)
        gray = bool(rng.random() < self.gray)
        note(log, "gaussian noise", {"sigma": sigma, "gray": gray})
        return x + sigma * normal(x, rng, gray=gray)


@dataclass(frozen=True, kw_only=True)
class CorrelatedNoise:
    """Gaussian with a random covariance of the channels, |L² UᵀDU|, D diagonal in [0, 1], U orthonormal (BSRGAN)."""

    largest: float = 25 / 255
    """L, in units of [0, 1]."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one covariance."""
        turned, _ = np.linalg.qr(rng.standard_normal((3, 3)))
        covariance = np.abs(self.largest**2 * turned.T @ np.diag(rng.uniform(size=3)) @ turned)
        # elementwise |·| may take a 3×3 matrix out of the positive ones by a little
        values, vectors = np.linalg.eigh(covariance)
        mix = (vectors * np.sqrt(np.clip(values, 0, None))) @ vectors.T
        note(log, "correlated noise", {"sigma": [float(one) for one in np.sqrt(np.diag(covariance))]})
        return x + torch.einsum("ij,njhw->nihw", torch.from_numpy(mix).to(x), normal(x, rng))


@dataclass(frozen=True, kw_only=True)
class GrainyNoise:
    """Gaussian with a grain of more than a pixel, as demosaicing, resizing and film leave it."""

    sigma: tuple[float, float]
    """Standard deviation from … to, in units of [0, 1]."""

    grain: tuple[float, float]
    """Standard deviation of the Gaussian that the noise is blurred with, from … to, in pixels."""

    gray: float = 0.0
    """How often the three channels share their noise, 0 to 1."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one strength and grain."""
        sigma, grain = rng.uniform(*self.sigma), rng.uniform(*self.grain)
        gray = bool(rng.random() < self.gray)
        note(log, "grainy noise", {"sigma": sigma, "grain": grain, "gray": gray})
        reach = math.ceil(3 * grain)
        weights = torch.exp(-0.5 * (torch.arange(-reach, reach + 1) / grain) ** 2).to(x)
        weights = weights / weights.norm()  # of independent values: the variance stays 1
        n, channels, height, width = x.shape
        larger = normal(x.new_empty(n, channels, height + 2 * reach, width + 2 * reach), rng, gray=gray)
        columns = weights[:, None].expand(channels, 1, -1, 1)
        field = functional.conv2d(larger, columns, groups=channels)
        return x + sigma * functional.conv2d(field, columns.transpose(2, 3), groups=channels)


@dataclass(frozen=True, kw_only=True)
class PoissonNoise:
    """Of counted photons: Poisson(x·λ)/λ, whose variance is x/λ."""

    photons: tuple[float, float]
    """λ from … to: photons that a white pixel stands for."""

    gray: float = 0.0
    """How often the three channels share their noise (that of the luma), 0 to 1."""

    logarithmic: bool = False
    """Draw λ evenly over its logarithm."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one λ."""
        low, high = self.photons
        photons = (
            float(np.exp(rng.uniform(np.log(low), np.log(high))))
            if self.logarithmic
            else rng.uniform(low, high)
        )
        gray = bool(rng.random() < self.gray)
        note(log, "poisson noise", {"photons": photons, "gray": gray})
        return x + poisson(x, rng, photons, gray=gray)


@dataclass(frozen=True, kw_only=True)
class GaussianPoissonNoise:
    """Photons and read-out: variance x/λ + σ²."""

    photons: tuple[float, float]
    """λ from … to."""

    sigma: tuple[float, float]
    """Standard deviation of the read-out, from … to, in units of [0, 1]."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one λ and σ."""
        photons, sigma = rng.uniform(*self.photons), rng.uniform(*self.sigma)
        note(log, "gaussian-poisson noise", {"photons": photons, "sigma": sigma})
        return x + poisson(x, rng, photons) + sigma * normal(x, rng)


def normal(x: Tensor, rng: np.random.Generator, *, gray: bool = False) -> Tensor:
    """Return standard normal noise of the shape of `x`, one channel for all if `gray`."""
    n, channels, height, width = x.shape
    field = rng.standard_normal((n, 1 if gray else channels, height, width), dtype=np.float32)
    return torch.from_numpy(field).to(x).expand_as(x)


def poisson(x: Tensor, rng: np.random.Generator, photons: float, *, gray: bool = False) -> Tensor:
    """Return Poisson(x·λ)/λ − x, of the luma for all channels if `gray`; values below 0 count as 0."""
    clean = x.detach().clamp_min(0).cpu().numpy().astype(np.float64)
    if gray:
        clean = np.tensordot(clean, _LUMA, axes=([1], [0]))[:, None]
    noise = rng.poisson(clean * photons) / photons - clean
    return torch.from_numpy(noise.astype(np.float32)).to(x).expand_as(x)
