"""What a run will do, decided before it starts: passes, tiles, memory, output."""

import math
from dataclasses import dataclass, replace

from wildsr.engine import memory
from wildsr.engine.colour_fix import RADIUS, draws_back
from wildsr.engine.grid import Grid, best_grid, enough_pixels, fixed_grid
from wildsr.engine.settings import Settings, Size
from wildsr.errors import LimitError
from wildsr.imaging import Format
from wildsr.models import ModelSpec

MAX_PICTURE_PIXELS = 4_000_000_000
_MAX_BETWEEN_PIXELS = 400_000_000
"""Pixels of a picture handed from one pass to the next, which is held in memory at 6 bytes a pixel."""


@dataclass(frozen=True)
class Shape:
    """What a plan needs to know of a picture."""

    height: int
    width: int
    channels: int
    depth: int

    @property
    def bytes(self) -> int:
        """Size of the decoded picture."""
        return self.height * self.width * self.channels * self.depth // 8


@dataclass(frozen=True, kw_only=True)
class Pass:
    """One run of the network over a picture."""

    height: int
    """Rows of its input."""

    width: int
    """Columns of its input."""

    grid: Grid
    """Its tiles."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How one picture becomes its result."""

    passes: tuple[Pass, ...]
    """Runs of the network, one after another; more than one where the enlargement asks for it."""

    height: int
    """Rows of the result."""

    width: int
    """Columns of the result."""

    resample: bool
    """Whether the last pass is resized to the result's size."""

    halo: int
    """LR pixels each tile sees beyond its own part."""

    tile_pixels: int
    """LR pixels a tile was allowed to have."""

    memory: int
    """Estimated peak memory in bytes."""

    network_pixels: int
    """LR pixels the network computes, overlaps included."""

    @property
    def tiles(self) -> int:
        """Tiles over all passes."""
        return sum(step.grid.tiles for step in self.passes)

    @property
    def overlap_cost(self) -> float:
        """Computed LR pixels for each LR pixel."""
        return self.network_pixels / sum(step.height * step.width for step in self.passes)

    def into(self, form: Format) -> "Plan":
        """Return the plan with the memory of an encoder that holds the whole frame (WebP, AVIF)."""
        return replace(self, memory=self.memory + form.bytes_per_pixel * self.height * self.width)


def make_plan(
    source: Shape,
    size: Size,
    settings: Settings,
    spec: ModelSpec,
    *,
    bytes_per_pixel: int,
    tile_pixels: int,
) -> Plan:
    """Plan a picture.

    Args:
        source: The picture's shape.
        size: The size wanted.
        settings: Tile side, tiling and colour fix.
        spec: The model.
        bytes_per_pixel: Memory a tile takes, per LR pixel.
        tile_pixels: LR pixels a tile may have.

    Raises:
        UsageError: If the tile asked for is too small for the model's halo.
        LimitError: If the result is beyond what wildsr makes.
    """
    height, width = size.of(source.height, source.width, model_scale=spec.scale)
    if height * width > MAX_PICTURE_PIXELS:
        raise LimitError(
            f"the result would have {width}×{height} pixels; at most {MAX_PICTURE_PIXELS:.0e} are made",
            hint="ask for less with --scale, --width or --max-side",
        )
    count = pass_count(height / source.height, width / source.width, spec.scale)
    halo = halo_of(spec, settings)
    steps, needs = [], []
    rows, columns = source.height, source.width
    for index in range(count):
        if index and rows * columns > _MAX_BETWEEN_PIXELS:
            raise LimitError(
                f"enlarging {source.width}×{source.height} to {width}×{height} takes a picture of {columns}×{rows} "
                f"pixels in between; at most {_MAX_BETWEEN_PIXELS // 1_000_000} MP are held",
                hint=f"ask for ×{spec.scale**index} or less",
            )
        grid = _grid(rows, columns, spec, settings, halo, tile_pixels)
        steps.append(Pass(height=rows, width=columns, grid=grid))
        held = source.bytes + (rows * columns * source.channels * 2 if index else 0)
        needs.append(
            memory.run_memory(
                grid,
                source_bytes=held,
                bytes_per_pixel=bytes_per_pixel,
                scale=spec.scale,
                channels=source.channels,
                sample_bytes=source.depth // 8 if index == count - 1 else 2,
            )
        )
        rows, columns = rows * spec.scale, columns * spec.scale
    return Plan(
        passes=tuple(steps),
        height=height,
        width=width,
        resample=(rows, columns) != (height, width),
        halo=halo,
        tile_pixels=tile_pixels,
        memory=max(needs),
        network_pixels=sum(step.grid.tiles * math.prod(step.grid.tile_size) for step in steps),
    )


def pass_count(vertical: float, horizontal: float, scale: int) -> int:
    """How often a network of this scale must run to reach the enlargement, at least once."""
    if scale == 1:
        return 1
    return max(1, math.ceil(math.log(max(vertical, horizontal), scale) - 1e-2))


def halo_of(spec: ModelSpec, settings: Settings) -> int:
    """LR pixels of context on each side of a tile's own part."""
    halo = spec.halo_exact if settings.tiling == "exact" or spec.tiling != "exact" else spec.halo
    return max(halo, RADIUS + 2) if draws_back(settings.color_fix, spec) else halo


def _grid(height: int, width: int, spec: ModelSpec, settings: Settings, halo: int, tile_pixels: int) -> Grid:
    if spec.tiling == "whole":
        if height * width > tile_pixels:
            raise LimitError(
                f"{spec.id} must see a picture as a whole, and {width}×{height} pixels don't fit; "
                f"{tile_pixels} pixels do",
                hint="allow more memory (--max-memory), shrink the photo, or choose another model",
            )
        return fixed_grid(height, width, tile=max(height, width), halo=halo)
    if settings.tile:
        return fixed_grid(height, width, tile=settings.tile, halo=halo, multiple=spec.multiple)
    pixels = min(tile_pixels, enough_pixels(halo))
    return best_grid(height, width, max_pixels=pixels, halo=halo, multiple=spec.multiple)
