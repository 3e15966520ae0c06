"""SRCNN: Dong, Loy, He, Tang, “Image Super-Resolution Using Deep Convolutional Networks” (2014/2016)."""

from typing import Literal, TypeAlias

import torch.nn.functional as F
from torch import Tensor, nn

from wildsr.networks.enlarge import Bicubic, Luma

Channels: TypeAlias = Literal["y", "rgb"]


class SRCNN(nn.Module):
    """Three convolutions over the bicubic-enlarged picture: patches, mapping, reconstruction.

    Args:
        middle: Kernel side of the second convolution: 1 (9-1-5) or 5 (9-5-5).
        channels: `y`: only the luma is restored, the colours are bicubic, as in the paper; `rgb`: all three.
        scale: SR pixels per LR pixel along one side.
    """

    def __init__(self, *, middle: int = 1, channels: Channels = "y", scale: int = 4) -> None:
        super().__init__()
        planes = 1 if channels == "y" else 3
        self.luma = Luma() if channels == "y" else None
        self.enlarge = Bicubic(scale)
        self.conv1 = nn.Conv2d(planes, 64, 9, padding=4)
        self.conv2 = nn.Conv2d(64, 32, middle, padding=middle // 2)
        self.conv3 = nn.Conv2d(32, planes, 5, padding=2)
        for conv in (self.conv1, self.conv2, self.conv3):
            nn.init.normal_(conv.weight, std=1e-3)
            nn.init.zeros_(conv.bias)  # type: ignore[arg-type]

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        enlarged = self.enlarge(lr)
        if self.luma is None:
            return self._restore(enlarged)
        return self.luma.replace(enlarged, self._restore(self.luma(enlarged)))

    def _restore(self, x: Tensor) -> Tensor:
        result: Tensor = self.conv3(F.relu(self.conv2(F.relu(self.conv1(x)))))
        return result
