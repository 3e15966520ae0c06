"""SRResNet: Ledig et al., “Photo-Realistic Single Image Super-Resolution …” (CVPR 2017), and its BN-free form."""

import torch.nn.functional as F
from torch import Tensor, nn


class _NormalisedBlock(nn.Module):
    """Two convolutions, batch-normalised, added to the input; no activation after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.rcb = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
            nn.PReLU(),
            nn.Conv2d(channels, channels, 3, padding=1, bias=False),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.rcb(x)
        return result


class SRResNet(nn.Module):
    """The generator of SRGAN: residual blocks with batch normalisation, one long skip, pixel shuffles.

    The output is linear, as in most ports; the paper's released form ends in a tanh.

    Args:
        blocks: Residual blocks.
        channels: Width.
        scale: 2 or 4.
    """

    def __init__(self, *, blocks: int = 16, channels: int = 64, scale: int = 4) -> None:
        super().__init__()
        self.conv1 = nn.Sequential(nn.Conv2d(3, channels, 9, padding=4), nn.PReLU())
        self.trunk = nn.Sequential(*[_NormalisedBlock(channels) for _ in range(blocks)])
        self.conv2 = nn.Sequential(
            nn.Conv2d(channels, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels)
        )
        steps: list[nn.Module] = []
        for _ in range(scale.bit_length() - 1):
            steps += [nn.Conv2d(channels, 4 * channels, 3, padding=1), nn.PixelShuffle(2), nn.PReLU()]
        self.upsampling = nn.Sequential(*steps)
        self.conv3 = nn.Conv2d(channels, 3, 9, padding=4)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        first = self.conv1(lr)
        result: Tensor = self.conv3(self.upsampling(first + self.conv2(self.trunk(first))))
        return result


class ResidualBlock(nn.Module):
    """conv3, ReLU, conv3, times `residual_scale`, plus the input (EDSR, MSRResNet)."""

    def __init__(self, channels: int, *, residual_scale: float = 1.0) -> None:
        super().__init__()
        self.residual_scale = residual_scale
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        """Map N×c×h×w to the same shape."""
        result: Tensor = x + self.conv2(F.relu(self.conv1(x))) * self.residual_scale
        return result


class MSRResNet(nn.Module):
    """SRResNet without batch normalisation, on top of the bilinear-enlarged input: the field's usual baseline.

    Args:
        blocks: Residual blocks.
        channels: Width.
        scale: 2 or 4.
    """

    def __init__(self, *, blocks: int = 16, channels: int = 64, scale: int = 4) -> None:
        super().__init__()
        self.scale = scale
        self.conv_first = nn.Conv2d(3, channels, 3, padding=1)
        self.body = nn.Sequential(*[ResidualBlock(channels) for _ in range(blocks)])
        self.upconv1 = nn.Conv2d(channels, 4 * channels, 3, padding=1)
        self.upconv2 = nn.Conv2d(channels, 4 * channels, 3, padding=1) if scale == 4 else None
        self.conv_hr = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d):
                nn.init.kaiming_normal_(layer.weight)
                layer.weight.data.mul_(0.1)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        x = self.body(F.leaky_relu(self.conv_first(lr), 0.1))
        x = F.leaky_relu(F.pixel_shuffle(self.upconv1(x), 2), 0.1)
        if self.upconv2 is not None:
            x = F.leaky_relu(F.pixel_shuffle(self.upconv2(x), 2), 0.1)
        residual: Tensor = self.conv_last(F.leaky_relu(self.conv_hr(x), 0.1))
        return residual + F.interpolate(
            lr, scale_factor=float(self.scale), mode="bilinear", align_corners=False
        )
