"""Judging a training on fixed crops of photos it never sees."""

from collections.abc import Callable, Sequence
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from wildsr.data import Sample, collate
from wildsr.metrics import lpips, psnr_y, ssim_y
from wildsr.metrics.grid import grid
from wildsr.metrics.ringing import ringing
from wildsr.training.session import Point, Session

Bytes: TypeAlias = NDArray[np.uint8]

_SHOWN = 4
"""Crops in TensorBoard's grid."""

_LEAST_SIDE = 64
"""Of a crop that artefacts can be measured on."""


def validator(
    session: Session,
    crops: Sequence[Sample],
    *,
    border: int,
    looks: bool = False,
    artefacts: bool = False,
) -> Callable[[nn.Module, int], Point] | None:
    """Make the function that the loop calls; None without crops.

    Args:
        session: Whose TensorBoard gets a grid of the first crops: LR (nearest), SR, HR side by side.
        crops: With LR and HR.
        border: HR pixels left out at every side, the scale by custom.
        looks: Also give mean `lpips` (AlexNet), whose weights are fetched once.
        artefacts: Also give mean `grid` and `ringing`, of crops that are large enough for them.

    Returns:
        (network, step) → mean `psnr` and `ssim` over Y, of results rounded to 8 bits.
    """
    if not crops:
        return None

    def validate(network: nn.Module, step: int) -> Point:
        network.eval()
        points: list[Point] = []
        rows = []
        for number, crop in enumerate(crops):
            sr = super_resolve(network, crop, session.fabric.device)
            hr = np.asarray(crop.hr, dtype=np.uint8)
            inner = (slice(border, -border or None), slice(border, -border or None))
            ours, truth = sr[inner], hr[inner]
            point = {"psnr": psnr_y(ours, truth), "ssim": ssim_y(ours, truth)}
            if looks:
                point["lpips"] = lpips(ours, truth)
            if artefacts and min(ours.shape[:2]) >= _LEAST_SIDE:
                point |= {"grid": grid(ours), "ringing": ringing(ours, truth)}
            points.append(point)
            if number < _SHOWN and session.writer is not None:
                rows.append(_row(np.asarray(crop.lr, dtype=np.uint8), sr, hr))
        if rows and session.writer is not None:
            width = min(row.shape[1] for row in rows)
            sheet = np.concatenate([row[:, :width] for row in rows])
            session.writer.add_image("samples", sheet, step, dataformats="HWC")
        return {
            name: float(np.mean([point[name] for point in points if name in point]))
            for name in dict.fromkeys(name for point in points for name in point)
        }

    return validate


@torch.no_grad()
def super_resolve(network: nn.Module, crop: Sample, device: torch.device) -> Bytes:
    """Run a network on one sample's LR: h×w×3 8-bit in, sh×sw×3 8-bit out."""
    lr = collate([crop]).lr.to(device)
    sr = network(lr)[0].float().clamp(0, 1).mul(255).round().byte()
    pixels: Bytes = sr.permute(1, 2, 0).cpu().numpy()
    return pixels


def _row(
    lr: Bytes,
    sr: Bytes,
    hr: Bytes,
) -> Bytes:
    scale = hr.shape[0] // lr.shape[0]
    return np.concatenate([lr.repeat(scale, 0).repeat(scale, 1), sr, hr], axis=1)
