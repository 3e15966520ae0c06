"""What the API says about jobs and models; these classes are the OpenAPI document."""

import time
from typing import Literal

from wildsr.service.jobs import Fact, Job
from wildsr.service.options import FormatName, JobOptions, Kind, State
from wildsr.service.storage import result_name
from wildsr.service.web import ErrorDetail, View


class ProgressView(View):
    """How far a running job is."""

    done: int
    """Tiles, or photos of a profile, that are done."""

    total: int | None
    """In all; null while the photo is read."""

    seconds_left: float | None
    """By the pace so far."""


class ResultView(View):
    """What a finished job made."""

    name: str
    """What it is called when it is downloaded."""

    bytes: int
    """What it takes on the disk, previews included."""

    width: int | None
    """Pixels."""

    height: int | None
    """Pixels."""

    viewable: bool
    """Whether a browser can show the result itself."""

    previews: list[Literal["before", "after"]]
    """Small pictures there are."""

    seconds: float | None
    """Time it took."""

    notes: list[str]
    """What is worth knowing about photo and result."""


class JobView(View):
    """A job."""

    id: str
    """Names it in the API."""

    kind: Kind
    """What is done."""

    state: State
    """`done`, `failed` and `cancelled` are final."""

    name: str
    """What the photo is called."""

    options: JobOptions
    """How it is done."""

    created: float
    """Seconds since 1970."""

    started: float | None
    """When the last attempt began."""

    finished: float | None
    """When it ended."""

    attempt: int
    """How often it was begun; more than once where a worker was lost."""

    progress: ProgressView | None
    """Of a running job."""

    result: ResultView | None
    """Of a job that is done."""

    error: ErrorDetail | None
    """Of a job that failed."""


class JobList(View):
    """A page of jobs, the newest first."""

    jobs: list[JobView]
    """Up to the limit that was asked for."""

    next: int | None
    """Ask again with `before` set to this for the jobs that came before; null at the end."""


class Created(View):
    """What became of an upload."""

    jobs: list[JobView]
    """One for each photo and model."""


class ModelView(View):
    """A model that jobs may name."""

    name: str
    """Its name."""

    summary: str
    """What it is for."""

    scale: int | None
    """Its own enlargement; null until a worker has loaded it."""

    sharpness: float | None
    """Where its dial is unless a job sets it, for a model with two ends; null for one that has no dial."""

    seconds_per_megapixel: float | None
    """Time for a million pixels of a photo on this machine, an upper bound; null until a worker has loaded it."""

    error: str | None
    """Why it can't be used."""


class About(View):
    """What this service is and allows."""

    version: str
    """wildsr's."""

    models: list[ModelView]
    """The default first."""

    formats: list[FormatName]
    """Of results."""

    workers: int
    """Jobs that run at the same time."""

    profiles: bool
    """Whether profiles can be learnt here."""

    waiting: int
    """Jobs waiting or running, everybody's."""

    max_mp: float
    """Largest photo, in megapixels."""

    max_result_mp: float
    """Largest result, in megapixels."""

    max_upload_mb: float
    """Largest upload."""

    max_files: int
    """Files of one upload."""

    max_scale: float
    """Largest enlargement."""

    keep_days: float
    """Finished jobs are deleted after so many days."""


def view(job: Job) -> JobView:
    """Return a job as the API shows it."""
    return JobView(
        id=job.id,
        kind=job.kind,
        state=job.state,
        name=job.name,
        options=job.options,
        created=job.created,
        started=job.started,
        finished=job.finished,
        attempt=job.attempt,
        progress=_progress(job) if job.state == "running" else None,
        result=_result(job) if job.state == "done" else None,
        error=None if job.error is None else ErrorDetail(code="refused", message=job.error, hint=job.hint),
    )


def download_name(job: Job) -> str:
    """Return what the result of a job is called."""
    if job.kind == "profile":
        return result_name(job.name, "", "profile")
    return result_name(job.name, str(job.facts.get("suffix", "")), job.options.format)


def _progress(job: Job) -> ProgressView:
    left: float | None = None
    if job.steps and job.steps_done and job.started is not None:
        left = max(0.0, time.time() - job.started) / job.steps_done * (job.steps - job.steps_done)
    return ProgressView(done=job.steps_done, total=job.steps, seconds_left=left)


def _result(job: Job) -> ResultView:
    facts = job.facts
    sides: list[Literal["before", "after"]] = [
        side for side in ("before", "after") if side in _texts(facts.get("previews"))
    ]
    return ResultView(
        name=download_name(job),
        bytes=job.result_bytes,
        width=_whole(facts.get("width")),
        height=_whole(facts.get("height")),
        viewable=facts.get("viewable") is True,
        previews=sides,
        seconds=_real(facts.get("seconds")),
        notes=_texts(facts.get("notes")),
    )


def _texts(fact: Fact) -> list[str]:
    return fact if isinstance(fact, list) else []


def _whole(fact: Fact) -> int | None:
    return fact if isinstance(fact, int) else None


def _real(fact: Fact) -> float | None:
    return float(fact) if isinstance(fact, int | float) else None
