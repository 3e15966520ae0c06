"""What jobs made: the result, small pictures, a profile's page, a zip of many."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import FileResponse, StreamingResponse

from wildsr.service.api import JobId, customer, found_job
from wildsr.service.jobs import Job, JobStore
from wildsr.service.options import MEDIA_TYPES
from wildsr.service.reads import looked_up
from wildsr.service.storage import Storage
from wildsr.service.views import download_name
from wildsr.service.web import Refused, responses
from wildsr.service.zips import zipped

_PAGE_HEADERS: Final = {
    "content-security-policy": (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'; sandbox"
    ),
    "cache-control": "private, max-age=3600",
}
"""A profile's page is one file with its style and pictures inside; it runs nothing and loads nothing."""
_KEPT: Final = {"cache-control": "private, max-age=3600"}
_MOST: Final = 1000
_AT_ONCE: Final = 1 << 18
"""A file of at most so many bytes is read at once; streaming takes several turns of threads."""

_PICTURE: Final[dict[str, object]] = {
    "description": "The file",
    "content": {
        kind: {"schema": {"type": "string", "format": "binary"}} for kind in set(MEDIA_TYPES.values())
    },
}


def results_router(store: JobStore, storage: Storage) -> APIRouter:
    """Return the routes below /api that hand out files."""
    router = APIRouter(prefix="/api", tags=["results"])

    def file_of(job: Job, path: str) -> Path:
        file = storage.result(job.id, path)
        if file is None:
            raise _gone()
        return file

    async def finished(request: Request, job_id: str) -> Job:
        job = await looked_up(store.database, found_job, store, job_id, customer(request))
        if job.state != "done" or job.result is None:
            raise Refused(409, f"the job is {job.state}; it has no result", hint=job.error)
        return job

    @router.get(
        "/jobs/{job_id}/result",
        response_class=FileResponse,
        responses={
            **responses(404, 409, 422),
            200: _PICTURE,
            206: _PICTURE,
            416: {"description": "No such range"},
        },
        summary="The result",
    )
    async def result(request: Request, job_id: JobId) -> Response:
        """Return the file that a job made."""
        job = await finished(request, job_id)
        kind = "profile" if job.kind == "profile" else job.options.format
        file = file_of(job, str(job.result))
        return _sent(request, file, kind=MEDIA_TYPES[kind], headers=_KEPT, name=download_name(job))

    @router.get(
        "/jobs/{job_id}/preview/{side}",
        response_class=FileResponse,
        responses={
            **responses(404, 409, 422),
            200: {"description": "A WebP", "content": {"image/webp": {}}},
            206: {"description": "A part of it"},
            416: {"description": "No such range"},
        },
        summary="A small picture",
    )
    async def preview(request: Request, job_id: JobId, side: Literal["before", "after"]) -> Response:
        """Return the photo, or the result, as a WebP of at most 2,048 pixels a side."""
        job = await finished(request, job_id)
        path = f"{Path(str(job.result)).parent.as_posix()}/{side}.webp"
        return _sent(request, file_of(job, path), kind="image/webp", headers=_KEPT)

    @router.get(
        "/jobs/{job_id}/page",
        response_class=FileResponse,
        responses={
            **responses(404, 409, 422),
            200: {"description": "A page", "content": {"text/html": {}}},
            206: {"description": "A part of it"},
            416: {"description": "No such range"},
        },
        summary="A profile's page",
    )
    async def page(request: Request, job_id: JobId) -> Response:
        """Return the page of a profile: kernels, noise, what was rejected and why."""
        job = await finished(request, job_id)
        path = f"{Path(str(job.result)).parent.as_posix()}/page.html"
        return _sent(request, file_of(job, path), kind="text/html", headers=_PAGE_HEADERS)

    return router


def _sent(
    request: Request, file: Path, *, kind: str, headers: Mapping[str, str], name: str | None = None
) -> Response:
    try:
        found = file.stat()
        streamed = FileResponse(file, media_type=kind, filename=name, headers=headers, stat_result=found)
        if found.st_size > _AT_ONCE or "range" in request.headers:
            return streamed
        return Response(file.read_bytes(), headers=dict(streamed.headers))
    except FileNotFoundError as error:
        raise _gone() from error


def _gone() -> Refused:
    return Refused(404, "the file is no longer here", hint="it may have been deleted")


def zip_router(store: JobStore, storage: Storage) -> APIRouter:
    """Return the route that hands out many results at once."""
    router = APIRouter(prefix="/api", tags=["results"])

    @router.get(
        "/zip",
        response_class=StreamingResponse,
        responses={**responses(404, 422), 200: {"description": "A zip", "content": {"application/zip": {}}}},
        summary="Many results",
    )
    def many(
        request: Request,
        job: Annotated[list[str], Query(min_length=1, max_length=_MOST, description="Ids of finished jobs.")],
    ) -> Response:
        """Return a zip of the results of these jobs; those that are not done are left out."""
        who = customer(request)
        found = [store.get(one, owner=who.owner) for one in dict.fromkeys(job)]
        done = [one for one in found if one is not None and one.state == "done" and one.result is not None]
        files = [(download_name(one), storage.result(one.id, str(one.result))) for one in done]
        entries = [(name, path) for name, path in files if path is not None]
        if not entries:
            raise Refused(404, "none of these jobs has a result")
        return StreamingResponse(
            zipped(entries),
            media_type="application/zip",
            headers={"content-disposition": 'attachment; filename="wildsr.zip"'},
        )

    return router
