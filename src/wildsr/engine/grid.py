"""Where tiles lie: every tile the same size, inside the picture, overlapping by at least twice the halo.

A picture's true border is never padded (padding costs 11–24 dB of agreement there): tiles shift inward
instead, so each pixel is taken from a tile that either sees `halo` LR pixels around it or the picture's own edge.
"""

import math
from dataclasses import dataclass

from wildsr.errors import UsageError

_SMALL_OVERLAP = 1.04
"""Cost of the overlap, in computed LR pixels for each, of which less is not worth a larger tile."""
_BEARABLE_OVERLAP = 1.09
"""Cost up to which tiles stay as small as `_LIGHT`."""
_LIGHT = 2**25 // (16 * 3 * 4)
"""LR pixels of a tile whose ×4 result takes 32 MiB: larger arrays are given back to the system after each tile and come
back page by page, and such tiles take too long to begin one while the last is finished."""
_SMALLEST_ENOUGH = 65_536


@dataclass(frozen=True)
class Span:
    """One tile along one axis, in LR pixels; `core` is the part of the result the tile answers for."""

    start: int
    stop: int
    core_start: int
    core_stop: int

    @property
    def length(self) -> int:
        """LR pixels the tile reads."""
        return self.stop - self.start


@dataclass(frozen=True)
class Grid:
    """The tiles of one picture: every row span crossed with every column span."""

    rows: tuple[Span, ...]
    columns: tuple[Span, ...]

    @property
    def tiles(self) -> int:
        """How many tiles."""
        return len(self.rows) * len(self.columns)

    @property
    def tile_size(self) -> tuple[int, int]:
        """Rows and columns of a tile, in LR pixels."""
        return self.rows[0].length, self.columns[0].length

    @property
    def overlap_cost(self) -> float:
        """LR pixels computed for each LR pixel of the picture; 1 where there is one tile."""
        height, width = self.tile_size
        return self.tiles * height * width / (self.rows[-1].stop * self.columns[-1].stop)


def spans(length: int, tile: int, halo: int, multiple: int = 1) -> tuple[Span, ...]:
    """Cover `length` pixels with as few tiles of `tile` pixels as overlaps of twice `halo` allow.

    Args:
        length: Pixels along the axis, ≥ 1.
        tile: Pixels of a tile, > 2·halo unless one tile covers everything.
        halo: Pixels a result must be away from a tile edge that is not the picture's.
        multiple: Tiles begin and (but for the last) end at multiples of this: a network that first shuffles pixels
            into channels sees another picture at another phase.

    Raises:
        UsageError: If the tile is no larger than its two halos.
    """
    whole = -(-length // multiple) * multiple
    tile = -(-tile // multiple) * multiple
    if tile >= whole:
        return (Span(0, length, 0, length),)
    halo += multiple - 1  # rounding a start to the multiple eats that much overlap
    step = tile - 2 * halo
    if step < 1:
        raise UsageError(
            f"a tile of {tile} LR pixels is too small for a halo of {halo} on both sides",
            hint=f"use a tile of at least {2 * halo + 16}, or 0 to let wildsr choose",
        )
    count = 1 + math.ceil((whole - tile) / step)
    starts = [round(i * (whole - tile) / (count - 1) / multiple) * multiple for i in range(count)]
    cuts = [0] + [(starts[i] + tile + starts[i + 1]) // 2 for i in range(count - 1)] + [length]
    return tuple(Span(starts[i], min(starts[i] + tile, length), cuts[i], cuts[i + 1]) for i in range(count))


def fixed_grid(height: int, width: int, *, tile: int, halo: int, multiple: int = 1) -> Grid:
    """Lay square tiles of `tile` LR pixels over a picture of `height` × `width` LR pixels."""
    return Grid(spans(height, tile, halo, multiple), spans(width, tile, halo, multiple))


def best_grid(height: int, width: int, *, max_pixels: int, halo: int, multiple: int = 1) -> Grid:
    """Lay the grid that computes the fewest pixels among those whose tile has at most `max_pixels` LR pixels.

    Tiles are as equal as the picture allows: a 1000² picture with a halo of 48 costs 1.20 in 2×2 tiles of 548².

    Raises:
        UsageError: If not even the smallest useful tile fits `max_pixels`.
    """
    best: tuple[int, int, int, int] | None = None
    for rows, down in _tile_lengths(height, halo + multiple - 1):
        for columns, across in _tile_lengths(width, halo + multiple - 1):
            if rows * columns <= max_pixels:
                tiles = down * across
                choice = (rows * columns * tiles, tiles, rows, columns)
                best = choice if best is None else min(best, choice)
    if best is None:
        side = 2 * halo + 16
        raise UsageError(
            f"the memory allowed holds a tile of {max_pixels} LR pixels; a halo of {halo} needs {side}×{side}",
            hint="allow more memory (--max-memory), or choose a model with a smaller halo",
        )
    return Grid(spans(height, best[2], halo, multiple), spans(width, best[3], halo, multiple))


def enough_pixels(halo: int) -> int:
    """LR pixels beyond which a larger tile saves less of the network's work than it costs in memory and time."""

    def pixels(cost: float) -> int:
        return math.floor((2 * halo / (1 - 1 / math.sqrt(cost))) ** 2)

    enough = pixels(_SMALL_OVERLAP)
    if pixels(_BEARABLE_OVERLAP) <= _LIGHT:
        enough = min(enough, _LIGHT)
    return max(_SMALLEST_ENOUGH, enough)


def _tile_lengths(length: int, halo: int) -> list[tuple[int, int]]:
    """Tile lengths that cover `length` with (how many) equal tiles, longest first."""
    lengths = [(length, 1)]
    smallest = 2 * halo + 16
    count = 2
    while (tile := math.ceil((length + (count - 1) * 2 * halo) / count)) >= smallest:
        if tile < lengths[-1][0]:
            lengths.append((tile, count))
        count += 1
    return lengths
