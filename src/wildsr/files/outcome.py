"""What a batch has to do, and what it did."""

from dataclasses import dataclass
from pathlib import Path

from wildsr.files.names import Job


@dataclass(frozen=True, kw_only=True)
class Failure:
    """A picture without a result, and why."""

    source: Path
    """The picture."""

    reason: str
    """The error, in words for the user."""


@dataclass(frozen=True, kw_only=True)
class Pending:
    """What a run has to do."""

    run: tuple[Job, ...]
    """To do, those last that were under way when an earlier run died: one of them may be what killed it."""

    replacing: frozenset[Path]
    """Existing targets of `run` that may be replaced: ours, or `overwrite` was asked."""

    skipped: tuple[Job, ...]
    """Done already, with these settings and from this content."""

    refused: tuple[Failure, ...]
    """Not to be done: the target is a file that is not (any more) ours."""


@dataclass(frozen=True, kw_only=True)
class Summary:
    """What one run did."""

    done: int
    """Results written."""

    skipped: int
    """Results that were there already."""

    failed: tuple[Failure, ...]
    """Pictures without a result."""

    seconds: float
    """Wall time since the journal was opened."""
