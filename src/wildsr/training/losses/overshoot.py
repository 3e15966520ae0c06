"""A loss on halos: what a picture adds at edges beyond the levels that its reference has around them."""

import torch.nn.functional as F
from torch import Tensor


def overshoot(sr: Tensor, hr: Tensor, radius: int = 4) -> Tensor:
    """Mean distance of sr from what hr has within `radius` pixels: above its greatest value or below its least.

    Args:
        sr: N×C×h×w.
        hr: The same shape.
        radius: Pixels to each side; 4 as in the metric `ringing`.
    """
    side = 2 * radius + 1
    greatest = F.max_pool2d(hr, side, stride=1, padding=radius)
    least = -F.max_pool2d(-hr, side, stride=1, padding=radius)
    beyond: Tensor = (F.relu(sr - greatest) + F.relu(least - sr)).mean()
    return beyond
