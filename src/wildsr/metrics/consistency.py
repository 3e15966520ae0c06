"""Consistency of a super-resolved picture with its low-resolution input."""

from math import inf

import numpy as np

from wildsr.errors import MetricError
from wildsr.imaging.resize import apply_weights, resize_uint8, weights
from wildsr.metrics.fidelity import psnr
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, Plane, checked, levels


def lr_consistency(sr: Image, lr: Image) -> float:
    """Return the PSNR over RGB (dB) of the SR picture shrunk by MATLAB's bicubic against the LR picture.

    The `LR-PSNR` of Lugmayr, Danelljan, Timofte, "NTIRE 2021 learning the super-resolution space challenge";
    above 45 dB is consistent. Higher is better, +inf for exact agreement.

    Raises:
        MetricError: Not two valid pictures, or the SR sides are not the same multiple of the LR sides.
    """
    whole_scale(sr, lr, "lr_consistency")
    if sr.dtype == np.uint8 and lr.dtype == np.uint8:
        whole = sr.astype(np.uint8, copy=False)
        return psnr(resize_uint8(whole, (lr.shape[0], lr.shape[1])), lr)
    small = levels(sr)
    for axis in (0, 1):
        small = apply_weights(weights(sr.shape[axis], lr.shape[axis]), small, axis)
    shrunk = np.clip(small / 255, 0, 1).astype(np.float32)
    return psnr(shrunk, (levels(lr) / 255).astype(np.float32))


def colour_drift(sr: Image, lr: Image) -> float:
    """Return the mean absolute difference, in levels, of the SR picture's block means and the LR picture.

    Every LR pixel is compared with the mean of the pixels it became, so texture cancels and a shift of colour
    or brightness stays. Lower is better, 0 is none.

    Raises:
        MetricError: Not two valid pictures, or the SR sides are not the same multiple of the LR sides.
    """
    scale = whole_scale(sr, lr, "colour_drift")
    rows, columns = lr.shape[:2]
    means: Plane = levels(sr).reshape(rows, scale, columns, scale, 3).mean(axis=(1, 3))
    return float(np.abs(means - levels(lr)).mean())


def whole_scale(sr: Image, lr: Image, metric: str) -> int:
    """Return how many SR pixels an LR pixel became along a side.

    Raises:
        MetricError: Not two valid pictures, or the SR sides are not the same multiple of the LR sides.
    """
    checked(sr, metric)
    checked(lr, metric)
    scale = int(sr.shape[0]) // int(lr.shape[0])
    if scale < 1 or sr.shape[0] != scale * lr.shape[0] or sr.shape[1] != scale * lr.shape[1]:
        raise MetricError(
            f"{metric}: {sr.shape[1]}×{sr.shape[0]} is no whole multiple of {lr.shape[1]}×{lr.shape[0]}",
            hint="it compares an SR picture with the LR picture it was made from",
        )
    return scale


LR_CONSISTENCY = Metric(
    name="lr_consistency",
    label="LR consistency",
    call=lr_consistency,
    kind="consistency",
    direction="higher",
    range=(0, inf),
    unit="dB",
    reference="lr",
    family="LR-PSNR (NTIRE 2021)",
    citation="Lugmayr, Danelljan, Timofte, CVPRW 2021",
    minimum=(1, 1),
    protocol="PSNR in dB over RGB of the SR picture shrunk by MATLAB's bicubic against the LR picture.",
)

COLOUR_DRIFT = Metric(
    name="colour_drift",
    label="colour drift",
    call=colour_drift,
    kind="consistency",
    direction="lower",
    range=(0, 255),
    unit="levels",
    reference="lr",
    family="wildsr",
    citation="mean absolute difference of block means",
    minimum=(1, 1),
    protocol="Mean absolute difference, in levels, of the SR picture's block means and the LR picture.",
)
