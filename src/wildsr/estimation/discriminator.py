"""KernelGAN's discriminator: can a 7×7 patch be told from one of the photo?

Seven spectrally normalised layers, 7×7 and six times 1×1, of which the first alone sees neighbours (Bell-Kligler,
Shocher and Irani, NeurIPS 2019; written from the published facts). The 1×1 layers are matrix products over the
positions of the map.
"""

from typing import Final, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

PATCH: Final = 7
WIDTH: Final = 64
_MIDDLE: Final = 5


class PatchDiscriminator(nn.Module):
    """N×3×h×w in, N·(h−6)·(w−6) values in (0, 1) out.

    Args:
        rng: Where the first weights come from; their size does not matter, as they are normalised.
    """

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        self.first = _Normalised(1, WIDTH, 3 * PATCH**2, rng)
        self.middle = _Normalised(_MIDDLE, WIDTH, WIDTH, rng)
        self.last = _Normalised(1, 1, WIDTH, rng)
        self.first_bias = nn.Parameter(torch.zeros(WIDTH))
        self.last_bias = nn.Parameter(torch.zeros(1))
        self.gain = nn.Parameter(1 + 0.02 * torch.randn(_MIDDLE, WIDTH, generator=rng))
        self.offset = nn.Parameter(torch.zeros(_MIDDLE, WIDTH))

    def forward(self, batches: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Judge several batches of one size with the same normalised weights; each has batch statistics of its own."""
        first, middle, last = self.first()[0], self.middle().unbind(), self.last()[0]
        count = len(batches)
        windows = torch.cat([_windows(x) for x in batches])
        y = torch.baddbmm(self.first_bias[:, None], first.expand(count, -1, -1), windows)
        for weight, gain, offset in zip(middle, self.gain, self.offset, strict=True):
            # No bias: the normalisation takes any off again. Over the positions of each batch it is batch norm.
            y = torch.bmm(weight.expand(count, -1, -1), y)
            y = functional.instance_norm(y, weight=gain, bias=offset).relu()
        return tuple((last @ y + self.last_bias).sigmoid().view(len(batches), -1, 1).unbind())


def _windows(x: Tensor) -> Tensor:
    """Every 7×7 window of N×3×h×w as a column, 1×147×(N·h'·w'): cheaper to multiply than so small a convolution."""
    windows = x.unfold(2, PATCH, 1).unfold(3, PATCH, 1).permute(1, 4, 5, 0, 2, 3)
    return windows.reshape(1, 3 * PATCH**2, -1)


class _Normalised(nn.Module):
    """A stack of matrices, each divided by its largest singular value (Miyato et al., ICLR 2018)."""

    def __init__(self, count: int, outputs: int, inputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, outputs, inputs, generator=rng))
        self.register_buffer(
            "left", functional.normalize(torch.randn(count, outputs, 1, generator=rng), dim=1)
        )

    def forward(self) -> Tensor:
        left = cast(Tensor, self.left)
        with torch.no_grad():  # one step of the power iteration
            right = functional.normalize(self.weight.transpose(1, 2) @ left, dim=1)
            left.copy_(functional.normalize(self.weight @ right, dim=1))
            left = left.clone()
        sigma = left.transpose(1, 2) @ self.weight @ right
        return self.weight / sigma
