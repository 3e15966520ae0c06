"""Noise of real photos: crops of the patches that a profile holds (RealSR, Algorithm 1)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from wildsr.degradation.operation import Fact, Log, note, pick
from wildsr.degradation.profile import FloatArray
from wildsr.errors import UsageError


@dataclass(frozen=True, eq=False)
class NoisePool:
    """Adds a random crop of a random patch to every picture, free of its mean and of its ramp.

    A picture larger than the patches gets a quilt of crops of one patch, cross-faded so that the variance stays.
    """

    patches: FloatArray
    """N×3×p×p in [−1, 1]."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise; every picture of a batch gets its own."""
        if not len(self.patches):
            raise UsageError("the pool has no noise patch")
        size = (x.shape[2], x.shape[3])
        fields, drawn = [], list[Fact]()
        for _ in range(x.shape[0]):
            index = pick(rng, len(self.patches))
            field, corners = noise_field(self.patches[index], size, rng)
            fields.append(field)
            drawn.append({"patch": index, "crops": [list[Fact](corner) for corner in corners]})
        note(log, "noise from the pool", {"drawn": drawn})
        return x + torch.from_numpy(np.stack(fields)).to(x)


def noise_field(
    patch: FloatArray, size: tuple[int, int], rng: np.random.Generator
) -> tuple[FloatArray, list[tuple[int, int]]]:
    """Return 3×h×w noise out of a patch, and the corners of the crops (row, column) it was made of, row by row.

    Args:
        patch: 3×p×p.
        size: (h, w), of any relation to p.
        rng: Where the crops are drawn.
    """
    side = patch.shape[1]
    height, width = size
    if max(size) <= side:
        row, column = int(rng.integers(side - height + 1)), int(rng.integers(side - width + 1))
        return detrended(patch[:, row : row + height, column : column + width]), [(row, column)]
    tile = max(side * 3 // 4, 1)
    overlap = tile // 8
    step = tile - overlap
    rows, columns = (-(-max(length - overlap, 1) // step) for length in size)
    canvas = np.zeros((3, rows * step + overlap, columns * step + overlap), dtype=np.float32)
    corners = []
    for i in range(rows):
        for j in range(columns):
            corner = (int(rng.integers(side - tile + 1)), int(rng.integers(side - tile + 1)))
            crop = detrended(patch[:, corner[0] : corner[0] + tile, corner[1] : corner[1] + tile])
            down, right = (_window(tile, overlap, n, last) for n, last in ((i, rows - 1), (j, columns - 1)))
            canvas[:, i * step : i * step + tile, j * step : j * step + tile] += crop * np.outer(down, right)
            corners.append(corner)
    whole = canvas[:, :height, :width]
    return whole - whole.mean(axis=(1, 2), keepdims=True), corners


def detrended(crop: FloatArray) -> FloatArray:
    """Return a 3×h×w crop without the plane that fits each channel best: neither mean nor low-frequency ramp.

    Patches are often cut from skies, whose brightness changes evenly.
    """
    exact = crop.astype(np.float64)
    exact -= exact.mean(axis=(1, 2), keepdims=True)
    for axis in (1, 2):
        length = exact.shape[axis]
        if length > 1:
            ramp = np.arange(length) - (length - 1) / 2
            shape = (1, -1, 1) if axis == 1 else (1, 1, -1)
            profile = exact.mean(axis=3 - axis)
            slope = profile @ ramp / (ramp @ ramp)
            exact -= slope[:, None, None] * ramp.reshape(shape)
    return exact.astype(np.float32)


def _window(tile: int, overlap: int, number: int, last: int) -> FloatArray:
    """Weights of a tile whose squares sum to 1 with its neighbour's, where there is one."""
    window = np.ones(tile, dtype=np.float32)
    if overlap:
        rise = np.sin(np.pi / 2 * (np.arange(overlap) + 0.5) / overlap).astype(np.float32)
        if number > 0:
            window[:overlap] = rise
        if number < last:
            window[-overlap:] = rise[::-1]
    return window
