"""A before/after picture: plain enlargement beside the result."""

from pathlib import Path

import numpy as np

from wildsr.imaging import (
    RESULT_LIMITS,
    FloatArray,
    Metadata,
    Picture,
    Source,
    WriteOptions,
    WriteReport,
    open_source,
    resize,
    write,
)

WINDOW = 640
"""Side of each half at most, in pixels of the result."""
_GAP = 8


def comparison_path(target: Path) -> Path:
    """Return the place of a result's before/after picture."""
    return target.with_name(f"{target.stem}_compare.png")


def write_comparison(
    source: Source, result_path: Path, target: Path, *, overwrite: bool = True
) -> WriteReport:
    """Write the most detailed window of a picture: bicubic enlargement left, the result right.

    Args:
        source: The photo.
        result_path: Its super-resolved file.
        target: Where the comparison goes.
        overwrite: Replace an existing file.

    Raises:
        OutputError: If it can't be written.
    """
    result = open_source(result_path, limits=RESULT_LIMITS)
    scale_y, scale_x = result.height / source.height, result.width / source.width
    height, width = min(WINDOW, result.height), min(WINDOW, result.width)
    top, left = _most_detailed(source, max(1, round(height / scale_y)), max(1, round(width / scale_x)))
    rows, columns = max(1, round(height / scale_y)), max(1, round(width / scale_x))
    before = np.clip(
        resize(source.rgb(top, top + rows, left, left + columns), (height, width), method="bicubic"), 0, 1
    )
    y0 = min(round(top * scale_y), result.height - height)
    x0 = min(round(left * scale_x), result.width - width)
    after = result.rgb(y0, y0 + height, x0, x0 + width)
    gap = np.ones((height, _GAP, 3), np.float32)
    sheet: FloatArray = np.concatenate([before, gap, after], axis=1)
    picture = Picture(rgb=sheet, metadata=Metadata(icc=result.metadata.icc if not result.gray else None))
    return write(picture, target, options=WriteOptions(overwrite=overwrite))


def _most_detailed(source: Source, rows: int, columns: int) -> tuple[int, int]:
    """Top-left corner of the window with the strongest luma gradients, on a coarse raster."""
    step_y, step_x = max(1, (source.height - rows) // 8), max(1, (source.width - columns) // 8)
    best, corner = -1.0, (0, 0)
    for top in range(0, source.height - rows + 1, step_y):
        for left in range(0, source.width - columns + 1, step_x):
            luma = source.rgb(top, top + rows, left, left + columns).mean(axis=2)
            detail = float(np.abs(np.diff(luma, axis=0)).mean() if rows > 1 else 0) + float(
                np.abs(np.diff(luma, axis=1)).mean() if columns > 1 else 0
            )
            if detail > best:
                best, corner = detail, (top, left)
    return corner
