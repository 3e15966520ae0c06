"""Jobs as their owners see them: brought, listed, cancelled, deleted."""

import json
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias, cast

from sqlalchemy import Row, Select, bindparam, delete, func, insert, select, update

from wildsr.files.database import Cell, Database, Query
from wildsr.service.options import FINAL, JobOptions, Kind, State
from wildsr.service.tables import jobs

Fact: TypeAlias = str | int | float | bool | list[str] | None
Facts: TypeAlias = Mapping[str, Fact]

ACTIVE: Final[tuple[State, ...]] = ("queued", "running")


@dataclass(frozen=True, kw_only=True)
class Job:
    """One row of the jobs table."""

    seq: int
    """Order in which jobs came."""

    id: str
    """Random, 128 bits; also the name of its folder."""

    kind: Kind
    """What is done."""

    state: State
    """How far it is."""

    owner: str
    """Whose it is (made from the token)."""

    client: str
    """Whose turn it takes (token and address)."""

    name: str
    """What the owner calls the photo; never used as a path."""

    options: JobOptions
    """How it is done."""

    input_bytes: int
    """Size of what was uploaded."""

    result_bytes: int
    """Size of what was made."""

    created: float
    """Seconds since 1970."""

    started: float | None
    """When the last attempt began."""

    finished: float | None
    """When it reached a final state."""

    changed: float
    """When anything of it changed last."""

    attempt: int
    """How often it was begun."""

    worker: str | None
    """Who has it."""

    steps_done: int
    """Tiles, or photos of a profile, that are done."""

    steps: int | None
    """Tiles or photos in all, once known."""

    result: str | None
    """Path of the result in the job's folder."""

    facts: Facts
    """What the worker found out."""

    error: str | None
    """Why it failed."""

    hint: str | None
    """What to do about it."""


@dataclass(frozen=True, kw_only=True)
class NewJob:
    """What is brought."""

    kind: Kind
    """What is to be done."""

    name: str
    """What the owner calls it."""

    options: JobOptions
    """How."""

    input_bytes: int
    """Size of its files."""

    id: str
    """Its folder's name; see `new_id`."""


@dataclass(frozen=True, kw_only=True)
class Load:
    """What is taken up already."""

    active: int
    """Jobs waiting or running."""

    of_client: int
    """Those of one client."""

    client_bytes: int
    """What is kept for that client."""


class JobStore:
    """Reads and writes jobs for the web side; workers use `Leases`.

    Args:
        database: Where they are.
    """

    def __init__(self, database: Database) -> None:
        self.database = database
        own = jobs.c.owner == bindparam("owner")
        newest = select(jobs).where(own).order_by(jobs.c.seq.desc()).limit(bindparam("limit"))
        earlier, in_state = jobs.c.seq < bindparam("before"), jobs.c.state == bindparam("state")
        self._one = Query(database, select(jobs).where(jobs.c.id == bindparam("id"), own))
        self._pages = {
            (False, False): Query(database, newest),
            (True, False): Query(database, newest.where(earlier)),
            (False, True): Query(database, newest.where(in_state)),
            (True, True): Query(database, newest.where(earlier, in_state)),
        }
        self._changed = Query(
            database,
            select(jobs)
            .where(jobs.c.changed >= bindparam("moment"))
            .order_by(jobs.c.changed)
            .limit(bindparam("limit")),
        )
        self._load = Query(database, _load())
        self._counts = Query(database, select(jobs.c.state, func.count()).group_by(jobs.c.state))

    def add(self, new: Sequence[NewJob], *, owner: str, client: str) -> list[Job]:
        """Put jobs into the queue, all or none; return them."""
        now = time.time()
        rows = [
            {
                "id": one.id, "kind": one.kind, "state": "queued", "owner": owner, "client": client, "name": one.name,
                "model": one.options.model, "options": one.options.model_dump_json(), "input_bytes": one.input_bytes,
                "created": now, "changed": now,
            }
            for one in new
        ]  # fmt: skip
        with self.database.write() as connection:
            connection.execute(insert(jobs), rows)
            found = connection.execute(
                select(jobs).where(jobs.c.id.in_([one.id for one in new])).order_by(jobs.c.seq)
            )
            return [job_of(row) for row in found]

    def get(self, job_id: str, *, owner: str) -> Job | None:
        """Return a job of this owner."""
        found = self._one.rows({"id": job_id, "owner": owner})
        return _job(found[0]) if found else None

    def page(
        self, *, owner: str, limit: int, before: int | None = None, state: State | None = None
    ) -> list[Job]:
        """Return an owner's jobs, the newest first.

        Args:
            owner: Whose.
            limit: At most so many.
            before: Only those that came before this `seq`.
            state: Only those in this state.
        """
        values: dict[str, Cell] = {"owner": owner, "limit": limit, "before": before, "state": state}
        query = self._pages[before is not None, state is not None]
        return [
            _job(row) for row in query.rows({name: one for name, one in values.items() if one is not None})
        ]

    def changed_since(self, moment: float, *, limit: int = 500) -> list[Job]:
        """Return jobs of all owners that changed at or after a moment, the oldest change first."""
        return [_job(row) for row in self._changed.rows({"moment": moment, "limit": limit})]

    def cancel(self, job_id: str, *, owner: str) -> bool:
        """End a job that waits or runs; False where it had ended. Its worker notices at its next beat."""
        now = time.time()
        with self.database.write() as connection:
            done = connection.execute(
                update(jobs)
                .where(jobs.c.id == job_id, jobs.c.owner == owner, jobs.c.state.in_(ACTIVE))
                .values(state="cancelled", finished=now, changed=now, worker=None, lease_until=None)
            )
        return done.rowcount == 1

    def delete(self, job_id: str, *, owner: str) -> bool:
        """Forget a job, whatever its state; False where there is none. Its files are the caller's to remove."""
        with self.database.write() as connection:
            done = connection.execute(delete(jobs).where(jobs.c.id == job_id, jobs.c.owner == owner))
        return done.rowcount == 1

    def delete_finished_before(self, moment: float) -> list[str]:
        """Forget what was finished before a moment; return the ids."""
        old = (jobs.c.state.in_(tuple(FINAL)), jobs.c.finished < moment)
        with self.database.write() as connection:
            ids = [str(row.id) for row in connection.execute(select(jobs.c.id).where(*old).limit(500))]
            connection.execute(delete(jobs).where(jobs.c.id.in_(ids)))
        return ids

    def ids(self) -> set[str]:
        """Return the ids of all jobs there are."""
        with self.database.read() as connection:
            return {str(row.id) for row in connection.execute(select(jobs.c.id))}

    def load(self, *, client: str) -> Load:
        """Return what is taken up already."""
        ((total, own, kept),) = self._load.rows({"client": client})
        return Load(active=int(total or 0), of_client=int(own or 0), client_bytes=int(kept or 0))

    def counts(self) -> dict[str, int]:
        """Return how many jobs are in each state."""
        return {str(state): int(count or 0) for state, count in self._counts.rows({})}


def new_id() -> str:
    """Return an id nobody can guess."""
    return secrets.token_hex(16)


def job_of(row: Row[tuple[object, ...]]) -> Job:
    """Return a row as a `Job`."""
    return _job(cast(tuple[Cell, ...], tuple(row)))


def _job(row: tuple[Cell, ...]) -> Job:
    values: dict[str, object] = dict(zip(_COLUMNS, row, strict=True))
    options = JobOptions.model_validate_json(str(values.pop("options")))
    facts = cast(Facts, json.loads(str(values.pop("facts"))))
    for name in ("model", "lease_until"):
        values.pop(name)
    return Job(options=options, facts=facts, **values)  # type: ignore[arg-type]


def _load() -> Select[tuple[Cell, ...]]:
    """Return a query of: active jobs of all, those of one client, bytes kept for it; each from an index alone."""
    active = (jobs.c.state == "queued") | (jobs.c.state == "running")
    own = jobs.c.client == bindparam("client")
    kept = func.coalesce(func.sum(jobs.c.input_bytes + jobs.c.result_bytes), 0)
    return select(
        select(func.count()).select_from(jobs).where(active).scalar_subquery(),
        select(func.count()).select_from(jobs).where(active, own).scalar_subquery(),
        select(kept).where(own).scalar_subquery(),
    )


_COLUMNS: Final = tuple(column.name for column in jobs.c)
