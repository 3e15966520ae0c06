"""Blur: correlation with a kernel at every pixel, or only at those that subsampling keeps."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from wildsr.degradation.operation import Fact, Log, note, pick
from wildsr.degradation.profile import FloatArray
from wildsr.errors import UsageError

KernelSampler: TypeAlias = Callable[[np.random.Generator], tuple[NDArray[np.floating], dict[str, Fact]]]
"""randomness → (n×n kernel, n odd, correlation orientation; what was drawn, for the log)."""


@dataclass(frozen=True, eq=False)
class FromPool:
    """Draws a kernel of a pool, all alike often."""

    kernels: FloatArray
    """K×n×n, n odd."""

    def __call__(self, rng: np.random.Generator) -> tuple[NDArray[np.floating], dict[str, Fact]]:
        """Draw one."""
        index = pick(rng, len(self.kernels))
        return self.kernels[index], {"kernel": index}


@dataclass(frozen=True)
class Blur:
    """Every pixel becomes a weighted mean of its surroundings; kernels are centred at n//2."""

    sampler: KernelSampler
    """Where kernels come from."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Blur all pictures by one kernel."""
        kernel, facts = self.sampler(rng)
        note(log, "blur", facts)
        return correlate(x, kernel)


@dataclass(frozen=True)
class BlurSubsample:
    """I_LR = (I_HR ⊛ k)↓s: the first half of RealSR's model, computed only at the pixels kept.

    Kernels are centred at n//2 + (s−1)/2, so that LR pixel 0 stands for the middle of the first s×s block.
    """

    sampler: KernelSampler
    """Where kernels come from."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Blur and subsample all pictures by one kernel; sides become ⌊side / scale⌋."""
        kernel, facts = self.sampler(rng)
        note(log, "blur and subsample", facts | {"scale": self.scale})
        return correlate(x, kernel, stride=self.scale)


def correlate(x: Tensor, kernel: NDArray[np.floating], *, stride: int = 1) -> Tensor:
    """Return out[i, j] = Σ kernel[u, v] · x[stride·i + u − n//2, stride·j + v − n//2], pixels mirrored at the border.

    The mirror repeats the border pixel (d c b a | a b c d | d c b a), as scipy's and MATLAB's do.

    Args:
        x: N×C×H×W.
        kernel: n×n, n odd.
        stride: Keep every stride-th pixel, from 0; sides become ⌊side / stride⌋.
    """
    size = kernel.shape[0]
    if kernel.ndim != 2 or kernel.shape[1] != size or size % 2 == 0:
        raise UsageError(f"a kernel of {kernel.shape} can't be used; n×n with odd n is expected")
    n, channels, height, width = x.shape
    rows, columns = height // stride, width // stride
    if min(rows, columns) < 1:
        raise UsageError(f"{width}×{height} pixels are too few to keep every {stride}th")
    padded = _mirrored(_mirrored(x, 2, size, stride), 3, size, stride)
    weight = torch.from_numpy(np.array(kernel, dtype=np.float32)).to(x)  # a copy: pools are read-only
    out = functional.conv2d(
        padded, weight[None, None].expand(channels, 1, size, size), stride=stride, groups=channels
    )
    assert out.shape == (n, channels, rows, columns)
    return out


def _mirrored(x: Tensor, axis: int, size: int, stride: int) -> Tensor:
    """Lengthen an axis by what kernels see beyond its ends, and cut off what none sees."""
    length = x.shape[axis]
    before = size // 2
    after = (length // stride - 1) * stride + size - before - length
    if max(before, after) > length:
        return x.index_select(axis, _folded(length, before, after).to(x.device))
    # seven times as fast as to look up every pixel
    ends = (
        x.narrow(axis, 0, before).flip(axis),
        x.narrow(axis, length - max(after, 0), max(after, 0)).flip(axis),
    )
    return torch.cat([ends[0], x.narrow(axis, 0, length + min(after, 0)), ends[1]], axis)


def _folded(length: int, before: int, after: int) -> Tensor:
    """Where to look for each pixel when the picture is mirrored more than once."""
    place = np.arange(-before, length + after)
    folded = np.mod(place, 2 * length)
    return torch.from_numpy(np.where(folded < length, folded, 2 * length - 1 - folded))
