"""The HTTP API where photos come in."""

from collections.abc import Mapping
from typing import Final

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request, Response
from fastapi.concurrency import run_in_threadpool

from wildsr.service.api import customer
from wildsr.service.desk import Customer, Desk
from wildsr.service.jobs import Job, new_id
from wildsr.service.options import JobOptions
from wildsr.service.reads import as_json, looked_up
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.uploads import Upload, receive
from wildsr.service.views import Created, view
from wildsr.service.web import responses

_WRITERS: Final = 2
"""Uploads put into the queue at a time: writers of SQLite that wait for each other sleep longer than needed."""
_FILES: Final = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}


def intake_router(settings: ServiceSettings, storage: Storage, desk: Desk) -> APIRouter:
    """Return the routes below /api that take uploads."""
    router = APIRouter(prefix="/api", tags=["jobs"])

    writers = CapacityLimiter(_WRITERS)

    async def brought(request: Request) -> tuple[str, Customer]:
        who = customer(request)
        await looked_up(desk.database, desk.check_room, who)
        return new_id(), who

    def taken_in(upload: Upload, staging: str, who: Customer) -> list[Job]:
        added: list[Job] = []
        try:
            added = desk.upscale(upload, staging, who)
            return added
        finally:
            if all(job.id != staging for job in added):
                storage.remove(staging)

    @router.post(
        "/jobs",
        status_code=201,
        response_model=Created,
        responses=responses(408, 413, 415, 422, 429, 507),
        openapi_extra=_form({**_option_schemas(), "model": _list_of_text()}),
        summary="Upscale photos",
    )
    async def create(request: Request) -> Response:
        """Bring one or many photos as multipart/form-data; every photo and model becomes a job."""
        staging, who = await brought(request)
        upload = await receive(request, storage, staging, settings.quotas, settings.timing)
        added = await to_thread.run_sync(taken_in, upload, staging, who, limiter=writers)
        return as_json(Created(jobs=[view(job) for job in added]), 201)

    @router.post(
        "/profiles",
        status_code=201,
        response_model=Created,
        responses=responses(408, 413, 415, 422, 429, 507),
        openapi_extra=_form({"name": {"type": "string", "maxLength": 200}}),
        summary="Learn a camera's profile",
    )
    async def create_profile(request: Request) -> Response:
        """Bring photos of one camera; they become one job, whose result is a degradation profile."""
        job_id, who = await brought(request)
        upload = await receive(request, storage, job_id, settings.quotas, settings.timing)
        try:
            job = await to_thread.run_sync(desk.profile, upload, job_id, who, limiter=writers)
        except BaseException:
            await run_in_threadpool(storage.remove, job_id)
            raise
        return as_json(Created(jobs=[view(job)]), 201)

    return router


def _list_of_text() -> dict[str, object]:
    return {"type": "array", "items": {"type": "string", "maxLength": 200}, "maxItems": 8}


def _option_schemas() -> dict[str, object]:
    schema = JobOptions.model_json_schema()["properties"]
    return {name: one for name, one in schema.items() if name != "model"}


def _form(fields: Mapping[str, object]) -> dict[str, object]:
    """Describe a multipart form of files and fields; it is read as a stream, so FastAPI does not know it."""
    schema = {
        "type": "object",
        "properties": {"file": _FILES, **fields},
        "required": ["file"],
        "additionalProperties": False,
    }
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
