"""SRVGGNetCompact, the compact network of Real-ESRGAN's `general-x4v3` and `animevideov3` weights."""

from typing import Literal, TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

Activation: TypeAlias = Literal["prelu", "relu", "leakyrelu"]


def _activation(name: Activation, channels: int) -> nn.Module:
    if name == "prelu":
        return nn.PReLU(channels)
    if name == "relu":
        return nn.ReLU()
    return nn.LeakyReLU(0.1)


class SRVGG(nn.Module):
    """A plain stack of 3×3 convolutions at LR resolution, pixel-shuffled onto the nearest-enlarged input.

    Modules carry the names of the published checkpoints (`body.0`, `body.1`, …).

    Args:
        blocks: Convolutions between the first and the last.
        channels: Width of the stack.
        scale: SR pixels per LR pixel along one side.
        activation: After every convolution but the last.
    """

    def __init__(
        self, *, blocks: int = 16, channels: int = 64, scale: int = 4, activation: Activation = "prelu"
    ) -> None:
        super().__init__()
        self.scale = scale
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1), _activation(activation, channels)]
        for _ in range(blocks):
            layers += [nn.Conv2d(channels, channels, 3, padding=1), _activation(activation, channels)]
        layers.append(nn.Conv2d(channels, 3 * scale * scale, 3, padding=1))
        self.body = nn.Sequential(*layers)
        self._initialise()

    def _initialise(self) -> None:
        """Kaiming for the PReLU slope, last layer near zero.

        PyTorch's own initialisation shrinks the signal by 3 a layer: sixteen layers deep nothing is
        learnt for many minutes, the output staying at the nearest-enlarged input.
        """
        convs = [layer for layer in self.body if isinstance(layer, nn.Conv2d)]
        for conv in convs:
            nn.init.kaiming_normal_(conv.weight, a=0.25)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]
        convs[-1].weight.data.mul_(0.1)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        enlarged = F.interpolate(lr, scale_factor=float(self.scale), mode="nearest")
        residual: Tensor = F.pixel_shuffle(self.body(lr), self.scale)
        return residual + enlarged
