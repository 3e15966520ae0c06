"""The small network of Shocher, Cohen, Irani, ““Zero-Shot” Super-Resolution using Deep Internal Learning” (2018)."""

from itertools import pairwise
from typing import Literal

from torch import Tensor, nn

from wildsr.networks.enlarge import Bicubic


class ZSSRNet(nn.Module):
    """Eight 3×3 convolutions without biases that add detail to the enlarged picture.

    Args:
        depth: Convolutions in all.
        channels: Width.
        scale: SR pixels per LR pixel along one side.
        start: `paper`: normal weights of variance 0.1 / fan-in, whose gradients are tiny for hundreds of steps;
            `kaiming`: He's, the last convolution's a tenth of it.
    """

    def __init__(
        self,
        *,
        depth: int = 8,
        channels: int = 64,
        scale: int = 4,
        start: Literal["paper", "kaiming"] = "paper",
    ) -> None:
        super().__init__()
        self.enlarge = Bicubic(scale)
        layers: list[nn.Module] = []
        for before, after in pairwise([3, *[channels] * (depth - 1), 3]):
            conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
            gain = 0.1 if start == "paper" else 2.0 * (0.01 if after == 3 else 1.0)
            nn.init.normal_(conv.weight, std=(gain / (9 * before)) ** 0.5)
            layers += [conv, nn.ReLU()]
        self.body = nn.Sequential(*layers[:-1])

    def restore(self, enlarged: Tensor) -> Tensor:
        """Add detail to a picture that already has its final size."""
        result: Tensor = enlarged + self.body(enlarged)
        return result

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        return self.restore(self.enlarge(lr))
