"""VDSR: Kim, Lee, Lee, “Accurate Image Super-Resolution Using Very Deep Convolutional Networks” (CVPR 2016)."""

from itertools import pairwise

from torch import Tensor, nn

from wildsr.networks.enlarge import Bicubic, Luma


class VDSR(nn.Module):
    """Twenty 3×3 convolutions without biases that add detail to the enlarged luma; colours stay bicubic.

    Args:
        depth: Convolutions in all.
        scale: SR pixels per LR pixel along one side.
    """

    def __init__(self, *, depth: int = 20, scale: int = 4) -> None:
        super().__init__()
        self.luma, self.enlarge = Luma(), Bicubic(scale)
        widths = [1, *[64] * (depth - 1), 1]
        layers: list[nn.Module] = []
        for before, after in pairwise(widths):
            conv = nn.Conv2d(before, after, 3, padding=1, bias=False)
            nn.init.normal_(conv.weight, std=(2 / (9 * after)) ** 0.5)
            layers += [conv, nn.ReLU()]
        self.body = nn.Sequential(*layers[:-1])

    def forward(self, lr: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×sh×sw."""
        enlarged = self.enlarge(lr)
        luma = self.luma(enlarged)
        return self.luma.replace(enlarged, luma + self.body(luma))
