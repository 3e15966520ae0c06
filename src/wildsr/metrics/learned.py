"""LPIPS and DISTS: distances between two pictures' features in a network trained on ImageNet."""

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import BackendError, MetricError
from wildsr.metrics.graphs import Batch, GraphName, compiled, run
from wildsr.metrics.pixels import Image, checked_pair

ALEXNET_MINIMUM = (31, 31)
"""AlexNet's five taps are 7, 3, 1, 1, 1 pixels wide then."""

VGG16_MINIMUM = (16, 16)
"""VGG16's last tap is one pixel wide then."""


def lpips(sr: Image, hr: Image) -> float:
    """Return LPIPS v0.1 with AlexNet, the one papers compare by; 0 for equal pictures, lower is better.

    Zhang, Isola, Efros, Shechtman, Wang, "The unreasonable effectiveness of deep features as a perceptual
    metric", CVPR 2018.

    Raises:
        MetricError: Not two valid pictures of one size, at least 31×31.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "lpips", ALEXNET_MINIMUM)
    return float(distances("lpips-alexnet", _batch(sr), _batch(hr))[0])


def lpips_vgg(sr: Image, hr: Image) -> float:
    """Return LPIPS v0.1 with VGG16; not comparable with the AlexNet one.

    Raises:
        MetricError: Not two valid pictures of one size, at least 16×16.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "lpips_vgg", VGG16_MINIMUM)
    return float(distances("lpips-vgg16", _batch(sr), _batch(hr))[0])


def dists(sr: Image, hr: Image) -> float:
    """Return DISTS at the pictures' own size; 0 for equal pictures, lower is better.

    Ding, Ma, Wang, Simoncelli, "Image quality assessment: unifying structure and texture similarity", IEEE
    TPAMI 2020.

    Raises:
        MetricError: Not two valid pictures of one size, at least 16×16.
        AssetError: The weights can't be had.
    """
    checked_pair(sr, hr, "dists", VGG16_MINIMUM)
    return float(distances("dists", _batch(sr), _batch(hr))[0])


def distances(name: GraphName, sr: Batch, hr: Batch) -> NDArray[np.float64]:
    """Return N distances of two batches N×H×W×3 of float32 levels 0…255.

    Raises:
        MetricError: The batches differ in shape or type.
        BackendError: A distance is not a number.
        AssetError: The weights can't be had.
    """
    for batch in (sr, hr):
        if batch.ndim != 4 or batch.shape[3] != 3 or batch.dtype != np.float32 or batch.shape != sr.shape:
            raise MetricError(
                f"{name}: two float32 batches N×H×W×3 of one shape are expected, "
                f"not {sr.dtype} {sr.shape} and {hr.dtype} {hr.shape}"
            )
    found = run(compiled(name), np.ascontiguousarray(sr), np.ascontiguousarray(hr))
    if not np.isfinite(found).all():
        raise BackendError(f"{name} came out as {found}; the inference can't be right")
    return found


def _batch(picture: Image) -> Batch:
    batch = picture[None].astype(np.float32)
    if picture.dtype != np.uint8:
        batch *= 255.0
    return batch
