"""Bicubic enlargement and luma, for networks that start from the enlarged picture (SRCNN, VDSR, ZSSR, EnhanceNet)."""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from wildsr.imaging.luma import BT601_STUDIO

_SUPPORT = 2
"""The cubic kernel (a = −1/2) reaches two LR pixels to either side."""

_LUMA = tuple(weight / 255 for weight in BT601_STUDIO)
"""BT.601 studio luma of RGB in [0, 1], without the offset 16/255."""


def _cubic(x: float) -> float:
    x = abs(x)
    if x <= 1:
        return 1.5 * x**3 - 2.5 * x**2 + 1
    return -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2 if x < _SUPPORT else 0.0


def _phases(scale: int) -> Tensor:
    """Scale² filters of 5×5 taps: one for every position of an SR pixel inside its LR pixel."""
    taps = np.zeros((scale, 2 * _SUPPORT + 1))
    for phase in range(scale):
        centre = (phase + 0.5) / scale - 0.5
        taps[phase] = [_cubic(offset - centre) for offset in range(-_SUPPORT, _SUPPORT + 1)]
    taps /= taps.sum(axis=1, keepdims=True)
    filters = np.einsum("ij,kl->ikjl", taps, taps).reshape(scale * scale, 1, *[2 * _SUPPORT + 1] * 2)
    return torch.from_numpy(filters).float()


def _mirrored(x: Tensor, axis: int) -> Tensor:
    """Two more pixels at both ends of an axis, folded back symmetrically as MATLAB pads; any length ≥ 1.

    Of a single pixel, the edge repeated once has the neighbour that is wanted: itself.
    """
    last = x.shape[axis] - 1
    edged = torch.cat((x.narrow(axis, 0, 1), x, x.narrow(axis, last, 1)), dim=axis)
    return torch.cat((edged.narrow(axis, 2, 1), edged, edged.narrow(axis, last, 1)), dim=axis)


class Bicubic(nn.Module):
    """MATLAB's bicubic enlargement by a whole factor, as one convolution and a pixel shuffle.

    A convolution (and not `F.interpolate`, whose cubic has a = −3/4) so that the exported graph computes the same.
    """

    def __init__(self, scale: int) -> None:
        super().__init__()
        self.scale = scale
        self.filters: Tensor
        self.register_buffer("filters", _phases(scale), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Map N×c×h×w to N×c×sh×sw."""
        channels = x.shape[1]
        filters = self.filters.to(x.dtype).repeat(channels, 1, 1, 1)
        phases = F.conv2d(_mirrored(_mirrored(x, 2), 3), filters, groups=channels)
        enlarged: Tensor = F.pixel_shuffle(phases, self.scale)
        return enlarged


class Luma(nn.Module):
    """Split a picture into studio luma and the rest, and put it together again.

    Networks of the Y channel change the luma only; adding the same amount to R, G and B changes Y by
    219/255 of it and leaves Cb and Cr alone.
    """

    def __init__(self) -> None:
        super().__init__()
        self.weights: Tensor
        self.register_buffer("weights", torch.tensor(_LUMA).view(1, 3, 1, 1), persistent=False)
        self.gain = math.fsum(_LUMA)

    def forward(self, rgb: Tensor) -> Tensor:
        """N×3×h×w in [0, 1] → N×1×h×w in [16/255, 235/255]."""
        luma: Tensor = (rgb * self.weights).sum(dim=1, keepdim=True) + 16 / 255
        return luma

    def replace(self, rgb: Tensor, luma: Tensor) -> Tensor:
        """The picture with another luma and its own colours."""
        changed: Tensor = rgb + (luma - self(rgb)) / self.gain
        return changed
