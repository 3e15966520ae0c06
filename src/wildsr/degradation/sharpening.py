"""Sharpening in the camera: what makes a real picture's edges overshoot, and its blur look narrower than it is.

Least squares between photos of two focal lengths of real cameras (`benchmarks/pairs.py`) give kernels with a negative
ring: a Gaussian that is a third wider than the one that fits best, then unsharp masking by .5 to .7; the radius is
hardly determined (quartiles of .9 to more than 3 LR pixels), so its range here is a choice. A network that has only
seen plain blur adds its own overshoot to the camera's.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from wildsr.degradation.blur import KernelSampler, correlate
from wildsr.degradation.kernels import widened
from wildsr.degradation.noise import normal
from wildsr.degradation.operation import Log, note
from wildsr.degradation.samplers import Range

WIDER: Final = 0.6
"""How much wider a blur is, for each unit of the amount it is sharpened by, than the plain one that looks alike."""


@dataclass(frozen=True, kw_only=True)
class Sharpening:
    """Unsharp masking, x + a·(x − x ⊛ G_r)."""

    amount: Range
    """a."""

    radius: Range
    """r, standard deviation of the Gaussian G_r in pixels."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Sharpen by one amount and radius."""
        amount, radius = rng.uniform(*self.amount), rng.uniform(*self.radius)
        note(log, "sharpening", {"amount": amount, "radius": radius})
        return sharpened(x, amount, radius)


@dataclass(frozen=True, kw_only=True)
class SharpenedBlur:
    """Blur and subsampling by kernels found in sharpened photos: widened to what they were before, then sharpened.

    I_LR = x + a·(x − x ⊛ G_r), x = (I_HR ⊛ k')↓s + n, k' = k stretched by 1 + 0.6·a. The little white noise n stands
    for what cameras take out of flat parts, where a profile looks for it, and leave, and sharpen, in texture.
    """

    sampler: KernelSampler
    """Where kernels come from: the plain ones that look like blur and sharpening together."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    amount: Range = (0.1, 0.9)
    """a."""

    radius: Range = (0.8, 2.5)
    """r, standard deviation of the Gaussian G_r in LR pixels."""

    noise: Range = (0.0, 4 / 255)
    """Standard deviation of n, in units of [0, 1]."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Blur, subsample and sharpen all pictures alike; sides become ⌊side / scale⌋."""
        kernel, facts = self.sampler(rng)
        amount, radius = rng.uniform(*self.amount), rng.uniform(*self.radius)
        sigma = rng.uniform(*self.noise)
        facts = facts | {"scale": self.scale, "amount": amount, "radius": radius, "noise": sigma}
        note(log, "blur, subsample and sharpen", facts)
        wide = widened(kernel, 1 + WIDER * amount, scale=self.scale)
        small = correlate(x, wide, stride=self.scale)
        return sharpened(small + sigma * normal(small, rng), amount, radius)


def sharpened(x: Tensor, amount: float, radius: float) -> Tensor:
    """Return x + amount·(x − x ⊛ G_radius) of N×C×H×W, pixels mirrored at the border."""
    reach = math.ceil(3 * radius)
    line = np.exp(-0.5 * (np.arange(-reach, reach + 1) / radius) ** 2)
    kernel = np.outer(line, line)
    return x + amount * (x - correlate(x, kernel / kernel.sum()))
