"""Discriminators: pictures in, raw logits out. DPED's and DSGAN's live with their papers."""

from itertools import pairwise

import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import spectral_norm


def _stage(before: int, after: int, side: int, stride: int) -> list[nn.Module]:
    return [
        nn.Conv2d(before, after, side, stride=stride, padding=1, bias=False),
        nn.BatchNorm2d(after),
        nn.LeakyReLU(0.2),
    ]


class SRGANDiscriminator(nn.Module):
    """The discriminator of SRGAN (Ledig et al. 2017) for patches of a fixed side.

    Args:
        patch: Side of the HR patches, a multiple of 16; the paper's is 96.
    """

    def __init__(self, *, patch: int = 96) -> None:
        super().__init__()
        self.patch = patch
        layers: list[nn.Module] = [nn.Conv2d(3, 64, 3, padding=1), nn.LeakyReLU(0.2)]
        widths = (64, 64, 128, 128, 256, 256, 512, 512)
        for number in range(1, len(widths)):
            layers += _stage(widths[number - 1], widths[number], 3, 2 if number % 2 else 1)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * (patch // 16) ** 2, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×patch×patch to N×1 logits."""
        logits: Tensor = self.classifier(self.features(picture).flatten(1))
        return logits


class VGGDiscriminator(nn.Module):
    """The VGG-style discriminator of ESRGAN and Real-SR for 128×128 patches.

    Args:
        patch: Side of the HR patches, a multiple of 32.
        channels: Width of the first stage; the paper's is 64.
    """

    def __init__(self, *, patch: int = 128, channels: int = 64) -> None:
        super().__init__()
        self.patch = patch
        widths = [channels * factor for factor in (1, 2, 4, 8, 8)]
        layers: list[nn.Module] = [nn.Conv2d(3, channels, 3, padding=1), nn.LeakyReLU(0.2)]
        layers += _stage(channels, channels, 4, 2)
        for before, after in pairwise(widths):
            layers += _stage(before, after, 3, 1) + _stage(after, after, 4, 2)
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(widths[-1] * (patch // 32) ** 2, 100), nn.LeakyReLU(0.2), nn.Linear(100, 1)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×patch×patch to N×1 logits."""
        logits: Tensor = self.classifier(self.features(picture).flatten(1))
        return logits


class PatchDiscriminator(nn.Module):
    """PatchGAN (pix2pix; Real-SR's DPED track): a map of logits, each judging 70×70 pixels.

    Args:
        channels: Width of the first layer.
        layers: Strided layers.
    """

    def __init__(self, *, channels: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.patch = None
        widths = [channels * min(2**number, 8) for number in range(layers + 1)]
        body: list[nn.Module] = [nn.Conv2d(3, channels, 4, stride=2, padding=1), nn.LeakyReLU(0.2)]
        for number, (before, after) in enumerate(pairwise(widths)):
            body += _stage(before, after, 4, 1 if number == layers - 1 else 2)
        body.append(nn.Conv2d(widths[-1], 1, 4, padding=1))
        self.body = nn.Sequential(*body)

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×h×w to N×1×h'×w' logits; 128×128 gives 14×14."""
        logits: Tensor = self.body(picture)
        return logits


class UNetDiscriminator(nn.Module):
    """U-Net with spectral normalisation (Real-ESRGAN): one logit a pixel; sides must be multiples of 8.

    Args:
        channels: Width of the first layer.
    """

    def __init__(self, *, channels: int = 64) -> None:
        super().__init__()
        self.patch = None
        c = channels
        self.conv0 = nn.Conv2d(3, c, 3, padding=1)
        self.conv1 = spectral_norm(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False))
        self.conv2 = spectral_norm(nn.Conv2d(2 * c, 4 * c, 4, 2, 1, bias=False))
        self.conv3 = spectral_norm(nn.Conv2d(4 * c, 8 * c, 4, 2, 1, bias=False))
        self.conv4 = spectral_norm(nn.Conv2d(8 * c, 4 * c, 3, padding=1, bias=False))
        self.conv5 = spectral_norm(nn.Conv2d(4 * c, 2 * c, 3, padding=1, bias=False))
        self.conv6 = spectral_norm(nn.Conv2d(2 * c, c, 3, padding=1, bias=False))
        self.conv7 = spectral_norm(nn.Conv2d(c, c, 3, padding=1, bias=False))
        self.conv8 = spectral_norm(nn.Conv2d(c, c, 3, padding=1, bias=False))
        self.conv9 = nn.Conv2d(c, 1, 3, padding=1)

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×h×w to N×1×h×w logits."""
        x0 = _leaky(self.conv0(picture))
        x1 = _leaky(self.conv1(x0))
        x2 = _leaky(self.conv2(x1))
        x = _leaky(self.conv3(x2))
        for conv, skip in ((self.conv4, x2), (self.conv5, x1), (self.conv6, x0)):
            x = _leaky(conv(F.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False))) + skip
        logits: Tensor = self.conv9(_leaky(self.conv8(_leaky(self.conv7(x)))))
        return logits


def _leaky(x: Tensor) -> Tensor:
    return F.leaky_relu(x, 0.2)


class EnhanceNetDiscriminator(nn.Module):
    """EnhanceNet's: pairs of convolutions (stride 1, then 2), 32 to 512 wide, for patches of a fixed side.

    Args:
        patch: Side of the HR patches, a multiple of 32; the paper's is 128.
    """

    def __init__(self, *, patch: int = 128) -> None:
        super().__init__()
        self.patch = patch
        layers: list[nn.Module] = []
        before = 3
        for width in (32, 64, 128, 256, 512):
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.LeakyReLU(0.2)]
            layers += [nn.Conv2d(width, width, 3, stride=2, padding=1), nn.LeakyReLU(0.2)]
            before = width
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(
            nn.Linear(512 * (patch // 32) ** 2, 1024), nn.LeakyReLU(0.2), nn.Linear(1024, 1)
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×patch×patch to N×1 logits."""
        logits: Tensor = self.classifier(self.features(picture).flatten(1))
        return logits
