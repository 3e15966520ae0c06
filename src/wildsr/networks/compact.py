"""The compact network of wildsr's own fast model: residual pairs of 3×3 convolutions at LR resolution."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

_SLOPE = 0.1
"""Of the leaky ReLUs: unlike PReLU, CPU runtimes fuse them into the convolution before."""


class ResidualPair(nn.Module):
    """x + conv(LReLU(conv(x))), the block of EDSR (Lim et al. 2017) with a leaky activation.

    Args:
        channels: Width.
    """

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(channels, channels, 3, padding=1)
        self.second = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Refine N×C×h×w features."""
        refined: Tensor = self.second(F.leaky_relu(self.first(x), _SLOPE))
        return refined + x


class Compact(nn.Module):
    """Residual pairs at LR resolution, pixel-shuffled onto the nearest-enlarged input, then one 3×3 filter at SR size.

    The last filter mixes neighbouring SR pixels, which come from different channels before the shuffle: it can cancel
    the period-4 grid that sub-pixel convolutions leave. It starts as the identity.

    Args:
        blocks: Residual pairs.
        channels: Width; multiples of 16 are fastest on CPUs.
        scale: SR pixels per LR pixel along one side.
    """

    def __init__(self, *, blocks: int = 16, channels: int = 64, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.head = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*(ResidualPair(channels) for _ in range(blocks)))
        self.tail = nn.Conv2d(channels, 3 * scale * scale, 3, padding=1)
        self.blend = nn.Conv2d(3, 3, 3, padding=1)
        self._initialise(blocks)

    def _initialise(self, blocks: int) -> None:
        """Kaiming, residual branches scaled down so that depth keeps the variance; the output starts as the input."""
        with torch.no_grad():
            for conv in (module for module in self.modules() if isinstance(module, nn.Conv2d)):
                nn.init.kaiming_normal_(conv.weight, a=_SLOPE)
                assert conv.bias is not None
                conv.bias.zero_()
            for pair in self.body:
                assert isinstance(pair, ResidualPair)
                pair.second.weight.mul_((2 * blocks) ** -0.5)
            self.tail.weight.zero_()
            nn.init.dirac_(self.blend.weight)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        features = F.leaky_relu(self.head(lr), _SLOPE)
        residual: Tensor = F.pixel_shuffle(self.tail(self.body(features)), self.scale)
        enlarged = F.interpolate(lr, scale_factor=float(self.scale), mode="nearest")
        sharpened: Tensor = self.blend(residual + enlarged)
        return sharpened
