"""Many pictures, one by one: the next is decoded while one computes, every step is journaled, no bad one stops it."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from wildsr.engine.compare import comparison_path, write_comparison
from wildsr.engine.enhance import Enhancer
from wildsr.engine.estimate import Estimate, estimate
from wildsr.engine.outcome import BatchProgress, OnProgress, Outcome
from wildsr.engine.report import Report
from wildsr.engine.resume import journal_settings, positive
from wildsr.engine.settings import Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import NoSpaceError, OutputError, WildsrError
from wildsr.files import (
    JOURNAL_NAME,
    Findings,
    Job,
    Journal,
    OutputPlan,
    make_folder,
    refuse_existing,
    remove_stale_temporaries,
)
from wildsr.imaging import Limits, Source, WriteOptions, open_source

_LOOK_AGAIN = 0.1
"""Seconds between two looks at `cancel` while a picture is decoded."""


class _Cancelled(Exception):  # noqa: N818 -- no error: it is what the caller asked for
    """Unwinds the picture at work."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Work that is found and planned; iterating does it. See `upscale_folder`."""

    upscaler: Upscaler
    """The model, ready to run."""

    findings: Findings
    """What the inputs held."""

    outputs: OutputPlan
    """Each picture and the place of its result."""

    size: Size
    """How large results are."""

    limits: Limits
    """What is refused as input."""

    options: WriteOptions
    """How results are written."""

    compare: bool
    """Whether a before/after picture is written beside each result."""

    resume: bool
    """Whether an earlier run's journal is gone on with."""

    enhancer: Enhancer | None
    """Gives photos the look of a better camera first."""

    progress: OnProgress | None
    """Called when a picture begins and after each tile."""

    cancel: Callable[[], bool] | None
    """Asked whether to stop."""

    @property
    def journaled(self) -> bool:
        """Whether a journal is kept: a single picture given by name has none."""
        return not is_single(self.findings, self.outputs)

    def estimates(self) -> Iterator[Estimate]:
        """Say what each picture will take, or why it will fail; nothing is written."""
        return estimate(self.upscaler, self.outputs.jobs, self.size, self.limits, self.options)

    def __iter__(self) -> Iterator[Outcome]:
        """Do the work, yielding what became of each picture.

        Raises:
            UsageError: The journal was made with other settings.
            OutputError: The journal can't be written, a single picture's result exists, or the disk is full
                (`NoSpaceError`: what is done stays done, and the next would be computed in vain).
        """
        for problem in self.findings.problems:
            yield Outcome(source=problem.path, target=None, status="failed", reason=problem.reason)
        with ExitStack() as stack:
            journal = self._open_journal(stack)
            jobs, replacing, settled = self._sort(journal)
            yield from settled
            tile_pixels = self._tile_pixels(journal)
            pool = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="wildsr-decode"))
            decoded: Future[Source] | None = None
            for number, (job, following) in enumerate(zip_longest(jobs, jobs[1:])):
                start = time.perf_counter()
                on_tile = self._tile_callback(job, number, len(jobs))
                current = decoded or pool.submit(_open, job, self.limits, journal)
                try:
                    on_tile(0, None)
                    while not wait([current], timeout=_LOOK_AGAIN).done:
                        on_tile(0, None)
                    decoded = pool.submit(_open, following, self.limits, journal) if following else None
                    make_folder(job.target.parent)
                    source = current.result()
                    report = self.upscaler.upscale_source(
                        source if self.enhancer is None else self.enhancer(source),
                        job.target,
                        self.size,
                        source_path=job.source,
                        options=replace(
                            self.options, overwrite=self.options.overwrite or job.target in replacing
                        ),
                        progress=on_tile,
                        start=start,
                        tile_pixels=tile_pixels,
                    )
                except _Cancelled:
                    return
                except NoSpaceError as error:  # the next picture would be computed in vain
                    if journal is not None:
                        with suppress(OutputError):
                            journal.failed(job, str(error), seconds=time.perf_counter() - start)
                    raise
                except Exception as error:  # broad: one picture's fault must not cost the batch
                    reason, hint = _told(error)
                    if journal is not None:
                        journal.failed(job, reason, seconds=time.perf_counter() - start)
                    yield Outcome(
                        source=job.source,
                        target=job.target,
                        status="failed",
                        reason=reason,
                        hint=hint,
                        error=error,
                    )
                    continue
                if journal is not None:
                    if (
                        report.plan.tile_pixels != tile_pixels
                    ):  # memory ran out: the rest begins with what did fit
                        tile_pixels = report.plan.tile_pixels
                        journal.change({"tile_pixels": tile_pixels})
                    journal.done(job, seconds=report.seconds)
                yield self._done(job, report)

    def _open_journal(self, stack: ExitStack) -> Journal | None:
        for folder in {job.target.parent for job in self.outputs.jobs}:
            remove_stale_temporaries(folder)
        if not self.journaled:
            return None
        make_folder(self.outputs.folder)
        settings = journal_settings(self.upscaler, self.size, self.options)
        settings["enhance_sha256"] = None if self.enhancer is None else self.enhancer.fingerprint
        return stack.enter_context(
            Journal.open(self.outputs.folder / JOURNAL_NAME, settings, resume=self.resume)
        )

    def _sort(self, journal: Journal | None) -> tuple[Sequence[Job], frozenset[Path], list[Outcome]]:
        """Return what is left to do, existing targets that may be replaced, and what is settled already."""
        jobs = self.outputs.jobs
        if journal is None:
            if not self.options.overwrite:
                refuse_existing(jobs)
            return jobs, frozenset(), []
        pending = journal.pending(jobs, overwrite=self.options.overwrite)
        targets = {job.source: job.target for job in jobs}
        skipped = [Outcome(source=job.source, target=job.target, status="skipped") for job in pending.skipped]
        refused = [
            Outcome(source=one.source, target=targets[one.source], status="failed", reason=one.reason)
            for one in pending.refused
        ]
        return pending.run, pending.replacing, [*skipped, *refused]

    def _tile_pixels(self, journal: Journal | None) -> int:
        """Return the tile to begin with: the one an earlier run had to go down to, where it did."""
        changed = None if journal is None else positive(journal.changes, "tile_pixels", journal.path)
        return min(changed or self.upscaler.tile_pixels, self.upscaler.tile_pixels)

    def _tile_callback(self, job: Job, number: int, count: int) -> Callable[[int, int | None], None]:
        def on_tile(done: int, tiles: int | None) -> None:
            if self.cancel is not None and self.cancel():
                raise _Cancelled
            if self.progress is not None:
                self.progress(
                    BatchProgress(
                        source=job.source,
                        pictures_done=number,
                        pictures=count,
                        tiles_done=done,
                        tiles=tiles,
                    )
                )

        return on_tile

    def _done(self, job: Job, report: Report) -> Outcome:
        outcome = Outcome(source=job.source, target=job.target, status="done", report=report)
        if not self.compare:
            return outcome
        path = comparison_path(job.target)
        try:
            source = open_source(job.source, limits=self.limits)
            write_comparison(source, job.target, path, overwrite=self.options.overwrite)
        except WildsrError as error:  # the result itself is good, and so are those to come
            return replace(outcome, comparison_failed=str(error))
        return replace(outcome, comparison=path)


def is_single(findings: Findings, outputs: OutputPlan) -> bool:
    """Whether this is one picture given by name, and not a folder's worth."""
    return len(outputs.jobs) == 1 and findings.pictures[0].explicit


def _open(job: Job, limits: Limits, journal: Journal | None) -> Source:
    """Note that a job begins, then decode its picture."""
    if journal is not None:
        journal.begin(job)
    return open_source(job.source, limits=limits)


def _told(error: Exception) -> tuple[str, str | None]:
    """Say why a picture failed, and what to do about it."""
    if isinstance(error, WildsrError):
        return str(error), error.hint
    if isinstance(error, MemoryError):
        return "memory ran out", "close other programs, or take less with --max-memory 1"
    return (
        f"unexpected {type(error).__name__}: {error}",
        "this is a bug in wildsr: please report it, with the picture if you can share it",
    )
