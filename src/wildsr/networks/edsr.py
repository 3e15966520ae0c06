"""EDSR: Lim, Son, Kim, Nah, Lee, “Enhanced Deep Residual Networks for Single Image Super-Resolution” (CVPRW 2017)."""

import torch
from torch import Tensor, nn

from wildsr.networks.srresnet import ResidualBlock

_DIV2K_MEAN = (0.4488, 0.4371, 0.4040)


class MeanShift(nn.Module):
    """The paper's input range: the mean of DIV2K off, 0–255 scale; `undo` returns to [0, 1]."""

    def __init__(self) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(_DIV2K_MEAN).view(1, 3, 1, 1), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map [0, 1] to about −115 … 145."""
        return (x - self.mean) * 255

    def undo(self, x: Tensor) -> Tensor:
        """Inverse of the call."""
        return x / 255 + self.mean


def shuffling_upsampler(channels: int, scale: int) -> nn.Sequential:
    """Convolution and pixel shuffle for each factor of 2, one step for 3, no activation."""
    if scale == 3:
        return nn.Sequential(nn.Conv2d(channels, 9 * channels, 3, padding=1), nn.PixelShuffle(3))
    steps: list[nn.Module] = []
    for _ in range(scale.bit_length() - 1):
        steps += [nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2)]
    return nn.Sequential(*steps)


class EDSR(nn.Module):
    """Residual blocks without batch normalisation, one long skip, pixel shuffles; works at 0–255 inside.

    Args:
        blocks: Residual blocks.
        channels: Width.
        residual_scale: Factor of every residual; the full network (256 wide) diverges without 0.1.
        scale: 2, 3 or 4.
    """

    def __init__(
        self, *, blocks: int = 16, channels: int = 64, residual_scale: float = 1.0, scale: int = 4
    ) -> None:
        super().__init__()
        self.shift = MeanShift()
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(
            *[ResidualBlock(channels, residual_scale=residual_scale) for _ in range(blocks)]
        )
        self.conv_after_body = nn.Conv2d(channels, channels, 3, padding=1)
        self.upsample = shuffling_upsampler(channels, scale)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        first = self.conv_first(self.shift(lr))
        x = self.conv_after_body(self.body(first)) + first
        return self.shift.undo(self.conv_last(self.upsample(x)))
