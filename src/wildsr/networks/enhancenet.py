"""EnhanceNet: Sajjadi, Schölkopf, Hirsch, “Super-Resolution Through Automated Texture Synthesis” (ICCV 2017)."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wildsr.networks.enlarge import Bicubic
from wildsr.networks.srresnet import ResidualBlock

_MEAN = (0.47614917, 0.45001204, 0.40904046)


class EnhanceNet(nn.Module):
    """×4 only: ten residual blocks, two nearest ×2 steps, and the result added to the bicubic enlargement."""

    def __init__(self, *, blocks: int = 10) -> None:
        super().__init__()
        self.mean: Tensor
        self.register_buffer("mean", torch.tensor(_MEAN).view(1, 3, 1, 1), persistent=False)
        self.enlarge = Bicubic(4)
        self.conv_first = nn.Conv2d(3, 64, 3, padding=1)
        self.body = nn.Sequential(*[ResidualBlock(64) for _ in range(blocks)])
        self.conv_up1 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv_up2 = nn.Conv2d(64, 64, 3, padding=1)
        self.conv_hr = nn.Conv2d(64, 64, 3, padding=1)
        self.conv_last = nn.Conv2d(64, 3, 3, padding=1)

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×4h×4w."""
        x = self.body(F.relu(self.conv_first(lr - self.mean)))
        for conv in (self.conv_up1, self.conv_up2):
            x = F.relu(conv(F.interpolate(x, scale_factor=2.0, mode="nearest")))
        residual: Tensor = self.conv_last(F.relu(self.conv_hr(x)))
        enlarged: Tensor = self.enlarge(lr)
        return enlarged + residual
