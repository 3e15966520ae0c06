"""One picture: fetched, upscaled, published, by a worker that keeps one model warm.  Knows no Ray."""

import hashlib
import json
import tempfile
import time
from dataclasses import dataclass, replace
from pathlib import Path

from wildsr.batch.fate import fate, told
from wildsr.batch.manifest import Record, Status
from wildsr.batch.places import Place
from wildsr.engine import Outcome, Settings, Size, Upscaler, upscale_folder
from wildsr.engine.resume import journal_settings
from wildsr.errors import InputError, ModelError
from wildsr.files import sha256_of
from wildsr.imaging import RESULT_LIMITS, WriteOptions, probe


@dataclass(frozen=True, kw_only=True)
class Work:
    """What every picture of a run gets; small, sent to each worker once."""

    input: Place
    output: Place
    model: str
    """Name in the catalog, or a path that every machine has."""

    settings: Settings
    tile_pixels: int
    """LR pixels a tile may have: the same on every machine, so that the bytes are."""

    size: Size
    options: WriteOptions
    digest: str
    """Of everything that decides the bytes; a worker that would decide otherwise refuses."""

    overwrite: bool = False

    def worker(self) -> "Worker":
        """Open a worker."""
        return Worker(self)

    def unfinished(self, task: "Task", status: Status, reason: str, *, attempts: int) -> list[Record]:
        """Return the record of a picture without a result."""
        return [unfinished(self, task, status, reason, attempts=attempts)]


@dataclass(frozen=True, kw_only=True)
class Task:
    """One picture to do."""

    source: str
    """Below the input."""

    version: str
    """Of its content, as the store says."""

    target: str
    """Below the output."""

    replaces: str = ""
    """SHA-256 of the result of an earlier version, which may be replaced."""


def settings_digest(upscaler: Upscaler, size: Size, options: WriteOptions) -> str:
    """Return a digest of all that decides the bytes of a result, but for the picture."""
    facts = journal_settings(upscaler, size, options)
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def open_upscaler(work: Work) -> Upscaler:
    """Compile the model of a run.

    Raises:
        ModelError: This machine would make other bytes (another model file, precision or runtime).
    """
    upscaler = Upscaler(work.model, work.settings, tile_pixels=work.tile_pixels)
    if settings_digest(upscaler, work.size, work.options) != work.digest:
        raise ModelError(
            f"a worker has another {work.model}, or runs it in another way, than the machine that planned",
            hint="give all machines one version of wildsr and of the model, and name --precision",
        )
    return upscaler


class Worker:
    """Keeps one compiled model.

    Args:
        work: Of the run.

    Raises:
        ModelError: This machine would make other bytes (another model file, precision or runtime).
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._upscaler = open_upscaler(work)

    def records(self, task: Task, *, attempts: int) -> list[Record]:
        """Upscale one picture, and say what became of it."""
        return [self.do(task, attempts=attempts)]

    def do(self, task: Task, *, attempts: int = 1) -> Record:
        """Upscale one picture; never raises, whatever the picture or a store does."""
        begun = time.monotonic()
        record = unfinished(self._work, task, "done", "", attempts=attempts)
        try:
            record = self._done(task, record)
        except Exception as error:  # broad: one picture's fault must not cost the run
            record = replace(record, status=fate(error), reason=told(error))
        return replace(record, seconds=round(time.monotonic() - begun, 4))

    def _done(self, task: Task, record: Record) -> Record:
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
            folder = Path(name)
            (folder / "in").mkdir()
            source = self._work.input.fetch(task.source, folder / "in")
            result = folder / Path(task.target).name
            self._upscale(source, result)
            small, large = probe(source), probe(result, limits=RESULT_LIMITS)
            self._work.output.publish(
                result, task.target, overwrite=self._work.overwrite, replaces=task.replaces
            )
            return replace(
                record,
                width=small.width,
                height=small.height,
                result_width=large.width,
                result_height=large.height,
                sha256=sha256_of(result),
            )

    def _upscale(self, source: Path, result: Path) -> None:
        """Do what `wildsr upscale` does, which gives the same bytes."""
        outcomes: list[Outcome] = list(
            upscale_folder(
                source, result, model=self._upscaler, size=self._work.size, options=self._work.options
            )
        )
        if outcomes[0].status != "done":
            raise outcomes[0].error or InputError(outcomes[0].reason or "nothing came out")


def unfinished(work: Work, task: Task, status: Status, reason: str, *, attempts: int) -> Record:
    """Return the record of a picture without a result."""
    return Record(
        source=task.source,
        version=task.version,
        target=task.target,
        status=status,
        settings=work.digest,
        model=work.model,
        attempts=attempts,
        reason=reason,
    )
