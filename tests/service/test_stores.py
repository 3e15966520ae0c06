"""The same queue on PostgreSQL, and woken by Redis, where their programs are installed."""

import shutil
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.postgresql import free_port, serving_postgresql
from tests.service.test_queue import MADE, add
from wildsr.service.jobs import JobStore
from wildsr.service.leases import Leases
from wildsr.service.tables import open_database
from wildsr.service.waking import Waker


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    pytest.importorskip("redis", reason="the redis package isn't installed")
    program = shutil.which("redis-server")
    if program is None:
        pytest.skip("redis-server isn't installed")
    port = free_port()
    words = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(tmp_path)]
    with subprocess.Popen(words, stdout=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 30
            while True:
                try:
                    socket.create_connection(("127.0.0.1", port), timeout=1).close()
                    break
                except OSError:
                    assert time.monotonic() < deadline
                    time.sleep(0.05)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.kill()


@pytest.fixture
def postgresql() -> Iterator[str]:
    with serving_postgresql() as url:
        yield url


def test_a_wake_ends_the_waiting(tmp_path: Path) -> None:
    waits(Waker(tmp_path), Waker(tmp_path))


def test_a_wake_through_redis_ends_the_waiting(redis: str, tmp_path: Path) -> None:
    waits(Waker(tmp_path, redis), Waker(tmp_path, redis))


def waits(one: Waker, other: Waker) -> None:
    one.wake()
    start = time.monotonic()
    other.wait(60)
    assert time.monotonic() - start < 30  # a wake that was sent before is there
    other.wait(0.01)  # and gone then: this waits its time
    waker = threading.Timer(0.2, one.wake)
    waker.start()
    other.wait(60)
    waker.join()
    for _ in range(200):  # those nobody takes do not pile up
        one.wake()
    assert one._storage.queue_size() <= 64


def test_postgresql_holds_the_queue(postgresql: str) -> None:
    """Eight workers, each with a connection of its own: turns, fencing, and every job once."""
    store = JobStore(open_database(postgresql))
    ids = {job.id for client in "abc" for job in add(store, 20, client=client)}
    taken: list[str] = []

    def work(number: int) -> None:
        leases = Leases(store.database, seconds=30)
        while (lease := leases.claim(f"w{number}")) is not None:
            taken.append(lease.job.id)
            assert leases.beat(lease, steps_done=1, steps=2)
            assert leases.finish(lease, MADE)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(taken) == Counter(ids)
    assert store.counts() == {"done": 60}
    (late,) = add(store)
    leases = Leases(store.database, seconds=30)
    slow = leases.claim("slow")
    assert slow is not None
    assert leases.release("slow") == 1
    assert not leases.finish(slow, MADE)
    assert store.cancel(late.id, owner="me")
    assert store.load(client="a").active == 0
    assert len(store.page(owner="me", limit=500)) == 61
    store.database.close()
