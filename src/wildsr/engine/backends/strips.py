"""Run the tail of a split network in strips of rows, so that its large tensors stay small."""

from collections.abc import Callable

import numpy as np

from wildsr.engine.grid import spans
from wildsr.imaging import FloatArray

STRIP_PIXELS = 24_000
"""LR pixels of a strip: about 220 MB for the tail of RRDB-23 in fp32, and no slower than larger ones."""


def run_in_strips(
    features: FloatArray, run: Callable[[FloatArray], FloatArray], *, halo: int, scale: int
) -> FloatArray:
    """Give what `run(features)` would give, computed strip by strip.

    Args:
        features: 1×c×h×w at LR size.
        run: The tail: 1×c×k×w → 1×3×(scale·k)×(scale·w).
        halo: LR rows the tail needs beyond each strip; then strips equal the whole exactly.
        scale: SR pixels per LR pixel.
    """
    height, width = features.shape[2:]
    rows = max(STRIP_PIXELS // width, 4 * halo + 1)
    parts = spans(height, min(rows, height), halo)
    if len(parts) == 1:
        return run(features)
    result = np.empty((1, 3, height * scale, width * scale), np.float32)
    for part in parts:
        strip = run(np.ascontiguousarray(features[:, :, part.start : part.stop]))
        inner = slice((part.core_start - part.start) * scale, (part.core_stop - part.start) * scale)
        result[:, :, part.core_start * scale : part.core_stop * scale] = strip[:, :, inner]
    return result
