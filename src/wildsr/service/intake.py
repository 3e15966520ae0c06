"""The HTTP API where photos come in."""

import asyncio
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Final

from fastapi import APIRouter, Request, Response

from wildsr.service.api import customer
from wildsr.service.desk import Customer, Desk
from wildsr.service.jobs import Job, new_id
from wildsr.service.options import JobOptions
from wildsr.service.reads import as_json, looked_up
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.uploads import Receiver, receive
from wildsr.service.views import Created, view
from wildsr.service.web import responses

_WRITERS: Final = 2
"""Uploads put into the queue at a time: writers of SQLite that wait for each other sleep longer than needed."""
_FAR_WRITERS: Final = 8
"""The same where the database is behind a network, which is waited for."""
_FILES: Final = {"type": "array", "items": {"type": "string", "format": "binary"}, "minItems": 1}


def intake_router(settings: ServiceSettings, storage: Storage, desk: Desk) -> APIRouter:
    """Return the routes below /api that take uploads."""
    router = APIRouter(prefix="/api", tags=["jobs"])

    # Threads that fetch their next work themselves. Turns given by the loop would each wait until it has answered all
    # who ask at that moment: two at a time, with hundreds of clients, that is seconds.
    writers = ThreadPoolExecutor(_WRITERS if desk.database.is_near else _FAR_WRITERS, "wildsr-intake")

    async def taken_in(request: Request, put: Callable[[Receiver, str, Customer], list[Job]]) -> list[Job]:
        who, staging = customer(request), new_id()
        await looked_up(desk.database, desk.check_room, who)
        receiver = Receiver(storage, staging, most_files=settings.quotas.max_files)
        await receive(request, receiver, settings.quotas, settings.timing, threads=writers)
        putting = asyncio.get_running_loop().run_in_executor(writers, put, receiver, staging, who)
        return await asyncio.shield(putting)  # a request that is cancelled now leaves a job, or nothing

    def upscaled(receiver: Receiver, staging: str, who: Customer) -> list[Job]:
        added: list[Job] = []
        try:
            receiver.store(last=True)
            added = desk.upscale(receiver.upload, staging, who)
            return added
        finally:
            if all(job.id != staging for job in added):
                receiver.discard()

    def profiled(receiver: Receiver, staging: str, who: Customer) -> list[Job]:
        try:
            receiver.store(last=True)
            return [desk.profile(receiver.upload, staging, who)]
        except BaseException:
            receiver.discard()
            raise

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
        added = await taken_in(request, upscaled)
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
        added = await taken_in(request, profiled)
        return as_json(Created(jobs=[view(job) for job in added]), 201)

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
