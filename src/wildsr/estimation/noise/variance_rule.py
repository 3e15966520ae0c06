"""RealSR's own rule for noise patches: cut on a grid, keep what varies little (Ji et al., CVPRW 2020, and its code)."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wildsr.degradation.profile import FloatArray


@dataclass(frozen=True, kw_only=True)
class VarianceRule:
    """Which patches are taken for noise."""

    side: int = 256
    """Of a patch."""

    stride: int = 256
    """Between patches."""

    variance: float = 20.0
    """Of the gray levels (0 to 255) of a patch: smaller ones are kept."""

    mean: float = 0.0
    """Of the gray levels: brighter patches are kept (clipped black has no noise)."""


def low_variance_patches(rgb: NDArray[np.uint8], rule: VarianceRule) -> FloatArray:
    """Cut the patches that vary little out of a photo.

    Args:
        rgb: H×W×3.
        rule: Which are kept.

    Returns:
        N×3×side×side, free of each channel's mean, in units of pictures in [0, 1].
    """
    kept = list(_kept(rgb, rule))
    return np.stack(kept) if kept else np.zeros((0, 3, rule.side, rule.side), np.float32)


def _kept(rgb: NDArray[np.uint8], rule: VarianceRule) -> Iterator[FloatArray]:
    height, width = rgb.shape[:2]
    for top in range(0, height - rule.side + 1, rule.stride):
        for left in range(0, width - rule.side + 1, rule.stride):
            patch = np.ascontiguousarray(rgb[top : top + rule.side, left : left + rule.side])
            gray = np.asarray(Image.fromarray(patch).convert("L"), dtype=np.float64)
            if gray.var() < rule.variance and gray.mean() > rule.mean:
                exact = patch.transpose(2, 0, 1) / 255.0
                yield (exact - exact.mean(axis=(1, 2), keepdims=True)).astype(np.float32)
