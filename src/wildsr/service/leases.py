"""Jobs as workers see them: claimed, kept alive, ended, or given back; whoever lost a job can't change it any more."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, Update, func, insert, select, update
from sqlalchemy.exc import IntegrityError

from wildsr.files.database import Database
from wildsr.files.processes import is_dead
from wildsr.service.jobs import Facts, Job, job_of
from wildsr.service.tables import jobs, turns

MOST_ATTEMPTS: Final = 5
_MOST_TRIES: Final = 10


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right to work on a job."""

    job: Job
    """The job as it was claimed."""

    worker: str
    """Who holds it."""

    attempt: int
    """Which attempt it is; with `worker` it tells this lease from every other."""


@dataclass(frozen=True, kw_only=True)
class Made:
    """What a worker made of a job."""

    result: str
    """Path in the job's folder."""

    result_bytes: int
    """What it takes on the disk, previews included."""

    facts: Facts
    """What is worth knowing about it."""


class Leases:
    """Hands out jobs.

    Args:
        database: Where they are.
        seconds: How long a job is its worker's after each beat.
    """

    def __init__(self, database: Database, *, seconds: float) -> None:
        self._database = database
        self._seconds = seconds

    def claim(self, worker: str) -> Lease | None:
        """Take the next job: of the client with the fewest running, served longest ago, its oldest."""
        for _ in range(_MOST_TRIES):  # another may be faster
            with (
                self._database.read() as connection
            ):  # writers wait for each other, so looking is no part of writing
                job_id = _next(connection)
            if job_id is None:
                return None
            with self._database.write() as connection:
                now = time.time()
                taken = connection.execute(
                    update(jobs)
                    .where(jobs.c.id == job_id, jobs.c.state == "queued")
                    .values(
                        state="running", worker=worker, attempt=jobs.c.attempt + 1, started=now, changed=now,
                        lease_until=now + self._seconds, steps_done=0, steps=None,
                    )
                )  # fmt: skip
                if taken.rowcount != 1:
                    continue
                job = job_of(connection.execute(select(jobs).where(jobs.c.id == job_id)).one())
                _note_turn(connection, job.client, now)
            return Lease(job=job, worker=worker, attempt=job.attempt)
        return None

    def beat(self, lease: Lease, *, steps_done: int, steps: int | None) -> bool:
        """Keep a job, and say how far it is; False where it is the worker's no more."""
        now = time.time()
        values = {
            "lease_until": now + self._seconds,
            "steps_done": steps_done,
            "steps": steps,
            "changed": now,
        }
        return self._change(_held(lease).values(**values))

    def finish(self, lease: Lease, made: Made) -> bool:
        """End a job well; False where it is the worker's no more and the result is to be thrown away."""
        now = time.time()
        return self._change(
            _held(lease).values(
                state="done", finished=now, changed=now, worker=None, lease_until=None, result=made.result,
                result_bytes=made.result_bytes, facts=json.dumps(made.facts), steps_done=func.coalesce(jobs.c.steps, 1),
            )
        )  # fmt: skip

    def fail(self, lease: Lease, reason: str, hint: str | None) -> bool:
        """End a job with the reason why it can't be done; False where it is the worker's no more."""
        return self._change(_held(lease).values(**_failed(reason, hint, time.time())))

    def give_back(self, lease: Lease) -> bool:
        """Put a job back into the queue because the worker stops; the attempt does not count."""
        return self._change(_held(lease).values(**_queued(time.time()), attempt=jobs.c.attempt - 1))

    def release(self, worker: str) -> int:
        """Put what a lost worker had back into the queue; return how many jobs."""
        with self._database.write() as connection:
            return _requeue(connection, jobs.c.worker == worker)

    def fail_lost(self, worker: str, job_id: str, reason: str, hint: str) -> int:
        """Fail the job for which a worker was ended; return how many jobs (it may have been done meanwhile)."""
        with self._database.write() as connection:
            return _fail(connection, (jobs.c.worker == worker) & (jobs.c.id == job_id), reason, hint)

    def release_lost(self) -> int:
        """Take what dead processes of this machine had, and what nobody kept alive; return how many jobs."""
        running = jobs.c.state == "running"
        with self._database.read() as connection:
            holders = connection.execute(select(jobs.c.worker).distinct().where(running)).scalars().all()
            expired = connection.execute(select(func.count()).where(running, _has_expired())).scalar_one()
        dead = [str(one) for one in holders if is_dead(str(one).partition("/")[0])]
        if not dead and not expired:
            return 0
        with self._database.write() as connection:
            return _requeue(connection, jobs.c.worker.in_(dead) | _has_expired())

    def running(self, workers: Sequence[str]) -> dict[str, Job]:
        """Return what each of these workers is at."""
        with self._database.read() as connection:
            found = connection.execute(
                select(jobs).where(jobs.c.state == "running", jobs.c.worker.in_(workers))
            )
            return {str(job.worker): job for job in map(job_of, found)}

    def _change(self, statement: Update) -> bool:
        with self._database.write() as connection:
            return connection.execute(statement).rowcount == 1


def _held(lease: Lease) -> Update:
    """Return an update of a job that does nothing unless the lease is still good."""
    return update(jobs).where(
        jobs.c.id == lease.job.id,
        jobs.c.state == "running",
        jobs.c.worker == lease.worker,
        jobs.c.attempt == lease.attempt,
    )


def _has_expired() -> ColumnElement[bool]:
    return jobs.c.lease_until < time.time()


def _next(connection: Connection) -> str | None:
    """Return the id of the job whose turn it is."""
    waiting = (
        select(jobs.c.client, func.min(jobs.c.seq).label("first"))
        .where(jobs.c.state == "queued")
        .group_by(jobs.c.client)
        .subquery()
    )
    at_work = (
        select(jobs.c.client, func.count().label("many"))
        .where(jobs.c.state == "running")
        .group_by(jobs.c.client)
        .subquery()
    )
    return connection.execute(
        select(jobs.c.id)
        .join(waiting, jobs.c.seq == waiting.c.first)
        .outerjoin(at_work, at_work.c.client == jobs.c.client)
        .outerjoin(turns, turns.c.client == jobs.c.client)
        .order_by(func.coalesce(at_work.c.many, 0), func.coalesce(turns.c.served, 0.0), jobs.c.seq)
        .limit(1)
    ).scalar_one_or_none()


def _note_turn(connection: Connection, client: str, now: float) -> None:
    if connection.execute(update(turns).where(turns.c.client == client).values(served=now)).rowcount:
        return
    try:
        with connection.begin_nested():
            connection.execute(insert(turns).values(client=client, served=now))
    except IntegrityError:  # another worker was faster; its moment is as good
        return


def _requeue(connection: Connection, lost: ColumnElement[bool]) -> int:
    """Put lost jobs back into the queue, but fail those that lost their worker too often."""
    tired = _fail(
        connection,
        lost & (jobs.c.attempt >= MOST_ATTEMPTS),
        f"the process that worked on it ended unexpectedly {MOST_ATTEMPTS} times",
        "the photo may be damaged in a way that is not recognised, or take too much memory",
    )
    again = connection.execute(
        update(jobs).where(jobs.c.state == "running", lost).values(**_queued(time.time()))
    )
    return tired + again.rowcount


def _fail(connection: Connection, lost: ColumnElement[bool], reason: str, hint: str | None) -> int:
    return connection.execute(
        update(jobs).where(jobs.c.state == "running", lost).values(**_failed(reason, hint, time.time()))
    ).rowcount


def _queued(now: float) -> dict[str, str | float | int | None]:
    return {
        "state": "queued",
        "worker": None,
        "lease_until": None,
        "changed": now,
        "steps_done": 0,
        "steps": None,
    }


def _failed(reason: str, hint: str | None, now: float) -> dict[str, str | float | int | None]:
    return {
        "state": "failed", "worker": None, "lease_until": None, "changed": now, "finished": now,
        "error": reason, "hint": hint,
    }  # fmt: skip
