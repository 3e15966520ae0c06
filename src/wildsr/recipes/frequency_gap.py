"""Whether a learnt degradation is nearer to the real photos than bicubic LR is, in numbers."""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import nn

from wildsr.data import Photo
from wildsr.data.photos import Bytes
from wildsr.files import atomic_write
from wildsr.training.datasets import Dataset
from wildsr.training.domain_gap import alike, gap

GAP: Final = "gap.json"
_SIDE: Final = 160
_MOST: Final = 24
_POOL: Final = 60
"""Clean pictures at most, of which patches as rich in contrast as the real ones' are chosen."""


def write_gap(folder: Path, degrader: nn.Module, clean: Dataset, real: Sequence[Photo]) -> str:
    """Measure, write `gap.json`, and return a line for the user.

    Args:
        folder: The degrader's.
        degrader: Clean LR → LR as of the source.
        clean: Photos with bicubic LR, those held out first.
        real: The source's.
    """
    small = [np.asarray(crop.lr, dtype=np.uint8) for crop in clean.validation]
    small += [_middle(photo.lr) for photo in clean.train if photo.lr is not None][
        : max(_POOL - len(small), 0)
    ]
    made = [_degraded(degrader, one) for one in small]
    theirs = [_middle(photo.hr) for photo in real[:_MOST]]
    plain, degraded = alike(theirs, small, [small, made])
    found = {"bicubic": gap(theirs, plain), "degraded": gap(theirs, degraded)}
    known = {name: None if one is None else asdict(one) for name, one in found.items()}
    with atomic_write(folder / GAP) as temporary:
        temporary.write_text(json.dumps(known, indent=1) + "\n", encoding="utf-8")
    before, after = found["bicubic"], found["degraded"]
    if before is None or after is None:
        return "note: too few pictures to say how near the degraded ones are to the real ones"
    return (
        "distance to the real photos at equal contrast, bicubic LR → degraded LR: Fréchet of noise statistics "
        f"{before.frechet:.2f} → {after.frechet:.2f}; error of a classifier (.5: can't tell) "
        f"{before.classifier_error:.2f} → {after.classifier_error:.2f}"
    )


def _middle(picture: Bytes) -> Bytes:
    height, width = (min(length, _SIDE) for length in picture.shape[:2])
    top, left = (picture.shape[0] - height) // 2, (picture.shape[1] - width) // 2
    return np.asarray(picture[top : top + height, left : left + width])


@torch.no_grad()
def _degraded(degrader: nn.Module, picture: Bytes) -> Bytes:
    device = next(degrader.parameters()).device
    given = torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1)))[None].to(device).float() / 255
    made: Bytes = degrader.eval()(given)[0].clamp(0, 1).mul(255).round().byte().permute(1, 2, 0).cpu().numpy()
    return made
