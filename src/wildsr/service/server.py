"""The whole service put together, and run."""

import asyncio
import contextlib
import gc
import socket
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

import uvicorn
from fastapi import FastAPI

from wildsr.errors import OutputError
from wildsr.files import make_folder
from wildsr.service.access import Access
from wildsr.service.api import events_router, jobs_router
from wildsr.service.desk import Desk
from wildsr.service.events import Broker
from wildsr.service.http import BoundedHttp
from wildsr.service.intake import intake_router
from wildsr.service.jobs import JobStore
from wildsr.service.leases import Leases
from wildsr.service.login import login_router
from wildsr.service.logs import log_to_stderr
from wildsr.service.operations import Metrics, operations_router
from wildsr.service.pages import Pages, static_router
from wildsr.service.results import results_router, zip_router
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.study_pages import study_router
from wildsr.service.supervisor import Supervisor
from wildsr.service.tables import open_database
from wildsr.service.tabs import tabs_router
from wildsr.service.waking import Waker
from wildsr.service.web import new_app
from wildsr.study.store import StudyStore

_STOP_SECONDS = 3
_TURN = 0.001
"""Seconds a thread keeps the interpreter while the loop waits to answer; Python's own is five times that."""


@dataclass(frozen=True, kw_only=True)
class Service:
    """The parts of a running service."""

    app: FastAPI
    """What answers; starts and stops the rest with itself."""

    store: JobStore
    """The jobs table."""

    supervisor: Supervisor
    """Its workers."""


def create_service(settings: ServiceSettings, access: Access) -> Service:
    """Put a service together; nothing runs until the app is served.

    Raises:
        UsageError, OutputError: The folder, the database or Redis can't be used.
    """
    make_folder(settings.folder)
    storage, database = Storage(settings.folder), open_database(settings.database_url)
    store, waker = JobStore(database), Waker(settings.folder, settings.redis)
    leases = Leases(database, seconds=settings.timing.lease)
    supervisor = Supervisor(settings, store, leases, storage)
    broker = Broker(store, seconds=min(0.3, settings.timing.beat), most=settings.quotas.max_streams)
    metrics, pages = Metrics(), Pages()
    studies = None if settings.studies is None else StudyStore(settings.studies)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        watching = asyncio.create_task(broker.run())
        supervisor.start()
        try:
            yield
        finally:
            watching.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await watching
            await asyncio.to_thread(supervisor.stop)
            database.close()
            if studies is not None:
                studies.close()

    app = new_app(access, observe=metrics.observe)
    app.router.lifespan_context = lifespan
    desk = Desk(settings, store, storage, waker)
    app.include_router(intake_router(settings, storage, desk))
    app.include_router(jobs_router(settings, store, storage))
    app.include_router(events_router(store, broker))
    app.include_router(zip_router(store, storage))
    app.include_router(results_router(store, storage))
    app.include_router(operations_router(settings, store, storage, supervisor, broker, metrics))
    app.include_router(static_router())
    app.include_router(tabs_router(pages, settings, store))
    app.include_router(login_router(pages, access))
    app.include_router(study_router(pages, studies))
    return Service(app=app, store=store, supervisor=supervisor)


def listen(host: str, port: int) -> socket.socket:
    """Return a socket that listens; port 0 takes a free one.

    Raises:
        OutputError: The address can't be had.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=512)
    except OSError as error:
        raise OutputError(
            f"can't listen on {host} port {port}: {error.strerror or error}",
            hint="another service may be there; --port names another",
        ) from error


def run_app(app: FastAPI, listener: socket.socket, *, started: Callable[[], None]) -> None:
    """Serve an app until SIGINT or SIGTERM: requests at work are finished, event streams are cut.

    Args:
        app: What answers.
        listener: From `listen`.
        started: Called before the first request is answered.
    """
    log_to_stderr()
    sys.setswitchinterval(_TURN)
    gc.collect()
    gc.freeze()  # what is loaded by now stays; looking through it would stop all answers for a tenth of a second
    config = uvicorn.Config(
        app,
        http=BoundedHttp,
        log_config=None,
        access_log=False,
        server_header=False,
        ws="none",
        timeout_keep_alive=10,
        timeout_graceful_shutdown=_STOP_SECONDS,
        proxy_headers=False,
    )
    started()
    uvicorn.Server(config).run(sockets=[listener])
