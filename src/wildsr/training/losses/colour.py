"""Losses that see only low frequencies, so that texture may differ while colour may not."""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import Tensor

from wildsr.networks.dsgan import low_pass


def low_frequency_l1(sr: Tensor, hr: Tensor, side: int = 9) -> Tensor:
    """L1 of `side`×`side` means (Fritsche et al. 2019: 9 for super-resolution, 5 for the degrader).

    At the border only existing pixels are averaged.
    """
    return (low_pass(sr, side) - low_pass(hr, side)).abs().mean()


def _gaussian(side: int, sigma: float) -> Tensor:
    """One-dimensional Gaussian whose taps are differences of the normal distribution function, as in DPED."""
    edges = [(index - side / 2) / sigma for index in range(side + 1)]
    cumulative = [0.5 * (1 + math.erf(edge / math.sqrt(2))) for edge in edges]
    taps = torch.tensor([high - low for low, high in pairwise(cumulative)])
    return taps / taps.sum()


def blurred_colour(sr: Tensor, hr: Tensor, side: int = 21, sigma: float = 3.0) -> Tensor:
    """DPED's colour loss: Σ (blur(sr) − blur(hr))² / (2·batch)."""
    taps = _gaussian(side, sigma).to(sr)
    channels = sr.shape[1]
    difference = F.conv2d(
        sr - hr, taps.view(1, 1, side, 1).repeat(channels, 1, 1, 1), padding=(side // 2, 0), groups=channels
    )
    difference = F.conv2d(
        difference,
        taps.view(1, 1, 1, side).repeat(channels, 1, 1, 1),
        padding=(0, side // 2),
        groups=channels,
    )
    return difference.square().sum() / (2 * sr.shape[0])
