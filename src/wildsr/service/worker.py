"""A worker process: claims jobs, does them, keeps them alive, and stops when its parent does.

`python -m wildsr.service.worker` reads its settings as JSON from standard input, which stays open as long as the
service lives.
"""

import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final

from sqlalchemy.exc import SQLAlchemyError

from wildsr.errors import WildsrError
from wildsr.files.processes import own_tag
from wildsr.service.leases import Lease, Leases
from wildsr.service.logs import log_to_stderr
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.tables import open_database
from wildsr.service.waking import Waker
from wildsr.service.workshop import Stopped, Workshop

log = logging.getLogger("wildsr.service")

_NICE: Final = 10


class Keeper:
    """Keeps a lease alive in a thread of its own, with the progress that was told last.

    Args:
        leases: Where.
        lease: Which.
        beat: Seconds between two beats.
        lease_seconds: Without a beat for this long, the lease counts as lost.
    """

    def __init__(self, leases: Leases, lease: Lease, *, beat: float, lease_seconds: float) -> None:
        self._leases, self._lease, self._beat, self._seconds = leases, lease, beat, lease_seconds
        self._done, self._steps = 0, None if lease.job.kind == "upscale" else 0
        self._over = threading.Event()
        self._lost = threading.Event()
        self._thread = threading.Thread(target=self._run, name="wildsr-beat", daemon=True)

    @contextmanager
    def kept(self) -> Iterator[None]:
        """Beat as long as the block runs."""
        self._thread.start()
        try:
            yield
        finally:
            self._over.set()
            self._thread.join()

    def progress(self, done: int, steps: int | None) -> None:
        """Say how far the job is; written with the next beat."""
        self._done, self._steps = done, steps

    def lost(self) -> bool:
        """Whether the job was cancelled, deleted, or given to another."""
        return self._lost.is_set()

    def _run(self) -> None:
        last = time.monotonic()
        while not self._over.wait(self._beat):
            try:
                held = self._leases.beat(self._lease, steps_done=self._done, steps=self._steps)
            except SQLAlchemyError:  # a database that is away for a moment
                held = time.monotonic() - last < self._seconds
            else:
                last = time.monotonic()
            if not held:
                self._lost.set()
                return


class Worker:
    """Does jobs until it is asked to stop.

    Args:
        settings: The service's.
        name: Who it is in the jobs table.
        stop: Set when it is to end.
    """

    def __init__(self, settings: ServiceSettings, name: str, stop: threading.Event) -> None:
        self._settings, self._name, self._stop = settings, name, stop
        self._database = open_database(settings.database_url)
        self._leases = Leases(self._database, seconds=settings.timing.lease)
        self._waker = Waker(settings.folder, settings.redis)
        self._workshop = Workshop(settings, Storage(settings.folder), self._database)

    def run(self) -> None:
        """Work until `stop` is set."""
        first = next(iter(self._settings.model_files))
        with suppress(WildsrError):  # noted for the page; jobs that need it say why they fail
            self._workshop.warm(first)
        while not self._stop.is_set():
            try:
                if not self.once():
                    self._waker.wait(self._settings.timing.beat)
            except SQLAlchemyError as error:
                log.warning("database away", extra={"facts": {"reason": type(error).__name__}})
                self._stop.wait(self._settings.timing.beat)

    def once(self) -> bool:
        """Do one job; False where there is none."""
        lease = self._leases.claim(self._name)
        if lease is None:
            return False
        timing = self._settings.timing
        keeper = Keeper(self._leases, lease, beat=timing.beat, lease_seconds=timing.lease)
        ended = "lost"
        try:
            with keeper.kept():
                made = self._workshop.do(
                    lease.job, lease.attempt, keeper.progress, lambda: keeper.lost() or self._stop.is_set()
                )
            ended = "done" if self._leases.finish(lease, made) else "lost"
        except Stopped:
            ended = "given back" if self._leases.give_back(lease) else "cancelled"
        except WildsrError as error:
            ended = "failed" if self._leases.fail(lease, str(error), error.hint) else "lost"
        except MemoryError:
            self._leases.fail(lease, "memory ran out", "bring a smaller photo")
            ended = "failed"
        except SQLAlchemyError:
            raise
        except Exception:  # broad: one job's fault must not end the worker
            log.exception("unexpected error in a job", extra={"facts": {"job": lease.job.id}})
            self._leases.fail(
                lease, "something unexpected went wrong here", "this is a bug in wildsr: please report it"
            )
            ended = "failed"
        facts = {"job": lease.job.id, "kind": lease.job.kind, "attempt": lease.attempt, "ended": ended}
        log.info("job", extra={"facts": facts})
        return True


def main() -> None:
    """Run a worker as a process; its number is the program's argument."""
    settings = ServiceSettings.from_json(sys.stdin.readline())
    log_to_stderr()
    stop = threading.Event()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group; the service decides
    signal.signal(signal.SIGTERM, lambda _number, _frame: stop.set())
    threading.Thread(target=_watch_parent, args=(stop,), name="wildsr-parent", daemon=True).start()
    with suppress(OSError):
        os.nice(_NICE)  # answers come first
    Worker(settings, f"{own_tag()}/{sys.argv[1]}", stop).run()


def _watch_parent(stop: threading.Event) -> None:
    """Ask to stop when standard input ends: the service has ended, in whatever way."""
    sys.stdin.read()
    stop.set()


if __name__ == "__main__":
    main()
