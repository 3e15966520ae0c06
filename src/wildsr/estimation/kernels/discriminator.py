"""KernelGAN's discriminator: can a 7×7 patch be told from one of the photo?

Seven spectrally normalised layers, 7×7 and six times 1×1, of which the first alone sees neighbours (Bell-Kligler,
Shocher and Irani, NeurIPS 2019; written from the published facts). What they compute is in `judging`.
"""

from typing import Final

import torch
from torch import Tensor, nn
from torch.autograd.function import BackwardCFunction, FunctionCtx, once_differentiable
from torch.nn import functional

from wildsr.estimation.kernels.judging import MIDDLE, PATCH, Judge

WIDTH: Final = 64


class PatchDiscriminator(nn.Module):
    """N×3×h×w in, N·(h−6)·(w−6) values in (0, 1) out.

    Args:
        rng: Where the first weights come from; their size does not matter, as they are normalised.
    """

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        self.first = _Normalised(1, WIDTH, 3 * PATCH**2, rng)
        self.middle = _Normalised(MIDDLE, WIDTH, WIDTH, rng)
        self.last = _Normalised(1, 1, WIDTH, rng)
        self.last_bias = nn.Parameter(torch.zeros(1))
        self.gain = nn.Parameter(1 + 0.02 * torch.randn(MIDDLE, WIDTH, generator=rng))
        self.offset = nn.Parameter(torch.zeros(MIDDLE, WIDTH))

    def forward(self, batches: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        """Judge several batches of one size with the same normalised weights; each has batch statistics of its own."""
        weights = self.first().squeeze(0), self.middle(), self.last().squeeze(0)
        verdicts: Tensor = Judge.apply(  # type: ignore[no-untyped-call]
            *weights, self.last_bias, self.gain, self.offset, *batches
        )
        return verdicts.unsqueeze(2).unbind()


class _Normalised(nn.Module):
    """A stack of matrices, each divided by its largest singular value (Miyato et al., ICLR 2018)."""

    def __init__(self, count: int, outputs: int, inputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, outputs, inputs, generator=rng))
        self.register_buffer(
            "left", functional.normalize(torch.randn(count, outputs, 1, generator=rng), dim=1)
        )

    def forward(self) -> Tensor:
        divided: Tensor = _Divided.apply(self.weight, self.left)  # type: ignore[no-untyped-call]
        return divided


class _Divided(torch.autograd.Function):
    """Stacked matrices W over σ = uᵀ·W·v, where u and v come from a step of the power iteration and count as fixed."""

    @staticmethod
    def forward(ctx: FunctionCtx, weight: Tensor, left: Tensor) -> Tensor:
        """Divide; `left`, one u a matrix, is brought up to date."""
        # With vectors this short, products and sums written out are several times as fast as batched matrix products.
        right = left.mT @ weight
        right /= torch.linalg.vector_norm(right, dim=2, keepdim=True)
        image = (weight * right).sum(2, keepdim=True)
        sigma = torch.linalg.vector_norm(image, dim=1, keepdim=True)  # = uᵀ·W·v: u is this image, normalised
        divided: Tensor = weight / sigma
        image = image / sigma
        left.copy_(image)
        ctx.save_for_backward(divided, image, right, sigma)
        return divided

    @staticmethod
    @once_differentiable
    def backward(ctx: BackwardCFunction, gradient: Tensor) -> tuple[Tensor, None]:
        """d(W/σ) = (dW − W/σ·dσ)/σ with dσ = uᵀ·dW·v."""
        divided, left, right, sigma = list(ctx.saved_tensors)
        share: Tensor = (gradient * divided).sum((1, 2), keepdim=True)
        return torch.addcmul(gradient, share * left, right, value=-1) / sigma, None
