"""A loss on halos: what a picture adds at edges beyond the levels that its reference has around them."""

from typing import Final

import torch.nn.functional as F
from torch import Tensor

_RADIUS: Final = 4
"""Pixels to each side, as in the metric `ringing`."""


def overshoot(sr: Tensor, hr: Tensor) -> Tensor:
    """Mean distance of sr from what hr has within 4 pixels: above its greatest value or below its least.

    Args:
        sr: N×C×h×w in [0, 1].
        hr: The same shape.
    """
    side = 2 * _RADIUS + 1
    greatest = F.max_pool2d(hr, side, stride=1, padding=_RADIUS)
    least = -F.max_pool2d(-hr, side, stride=1, padding=_RADIUS)
    beyond: Tensor = (F.relu(sr - greatest) + F.relu(least - sr)).mean()
    return beyond
