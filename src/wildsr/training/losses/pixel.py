"""Losses between pixels."""

from collections.abc import Callable

import torch
from torch import Tensor

from wildsr.imaging.luma import BT601_STUDIO

_LUMA = tuple(weight / 255 for weight in BT601_STUDIO)


def l1(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean absolute difference."""
    return (sr - hr).abs().mean()


def l2(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean squared difference."""
    return (sr - hr).square().mean()


def charbonnier(sr: Tensor, hr: Tensor, epsilon: float = 1e-3) -> Tensor:
    """Mean of √(d² + ε²): L1 with a round bottom; ε = 1e-3 as in LapSRN."""
    return ((sr - hr).square() + epsilon**2).sqrt().mean()


PIXEL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {"l1": l1, "l2": l2, "charbonnier": charbonnier}


def luma(picture: Tensor) -> Tensor:
    """BT.601 studio luma of RGB in [0, 1], without its offset (which no difference sees)."""
    weights = torch.tensor(_LUMA, dtype=picture.dtype, device=picture.device).view(1, 3, 1, 1)
    return (picture * weights).sum(dim=1, keepdim=True)
