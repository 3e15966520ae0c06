"""Differences of a classifier's features, with each method's layers, weights and distance."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import torch
from torch import Tensor, nn

from wildsr.networks.features import VGGFeatures, VGGName

Distance: TypeAlias = Literal["l1", "l2", "lpips"]

_EPSILON = 1e-10

LPIPS_LAYERS: Final = ("relu1_2", "relu2_2", "relu3_3", "relu4_3", "relu5_3")
"""What LPIPS compares in VGG16."""


@dataclass(frozen=True, kw_only=True)
class PerceptualRecipe:
    """Which features are compared, and how."""

    network: VGGName
    """The classifier."""

    layers: dict[str, float]
    """Layer → weight; `conv…` before the activation, `relu…` after it."""

    distance: Distance = "l1"
    """Between features: `l1`, `l2`, or `lpips` with the trained weights of LPIPS v0.1 (Zhang et al., CVPR 2018)."""

    feature_scale: float = 1.0
    """Features are multiplied by this first (SRGAN: 1/12.75)."""

    divide_by_mean: bool = False
    """Divide both by the mean of the truth's features (EnhanceNet)."""


_REAL_ESRGAN_WEIGHTS = (0.1, 0.1, 1.0, 1.0, 1.0)

PERCEPTUAL: dict[str, PerceptualRecipe] = {
    "srgan": PerceptualRecipe(
        network="vgg19", layers={"relu5_4": 1.0}, distance="l2", feature_scale=1 / 12.75
    ),
    "esrgan": PerceptualRecipe(network="vgg19", layers={"conv5_4": 1.0}),
    "real-esrgan": PerceptualRecipe(
        network="vgg19",
        layers=dict(
            zip(("conv1_2", "conv2_2", "conv3_4", "conv4_4", "conv5_4"), _REAL_ESRGAN_WEIGHTS, strict=True)
        ),
    ),
    "enhancenet": PerceptualRecipe(
        network="vgg19", layers={"pool2": 0.2, "pool5": 0.02}, distance="l2", divide_by_mean=True
    ),
    "dped": PerceptualRecipe(network="vgg19", layers={"relu5_4": 1.0}, distance="l2"),
    "dped-vgg16": PerceptualRecipe(network="vgg16", layers={"relu5_3": 1.0}, distance="l2"),
    "esrgan-vgg16": PerceptualRecipe(network="vgg16", layers={"conv5_3": 1.0}),
    "real-esrgan-vgg16": PerceptualRecipe(
        network="vgg16",
        layers=dict(
            zip(("conv1_2", "conv2_2", "conv3_3", "conv4_3", "conv5_3"), _REAL_ESRGAN_WEIGHTS, strict=True)
        ),
    ),
    "lpips-vgg16": PerceptualRecipe(
        network="vgg16", layers=dict.fromkeys(LPIPS_LAYERS[:4], 1.0), distance="lpips"
    ),
}
"""The papers' numbers (VGG19), and the same with VGG16, whose weights come with the assets; LPIPS without its deepest
layer, which takes a third of the time and hardly changes the gradient."""


class Perceptual(nn.Module):
    """Σ over layers of weight × distance between features; the truth's features carry no gradient.

    Args:
        recipe: Layers, weights, distance.
        extra: Further layers to give to `features` (for the texture loss).
    """

    def __init__(self, recipe: PerceptualRecipe, extra: tuple[str, ...] = ()) -> None:
        super().__init__()
        self.recipe = recipe
        wanted = tuple(dict.fromkeys((*recipe.layers, *extra)))
        self.vgg = VGGFeatures(recipe.network, wanted)
        self._heads: dict[str, Tensor] = {}

    def load_heads(self, heads: Sequence[Tensor]) -> None:
        """Take LPIPS's trained weights of the channels, one vector for each of `LPIPS_LAYERS`, in their order."""
        for layer, head in zip(LPIPS_LAYERS, heads, strict=True):
            self._heads[layer] = head.float().view(1, -1, 1, 1)

    def features(self, picture: Tensor) -> dict[str, Tensor]:
        """All wanted layers of a picture."""
        found: dict[str, Tensor] = self.vgg(picture)
        return found

    def compare(self, sr_features: Mapping[str, Tensor], hr_features: Mapping[str, Tensor]) -> Tensor:
        """The loss, from features computed before."""
        terms = []
        for layer, weight in self.recipe.layers.items():
            ours, theirs = sr_features[layer], hr_features[layer].detach()
            if self.recipe.distance == "lpips":
                square = (_unit(ours) - _unit(theirs)).square() * self._heads[layer].to(ours)
                terms.append(weight * square.sum(1).mean())
                continue
            if self.recipe.divide_by_mean:
                mean = theirs.mean().clamp_min(1e-8)
                ours, theirs = ours / mean, theirs / mean
            difference = (ours - theirs) * self.recipe.feature_scale
            distance = difference.abs() if self.recipe.distance == "l1" else difference.square()
            terms.append(weight * distance.mean())
        return torch.stack(terms).sum()

    def forward(self, sr: Tensor, hr: Tensor) -> Tensor:
        """Compare N×3×h×w pictures in [0, 1]."""
        with torch.no_grad():
            truth = self.features(hr)
        return self.compare(self.features(sr), truth)


def _unit(features: Tensor) -> Tensor:
    """Features of unit length over the channels at every pixel."""
    return features / (features.square().sum(1, keepdim=True).sqrt() + _EPSILON)
