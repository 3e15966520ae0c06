"""What operators and their programs look at: health, readiness, metrics."""

from typing import Final, Literal

from fastapi import APIRouter, Response
from fastapi.responses import JSONResponse
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.exposition import CONTENT_TYPE_LATEST
from sqlalchemy.exc import SQLAlchemyError

from wildsr.service.events import Broker
from wildsr.service.jobs import JobStore
from wildsr.service.options import STATES
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.supervisor import Supervisor
from wildsr.service.web import ErrorBody, View, answer, responses

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0, 30.0)


class Health(View):
    """That the process answers."""

    status: Literal["ok"] = "ok"
    """Always."""


class Metrics:
    """Counts what the web process does; states of jobs are read when asked for."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._requests = Counter(
            "wildsr_requests_total",
            "Requests answered.",
            ("method", "path", "status"),
            registry=self.registry,
        )
        self._seconds = Histogram(
            "wildsr_request_seconds",
            "Time to answer.",
            ("method", "path"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self._jobs = Gauge("wildsr_jobs", "Jobs by state.", ("state",), registry=self.registry)
        self._workers = Gauge("wildsr_workers", "Worker processes that run.", registry=self.registry)
        self._restarts = Gauge(
            "wildsr_worker_restarts_total", "Workers that ended and were replaced.", registry=self.registry
        )
        self._streams = Gauge("wildsr_event_streams", "Event streams that are open.", registry=self.registry)
        self._disk = Gauge("wildsr_disk_free_bytes", "Disk space left.", registry=self.registry)

    def observe(self, method: str, path: str, status: int, seconds: float) -> None:
        """Count an answer."""
        self._requests.labels(method, path, str(status)).inc()
        self._seconds.labels(method, path).observe(seconds)

    def text(self, store: JobStore, supervisor: Supervisor, broker: Broker, storage: Storage) -> bytes:
        """Return everything in Prometheus's text format."""
        counts = store.counts()
        for state in STATES:
            self._jobs.labels(state).set(counts.get(state, 0))
        self._workers.set(len(supervisor.pids))
        self._restarts.set(supervisor.restarts)
        self._streams.set(broker.watchers)
        self._disk.set(storage.free_bytes())
        return generate_latest(self.registry)


def operations_router(
    settings: ServiceSettings,
    store: JobStore,
    storage: Storage,
    supervisor: Supervisor,
    broker: Broker,
    metrics: Metrics,
) -> APIRouter:
    """Return /health, /ready and /metrics."""
    router = APIRouter(tags=["operations"])

    @router.get("/health", response_model=Health, responses=responses(), summary="Does it answer?")
    async def health() -> Health:
        """Say that the process answers."""
        return Health()

    @router.get(
        "/ready",
        response_model=Health,
        responses={**responses(), 503: {"model": ErrorBody, "description": "not ready"}},
        summary="Can it work?",
    )
    def ready() -> Response:
        """Say whether jobs can be taken in and done: the database answers, workers run, the disk has room."""
        missing = _missing(settings, store, storage, supervisor)
        if missing:
            return answer(503, "; ".join(missing))
        return JSONResponse(Health().model_dump())

    @router.get(
        "/metrics",
        responses={
            **responses(),
            200: {"description": "Prometheus's text format", "content": {"text/plain": {}}},
        },
        response_class=Response,
        summary="Metrics",
    )
    def measured() -> Response:
        """Return counters and gauges for Prometheus."""
        return Response(
            metrics.text(store, supervisor, broker, storage), headers={"content-type": CONTENT_TYPE_LATEST}
        )

    return router


def _missing(
    settings: ServiceSettings, store: JobStore, storage: Storage, supervisor: Supervisor
) -> list[str]:
    missing = []
    try:
        store.counts()
    except SQLAlchemyError:
        missing.append("the database does not answer")
    if not supervisor.pids:
        missing.append("no worker runs")
    if storage.free_bytes() < settings.quotas.reserve_gb * 1e9:
        missing.append("the disk is full")
    return missing
