"""A picture in parts: each made by any worker, kept in the output until all are there, then joined.  Knows no Ray."""

import hashlib
import json
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.batch.fate import fate, told
from wildsr.batch.manifest import FOLDER, Record, Status
from wildsr.batch.part_file import PartError, load_part, save_part
from wildsr.batch.places import Place
from wildsr.batch.step import Task, Work, open_upscaler, unfinished
from wildsr.engine.parts import PartedPicture
from wildsr.engine.rows import IntegerStrip
from wildsr.errors import OutputError
from wildsr.files import sha256_of, shown
from wildsr.imaging import open_source

PARTS: Final = f"{FOLDER}/split"
"""Folder of parts, below the output."""

_CHANGED: Final = "it changed while its parts were made: run again"


@dataclass(frozen=True, kw_only=True)
class PartTask:
    """A part of a picture to make, or all of them to join."""

    picture: Task
    parts: int
    """Of the picture."""

    number: int | None = None
    """Of the part, from 0 on; None joins."""

    @property
    def source(self) -> str:
        """Tells it from all others."""
        return self.picture.source if self.number is None else f"{self.picture.source}#{self.number}"

    @property
    def target(self) -> str:
        """The result."""
        return self.picture.target


@dataclass(frozen=True, kw_only=True)
class SplitWork:
    """What every part of a run has in common."""

    work: Work

    @property
    def output(self) -> Place:
        """Where parts, results and manifest go."""
        return self.work.output

    def worker(self) -> "SplitWorker":
        """Open a worker."""
        return SplitWorker(self.work)

    def unfinished(self, task: PartTask, status: Status, reason: str, *, attempts: int) -> list[Record]:
        """Return the record of a part, or a picture, that nothing came of."""
        return [_record(self.work, task, status, reason, attempts)]


def parts_folder(source: str, version: str, digest: str) -> str:
    """Return where the parts of a picture are kept, for these settings, below the output."""
    told_apart = json.dumps([source, version, digest]).encode()
    return f"{PARTS}/{hashlib.sha256(told_apart).hexdigest()[:24]}"


def part_name(task: Task, digest: str, number: int, parts: int) -> str:
    """Return the name of a part, below the output."""
    return f"{parts_folder(task.source, task.version, digest)}/{number:05d}-of-{parts:05d}.zip"


@dataclass(frozen=True, kw_only=True)
class _Opened:
    """A decoded picture, kept for its next part."""

    task: Task
    picture: PartedPicture
    sha256: str
    """Of its file."""


class SplitWorker:
    """Keeps one compiled model, and the picture it worked on last.

    Args:
        work: Of the run.

    Raises:
        ModelError: This machine would make other bytes.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._upscaler = open_upscaler(work)
        self._opened: _Opened | None = None

    def records(self, task: PartTask, *, attempts: int) -> list[Record]:
        """Make a part, or join all; say what became of it."""
        return [self.do(task, attempts=attempts)]

    def do(self, task: PartTask, *, attempts: int = 1) -> Record:
        """Make a part, or join all; never raises, whatever the picture or a store does."""
        begun = time.monotonic()
        record = _record(self._work, task, "done", "", attempts)
        try:
            record = self._join(task, record) if task.number is None else self._make(task, record)
        except PartError as error:
            record = replace(record, status="failed", reason=str(error))
        except Exception as error:  # broad: one picture's fault must not cost the run
            record = replace(record, status=fate(error), reason=told(error))
        return replace(record, seconds=round(time.monotonic() - begun, 4))

    def _make(self, task: PartTask, record: Record) -> Record:
        number = task.number or 0
        name, output = part_name(task.picture, self._work.digest, number, task.parts), self._work.output
        if output.exists(name):  # a worker that died had made it
            return record
        opened = self._open(task)
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as folder:
            file = Path(folder, "part.zip")
            save_part(opened.picture.part(number), file, picture=opened.sha256)
            try:
                output.publish(file, name)
            except (
                OutputError
            ):  # another worker was quicker, packed it in another way, and its part is as good
                if not output.exists(name):
                    raise
        grid = opened.picture.plan.passes[0].grid
        row = grid.rows[number]
        return replace(record, width=grid.columns[-1].stop, height=row.core_stop - row.core_start)

    def _join(self, task: PartTask, record: Record) -> Record:
        opened = self._open(task)
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
            folder = Path(name)
            result = folder / Path(task.target).name
            (folder / "part").mkdir()
            opened.picture.join(self._parts(task, opened.sha256, folder / "part"), result)
            self._work.output.publish(
                result, task.target, overwrite=self._work.overwrite, replaces=task.picture.replaces
            )
            plan = opened.picture.plan
            return replace(
                record,
                width=plan.passes[0].width,
                height=plan.passes[0].height,
                result_width=plan.width,
                result_height=plan.height,
                sha256=sha256_of(result),
            )

    def _parts(self, task: PartTask, sha256: str, folder: Path) -> Iterator[IntegerStrip]:
        """Yield the parts, one at a time; one that can't be used is removed, so that the next run makes it again."""
        for number in range(task.parts):
            name = part_name(task.picture, self._work.digest, number, task.parts)
            try:
                part = load_part(self._work.output.fetch(name, folder), picture=sha256)
            except FileNotFoundError as error:
                raise PartError(f"part {number + 1} of {task.parts} is missing: run again") from error
            except PartError as error:
                self._work.output.remove(name)
                raise PartError(
                    f"part {number + 1} of {task.parts} was removed, {error}: run again"
                ) from error
            yield part
            for copy in folder.iterdir():
                copy.unlink()

    def _open(self, task: PartTask) -> _Opened:
        if self._opened is not None and self._opened.task == task.picture:
            return self._opened
        self._opened = None  # two pictures might not fit
        work = self._work
        with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as folder:
            file = work.input.fetch(task.picture.source, Path(folder))
            sha256 = sha256_of(file)
            picture = PartedPicture(
                self._upscaler, open_source(file), Path(task.target), work.size, work.options
            )
        if picture.parts != task.parts:
            raise PartError(f"{shown(task.picture.source)}: {_CHANGED}")
        self._opened = _Opened(task=task.picture, picture=picture, sha256=sha256)
        return self._opened


def _record(work: Work, task: PartTask, status: Status, reason: str, attempts: int) -> Record:
    return replace(unfinished(work, task.picture, status, reason, attempts=attempts), source=task.source)
