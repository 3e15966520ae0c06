"""What a batch tells while it runs: one outcome a picture, and how far it is."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, TypeAlias

from wildsr.engine.report import Report


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one picture."""

    source: Path
    """The picture."""

    target: Path | None
    """The place of its result; None for an input that can't be looked at."""

    status: Literal["done", "skipped", "failed"]
    """`skipped` was done by an earlier run."""

    report: Report | None = None
    """What was done; only with `done`."""

    reason: str | None = None
    """Why it failed."""

    hint: str | None = None
    """What to do about it."""

    error: Exception | None = None
    """What was raised, for a caller who treats bad pictures and full disks differently."""

    comparison: Path | None = None
    """The before/after picture, where one was asked for."""

    comparison_failed: str | None = None
    """Why there is none; the result itself is good."""


@dataclass(frozen=True, kw_only=True)
class BatchProgress:
    """How far a batch is."""

    source: Path
    """The picture at work."""

    pictures_done: int
    """Pictures this run is through with, whatever became of them."""

    pictures: int
    """Pictures this run has to work on; those done by earlier runs don't count."""

    tiles_done: int
    """Tiles of the picture at work that are done."""

    tiles: int | None
    """Tiles of the picture at work; None while it is being read."""


OnProgress: TypeAlias = Callable[[BatchProgress], None]
