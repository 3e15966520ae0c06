"""What upscaling one file did."""

from dataclasses import dataclass
from pathlib import Path

from wildsr.engine.plan import Plan


@dataclass(frozen=True, kw_only=True)
class Report:
    """What upscaling one file did."""

    source: Path
    """The photo."""

    target: Path
    """The result."""

    plan: Plan
    """Passes, tiles, estimated memory."""

    seconds: float
    """Wall time, reading and writing included."""

    inference_seconds: float
    """Time in which the network ran. The rest of a tile is done beside the next one's network, so that `seconds` less
    this is the time in which it did not run: the first tile's reading, the last one's end, and waiting."""

    bytes: int
    """Size of the result's file."""

    drift_before: float
    """Colour drift of the network's own result: mean |downscaled SR − LR| in 1/255."""

    drift_after: float
    """Colour drift of what was written."""

    redone: tuple[str, ...]
    """Tiles that were bad in low precision and were redone in fp32, with what was wrong."""

    fused: bool
    """Whether the luminance rule chose the fusion of both models."""

    dropped: tuple[str, ...]
    """What the output format could not hold."""

    notes: tuple[str, ...]
    """What reading changed, in sentences for the user."""
