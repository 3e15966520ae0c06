"""Many files: decode the next while one computes, note every step in the journal, let no bad file stop the rest."""

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from itertools import zip_longest
from pathlib import Path

from wildsr.engine.report import Report
from wildsr.engine.settings import Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import OutputError, WildsrError
from wildsr.files import Job, Journal, make_folder, recorded_settings
from wildsr.files.records import Setting
from wildsr.imaging import Limits, Source, WriteOptions, open_source


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """What became of one job: a report, or why there is none."""

    job: Job
    """The picture and the place of its result."""

    report: Report | None
    """What was done; None where it failed."""

    reason: str | None = None
    """Why it failed."""

    hint: str | None = None
    """What to do about it."""


def run_jobs(
    upscaler: Upscaler,
    jobs: Sequence[Job],
    size: Size,
    *,
    limits: Limits,
    options: WriteOptions,
    journal: Journal | None = None,
    replacing: frozenset[Path] = frozenset(),
    on_start: Callable[[Job], None] | None = None,
    on_tile: Callable[[int, int], None] | None = None,
) -> Iterator[Outcome]:
    """Super-resolve pictures one after another, yielding what became of each.

    Args:
        upscaler: The model, ready to run.
        jobs: Pictures and the places of their results.
        size: How large the results should be.
        limits: What is refused as input.
        options: How results are written; `overwrite` is decided per job.
        journal: Where every step is noted; None for a single picture.
        replacing: Targets that exist and may be replaced.
        on_start: Called before each picture.
        on_tile: Called with (tiles done, tiles in all) of the picture at work.

    Raises:
        OutputError: If the journal itself can't be written; going on would lose track.
    """
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="wildsr-decode") as pool:
        decoded: Future[Source] | None = None
        for job, following in zip_longest(jobs, jobs[1:]):
            if on_start is not None:
                on_start(job)
            start = time.perf_counter()
            current = decoded or pool.submit(_open, job, limits, journal)
            wait([current])
            decoded = pool.submit(_open, following, limits, journal) if following is not None else None
            try:
                make_folder(job.target.parent)
                report = upscaler.upscale_source(
                    current.result(),
                    job.target,
                    size,
                    source_path=job.source,
                    options=replace(options, overwrite=options.overwrite or job.target in replacing),
                    progress=on_tile,
                    start=start,
                )
            except Exception as error:  # broad: one picture's fault must not cost the batch
                reason, hint = _told(error)
                if journal is not None:
                    journal.failed(job, reason, seconds=time.perf_counter() - start)
                yield Outcome(job=job, report=None, reason=reason, hint=hint)
                continue
            if journal is not None:
                journal.done(job, seconds=report.seconds)
            yield Outcome(job=job, report=report)


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


def _open(job: Job, limits: Limits, journal: Journal | None) -> Source:
    """Note that a job begins, then decode its picture."""
    if journal is not None:
        journal.begin(job)
    return open_source(job.source, limits=limits)


def journal_settings(upscaler: Upscaler, size: Size, options: WriteOptions) -> dict[str, Setting]:
    """Everything that decides the bytes of a result; the journal's first line."""
    chosen = upscaler.settings
    fused = upscaler.second is not None
    return {
        "model": upscaler.model.spec.id,
        "model_sha256": upscaler.model.sha256,
        "second_model_sha256": upscaler.second.sha256 if upscaler.second is not None else None,
        "fusion": f"{chosen.fusion.alpha:g} {chosen.fusion.beta:g} {chosen.fusion.gamma:g}"
        if fused
        else None,
        "precision": upscaler.precision,
        "backend": chosen.backend,
        "device": chosen.device,
        "threads": upscaler.threads,
        "tile": chosen.tile,
        "tile_pixels": upscaler.tile_pixels,
        "tiling": chosen.tiling,
        "halo": upscaler.halo,
        "strength": chosen.strength,
        "ensemble": chosen.ensemble,
        "color_fix": chosen.color_fix,
        "scale": size.scale,
        "width": size.width,
        "max_side": size.max_side,
        "format": options.format,
        "quality": options.quality,
        "lossless": options.lossless,
        "compression": options.compression,
        "strip_metadata": options.strip_metadata,
        "strip_gps": options.strip_gps,
    }


def recorded_choices(journal_path: Path) -> tuple[int | None, int | None]:
    """Return (threads, tile_pixels) an earlier run settled on, so that a resumed one gives the same bytes.

    Raises:
        OutputError: If the file is no journal or holds nonsense.
    """
    recorded = recorded_settings(journal_path) or {}
    threads, pixels = recorded.get("threads"), recorded.get("tile_pixels")
    for name, value in (("threads", threads), ("tile_pixels", pixels)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise OutputError(
                f"the journal {journal_path} holds {name} = {value!r}; a positive number is allowed",
                hint="start afresh with --no-resume, or use another folder",
            )
    return (
        threads if isinstance(threads, int) else None,
        pixels if isinstance(pixels, int) else None,
    )
