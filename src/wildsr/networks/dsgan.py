"""DSGAN: Fritsche, Gu, Timofte, “Frequency Separation for Real-World Super-Resolution” (ICCVW 2019)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def low_pass(x: Tensor, side: int = 5) -> Tensor:
    """Mean of the `side`×`side` neighbourhood, of the pixels that exist at the border; same size."""
    return F.avg_pool2d(x, side, stride=1, padding=side // 2, count_include_pad=False)


class _Block(nn.Module):
    """conv3, PReLU, conv3, plus the input."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.activation = nn.PReLU()
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        result: Tensor = x + self.conv2(self.activation(self.conv1(x)))
        return result


class DSGANDegrader(nn.Module):
    """Makes a clean small picture look like one of the source domain; same size in and out.

    Args:
        blocks: Residual blocks.
        channels: Width.
    """

    def __init__(self, *, blocks: int = 8, channels: int = 64) -> None:
        super().__init__()
        self.head = nn.Sequential(nn.Conv2d(3, channels, 3, padding=1), nn.PReLU())
        self.body = nn.Sequential(*[_Block(channels) for _ in range(blocks)])
        self.conv_last = nn.Conv2d(channels, 3, 3, padding=1)

    def forward(self, clean: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×h×w in (0, 1)."""
        return torch.sigmoid(self.conv_last(self.body(self.head(clean))))


class DSGANDiscriminator(nn.Module):
    """Judges the high frequencies only, patch by patch (receptive field 13, and the filter's).

    Args:
        side: Side of the averaging filter whose result is taken off.
    """

    def __init__(self, *, side: int = 5) -> None:
        super().__init__()
        self.side = side
        self.body = nn.Sequential(
            nn.Conv2d(3, 64, 5, padding=2),
            nn.LeakyReLU(0.2),
            nn.Conv2d(64, 128, 5, padding=2),
            nn.BatchNorm2d(128),
            nn.LeakyReLU(0.2),
            nn.Conv2d(128, 256, 5, padding=2),
            nn.BatchNorm2d(256),
            nn.LeakyReLU(0.2),
            nn.Conv2d(256, 1, 1),
        )

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×h×w to N×1×h×w logits (the paper's sigmoid lives in the loss)."""
        logits: Tensor = self.body(0.5 + 0.5 * (picture - low_pass(picture, self.side)))
        return logits
