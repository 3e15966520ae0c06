"""Ringing: what a picture overshoots at edges, beyond the levels that its reference has around them."""

from typing import Final

import numpy as np

from wildsr.imaging.luma import BT601
from wildsr.metrics.consistency import whole_scale
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, Plane, checked_pair, levels

_HR_RADIUS: Final = 4
_LR_RADIUS: Final = 2
_EDGE: Final = 48.0  # levels between the darkest and the brightest pixel around an edge
_TOLERANCE: Final = 2.0  # levels that rounding and slight noise may exceed the bounds by
MINIMUM = (16, 16)


def ringing(sr: Image, hr: Image) -> float:
    """Return the overshoot at edges in percent of their height, measured against the HR picture; 0 is none.

    Around every pixel the HR picture's least and greatest luma in a 9×9 window bound what an edge there can be.
    Where they are 48 levels or more apart: 100 · Σ max(0, sr − greatest − 2, least − sr − 2) / Σ (greatest − least).

    Raises:
        MetricError: Not two valid pictures of one size, at least 16×16.
    """
    checked_pair(sr, hr, "ringing", MINIMUM)
    return _overshoot(_luma(sr), *_bounds(_luma(hr), _HR_RADIUS))


def ringing_lr(sr: Image, lr: Image) -> float:
    """Return the overshoot at edges in percent of their height, measured against the LR picture; 0 is none.

    As `ringing`, with the bounds of the 5×5 LR pixels around. A thin line is lower in the LR picture than it really
    is, so that a sharp and true picture does not reach 0 here; compare methods on the same pictures.

    Raises:
        MetricError: Not two valid pictures, or the SR sides are not the same multiple of the LR sides.
    """
    scale = whole_scale(sr, lr, "ringing_lr")
    least, greatest = _bounds(_luma(lr), _LR_RADIUS)
    return _overshoot(
        _luma(sr), *(bound.repeat(scale, axis=0).repeat(scale, axis=1) for bound in (least, greatest))
    )


def _luma(picture: Image) -> Plane:
    plane: Plane = levels(picture) @ np.array(BT601)
    return plane


def _bounds(plane: Plane, radius: int) -> tuple[Plane, Plane]:
    """Least and greatest value within `radius` of every pixel, along both axes."""
    least = greatest = plane
    for axis in (0, 1):
        width = [(0, 0), (0, 0)]
        width[axis] = (radius, radius)
        low, high = np.pad(least, width, mode="edge"), np.pad(greatest, width, mode="edge")
        length = plane.shape[axis]
        parts = [slice(start, start + length) for start in range(2 * radius + 1)]
        index = [(part, slice(None)) if axis == 0 else (slice(None), part) for part in parts]
        least, greatest = low[index[0]], high[index[0]]
        for one in index[1:]:
            least, greatest = np.minimum(least, low[one]), np.maximum(greatest, high[one])
    return least, greatest


def _overshoot(plane: Plane, least: Plane, greatest: Plane) -> float:
    height = greatest - least
    edge = height >= _EDGE
    if not edge.any():
        return 0.0
    beyond = np.maximum(plane - greatest, least - plane)[edge] - _TOLERANCE
    return float(100 * np.maximum(beyond, 0).sum() / height[edge].sum())


RINGING = Metric(
    name="ringing",
    label="Ringing",
    call=ringing,
    kind="artefact",
    direction="lower",
    range=(0, 500),
    unit="%",
    decimals=3,
    reference="hr",
    family="wildsr",
    citation="luma beyond the HR picture's in a 9×9 window at edges",
    minimum=MINIMUM,
    protocol="Mean overshoot at edges of 48 levels or more, in percent of their height, beyond the HR's luma nearby.",
)

RINGING_LR = Metric(
    name="ringing_lr",
    label="Ringing (LR)",
    call=ringing_lr,
    kind="artefact",
    direction="lower",
    range=(0, 500),
    unit="%",
    decimals=3,
    reference="lr",
    family="wildsr",
    citation="luma beyond the LR picture's in a 5×5 window at edges",
    minimum=(1, 1),
    protocol="Mean overshoot at edges of 48 levels or more, in percent of their height, beyond the LR's luma nearby.",
)
