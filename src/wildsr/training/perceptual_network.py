"""The classifier of a perceptual loss: VGG16's weights come as an asset, VGG19's from a file of the user's."""

from pathlib import Path

import torch
from torch import Tensor

from wildsr.errors import UsageError
from wildsr.training.choices import PerceptualName
from wildsr.training.losses import PERCEPTUAL, Perceptual


def perceptual_network(
    name: PerceptualName, *, vgg19: Path | None, extra: tuple[str, ...] = ()
) -> Perceptual:
    """Build a method's perceptual loss.

    Args:
        name: Which method's layers and weights.
        vgg19: File of torchvision's VGG19 weights, for the methods that use it.
        extra: Further layers that the texture loss looks at.

    Raises:
        UsageError: VGG19 is needed and no file is given.
        AssetError: VGG16's weights can't be had.
        ModelError: The file holds other weights.
    """
    recipe = PERCEPTUAL[name]
    loss = Perceptual(recipe, extra)
    if recipe.network == "vgg16":
        loss.vgg.load(_vgg16())
        if recipe.distance == "lpips":
            loss.load_heads(_lpips_heads())
        return loss
    if vgg19 is None:
        raise UsageError(
            f"the perceptual loss `{name}` needs VGG19, whose weights are on no package index",
            hint="give torchvision's file with --set vgg19=vgg19-dcbb9e9d.pth, "
            f"or use VGG16: --set perceptual={_with_vgg16(name)}",
        )
    from wildsr.checkpoints.loading import read_tensors

    loss.vgg.load(read_tensors(vgg19))
    return loss


def _vgg16() -> dict[str, Tensor]:
    from wildsr.assets.backbones import backbone_weights

    return {name: torch.from_numpy(array) for name, array in backbone_weights("vgg16").items()}


def _lpips_heads() -> list[Tensor]:
    from wildsr.assets.backbones import lpips_heads

    return [torch.from_numpy(head.copy()) for head in lpips_heads("vgg16")]


def _with_vgg16(name: str) -> str:
    return f"{name}-vgg16" if f"{name}-vgg16" in PERCEPTUAL else "esrgan-vgg16"
