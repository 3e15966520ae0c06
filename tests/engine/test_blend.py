from collections.abc import Callable, Iterator

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from wildsr.engine.blend import bands
from wildsr.engine.grid import Grid, Span, fixed_grid
from wildsr.imaging import FloatArray


def tiles(grid: Grid, render: Callable[[Span, Span], FloatArray]) -> Iterator[FloatArray]:
    return (render(row, column) for row in grid.rows for column in grid.columns)


@settings(max_examples=60, deadline=None)
@given(
    height=st.integers(1, 90),
    width=st.integers(1, 90),
    tile=st.integers(20, 60),
    scale=st.integers(1, 4),
    channels=st.integers(1, 4),
    fade=st.integers(0, 6),
)
def test_tiles_that_agree_give_the_whole_picture_back(
    height: int, width: int, tile: int, scale: int, channels: int, fade: int
) -> None:
    whole = np.random.default_rng(0).random((height * scale, width * scale, channels), np.float32)

    def render(rows: Span, columns: Span) -> FloatArray:
        return whole[
            rows.start * scale : rows.stop * scale, columns.start * scale : columns.stop * scale
        ].copy()

    grid = fixed_grid(height, width, tile=tile, halo=8)
    result = np.concatenate(
        list(
            bands(
                grid,
                tiles(grid, render),
                scale=scale,
                channels=channels,
                fade=fade,
                quantise=lambda block: block,
            )
        )
    )
    np.testing.assert_allclose(result, whole, atol=1e-6)


def test_tiles_that_differ_cross_fade_without_a_step() -> None:
    # Left tiles are black, right tiles white: across the cut values climb evenly over 2·fade LR pixels.
    def render(rows: Span, columns: Span) -> FloatArray:
        return np.full((rows.length, columns.length, 1), float(columns.start > 0), np.float32)

    grid = fixed_grid(20, 50, tile=30, halo=5)
    row = np.concatenate(
        list(bands(grid, tiles(grid, render), scale=1, channels=1, fade=4, quantise=lambda block: block))
    )[10, :, 0]
    assert np.diff(row).max() <= 1 / 8 + 1e-6
    assert (np.diff(row) >= -1e-7).all()
    assert row[0] == 0
    assert row[-1] == 1
    assert np.count_nonzero((row > 0) & (row < 1)) == 8
