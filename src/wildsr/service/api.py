"""The HTTP API of jobs: list, watch, cancel, delete."""

import ipaddress
from functools import cache, lru_cache
from importlib.util import find_spec
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from wildsr.models import CATALOG, own_sharpness
from wildsr.service.desk import Customer
from wildsr.service.events import Broker
from wildsr.service.jobs import Job, JobStore
from wildsr.service.options import FORMAT_NAMES, MOST_SCALE, State
from wildsr.service.reads import as_json, looked_up
from wildsr.service.settings import ServiceSettings
from wildsr.service.speeds import Speed, known_speeds
from wildsr.service.storage import Storage
from wildsr.service.views import About, JobList, JobView, ModelView, view
from wildsr.service.web import Refused, owner, responses
from wildsr.version import __version__

JobId = Annotated[str, Path(pattern="^[0-9a-f]{32}$", description="A job's id.")]
_LARGEST_SEQ: Final = 2**31 - 1


def customer(request: Request) -> Customer:
    """Return who asks: the token, and the address (of IPv6 the network, which is what one client has)."""
    who = owner(request)
    address = _network(request.client.host) if request.client is not None else "unknown"
    return Customer(owner=who, client=f"{who}@{address}"[:100])


@lru_cache(maxsize=1000)
def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 6:
        return str(ipaddress.ip_network(f"{address.partition('%')[0]}/64", strict=False))
    return address


def found_job(store: JobStore, job_id: str, who: Customer) -> Job:
    """Return a job of who asks.

    Raises:
        Refused: 404 there is none; that of another owner counts as none.
    """
    job = store.get(job_id, owner=who.owner)
    if job is None:
        raise Refused(404, "there is no such job", hint="it may have been deleted")
    return job


def jobs_router(settings: ServiceSettings, store: JobStore, storage: Storage) -> APIRouter:
    """Return the routes below /api about jobs that are there; `intake` brings them, `results` hands out files."""
    router = APIRouter(prefix="/api", tags=["jobs"])

    @router.get("/jobs", response_model=JobList, responses=responses(422), summary="List jobs")
    async def listing(
        request: Request,
        limit: Annotated[int, Query(ge=1, le=500)] = 100,
        before: Annotated[int | None, Query(ge=1, le=_LARGEST_SEQ)] = None,
        state: State | None = None,
    ) -> Response:
        """Return your jobs, the newest first."""
        found = await looked_up(
            store.database, store.page, owner=owner(request), limit=limit + 1, before=before, state=state
        )
        shown = found[:limit]
        more = shown[-1].seq if len(found) > limit else None
        return as_json(JobList(jobs=[view(job) for job in shown], next=more))

    @router.get("/jobs/{job_id}", response_model=JobView, responses=responses(404, 422), summary="One job")
    async def one(request: Request, job_id: JobId) -> Response:
        """Return one job."""
        return as_json(view(await looked_up(store.database, found_job, store, job_id, customer(request))))

    @router.post(
        "/jobs/{job_id}/cancel", response_model=JobView, responses=responses(404, 409, 422), summary="Cancel"
    )
    def cancel(request: Request, job_id: JobId) -> JobView:
        """End a job that waits or runs; its photo stays until the job is deleted."""
        who = customer(request)
        job = found_job(store, job_id, who)
        if not store.cancel(job_id, owner=who.owner):
            raise Refused(409, f"the job is {found_job(store, job_id, who).state} already")
        return view(found_job(store, job.id, who))

    @router.delete("/jobs/{job_id}", status_code=204, responses=responses(404, 422), summary="Delete")
    def delete(request: Request, job_id: JobId) -> Response:
        """Delete a job with its photo and result, whatever its state."""
        who = customer(request)
        if not store.delete(job_id, owner=who.owner):
            raise Refused(404, "there is no such job", hint="it may have been deleted")
        storage.remove(job_id)
        return Response(status_code=204)

    @router.get("/about", response_model=About, responses=responses(), summary="What is offered")
    async def about() -> Response:
        """Return models, limits, and how long the queue is."""
        return as_json(await looked_up(store.database, about_service, settings, store))

    return router


def events_router(store: JobStore, broker: Broker) -> APIRouter:
    """Return the event streams below /api."""
    router = APIRouter(prefix="/api", tags=["jobs"])

    @router.get(
        "/jobs/{job_id}/events",
        responses={**responses(404, 422, 429), 200: _EVENTS},
        response_class=StreamingResponse,
        summary="Watch a job",
    )
    async def watch(request: Request, job_id: JobId) -> Response:
        """Stream a job's changes as server-sent events, until it ends."""
        who = customer(request)
        await looked_up(store.database, found_job, store, job_id, who)
        return _stream(broker, who, job_id)

    @router.get(
        "/events",
        responses={**responses(429), 200: _EVENTS},
        response_class=StreamingResponse,
        summary="Watch all jobs",
    )
    async def watch_all(request: Request) -> Response:
        """Stream the changes of all your jobs as server-sent events."""
        return _stream(broker, customer(request), None)

    return router


def about_service(settings: ServiceSettings, store: JobStore) -> About:
    """Return what the service offers and allows."""
    quotas, speeds = settings.quotas, known_speeds(store.database)
    counts = store.counts()
    return About(
        version=__version__,
        models=[_model(label, file, speeds.get(label)) for label, file in settings.model_files.items()],
        formats=list(FORMAT_NAMES),
        workers=settings.workers,
        profiles=_can_profile(),
        waiting=counts.get("queued", 0) + counts.get("running", 0),
        max_mp=quotas.max_mp,
        max_result_mp=quotas.max_result_mp,
        max_upload_mb=quotas.max_upload_mb,
        max_files=quotas.max_files,
        max_scale=MOST_SCALE,
        keep_days=settings.keep_days,
    )


@cache
def _can_profile() -> bool:
    return find_spec("torch") is not None and find_spec("scipy") is not None


def _model(label: str, file: str, speed: Speed | None) -> ModelView:
    entry = CATALOG.get(label)
    scale = speed.scale if speed is not None else None
    return ModelView(
        name=label,
        summary=entry.summary if entry is not None else "a model of this service's operator",
        scale=scale if scale is not None or entry is None else entry.spec.scale,
        sharpness=own_sharpness(file),
        seconds_per_megapixel=None if speed is None else speed.seconds_per_megapixel,
        error=None if speed is None else speed.error,
    )


def _stream(broker: Broker, who: Customer, job_id: str | None) -> Response:
    broker.check_room(who.client)
    return StreamingResponse(
        broker.stream(owner=who.owner, client=who.client, job_id=job_id),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


_EVENTS: Final[dict[str, object]] = {
    "description": "`event: job`, whose data is a job as JSON, at each change",
    "content": {"text/event-stream": {"schema": {"type": "string"}}},
}
