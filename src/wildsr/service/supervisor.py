"""Starts worker processes, replaces those that end, and ends those that take too long or too much memory."""

import logging
import os
import subprocess
import sys
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from wildsr.files.processes import tag_of
from wildsr.service.jobs import JobStore
from wildsr.service.leases import Leases
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage

log = logging.getLogger("wildsr.service")

_SWEEP_SECONDS: Final = 600.0
_QUICK_DEATH: Final = 5.0
_LONGEST_PAUSE: Final = 30.0


@dataclass
class _Child:
    """A worker's process."""

    number: int
    process: "subprocess.Popen[bytes]"
    name: str
    began: float
    killed_for: tuple[str, str, str] | None = None

    def close(self) -> None:
        """Close the standard input by which a worker knows that the service lives."""
        if self.process.stdin is not None:
            with suppress(BrokenPipeError):
                self.process.stdin.close()


class Supervisor:
    """Runs workers in a thread of the web process, from `start` to `stop`.

    Args:
        settings: The service's.
        store: Jobs; old ones are deleted here.
        leases: What lost workers had is released here.
        storage: Folders; those of no job are removed here.
    """

    def __init__(self, settings: ServiceSettings, store: JobStore, leases: Leases, storage: Storage) -> None:
        self._settings, self._store, self._leases, self._storage = settings, store, leases, storage
        self._children: dict[int, _Child] = {}
        self._not_before: dict[int, float] = {}
        self._quick_deaths: dict[int, int] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wildsr-supervisor", daemon=True)
        self._swept = -_SWEEP_SECONDS
        self.restarts = 0
        """Workers that ended and were replaced."""

    def start(self) -> None:
        """Start the workers."""
        self._thread.start()

    def stop(self) -> None:
        """Let workers give their jobs back, and end them."""
        self._over.set()
        self._thread.join()
        for child in self._children.values():
            child.close()
        deadline = time.monotonic() + self._settings.timing.stop
        for child in self._children.values():
            try:
                child.process.wait(max(0.0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.process.kill()
                child.process.wait()
            self._release(child)

    @property
    def pids(self) -> list[int]:
        """Processes of the workers that run."""
        return [one.process.pid for one in list(self._children.values()) if one.process.poll() is None]

    def _run(self) -> None:
        while True:
            try:
                self._look()
            except SQLAlchemyError as error:
                log.warning("database away", extra={"facts": {"reason": type(error).__name__}})
            if self._over.wait(self._settings.timing.beat):
                return

    def _look(self) -> None:
        for number in range(self._settings.workers):
            child = self._children.get(number)
            if child is not None and child.process.poll() is not None:
                self._bury(child)
                child = None
            if child is None and time.monotonic() >= self._not_before.get(number, 0.0):
                self._children[number] = self._begin(number)
        self._check_limits()
        self._leases.release_lost()
        if time.monotonic() - self._swept >= _SWEEP_SECONDS:
            self._swept = time.monotonic()
            sweep(self._store, self._storage, keep_days=self._settings.keep_days)

    def _begin(self, number: int) -> _Child:
        process = subprocess.Popen(
            [sys.executable, "-m", "wildsr.service.worker", str(number)],
            stdin=subprocess.PIPE,
            env={**os.environ, "MALLOC_ARENA_MAX": "2"},
        )
        assert process.stdin is not None, "asked for above"
        with suppress(BrokenPipeError):  # it ended at once; the next look sees that
            process.stdin.write(self._settings.to_json().encode() + b"\n")
            process.stdin.flush()
        name = f"{tag_of(process.pid)}/{number}"
        return _Child(number=number, process=process, name=name, began=time.monotonic())

    def _bury(self, child: _Child) -> None:
        """Release what a worker had, and pause before the next one where it died young."""
        del self._children[child.number]
        child.close()
        released = self._release(child)
        self.restarts += 1
        young = time.monotonic() - child.began < _QUICK_DEATH
        deaths = self._quick_deaths.get(child.number, 0) + 1 if young else 0
        self._quick_deaths[child.number] = deaths
        pause = min(_LONGEST_PAUSE, 0.5 * 2**deaths) if deaths > 1 else 0.0
        self._not_before[child.number] = time.monotonic() + pause
        facts = {"code": child.process.returncode, "released": released, "pause": pause}
        log.warning("worker ended", extra={"facts": facts})

    def _release(self, child: _Child) -> int:
        failed = 0 if child.killed_for is None else self._leases.fail_lost(child.name, *child.killed_for)
        return failed + self._leases.release(child.name)

    def _check_limits(self) -> None:
        at_work = self._leases.running([child.name for child in self._children.values()])
        for child in self._children.values():
            job = at_work.get(child.name)
            if job is None or job.started is None or child.killed_for is not None:
                continue
            minutes, most = (time.time() - job.started) / 60, self._settings.max_minutes
            memory = tree_memory(child.process.pid) / 1e9
            if minutes > most:
                child.killed_for = (
                    job.id,
                    f"it took longer than {most:g} minutes, the most a job may take here",
                    "bring a smaller photo, or choose a faster model",
                )
            elif memory > self._settings.memory_gb:
                child.killed_for = (
                    job.id,
                    f"it took more than {self._settings.memory_gb:g} GB of memory, the most a job may take here",
                    "bring a smaller photo, or choose png or jpg as format",
                )
            if child.killed_for is not None:
                child.process.kill()


def sweep(store: JobStore, storage: Storage, *, keep_days: float) -> int:
    """Delete jobs that ended `keep_days` ago, and folders of no job; return how many folders were removed."""
    removed = 0
    for job_id in store.delete_finished_before(time.time() - 86_400 * keep_days):
        storage.remove(job_id)
        removed += 1
    for job_id in list(storage.orphans(store.ids())):
        storage.remove(job_id)
        removed += 1
    if removed:
        log.info("swept", extra={"facts": {"folders": removed}})
    return removed


def tree_memory(pid: int) -> int:
    """Return the resident bytes of a process and its children; 0 where the system does not say (other than Linux)."""
    total, waiting = 0, [pid]
    while waiting:
        one = waiting.pop()
        base = Path(f"/proc/{one}")
        try:
            total += int((base / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            for task in (base / "task").iterdir():
                waiting += [int(child) for child in (task / "children").read_text().split()]
        except (OSError, IndexError, ValueError):
            continue
    return total
