"""What a worker does with a job: one warm model, the library's own journey, a result in the attempt's folder."""

import json
import logging
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final

from wildsr.engine import BatchProgress, Report, Settings, Size, Upscaler, upscale_folder
from wildsr.errors import InputError, LimitError, ModelError, UsageError, WildsrError
from wildsr.files import scale_suffix
from wildsr.files.database import Database
from wildsr.imaging import RESULT_LIMITS, Limits, WriteOptions, background_named, probe
from wildsr.machine import cores
from wildsr.models import own_sharpness
from wildsr.service.jobs import Fact, Job
from wildsr.service.leases import Made
from wildsr.service.options import JobOptions
from wildsr.service.previews import write_preview
from wildsr.service.settings import ServiceSettings
from wildsr.service.speeds import note_failed, note_loaded
from wildsr.service.storage import Storage, folder_bytes

log = logging.getLogger("wildsr.service")

Progress = Callable[[int, int | None], None]
"""Called with (steps done, steps in all)."""

_LOOK_AGAIN: Final = 0.2
_VIEWABLE_PIXELS: Final = 40_000_000
_VIEWABLE: Final = frozenset(("png", "jpg", "webp", "avif"))
_PREVIEW_PIXELS: Final = 120_000_000


class Stopped(Exception):  # noqa: N818 -- what was asked for
    """The job is no more the worker's, or the worker is to end."""


class Workshop:
    """Holds the model that was used last.

    Args:
        settings: The service's.
        storage: Folders of jobs.
        database: Where is noted how fast models are.
    """

    def __init__(self, settings: ServiceSettings, storage: Storage, database: Database) -> None:
        self._settings = settings
        self._storage = storage
        self._database = database
        self._label = ""
        self._upscaler: Upscaler | None = None
        self._measured: set[str] = set()

    def warm(self, label: str, sharpness: float | None = None) -> Upscaler:
        """Return a model ready to run.

        Args:
            label: Which.
            sharpness: Where the dial of a model with two ends is to be; None takes its own.

        Raises:
            UsageError: It has no dial.
            ModelError, AssetError, BackendError: It can't be had; noted for the page too.
        """
        files = self._settings.model_files
        if label not in files:
            raise ModelError(f"this service offers no model {label!r}", hint=f"it has {', '.join(files)}")
        wanted = own_sharpness(files[label]) if sharpness is None else sharpness
        if self._upscaler is not None and (label, wanted) == (self._label, self._upscaler.model.sharpness):
            return self._upscaler
        self._upscaler = None  # so that two are never held
        threads = self._settings.threads
        if threads is None and self._settings.workers > 1:
            threads = max(1, cores() // self._settings.workers)
        try:
            self._upscaler = Upscaler(files[label], Settings(threads=threads, sharpness=sharpness))
        except UsageError:  # the job's fault, not the model's
            raise
        except WildsrError as error:
            note_failed(self._database, label, str(error))
            raise
        self._label = label
        if label not in self._measured:
            note_loaded(self._database, label, self._upscaler)
            self._measured.add(label)
        return self._upscaler

    def do(self, job: Job, attempt: int, progress: Progress, stopped: Callable[[], bool]) -> Made:
        """Do a job.

        Args:
            job: What.
            attempt: Number of the attempt: the name of the folder the result goes to.
            progress: Told how far it is.
            stopped: Asked between tiles whether to go on.

        Raises:
            Stopped: `stopped` said so.
            WildsrError: It can't be done; the message names the photo as its owner does.
        """
        folder = self._storage.attempt(job.id, attempt)
        work = self._upscale if job.kind == "upscale" else self._profile
        return work(job, folder, progress, stopped)

    def _upscale(self, job: Job, folder: Path, progress: Progress, stopped: Callable[[], bool]) -> Made:
        options, (photo,) = job.options, self._storage.photos(job.id)
        upscaler = self.warm(options.model, options.sharpness)
        if options.strength != upscaler.settings.strength:
            upscaler = upscaler.with_strength(options.strength)
        limits = Limits(max_pixels=int(self._settings.quotas.max_mp * 1e6))
        size = Size(scale=options.scale)
        try:
            header = probe(photo, limits=limits)
            self._check_result(size.of(header.height, header.width, model_scale=upscaler.scale))
            batch = upscale_folder(
                photo,
                folder / f"result.{options.format}",
                model=upscaler,
                size=size,
                options=write_options(options),
                limits=limits,
                overwrite=True,
                progress=lambda one: _tell(one, progress),
                cancel=stopped,
            )
            outcome = next(iter(batch), None)
            if outcome is None:
                raise Stopped
            if outcome.report is None:
                raise InputError(outcome.reason or "it failed", hint=outcome.hint)
            report = outcome.report
            facts = _facts(report, upscaler, options)
            facts["previews"] = _previews(photo, report, folder, limits)
        except WildsrError as error:
            raise _renamed(error, photo, job.name) from error
        return Made(
            result=f"{folder.name}/result.{options.format}", result_bytes=folder_bytes(folder), facts=facts
        )

    def _check_result(self, size: tuple[int, int]) -> None:
        height, width = size
        most = self._settings.quotas.max_result_mp
        if height * width > most * 1e6:
            raise LimitError(
                f"the result would have {width} × {height} pixels = {height * width / 1e6:,.0f} megapixels; "
                f"at most {most:,.0f} are made here",
                hint="choose a smaller scale, or crop the photo",
            )

    def _profile(self, job: Job, folder: Path, progress: Progress, stopped: Callable[[], bool]) -> Made:
        """Learn a profile in a process of its own: it needs PyTorch, which a worker does without."""
        uploads = self._storage.uploads(job.id)
        command = [sys.executable, "-m", "wildsr.service.profiling", str(uploads), str(folder), job.name]
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
            told = _followed(child, progress, stopped)
        if "error" in told:
            hint = told.get("hint")
            raise InputError(str(told["error"]), hint=None if hint is None else str(hint))
        if child.returncode != 0 or not (folder / "camera.profile").is_file():
            raise InputError(
                f"the process that looked at the photos ended unexpectedly (code {child.returncode})",
                hint="it may have run out of memory; bring fewer or smaller photos",
            )
        facts = {name: value for name, value in told.items() if name != "facts"}
        return Made(result=f"{folder.name}/camera.profile", result_bytes=folder_bytes(folder), facts=facts)


def _followed(
    child: "subprocess.Popen[str]", progress: Progress, stopped: Callable[[], bool]
) -> dict[str, Fact]:
    """Pass on what a profiling process tells; return the last of it. The process is killed when asked to stop."""
    assert child.stdout is not None, "opened as a pipe"
    over = threading.Event()

    def watch() -> None:
        while not over.wait(_LOOK_AGAIN):
            if stopped():
                child.kill()
                return

    watcher = threading.Thread(target=watch, name="wildsr-profile-watch", daemon=True)
    watcher.start()
    told: dict[str, Fact] = {}
    try:
        for line in child.stdout:
            told = json.loads(line)
            if "done" in told:
                progress(int(str(told["done"])), int(str(told["photos"])))
    finally:
        over.set()
        watcher.join()
        if "facts" not in told and "error" not in told:
            child.kill()
    if stopped():
        raise Stopped
    return told


def write_options(options: JobOptions) -> WriteOptions:
    """Return how a result is written: as `wildsr upscale` does with the same options."""
    return WriteOptions(
        quality=options.quality,
        background=background_named("white"),
        strip_metadata=options.strip_metadata,
        strip_gps=options.strip_gps,
    )


def _tell(one: BatchProgress, progress: Progress) -> None:
    progress(one.tiles_done, one.tiles)


def _facts(report: Report, upscaler: Upscaler, options: JobOptions) -> dict[str, Fact]:
    return {
        "width": report.plan.width,
        "height": report.plan.height,
        "suffix": scale_suffix(options.scale if options.scale is not None else upscaler.scale),
        "seconds": round(report.seconds, 3),
        "precision": upscaler.precision,
        "viewable": options.format in _VIEWABLE
        and report.plan.width * report.plan.height <= _VIEWABLE_PIXELS,
        "notes": [*report.notes, *report.dropped],
    }


def _previews(photo: Path, report: Report, folder: Path, limits: Limits) -> list[str]:
    """Write what the page shows; return which sides there are."""
    sides: list[tuple[str, Path, Limits]] = [("before", photo, limits)]
    if report.plan.width * report.plan.height <= _PREVIEW_PIXELS:
        sides.append(("after", report.target, RESULT_LIMITS))
    made: list[str] = []
    for side, path, allowed in sides:
        with suppress(WildsrError, MemoryError):  # the result itself is good
            write_preview(path, folder / f"{side}.webp", limits=allowed)
            made.append(side)
    return made


def _renamed(error: WildsrError, photo: Path, name: str) -> WildsrError:
    """Return an error that names the photo as its owner does, and no path of this machine."""
    told = str(error).replace(str(photo), name).replace(photo.name, name)
    return InputError(told.replace(str(photo.parent), ""), hint=error.hint)
