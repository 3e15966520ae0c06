"""The discriminator's function, with its gradient derived by hand.

Recording fifty small operations and walking back over them takes as long as the matrix products among them. What is
known of this one network saves that, and more: its first two layers have nothing between them, so they are one; and
batch norm within each batch is a norm of rows, once a row holds one channel of one batch.

All maps are 64×(B·P): a row is a channel, in it lie B batches of P positions. So every layer is one matrix product.
"""

from typing import Final

import torch
from torch import Tensor
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable
from torch.nn import functional

PATCH: Final = 7
MIDDLE: Final = 5
_EPSILON: Final = 1e-5
_KEPT: Final = 4


class Judge(torch.autograd.Function):
    """Seven layers, five norms, ReLU and a sigmoid: B batches of N×3×h×w in, B×(N·(h−6)·(w−6)) out.

    Its arguments are the layers' matrices (64×147, 5×64×64, 1×64), the last one's bias (1), the norms' gains and
    offsets (5×64 each), and the batches, which have statistics of their own. The other layers have no bias: the norms
    would take it off again.
    """

    @staticmethod
    def forward(
        ctx: FunctionCtx,
        first: Tensor,
        middle: Tensor,
        last: Tensor,
        bias: Tensor,
        gain: Tensor,
        offset: Tensor,
        *batches: Tensor,
    ) -> Tensor:
        """Judge every 7×7 patch."""
        windows, both = _windows(batches), middle[0] @ first
        gains, offsets = (each[..., None].expand(-1, -1, len(batches)).flatten(1) for each in (gain, offset))
        maps, kept = windows, []
        for weight, g, o in zip((both, *middle[1:]), gains, offsets, strict=True):
            product = weight @ maps
            rows, length = len(g), product.numel() // len(g)
            normed, mean, inverse = torch.native_group_norm(product, g, o, 1, rows, length, rows, _EPSILON)
            maps = normed.view_as(product).relu_()
            kept += [product, mean, inverse, maps]
        verdict = torch.addmm(bias, last, maps).sigmoid_()
        ctx.save_for_backward(first, middle, last, both, gains, windows, verdict, *batches, *kept)
        return verdict.view(len(batches), -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of the arguments; those of batches only where they are wanted."""
        saved = list(ctx.saved_tensors)
        first, middle, last, both, gains, windows, verdict = saved[:7]
        batches, kept = saved[7 : 7 + len(gradient)], saved[7 + len(gradient) :]
        of_middle = torch.empty_like(middle)
        of_norms: list[Tensor] = []
        g = gradient.reshape(1, -1) * verdict * (1 - verdict)
        of_last, of_bias = g @ kept[-1].t(), g.sum(1)
        g = last.t() * g
        for number in reversed(range(MIDDLE)):
            before = kept[_KEPT * number - 1] if number else windows
            g, *of_norm = _norm_back(g, kept[_KEPT * number : _KEPT * (number + 1)], gains[number])
            of_norms[:0] = of_norm
            if number:
                torch.mm(g, before.t(), out=of_middle[number])
                g = middle[number].t() @ g
        of_both = g @ windows.t()
        torch.mm(of_both, first.t(), out=of_middle[0])
        of_gain, of_offset = torch.stack(of_norms).view(MIDDLE, 2, -1, len(batches)).sum(3).unbind(1)
        of_batches = [
            _folded(both.t() @ part, batch) if batch.requires_grad else None
            for part, batch in zip(g.chunk(len(batches), 1), batches, strict=True)
        ]
        return middle[0].t() @ of_both, of_middle, of_last, of_bias, of_gain, of_offset, *of_batches


def _norm_back(g: Tensor, kept: list[Tensor], gain: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Take a gradient back through ReLU and norm; return it and those of the rows' gains and offsets."""
    product, mean, inverse, maps = kept
    rows, length = len(gain), product.numel() // len(gain)
    torch.ops.aten.threshold_backward.grad_input(g, maps, 0, grad_input=g)
    g, of_gain, of_offset = torch.ops.aten.native_group_norm_backward(
        g, product, mean, inverse, gain, 1, rows, length, rows, (True, True, True)
    )
    return g, of_gain.view(-1), of_offset.view(-1)


def _windows(batches: tuple[Tensor, ...]) -> Tensor:
    """Every 7×7 window as a column, 147×(B·P): cheaper to multiply with than so small a convolution."""
    windows = torch.stack(batches).unfold(3, PATCH, 1).unfold(4, PATCH, 1)
    return windows.permute(2, 5, 6, 0, 1, 3, 4).reshape(3 * PATCH**2, -1)


def _folded(columns: Tensor, like: Tensor) -> Tensor:
    """Add the windows of one batch, 147×P, up again to N×3×h×w."""
    count, _, height, width = like.shape
    return functional.fold(columns.view(len(columns), count, -1).transpose(0, 1), (height, width), PATCH)
