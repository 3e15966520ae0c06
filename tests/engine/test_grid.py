import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.engine.grid import best_grid, enough_pixels, fixed_grid, spans
from wildsr.errors import UsageError

lengths = st.integers(1, 3000)
halos = st.integers(0, 64)


@given(length=lengths, tile=st.integers(1, 700), halo=halos)
def test_cores_cover_every_pixel_once_and_tiles_stay_inside(length: int, tile: int, halo: int) -> None:
    if tile < length and tile - 2 * halo < 1:
        with pytest.raises(UsageError, match="too small for a halo"):
            spans(length, tile, halo)
        return
    parts = spans(length, tile, halo)
    assert [p.core_start for p in parts] == [0, *(p.core_stop for p in parts[:-1])]
    assert parts[-1].core_stop == length
    assert all(0 <= p.start <= p.core_start < p.core_stop <= p.stop <= length for p in parts)
    assert {p.length for p in parts} == {min(tile, length)}


@given(length=lengths, tile=st.integers(1, 700), halo=halos)
def test_a_core_keeps_its_halo_except_at_the_pictures_own_border(length: int, tile: int, halo: int) -> None:
    if tile < length and tile - 2 * halo < 1:
        return
    for part in spans(length, tile, halo):
        assert part.start == 0 or part.core_start - part.start >= halo
        assert part.stop == length or part.stop - part.core_stop >= halo


@given(length=lengths, tile=st.integers(100, 700), halo=st.integers(0, 20), multiple=st.integers(1, 8))
def test_tiles_begin_at_multiples_and_keep_their_halo(
    length: int, tile: int, halo: int, multiple: int
) -> None:
    parts = spans(length, tile, halo, multiple)
    assert all(part.start % multiple == 0 for part in parts)
    assert all(part.length % multiple == 0 for part in parts[:-1])
    assert [p.core_start for p in parts] == [0, *(p.core_stop for p in parts[:-1])]
    assert parts[-1].core_stop == parts[-1].stop == length
    for part in parts:
        assert part.start == 0 or part.core_start - part.start >= halo
        assert part.stop == length or part.stop - part.core_stop >= halo


@given(height=lengths, width=lengths, halo=st.integers(0, 48), pixels=st.integers(140**2, 600**2))
def test_best_grid_respects_the_memory_and_is_never_worse_than_square_tiles(
    height: int, width: int, halo: int, pixels: int
) -> None:
    grid = best_grid(height, width, max_pixels=pixels, halo=halo)
    rows, columns = grid.tile_size
    assert rows * columns <= pixels
    side = int(pixels**0.5)
    assert grid.overlap_cost <= fixed_grid(height, width, tile=side, halo=halo).overlap_cost + 1e-9


def test_one_megapixel_photo_costs_less_than_the_promised_overlap() -> None:
    # the promise is ≤ 1.55; 239,000 LR pixels is what 2.7 GB hold of RRDB-23 in fp32.
    for height, width in ((1000, 1000), (1024, 1024), (867, 1155), (816, 1224)):
        assert best_grid(height, width, max_pixels=239_000, halo=48).overlap_cost < 1.4


@pytest.mark.parametrize(
    ("halo", "side", "cost"), [(0, 256, 1.0), (4, 412, 1.04), (8, 418, 1.09), (48, 4943, 1.04)]
)
def test_tiles_grow_until_their_overlap_is_cheap(halo: int, side: int, cost: float) -> None:
    pixels = enough_pixels(halo)
    assert pixels == pytest.approx(side**2, rel=0.005)
    assert (side / (side - 2 * halo)) ** 2 <= cost + 0.001


def test_too_little_memory_for_the_halo_is_said() -> None:
    with pytest.raises(UsageError, match="needs 112×112") as caught:
        best_grid(1000, 1000, max_pixels=5000, halo=48)
    assert "--max-memory" in str(caught.value.hint)
