"""KernelGAN's generator: a cascade of convolutions without activations, which is one 13×13 filter at stride 2.

Bell-Kligler, Shocher and Irani, NeurIPS 2019; written from the published facts. Layers 7, 5, 3, 1, 1, 1 with channels
1→64→…→64→1, no bias, no padding. A cascade of linear filters is one linear filter: `effective_kernel` composes the
layers (differentiable), and applying that single filter is the same function as running them one after another, at
a thousandth of the multiplications.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable
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
        kernel: Tensor = _Composition.apply(*self.weights)  # type: ignore[no-untyped-call]
        return kernel


def downscaled(x: Tensor, kernel: Tensor) -> Tensor:
    """Correlate N×1×h×w with a 13×13 kernel at stride 2: N×1×⌈(h−12)/2⌉×⌈(w−12)/2⌉.

    The gradient goes to the kernel only.
    """
    small: Tensor = _Downscaled.apply(x, kernel)  # type: ignore[no-untyped-call]
    return small


class _Composition(torch.autograd.Function):
    """The one filter of all layers, from the last one back: a step is a row of in filters, as there is one output.

    Correlations compose by convolving their kernels: all products of their weights, which are one matrix product, and
    sums of those that fall on one place. Convolutions of so few pixels take a library's call ten times as long.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, *weights: Tensor) -> Tensor:
        """Compose layers of out×in×a×a."""
        *before, last = weights
        filters = [last[0, :, 0]]  # in×b²: what the layers from here on do with each channel
        side = 1
        for weight in reversed(before):
            mid, inputs, a, _ = weight.shape
            # As few rows, not as few columns, which matrix products are slow with.
            products = (filters[-1].t() @ weight.view(mid, -1)).t()
            side += a - 1
            filters.append(functional.fold(products[None], side, a).view(inputs, -1) if a > 1 else products)
        ctx.save_for_backward(*weights, *filters)
        return filters[-1].view(side, side)

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> tuple[Tensor, ...]:
        """Go from the first layer on."""
        saved = ctx.saved_tensors
        half = len(saved) // 2
        found = []
        g = gradient.reshape(1, -1)
        for weight, then in zip(saved[: half - 1], reversed(saved[half:-1]), strict=True):
            mid, inputs, a, _ = weight.shape
            side = round(g[0].numel() ** 0.5)
            spread = functional.unfold(g.reshape(1, inputs, side, side), a)[0] if a > 1 else g
            products = spread.t().contiguous()
            found.append((then @ products).view_as(weight))
            g = (products @ weight.view(mid, -1).t()).t()
        return *found, g.reshape(saved[half - 1].shape)


class _Downscaled(torch.autograd.Function):
    """One product, of the rows that bear on each row of the result, with the kernel at every place along them.

    That multiplies by zeros mostly, and takes a third of the time it takes to copy all windows.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, x: Tensor, kernel: Tensor) -> Tensor:
        """Correlate."""
        rows = x[:, 0].unfold(1, SUPPORT, 2).transpose(2, 3)
        count, down, _, width = rows.shape
        right = (width - SUPPORT) // 2 + 1
        rows = rows.reshape(count * down, SUPPORT * width)
        band = x.new_zeros(SUPPORT * width, right)
        _diagonals(band, width).copy_(kernel[..., None])
        ctx.save_for_backward(rows)
        return (rows @ band).view(count, 1, down, right)

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> tuple[None, Tensor]:
        """Sum over the places of each weight."""
        (rows,) = ctx.saved_tensors
        band = rows.t() @ gradient.reshape(len(rows), -1)
        return None, _diagonals(band, len(band) // SUPPORT).sum(2)


def _diagonals(band: Tensor, width: int) -> Tensor:
    """View of the (13·width)×places matrix as 13×13×places: where each weight of the kernel stands in it."""
    right = band.shape[1]
    return band.as_strided((SUPPORT, SUPPORT, right), (width * right, right, 2 * right + 1))
