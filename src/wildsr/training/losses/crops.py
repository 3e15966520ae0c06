"""A random part of each patch, for losses that cost more than the network they teach."""

import torch
from torch import Tensor
from torch.nn import functional

from wildsr.errors import UsageError

_LEAST = 32
"""Pixels a side: VGG's deepest features have 1/32 of them."""

_TURN = 0.2
"""Radians either way."""


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


def random_views(sr: Tensor, hr: Tensor, zoom: float, rng: torch.Generator) -> tuple[Tensor, Tensor]:
    """Turn each result and its truth alike by up to 11°, enlarge a part of it, and shift it by fractions of a pixel.

    A classifier pools pixels by twos, so patterns of certain periods and phases hardly change its features; a network
    taught by them alone learns to draw such patterns. Seen at random sizes and places, none stays hidden (after
    Kettunen, Härkönen and Lehtinen, E-LPIPS, 2019, whose transformations are others).

    Args:
        sr: N×3×h×w.
        hr: The same shape.
        zoom: Most times that a part is enlarged, each by its own factor from 1 on; 1: nothing is done.
        rng: Decides, on the CPU.

    Returns:
        Both in the shape given, by bicubic interpolation, mirrored at the borders.
    """
    if zoom == 1:
        return sr, hr
    count = len(hr)
    size, turn, right, down = torch.rand(4, count, generator=rng)
    part = zoom**-size
    angle = _TURN * (2 * turn - 1)
    across, along = part * angle.cos(), part * angle.sin()
    rows = [across, -along, (1 - part) * (2 * right - 1), along, across, (1 - part) * (2 * down - 1)]
    places = functional.affine_grid(
        torch.stack(rows, dim=1).view(count, 2, 3), list(hr.shape), align_corners=False
    ).to(hr)

    def seen(pictures: Tensor) -> Tensor:
        return functional.grid_sample(
            pictures, places, mode="bicubic", padding_mode="reflection", align_corners=False
        )

    return seen(sr), seen(hr)
