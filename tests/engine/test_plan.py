import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.engine import Settings, Size, memory
from wildsr.engine.plan import Plan, Shape, make_plan, pass_count
from wildsr.errors import LimitError, UsageError
from wildsr.imaging import FORMATS
from wildsr.models import ModelSpec

RRDB = ModelSpec(id="rrdb", architecture="rrdb")
COMPACT = ModelSpec(id="compact", architecture="srvgg", halo=20, halo_exact=20)


def plan(
    height: int, width: int, size: Size, spec: ModelSpec = RRDB, settings: Settings | None = None
) -> Plan:
    shape = Shape(height, width, 3, 8)
    return make_plan(shape, size, settings or Settings(), spec, bytes_per_pixel=7_300, tile_pixels=230_000)


@pytest.mark.parametrize(
    ("size", "expected", "passes", "resample"),
    [
        (Size(), (400, 600), 1, False),
        (Size(scale=4), (400, 600), 1, False),
        (Size(scale=2.5), (250, 375), 1, True),
        (Size(scale=0.5), (50, 75), 1, True),
        (Size(scale=16), (1600, 2400), 2, False),
        (Size(scale=5), (500, 750), 2, True),
        (Size(width=1000), (667, 1000), 2, True),
        (Size(max_side=300), (200, 300), 1, True),
        (Size(max_side=10_000), (400, 600), 1, False),
        (Size(scale=16, max_side=1200), (800, 1200), 2, True),
    ],
)
def test_any_size_is_planned(size: Size, expected: tuple[int, int], passes: int, resample: bool) -> None:
    made = plan(100, 150, size)
    assert (made.height, made.width) == expected
    assert len(made.passes) == passes
    assert made.resample is resample


@given(st.floats(0.1, 64), st.integers(2, 4))
def test_passes_reach_the_enlargement_and_no_further_than_needed(factor: float, scale: int) -> None:
    count = pass_count(factor, factor, scale)
    assert scale**count >= factor * 0.97
    assert count == 1 or scale ** (count - 1) < factor


def test_the_plan_of_24_megapixels_stays_under_three_gigabytes() -> None:
    made = plan(4000, 6000, Size())
    assert (made.height, made.width) == (16_000, 24_000)
    assert made.memory < 3e9
    assert made.overlap_cost < 1.6


def test_tiling_exact_and_colour_fix_widen_the_halo() -> None:
    assert plan(500, 500, Size()).halo == 48
    assert plan(500, 500, Size(), settings=Settings(tiling="exact")).halo == 64
    thin = ModelSpec(id="thin", architecture="x", halo=4, halo_exact=4)
    assert plan(500, 500, Size(), thin).halo > 8
    assert plan(500, 500, Size(), thin, Settings(color_fix=False)).halo == 4


def test_a_network_that_must_see_the_whole_gets_one_tile() -> None:
    pooled = ModelSpec(id="pooled", architecture="x", tiling="whole")
    assert plan(400, 500, Size(), pooled).tiles == 1
    with pytest.raises(LimitError, match="as a whole"):
        plan(3000, 2000, Size(), pooled)


@pytest.mark.parametrize(
    ("wrong", "match"),
    [
        (lambda: Size(scale=2, width=100), "both given"),
        (lambda: Size(scale=0), "scale is 0"),
        (lambda: Size(scale=float("nan")), "scale is nan"),
        (lambda: Size(scale=65), "scale is 65"),
        (lambda: Size(width=0), "width is 0"),
        (lambda: Size(max_side=-1), "max-side is -1"),
        (lambda: Size(width=100_000).of(10, 10, model_scale=4), "times larger"),
        (lambda: Settings(strength=1.5), "strength is 1.5"),
        (lambda: Settings(strength=float("nan")), "strength is nan"),
        (lambda: Settings(tile=-4), "tile is -4"),
        (lambda: Settings(threads=0), "threads is 0"),
        (lambda: Settings(max_memory=0.1), "max-memory is 0.1"),
        (lambda: plan(500, 500, Size(), settings=Settings(tile=64)), "too small for a halo of 48"),
    ],
)
def test_settings_that_cannot_be_are_refused(wrong: object, match: str) -> None:
    assert callable(wrong)
    with pytest.raises(UsageError, match=match):
        wrong()


def test_results_beyond_reason_are_refused_with_a_way_out() -> None:
    with pytest.raises(LimitError, match="at most") as caught:
        plan(30_000, 9_000, Size(scale=4))
    assert "--scale" in str(caught.value.hint)


def test_a_picture_between_passes_too_large_to_hold_is_refused() -> None:
    with pytest.raises(LimitError, match="in between"):
        plan(6000, 6000, Size(scale=5))


def test_more_memory_makes_larger_tiles_and_a_minimum_is_kept() -> None:
    assert memory.tile_pixels(8, 7_300) > memory.tile_pixels(2.7, 7_300) > memory.tile_pixels(1.2, 7_300)
    assert memory.tile_pixels(0.5, 7_300) == memory.SMALLEST_TILE


def test_an_encoder_that_holds_the_frame_counts() -> None:
    made = plan(1000, 1000, Size())
    assert made.into(FORMATS["png"]) == made
    webp = FORMATS["webp"]
    assert made.into(webp).memory - made.memory == webp.bytes_per_pixel * 16_000_000 > 0


def test_tiles_are_no_larger_than_makes_the_overlap_cheap() -> None:
    thin = ModelSpec(id="thin", architecture="x", halo=4, halo_exact=4)
    made = plan(2449, 4899, Size(), thin, Settings(color_fix=False))
    height, width = made.passes[0].grid.tile_size
    assert 0.8 * 412**2 < height * width <= 413**2  # (412 / (412 - 8))² = 1.04
    assert 1.02 < made.overlap_cost < 1.05
    assert plan(2449, 4899, Size()).passes[0].grid.tile_size[0] > 413
