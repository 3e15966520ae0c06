"""A loss on the pattern of period 4 that upsampling layers leave and that features of a classifier do not see."""

import torch.nn.functional as F
from torch import Tensor

_WINDOW = 8


def grid(sr: Tensor, hr: Tensor, period: int = 4) -> Tensor:
    """Mean absolute part of the error that repeats with a period in both directions, locally.

    The error sr − hr is averaged over windows of 8 × 8 periods, for each of the period² places in a period alone;
    what these averages have beyond their own mean is a grid (Odena et al. 2016 describe where it comes from). An
    offset of colour or brightness costs nothing.

    Args:
        sr: N×C×h×w.
        hr: The same shape.
        period: Pixels; the scale of the network.
    """
    side = min(_WINDOW, sr.shape[2] // period, sr.shape[3] // period)
    places = F.pixel_unshuffle(sr - hr, period)
    means = F.avg_pool2d(places, side, stride=max(side // 2, 1))
    means = means.view(len(sr), sr.shape[1], period**2, *means.shape[2:])
    beyond: Tensor = (means - means.mean(dim=2, keepdim=True)).abs().mean()
    return beyond
