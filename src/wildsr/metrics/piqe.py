"""PIQE: perception-based image quality evaluator, as MATLAB's toolbox defines it; no parameters.

Venkatanath, Praneeth, Chandrasekhar, Channappayya, Medasani, "Blind image quality evaluation using perception
based features", NCC 2015.
"""

import numpy as np
from numpy.typing import NDArray

from wildsr.metrics.metric import Metric
from wildsr.metrics.nss import mscn
from wildsr.metrics.pixels import Image, Plane, checked, gray_8bit

MINIMUM = (16, 16)
_BLOCK = 16
_SEGMENT = 6
_ACTIVE = 0.1  # least variance of a block that counts
_IMPAIRED = 0.1  # largest deviation of an edge segment that counts as an artefact


def piqe(picture: Image) -> float:
    """Return PIQE, 0 (best) to 100: how many active blocks are visibly distorted, and how much.

    Score = (Σ D_k + 1)/(N + 1) · 100 over the N active 16×16 blocks. D_k is 1 − variance where an edge
    segment is flat (blocking), plus the variance where the block looks like noise. 100 also means that no
    block is active.

    Raises:
        MetricError: Not a valid picture of at least 16×16.
    """
    checked(picture, "piqe", MINIMUM)
    height, width = picture.shape[:2]
    padding = ((0, -height % _BLOCK), (0, -width % _BLOCK))
    plane = np.pad(gray_8bit(picture), padding, mode="edge")
    blocks = _blocks(mscn(plane, "replicate")[0])
    variance = _variance(blocks.reshape(len(blocks), -1))
    active = variance > _ACTIVE
    blocks, variance = blocks[active], variance[active]
    if not len(blocks):
        return 100.0
    distortion = np.where(_has_flat_edge(blocks), 1 - variance, 0.0)
    distortion += np.where(_looks_noisy(blocks, variance), variance, 0.0)
    return float((distortion.sum() + 1) / (len(blocks) + 1) * 100)


def _blocks(plane: Plane) -> Plane:
    rows, columns = plane.shape[0] // _BLOCK, plane.shape[1] // _BLOCK
    return plane.reshape(rows, _BLOCK, columns, _BLOCK).swapaxes(1, 2).reshape(-1, _BLOCK, _BLOCK)


def _variance(values: Plane) -> Plane:
    """Unbiased variance along the last axis."""
    centred = values - values.mean(axis=-1, keepdims=True)
    squares: Plane = np.einsum("...i,...i->...", centred, centred)
    squares /= values.shape[-1] - 1
    return squares


def _has_flat_edge(blocks: Plane) -> NDArray[np.bool_]:
    """Any of the eleven 6-pixel segments of any of the four edges deviates by less than 0.1."""
    edges = np.stack([blocks[:, 0], blocks[:, -1], blocks[:, :, 0], blocks[:, :, -1]], axis=1)
    segments = np.lib.stride_tricks.sliding_window_view(edges, _SEGMENT, axis=2)
    least = np.sqrt(_variance(segments)).reshape(len(blocks), -1).min(axis=1)
    flat: NDArray[np.bool_] = least < _IMPAIRED
    return flat


def _looks_noisy(blocks: Plane, variance: Plane) -> NDArray[np.bool_]:
    """Block deviation above twice β, β the relative difference of it and the centre-to-surround ratio.

    The centre is columns 8 and 9 (from 1). The toolbox then deletes column 8 and, from what is left, column
    9, so its surround keeps the original column 9 and loses column 10; its values can be had only by doing
    the same.
    """
    count = len(blocks)
    centre = np.sqrt(_variance(blocks[:, :, 7:9].reshape(count, -1)))
    surround = np.sqrt(_variance(np.delete(blocks, (7, 9), axis=2).reshape(count, -1)))
    ratio = np.divide(centre, surround, out=np.full(count, np.inf), where=surround > 0)
    ratio[(centre == 0) & (surround == 0)] = 0.0
    deviation = np.sqrt(variance)
    beta = np.ones(
        count
    )  # an infinite ratio differs from the deviation by all of itself; MATLAB has NaN: not noisy
    finite = np.isfinite(ratio)
    beta[finite] = np.abs(deviation - ratio)[finite] / np.maximum(deviation, ratio)[finite]
    noisy: NDArray[np.bool_] = finite & (deviation > 2 * beta)
    return noisy


PIQE = Metric(
    name="piqe",
    label="PIQE",
    call=piqe,
    kind="no-reference",
    direction="lower",
    range=(0, 100),
    reference="none",
    family="MATLAB toolbox",
    citation="Venkatanath, Praneeth, Chandrasekhar, Channappayya, Medasani, NCC 2015",
    minimum=MINIMUM,
    protocol="PIQE as MATLAB's toolbox defines it, 16×16 blocks, replicated padding; no parameters.",
)
