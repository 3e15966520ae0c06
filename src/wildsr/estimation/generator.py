"""KernelGAN's generator: a cascade of convolutions without activations, which is one 13×13 filter at stride 2.

Bell-Kligler, Shocher and Irani, NeurIPS 2019; written from the published facts. Layers 7, 5, 3, 1, 1, 1 with channels
1→64→…→64→1, no bias, no padding. A cascade of linear filters is one linear filter: `effective_kernel` composes the
layers (differentiable), and applying that single filter is the same function as running them one after another, at
a thousandth of the multiplications.
"""

from functools import cache
from itertools import product
from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional

SIZES: Final = (7, 5, 3, 1, 1, 1)
SUPPORT: Final = 13
CHANNELS: Final = 64
_XAVIER_GAIN: Final = 0.1


class LinearGenerator(nn.Module):
    """Six convolutions; maps N×1×h×w to N×1×⌈(h−12)/2⌉×⌈(w−12)/2⌉.

    Args:
        rng: Where the first weights come from.
    """

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        channels = (1, *(CHANNELS,) * 5, 1)
        self.weights = nn.ParameterList()
        for size, inputs, outputs in zip(SIZES, channels, channels[1:], strict=False):
            weight = torch.empty(outputs, inputs, size, size)
            spread = _XAVIER_GAIN * (2 / ((inputs + outputs) * size * size)) ** 0.5
            self.weights.append(nn.Parameter(weight.normal_(0, spread, generator=rng)))

    def forward(self, x: Tensor) -> Tensor:
        """Run the layers one after another, as published."""
        for weight in list(self.weights)[:-1]:
            x = functional.conv2d(x, weight)
        return functional.conv2d(x, self.weights[-1], stride=2)

    def effective_kernel(self) -> Tensor:
        """Return the 13×13 filter, in correlation orientation, that the cascade applies."""
        *before, last = self.weights
        # From the last layer back: there is one output channel, so every step is a row of 64 small filters.
        filters: Tensor = last[0, :, 0, 0, None]
        size = 1
        for weight in reversed(before):
            filters = _composed(weight, filters, size)
            size += weight.shape[-1] - 1
        return filters.view(size, size)

    def downscale(self, x: Tensor) -> Tensor:
        """Apply the effective kernel at stride 2 to N×1×h×w: the same function as `forward`."""
        return functional.conv2d(x, self.effective_kernel()[None, None], stride=2)


def _composed(first: Tensor, then: Tensor, size: int) -> Tensor:
    """Return the in×(a+b−1)² filters of `then` (mid×b²) applied after `first` (mid×in×a×a).

    Correlations compose by convolving their kernels. All of it is matrix products: small convolutions with 64
    channels cost a library's call ten times as much.
    """
    mid, inputs = first.shape[:2]
    area = first.shape[-1] ** 2
    products = first.reshape(mid, -1).t() @ then  # every weight of one with every weight of the other
    if size == 1:
        return products.view(inputs, area)
    return products.view(inputs, area * size * size) @ _sums(first.shape[-1], size).to(products)


@cache
def _sums(a: int, b: int) -> Tensor:
    """A matrix of ones that adds the products of an a×a and a b×b kernel up to their (a+b−1)² convolution."""
    side = a + b - 1
    matrix = torch.zeros(a, a, b, b, side, side)
    for y, x, v, u in product(range(a), range(a), range(b), range(b)):
        matrix[y, x, v, u, y + v, x + u] = 1
    return matrix.view(a * a * b * b, side * side)
