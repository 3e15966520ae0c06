"""How much memory a run takes.

A run holds: the runtime with the weights, the decoded photo, one tile's activations, two bands of finished rows and
the encoder's buffers. Only the photo grows with the picture's area (3 bytes a pixel at 8 bits).
"""

from wildsr.engine.grid import Grid
from wildsr.errors import OutOfMemoryError
from wildsr.machine import free_memory

RUNTIME = 550_000_000
"""Interpreter, libraries, weights and the strips of a network's tail; measured 330–550 MB with RRDB-23."""
ENCODER = 100_000_000
"""libvips' pipeline and the chunks on their way to it."""
DEFAULT = 2_700_000_000
_SHARE = 0.6
SMALLEST_TILE = 32_768


def tile_pixels(max_memory_gb: float | None, bytes_per_pixel: int, *, tuned: int | None = None) -> int:
    """LR pixels a tile may have so that a run stays within `max_memory_gb` (None: a default that suits the machine).

    No more than `tuned`, where larger tiles were found to be slower.
    """
    budget = (
        int(max_memory_gb * 1e9) if max_memory_gb is not None else min(DEFAULT, int(_SHARE * free_memory()))
    )
    reserve = RUNTIME + ENCODER + 300_000_000
    allowed = (budget - reserve) // bytes_per_pixel
    return max(SMALLEST_TILE, allowed if tuned is None else min(allowed, tuned))


def fewer_pixels(tile_pixels: int, error: OutOfMemoryError) -> int:
    """Return half the LR pixels a tile may have, for another try; raise `error` where tiles are small already."""
    if tile_pixels <= SMALLEST_TILE:
        raise error
    return max(SMALLEST_TILE, tile_pixels // 2)


def run_memory(
    grid: Grid, *, source_bytes: int, bytes_per_pixel: int, scale: int, channels: int, sample_bytes: int
) -> int:
    """Peak bytes of one pass over a picture."""
    height, width = grid.tile_size
    bands = 2 * height * scale * grid.columns[-1].stop * scale * channels * sample_bytes
    return RUNTIME + ENCODER + source_bytes + height * width * bytes_per_pixel + bands
