"""Gram matrices of features: what textures are made of, wherever they are."""

from collections.abc import Mapping

import torch
import torch.nn.functional as F
from torch import Tensor


def gram(features: Tensor) -> Tensor:
    """F·Fᵀ / (c·h·w) of N×c×h×w features: N×c×c, symmetric, positive semi-definite."""
    n, c, h, w = features.shape
    flat = features.reshape(n, c, h * w)
    return flat @ flat.transpose(1, 2) / (c * h * w)


def _patches(features: Tensor, side: int) -> Tensor:
    """Cut into non-overlapping side×side patches, each a batch item; a rest at the right and bottom is left out."""
    n, c, h, w = features.shape
    side = min(side, h, w)
    cut = F.unfold(features[..., : h // side * side, : w // side * side], side, stride=side)
    return cut.transpose(1, 2).reshape(n * cut.shape[2], c, side, side)


def texture(
    sr_features: Mapping[str, Tensor],
    hr_features: Mapping[str, Tensor],
    weights: Mapping[str, float],
    *,
    hr_side: int,
    patch: int = 16,
) -> Tensor:
    """Squared difference of Gram matrices of patches of `patch` HR pixels a side (EnhanceNet).

    Args:
        sr_features: Features of the result by layer.
        hr_features: Features of the truth.
        weights: Weight of each layer.
        hr_side: Height of the pictures the features are of, to know each layer's stride.
        patch: Side of a patch in HR pixels.
    """
    total = torch.zeros((), device=next(iter(sr_features.values())).device)
    for layer, weight in weights.items():
        stride = max(1, round(hr_side / sr_features[layer].shape[2]))
        side = max(1, patch // stride)
        ours, theirs = _patches(sr_features[layer], side), _patches(hr_features[layer].detach(), side)
        total = total + weight * (gram(ours) - gram(theirs)).square().mean()
    return total
