"""DPED: Ignatov et al., “DSLR-Quality Photos on Mobile Devices with Deep Convolutional Networks” (ICCV 2017)."""

from typing import Literal

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wildsr.imaging.luma import BT601


class InstanceNorm(nn.Module):
    """(x − mean) / √(variance + ε) over each channel, scaled and shifted; unlike torch's, of 1×1 pixels too."""

    def __init__(self, channels: int, *, epsilon: float = 1e-3) -> None:
        super().__init__()
        self.epsilon = epsilon
        self.weight = nn.Parameter(torch.ones(channels))
        self.bias = nn.Parameter(torch.zeros(channels))

    def forward(self, x: Tensor) -> Tensor:
        """Map N×c×h×w to the same shape."""
        mean = x.mean(dim=(2, 3), keepdim=True)
        variance = (x - mean).square().mean(dim=(2, 3), keepdim=True)
        normalised = (x - mean) * (variance + self.epsilon).rsqrt()
        return normalised * self.weight.view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)


class _Block(nn.Module):
    """conv, norm, ReLU twice, then the input is added: the ReLU comes before the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm1 = InstanceNorm(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.norm2 = InstanceNorm(channels)

    def forward(self, x: Tensor) -> Tensor:
        inner = F.relu(self.norm1(self.conv1(x)))
        result: Tensor = F.relu(self.norm2(self.conv2(inner))) + x
        return result


class DPEDEnhancer(nn.Module):
    """Phone photo in, DSLR look out, same size. Instance norms look at the whole picture: never tile.

    Args:
        blocks: Residual blocks.
        channels: Width.
        start: `paper`: normal weights of deviation .01, cut off at two, which tell light from dark for thousands of
            steps before they tell colours; `kaiming`: He's, the last convolution's a tenth of it.
    """

    def __init__(
        self, *, blocks: int = 4, channels: int = 64, start: Literal["paper", "kaiming"] = "paper"
    ) -> None:
        super().__init__()
        self.conv_first = nn.Conv2d(3, channels, 9, padding=4)
        self.body = nn.Sequential(*[_Block(channels) for _ in range(blocks)])
        self.conv_after1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_after2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv_last = nn.Conv2d(channels, 3, 9, padding=4)
        for layer in self.modules():
            if not isinstance(layer, nn.Conv2d):
                continue
            if start == "kaiming":
                spread = (2.0 / layer.weight[0].numel()) ** 0.5 * (0.1 if layer is self.conv_last else 1.0)
                nn.init.normal_(layer.weight, std=spread)
                nn.init.zeros_(layer.bias)  # type: ignore[arg-type]
            else:
                nn.init.trunc_normal_(layer.weight, std=0.01, a=-0.02, b=0.02)
                nn.init.constant_(layer.bias, 0.01)  # type: ignore[arg-type]

    def forward(self, photo: Tensor) -> Tensor:
        """Map N×3×h×w in [0, 1] to N×3×h×w in [−0.08, 1.08]."""
        x = self.body(F.relu(self.conv_first(photo)))
        x = F.relu(self.conv_after2(F.relu(self.conv_after1(x))))
        return torch.tanh(self.conv_last(x)) * 0.58 + 0.5


class DPEDDiscriminator(nn.Module):
    """Tells phone from DSLR on gray 100×100 patches; two logits (fake, real), cross-entropy."""

    def __init__(self) -> None:
        super().__init__()
        self.luma: Tensor
        self.register_buffer("luma", torch.tensor(BT601).view(1, 3, 1, 1), persistent=False)
        self.conv_first = nn.Conv2d(1, 48, 11, stride=4, padding=5)
        layers: list[nn.Module] = []
        for before, after, side, stride in (
            (48, 128, 5, 2),
            (128, 192, 3, 1),
            (192, 192, 3, 1),
            (192, 128, 3, 2),
        ):
            layers += [
                nn.Conv2d(before, after, side, stride=stride, padding=side // 2),
                nn.LeakyReLU(0.2),
                InstanceNorm(after),
            ]
        self.body = nn.Sequential(*layers)
        self.linear1 = nn.Linear(6272, 1024)
        self.linear2 = nn.Linear(1024, 2)

    def forward(self, picture: Tensor) -> Tensor:
        """Map N×3×100×100 in [0, 1] to N×2 logits."""
        gray = (picture * self.luma).sum(dim=1, keepdim=True)
        x = self.body(F.leaky_relu(self.conv_first(gray), 0.2))
        result: Tensor = self.linear2(F.leaky_relu(self.linear1(x.flatten(1)), 0.2))
        return result
