"""Server-sent events: one look at the jobs table for everybody who watches, however many they are."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from fastapi.concurrency import run_in_threadpool
from sqlalchemy.exc import SQLAlchemyError

from wildsr.service.jobs import Job, JobStore
from wildsr.service.options import FINAL
from wildsr.service.views import view
from wildsr.service.web import Refused

log = logging.getLogger("wildsr.service")

_OVERLAP: Final = 5.0
"""Seconds by which a change may become visible after the moment it names."""
_ALIVE: Final = 15.0
_MOST_WAITING: Final = 1000


@dataclass(eq=False)
class _Watcher:
    """Somebody who watches."""

    owner: str
    job_id: str | None
    news: "asyncio.Queue[Job]" = field(default_factory=lambda: asyncio.Queue(_MOST_WAITING))


class Broker:
    """Hands changes of jobs to those who watch.

    Args:
        store: The jobs table.
        seconds: Between two looks.
        most: Streams of one client.
    """

    def __init__(self, store: JobStore, *, seconds: float, most: int) -> None:
        self._store, self._seconds, self._most = store, seconds, most
        self._watchers: set[_Watcher] = set()
        self._of_client: Counter[str] = Counter()
        self._seen: dict[str, float] = {}

    @property
    def watchers(self) -> int:
        """Streams that are open."""
        return len(self._watchers)

    async def run(self) -> None:
        """Look for changes until cancelled."""
        since = time.time()
        while True:
            await asyncio.sleep(self._seconds)
            if not self._watchers:
                since = time.time()
                self._seen.clear()
                continue
            try:
                changed = await run_in_threadpool(self._store.changed_since, since - _OVERLAP)
            except SQLAlchemyError as error:
                log.warning("database away", extra={"facts": {"reason": type(error).__name__}})
                continue
            self._hand_out(changed)
            since = max([since, *(job.changed for job in changed)])
            self._seen = {one: at for one, at in self._seen.items() if at >= since - _OVERLAP}

    def check_room(self, client: str) -> None:
        """Refuse more streams than one client may have.

        Raises:
            Refused: 429.
        """
        if self._of_client[client] >= self._most:
            raise Refused(429, f"{self._most} event streams are open; no more for one client")

    async def stream(self, *, owner: str, client: str, job_id: str | None = None) -> AsyncIterator[str]:
        """Yield events in the form of `text/event-stream`.

        Args:
            owner: Whose jobs.
            client: Who watches.
            job_id: Watch this job alone, from its state now until it ends; None watches all, without end.
        """
        watcher = _Watcher(owner=owner, job_id=job_id)
        self._watchers.add(watcher)
        self._of_client[client] += 1
        try:
            yield "retry: 2000\n: wildsr\n\n"
            job: Job | None = None
            if job_id is not None:  # read after the watch began, so that nothing falls between
                job = await run_in_threadpool(self._store.get, job_id, owner=owner)
            while True:
                if job is not None:
                    yield _event(job)
                if job_id is not None and (job is None or job.state in FINAL):
                    return
                job = None
                while job is None:
                    try:
                        job = await asyncio.wait_for(watcher.news.get(), _ALIVE)
                    except TimeoutError:
                        yield ": alive\n\n"
        finally:
            self._watchers.discard(watcher)
            self._of_client[client] -= 1

    def _hand_out(self, changed: list[Job]) -> None:
        for job in changed:
            if self._seen.get(job.id) == job.changed:
                continue
            self._seen[job.id] = job.changed
            for watcher in self._watchers:
                if watcher.owner == job.owner and watcher.job_id in (None, job.id):
                    with suppress(asyncio.QueueFull):  # who doesn't read misses news, and lists again
                        watcher.news.put_nowait(job)


def _event(job: Job) -> str:
    return f"event: job\ndata: {view(job).model_dump_json()}\n\n"
