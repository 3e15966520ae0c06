"""A random part of each patch, for losses that cost more than the network they teach."""

import torch
from torch import Tensor

from wildsr.errors import UsageError

_LEAST = 32
"""Pixels a side: VGG's deepest features have 1/32 of them."""


def check_crop(side: int, patch: int) -> None:
    """Refuse a crop that can't be taken.

    Args:
        side: Of the crop, HR pixels; 0: the whole patch.
        patch: Side of the patch.

    Raises:
        UsageError: It is neither 0 nor between the least that VGG takes and the patch.
    """
    if side and not _LEAST <= side <= patch:
        raise UsageError(
            f"perceptual_crop must be 0 (the whole patch) or from {_LEAST} to data.patch ({patch}), not {side}",
            hint="half of data.patch takes a quarter of the time",
        )


def random_crops(sr: Tensor, hr: Tensor, side: int, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut the same random square out of each result and its truth, another one for each pair.

    Args:
        sr: N×3×h×w.
        hr: The same shape.
        side: Of the squares; 0, or no less than h or w: nothing is cut.
        rng: Decides where, on the CPU.

    Returns:
        Both as N×3×side×side.
    """
    height, width = hr.shape[2:]
    if not side or side >= min(height, width):
        return sr, hr
    tops, lefts = (
        torch.randint(0, size - side + 1, (len(hr),), generator=rng).tolist() for size in (height, width)
    )

    def cut(pictures: Tensor) -> Tensor:
        return torch.stack(
            [
                one[:, top : top + side, left : left + side]
                for one, top, left in zip(pictures, tops, lefts, strict=True)
            ]
        )

    return cut(sr), cut(hr)
