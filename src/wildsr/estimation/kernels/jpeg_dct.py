"""What JPEG compression did to a photo's spectrum, read off its pixels.  Plain numpy.

A photo that was compressed and not resized since has DCT coefficients that lie on a lattice: multiples of the step the
quantisation table has for each of 64 frequencies. Steps tell how large the errors are that compression left, frequency
by frequency, whatever program wrote the file and whether or not its table can still be had.
"""

from typing import Final

import numpy as np

from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray

BLOCK: Final = 8
_MOST_BLOCKS: Final = 6000
_LARGEST_STEP: Final = 64
_ON_THE_LATTICE: Final = 0.7
"""Mean of cos(2πc/q) over coefficients c: 1 on a lattice of step q, 0.84 for q = 2 and rounded pixels, 0 off it."""
_ENOUGH: Final = 40
"""Coefficients beyond half a step that are needed."""


def compression_error(plane: FloatArray) -> Doubles | None:
    """Return the variance JPEG's rounding left in each of 8×8 DCT frequencies, in squared levels.

    Args:
        plane: H×W luma in [0, 1], both sides at least 64, whole blocks of the file from its upper left corner, or (for
            turned photos) from another corner.

    Returns:
        8×8, [0, 0] the mean; None for a photo on no lattice.
    """
    height, width = plane.shape
    corners = {(top, left) for top in (0, height % BLOCK) for left in (0, width % BLOCK)}
    for corner in sorted(corners):
        steps = _steps(_coefficients(plane, corner))
        if np.count_nonzero(steps) >= 8:
            # steps too large to be seen are at least those of their neighbours: nothing is left to see there
            filled = np.maximum.accumulate(np.maximum.accumulate(steps, axis=0), axis=1)
            result: Doubles = np.where(steps > 0, steps, filled) ** 2 / 12
            return result
    return None


def at_frequencies(error: Doubles, right: Doubles, down: Doubles) -> Doubles:
    """Return the error's variance at frequencies in cycles per pixel of the photo (±), between those of the DCT."""
    from scipy.ndimage import map_coordinates

    places = np.stack([np.abs(down), np.abs(right)]) * 2 * BLOCK
    found: Doubles = map_coordinates(error, np.minimum(places, BLOCK - 1), order=1, mode="nearest")
    return found


def _coefficients(plane: FloatArray, corner: tuple[int, int]) -> Doubles:
    """N×8×8 orthonormal DCT coefficients in levels."""
    from scipy.fft import dctn

    top, left = corner
    rows, columns = (plane.shape[0] - top) // BLOCK, (plane.shape[1] - left) // BLOCK
    inner = plane[top : top + rows * BLOCK, left : left + columns * BLOCK].astype(np.float64) * 255 - 128
    blocks = inner.reshape(rows, BLOCK, columns, BLOCK).swapaxes(1, 2).reshape(-1, BLOCK, BLOCK)
    found: Doubles = dctn(blocks[:: -(-len(blocks) // _MOST_BLOCKS)], axes=(1, 2), norm="ortho")
    return found


def _steps(coefficients: Doubles) -> Doubles:
    """The largest step each frequency's coefficients are multiples of; 0 where none is found."""
    steps = np.zeros((BLOCK, BLOCK))
    for row in range(BLOCK):
        for column in range(BLOCK):
            if row or column:
                steps[row, column] = _step(np.abs(coefficients[:, row, column]))
    return steps


def _step(sizes: Doubles) -> float:
    for step in range(_LARGEST_STEP, 1, -1):
        large = sizes[sizes > step / 2]
        if len(large) >= _ENOUGH and np.cos(2 * np.pi * large / step).mean() > _ON_THE_LATTICE:
            return float(step)
    return 0.0
