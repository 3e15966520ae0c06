"""What keeps answers quick: reads in the loop, queries from indexes, bounded requests, folders that stay."""

import asyncio
import socket
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest
from sqlalchemy import bindparam, select

from tests.service.asking import bring, ids, picture, stored
from tests.service.conftest import Running
from tests.service.test_queue import add
from wildsr.files.database import Database, Query
from wildsr.service.http import MOST_HEAD_BYTES
from wildsr.service.jobs import JobStore
from wildsr.service.reads import looked_up
from wildsr.service.tables import jobs


@dataclass
class Far:
    """A database behind a network."""

    is_near: bool = False


@pytest.mark.parametrize("near", [True, False])
def test_a_near_database_is_read_in_the_loop_and_a_far_one_in_a_thread(store: JobStore, near: bool) -> None:
    database = store.database if near else Far()
    assert database.is_near is near
    where = asyncio.run(looked_up(database, threading.get_ident))  # type: ignore[arg-type]
    assert (where == threading.get_ident()) is near


def plan(store: JobStore, query: Query) -> str:
    with store.database.read() as connection:
        values = (1,) * len(query._order or ())
        return " ".join(
            str(row[-1]) for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {query._text}", values)
        )


def test_no_question_looks_through_the_whole_table(store: JobStore) -> None:
    asked = [store._one, store._changed, store._load, *store._pages.values()]
    for query in asked:
        assert "SCAN jobs" not in plan(store, query), query._text
    assert "USING COVERING INDEX jobs_by_client" in plan(store, store._load)


def test_values_are_bound_not_pasted(store: JobStore) -> None:
    (job,) = add(store, owner="o'; DROP TABLE jobs; --")
    query = Query(store.database, select(jobs.c.id, jobs.c.seq).where(jobs.c.owner == bindparam("owner")))
    assert query.rows({"owner": job.owner}) == [(job.id, job.seq)]
    assert query.rows({"owner": "me"}) == []
    assert store.get(job.id, owner=job.owner) == job


def test_a_query_leaves_no_connection_open(store: JobStore) -> None:
    for _ in range(100):
        assert store.counts() == {}
    with pytest.raises(KeyError, match="owner"):
        store._one.rows({"id": "x"})
    assert isinstance(store.database, Database)
    assert store.database.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


@pytest.mark.parametrize("head", [b"GET / HTTP/1.1\r\n" + b"x: " + b"y" * 300_000, b"GET /" + b"y" * 300_000])
def test_a_request_whose_head_does_not_end_is_cut_off(idle: Running, head: bytes) -> None:
    with connected(idle) as connection:
        connection.sendall(head)
        assert connection.recv(1000).startswith(b"HTTP/1.1 400 ")
        with suppress(ConnectionResetError):  # what came meanwhile was not read
            assert connection.recv(1000) == b""


def test_heads_are_counted_one_by_one(idle: Running) -> None:
    """Many requests on one connection may be larger together, and bodies too."""
    parts = urlsplit(idle.address)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=60)
    connection.connect()
    own = connection.sock
    for _ in range(4):
        connection.request("GET", "/health", headers={"x": "y" * (MOST_HEAD_BYTES // 2)})
        answer = connection.getresponse()
        assert (answer.status, answer.read()) == (200, b'{"status":"ok"}')
    assert connection.sock is own
    connection.close()


def connected(service: Running) -> socket.socket:
    parts = urlsplit(service.address)
    return socket.create_connection((str(parts.hostname), int(parts.port or 0)), timeout=60)


def test_a_single_photo_stays_where_it_was_uploaded(unattended: Running) -> None:
    (one,) = ids(bring(unattended.address, ("a.png", picture())))
    assert stored(unattended.settings.folder) == [one]
    more = ids(bring(unattended.address, ("a.png", picture()), ("b.png", picture(1))))
    assert stored(unattended.settings.folder) == sorted([one, *more])
    for job_id in (one, *more):
        (photo,) = (unattended.settings.folder / "jobs" / job_id / "in").iterdir()
        assert photo.name == "0000.png"
    refused = bring(unattended.address, ("a.png", picture()), model="nonsense")
    assert refused.status_code == 422
    assert len(stored(unattended.settings.folder)) == 3
