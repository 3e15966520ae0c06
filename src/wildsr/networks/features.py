"""VGG feature extractors for perceptual and texture losses (Simonyan, Zisserman 2015)."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from wildsr.errors import ModelError

VGGName: TypeAlias = Literal["vgg16", "vgg19"]

_CONVOLUTIONS: dict[VGGName, tuple[int, ...]] = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
_WIDTHS = (64, 128, 256, 512, 512)
_IMAGENET_MEAN = (0.485, 0.456, 0.406)
_IMAGENET_STD = (0.229, 0.224, 0.225)


def layer_names(network: VGGName) -> tuple[str, ...]:
    """Layers in order: `conv1_1`, `relu1_1`, …, `pool1`, `conv2_1`, …; the index of each is torchvision's."""
    names: list[str] = []
    for stage, count in enumerate(_CONVOLUTIONS[network], start=1):
        for number in range(1, count + 1):
            names += [f"conv{stage}_{number}", f"relu{stage}_{number}"]
        names.append(f"pool{stage}")
    return tuple(names)


class VGGFeatures(nn.Module):
    """The convolutional part of VGG16 or VGG19, frozen, giving the named layers of a picture in [0, 1].

    `conv5_4` is before the activation and `relu5_4` after it. The input is normalised as ImageNet's networks
    expect. Parameters carry torchvision's names (`features.0.weight`, …).

    Args:
        network: Which of the two.
        layers: Layers wanted; nothing after the last of them is computed.

    Raises:
        ModelError: A layer the network doesn't have.
    """

    def __init__(self, network: VGGName, layers: tuple[str, ...]) -> None:
        super().__init__()
        names = layer_names(network)
        unknown = [layer for layer in layers if layer not in names]
        if unknown or not layers:
            raise ModelError(
                f"{network} has no layer {', '.join(unknown) or '(none given)'}; it has {', '.join(names)}"
            )
        self.layers = layers
        self.names = names[: max(names.index(layer) for layer in layers) + 1]
        modules: list[nn.Module] = []
        width = 3
        for name in self.names:
            if name.startswith("conv"):
                after = _WIDTHS[int(name[4]) - 1]
                modules.append(nn.Conv2d(width, after, 3, padding=1))
                width = after
            else:
                modules.append(nn.ReLU() if name.startswith("relu") else nn.MaxPool2d(2))
        self.features = nn.Sequential(*modules)
        self.mean: Tensor
        self.std: Tensor
        self.register_buffer("mean", torch.tensor(_IMAGENET_MEAN).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor(_IMAGENET_STD).view(1, 3, 1, 1), persistent=False)
        self.requires_grad_(requires_grad=False).eval()

    def load(self, weights: Mapping[str, Tensor]) -> None:
        """Take the weights of `features.N.weight` and `features.N.bias`; layers not needed are ignored.

        Raises:
            ModelError: A needed tensor is missing or has another shape.
        """
        own = self.state_dict()
        for name, tensor in own.items():
            given = weights.get(name)
            if given is None or given.shape != tensor.shape:
                had = "nothing" if given is None else f"shape {tuple(given.shape)}"
                raise ModelError(
                    f"VGG weights: {name} must have shape {tuple(tensor.shape)}, the file has {had}",
                    hint="the file must be torchvision's vgg16 or vgg19 (without batch normalisation)",
                )
        self.load_state_dict({name: weights[name] for name in own})

    def forward(self, picture: Tensor) -> dict[str, Tensor]:
        """Map N×3×h×w RGB in [0, 1] to the named layers' features."""
        x = (picture - self.mean) / self.std
        found: dict[str, Tensor] = {}
        for name, module in zip(self.names, self.features, strict=True):
            x = module(x)
            if name in self.layers:
                found[name] = x
        return found
