"""Grids: the pattern of period 4 (and 2) that upsampling layers leave, and that LPIPS does not see.

Odena, Dumoulin, Olah, "Deconvolution and checkerboard artifacts", Distill 2016, describes where it comes from. A
picture without one has no more power at multiples of 1/4 cycle a pixel than right beside them.
"""

from functools import lru_cache
from typing import Final

import numpy as np

from wildsr.imaging.luma import BT601
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, Plane, checked, levels

PERIOD: Final = 4
_TILE: Final = 32
_HOP: Final = 16
_FLAT: Final = 0.25  # part of the tiles that counts
_LEAST_TILES: Final = 9
MINIMUM = (64, 64)


def grid(picture: Image) -> float:
    """Return the strength of a pattern of period 4 on the flat parts, as its RMS in levels; 0 is none.

    In every 32×32 tile of luma (Hann window, half overlapping) the lines are the 15 frequencies (i/4, j/4) except 0.
    A line's power P less the mean N beside it (2 and 3 bins away, along the axis for lines on an axis) is the
    variance of its part of a pattern. Over the quarter of tiles with the least power off the lines:
    √max(0, median Σ(P − N)). Pictures without a grid have 0 or little more. JPEG's blocks of 8 count too, and so does
    a fabric or a screen of that period in the scene; a pattern of period 3, of a ×3 network, does not.

    Raises:
        MetricError: Not a valid picture of at least 64×64.
    """
    checked(picture, "grid", MINIMUM)
    plane = levels(picture) @ np.array(BT601)
    rows = range(0, plane.shape[0] - _TILE + 1, _HOP)
    excess, rest = np.concatenate([_lines(plane[top : top + _TILE]) for top in rows], axis=1)
    count = min(rest.size, max(_LEAST_TILES, round(_FLAT * rest.size)))
    flattest = np.argpartition(rest, count - 1)[:count]
    return float(np.sqrt(max(float(np.median(excess[flattest])), 0.0)))


def _lines(strip: Plane) -> Plane:
    """Of every tile of a strip: what its lines have in excess of what is beside them, and the power off the lines."""
    tiles = np.lib.stride_tricks.sliding_window_view(strip, _TILE, axis=1)[:, ::_HOP].transpose(1, 0, 2)
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(_TILE) / _TILE)
    weights = np.outer(window, window)
    centred = tiles - tiles.mean(axis=(1, 2), keepdims=True)
    power = np.abs(np.fft.fft2(centred * weights)) ** 2 / weights.sum() ** 2
    excess, rest = _stencils()
    return np.stack([(power * excess).sum(axis=(1, 2)), (power * rest).sum(axis=(1, 2))])


@lru_cache(maxsize=1)
def _stencils() -> tuple[Plane, Plane]:
    """Weights over a tile's spectrum: lines less their neighbours, and all that is off lines and not slow."""
    step = _TILE // PERIOD
    excess, rest = np.zeros((_TILE, _TILE)), np.ones((_TILE, _TILE))
    for row in range(0, _TILE, step):
        for column in range(0, _TILE, step):
            near = np.arange(-1, 2)  # a Hann window spreads a line over three bins
            rest[np.ix_((row + near) % _TILE, (column + near) % _TILE)] = 0
            if row or column:
                excess[row, column] += 1
                beside = _beside(row, column)
                for y, x in beside:
                    excess[y % _TILE, x % _TILE] -= 1 / len(beside)
    slow = np.abs(np.fft.fftfreq(_TILE)) < 1 / 8
    rest[np.ix_(slow, slow)] = 0
    return excess, rest


def _beside(row: int, column: int) -> list[tuple[int, int]]:
    """Bins beside a line that it does not reach, along the axis for lines on an axis: scenes have power along it."""
    steps = (-3, -2, 2, 3)
    down = [(row + one, column) for one in steps] if row else []
    across = [(row, column + one) for one in steps] if column else []
    return down + across


GRID = Metric(
    name="grid",
    label="Grid",
    call=grid,
    kind="artefact",
    direction="lower",
    range=(0, 128),
    unit="levels",
    reference="none",
    family="wildsr",
    citation="power at multiples of 1/4 cycle a pixel over that beside them",
    minimum=MINIMUM,
    protocol="RMS in levels of a pattern of period 4 on the flattest quarter of 32×32 tiles of BT.601 luma.",
)
