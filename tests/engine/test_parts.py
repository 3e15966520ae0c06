"""A picture made in parts has the bytes of one made at once, whatever its kind, and in whatever order they come."""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from wildsr.engine import Settings, Size, Upscaler
from wildsr.engine.blend import Strip, bands, can_be_parted, joined, strip
from wildsr.engine.grid import fixed_grid
from wildsr.engine.parts import PartedPicture, parts_of
from wildsr.engine.plan import Shape
from wildsr.errors import UsageError
from wildsr.imaging import Source, WriteOptions
from wildsr.models import Model

SETTINGS = Settings(precision="fp32", threads=1, max_memory=1.0)


def opened(model: Model, *, color_fix: bool = False) -> Upscaler:
    """Tiles with less context than the network's reach of 10 pixels, so that neighbours disagree and fading shows."""
    short = replace(model, spec=replace(model.spec, halo=6, halo_exact=6))
    return Upscaler(short, replace(SETTINGS, color_fix=color_fix), tile_pixels=60 * 60)


def picture(channels: int, depth: int, *, height: int = 170, width: int = 60) -> Source:
    dice = np.random.default_rng(channels + depth)
    y, x = np.mgrid[:height, :width]
    waves = np.stack([np.sin(x / (7 + n)) * np.cos(y / (9 + n)) for n in range(channels)], axis=2)
    unit = 0.5 + 0.35 * waves + dice.normal(0, 0.03, waves.shape)
    if channels in (2, 4):  # a hole, whose colour is filled from all of the picture
        unit[40:80, 20:60, -1] = 0
    top = (1 << depth) - 1
    samples = np.rint(np.clip(unit, 0, 1) * top).astype(np.uint8 if depth == 8 else np.uint16)
    return Source(samples=samples, depth=depth)  # type: ignore[arg-type]


def through_disk(part: Strip[np.uint8], path: Path) -> Strip[np.uint8]:
    np.savez(path, rows=part.rows, head=part.head, tail=part.tail)
    with np.load(path) as held:
        return Strip(rows=held["rows"], head=held["head"], tail=held["tail"])


@pytest.mark.parametrize(
    ("channels", "depth", "size", "ending"),
    [
        (3, 8, None, ".png"),
        (3, 16, Size(scale=2.5), ".tif"),
        (4, 8, None, ".png"),
        (2, 16, Size(max_side=300), ".png"),
        (1, 8, Size(scale=3), ".jpg"),
    ],
)
def test_bytes_are_those_of_the_whole(
    channels: int, depth: int, size: Size | None, ending: str, rrdb: Model, tmp_path: Path
) -> None:
    upscaler = opened(rrdb, color_fix=channels == 4)
    source = picture(channels, depth)
    report = upscaler.upscale_source(source, tmp_path / f"whole{ending}", size, source_path=Path("p.png"))
    split = PartedPicture(upscaler, source, tmp_path / f"joined{ending}", size)
    assert split.parts == len(report.plan.passes[0].grid.rows) >= 4
    made = {number: through_disk(split.part(number), tmp_path / "part.npz") for number in (2, 0, 3, 1)}
    again = PartedPicture(upscaler, source, tmp_path / f"joined{ending}", size)
    made |= {number: again.part(number) for number in range(4, split.parts)}
    written = again.join((made[number] for number in range(split.parts)), tmp_path / f"joined{ending}")
    assert (tmp_path / f"joined{ending}").read_bytes() == (tmp_path / f"whole{ending}").read_bytes()
    assert written.bytes == report.bytes


def test_heads_and_tails_carry_what_neighbours_need(rrdb: Model, tmp_path: Path) -> None:
    upscaler = opened(rrdb)
    split = PartedPicture(upscaler, picture(3, 8), tmp_path / "a.png")
    first, second = split.part(0), split.part(1)
    fade = first.tail.shape[0]
    assert (first.head.shape[0], second.head.shape[0]) == (0, fade)
    assert fade > 0
    assert np.abs(second.head - first.tail).max() > 1e-4
    lost = replace(second, head=np.zeros_like(second.head))
    parts = [first, lost, *(split.part(number) for number in range(2, split.parts))]
    split.join(parts, tmp_path / "a.png")
    upscaler.upscale_source(picture(3, 8), tmp_path / "b.png", source_path=Path("p"))
    assert (tmp_path / "a.png").read_bytes() != (tmp_path / "b.png").read_bytes()


def test_strips_of_any_grid_join_to_its_bands() -> None:
    dice = np.random.default_rng(0)
    grid = fixed_grid(64, 50, tile=26, halo=6)
    made = [
        [dice.random((row.length * 2, column.length * 2, 3), dtype=np.float32) for column in grid.columns]
        for row in grid.rows
    ]

    def tiles(rows: slice) -> Iterator[np.ndarray]:  # copies: they are changed
        return (tile.copy() for row in made[rows] for tile in row)

    def quantise(block: np.ndarray) -> np.ndarray:
        return np.rint(block * 255).astype(np.uint8)

    for fade in (0, 1, 4):
        assert can_be_parted(grid, fade)
        how = partial(strip, grid, scale=2, channels=3, fade=fade, quantise=quantise)
        whole = bands(grid, tiles(slice(None)), scale=2, channels=3, fade=fade, quantise=quantise)
        strips = [how(index, tiles(slice(index, index + 1))) for index in range(len(grid.rows))]
        for one, other in zip(whole, joined(strips, quantise), strict=True):
            np.testing.assert_array_equal(one, other)


def test_rows_of_tiles_that_would_reach_beyond_their_neighbours_are_not_parted() -> None:
    grid = fixed_grid(64, 64, tile=33, halo=16)  # a step of one row
    assert not can_be_parted(grid, 2)
    assert can_be_parted(fixed_grid(64, 64, tile=64, halo=16), 2)


def test_several_runs_of_the_network_are_not_parted(compact: Model) -> None:
    upscaler = Upscaler(compact, SETTINGS)
    with pytest.raises(UsageError, match="takes 2 runs of the network") as caught:
        parts_of(upscaler.plan_shape(Shape(40, 40, 3, 8), Size(scale=16)))
    assert "-s 4" in str(caught.value.hint)
    assert parts_of(upscaler.plan_shape(Shape(40, 40, 3, 8), Size(scale=2))) == 1


def test_options_are_those_of_the_whole(rrdb: Model, tmp_path: Path) -> None:
    """A JPEG of a picture whose alpha is opaque, with its quality and the note of its model."""
    upscaler = opened(rrdb)
    source = picture(4, 8)
    samples = source.samples.copy()
    samples[..., -1] = 255
    opaque = replace(source, samples=samples)
    options = WriteOptions(quality=71, strip_metadata=True)
    upscaler.upscale_source(opaque, tmp_path / "whole.jpg", source_path=Path("p"), options=options)
    split = PartedPicture(upscaler, opaque, tmp_path / "joined.jpg", options=options)
    split.join((split.part(number) for number in range(split.parts)), tmp_path / "joined.jpg")
    assert (tmp_path / "joined.jpg").read_bytes() == (tmp_path / "whole.jpg").read_bytes()
