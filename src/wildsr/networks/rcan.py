"""RCAN: Zhang et al., “Image Super-Resolution Using Very Deep Residual Channel Attention Networks” (ECCV 2018)."""

from torch import Tensor, nn

from wildsr.networks.edsr import MeanShift, shuffling_upsampler


class _ChannelAttention(nn.Module):
    """Weights every channel by what its mean over the whole picture says."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.attention = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, channels // reduction, 1),
            nn.ReLU(),
            nn.Conv2d(channels // reduction, channels, 1),
            nn.Sigmoid(),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x * self.attention(x)
        return result


class _RCAB(nn.Module):
    """Residual channel attention block."""

    def __init__(self, channels: int, reduction: int) -> None:
        super().__init__()
        self.rcab = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=1),
            _ChannelAttention(channels, reduction),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.rcab(x)
        return result


class _Group(nn.Module):
    """Blocks, a convolution and a skip around them."""

    def __init__(self, channels: int, blocks: int, reduction: int) -> None:
        super().__init__()
        self.residual_group = nn.Sequential(*[_RCAB(channels, reduction) for _ in range(blocks)])
        self.conv = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv(self.residual_group(x))
        return result


class RCAN(nn.Module):
    """Residual in residual with channel attention; the attention pools over the picture, so tiling is approximate.

    Args:
        groups: Residual groups.
        blocks: Attention blocks a group; the paper's network needs 20 (a common port defaults to 16).
        channels: Width.
        reduction: Width of the attention's bottleneck is `channels // reduction`.
        scale: 2, 3 or 4.
    """

    def __init__(
        self,
        *,
        groups: int = 10,
        blocks: int = 20,
        channels: int = 64,
        reduction: int = 16,
        scale: int = 4,
    ) -> None:
        super().__init__()
        self.shift = MeanShift()
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*[_Group(channels, blocks, reduction) for _ in range(groups)])
        self.conv_after_body = nn.Conv2d(channels, channels, 3, padding=1)
        self.upsample = shuffling_upsampler(channels, scale)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        first = self.conv_first(self.shift(lr))
        x = self.conv_after_body(self.body(first)) + first
        return self.shift.undo(self.conv_last(self.upsample(x)))
