"""Many uploads at a time: they wait for each other, and for nobody else who asks."""

import asyncio
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from starlette.types import Message

from tests.service.asking import bring, ids, stored
from tests.service.conftest import TOKENS, Running
from wildsr.service.access import Access
from wildsr.service.desk import Customer, Desk
from wildsr.service.jobs import Job
from wildsr.service.server import Service, create_service
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.uploads import Upload

COUNT = 12
"""Far more than threads that put uploads into the queue."""


@pytest.fixture
def service(tmp_path: Path, models: tuple[str, ...]) -> Service:
    """A service that is put together and listens nowhere."""
    return create_service(ServiceSettings(folder=tmp_path / "service", models=models, workers=0), Access())


async def asked(service: Service, method: str, path: str, body: bytes = b"") -> int:
    """Ask the app itself; return the status."""
    kind = b"multipart/form-data; boundary=b"
    scope = {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
        "path": path, "raw_path": path.encode(), "query_string": b"", "root_path": "", "client": ("127.0.0.1", 1),
        "headers": [(b"host", b"127.0.0.1"), (b"content-type", kind)], "server": ("127.0.0.1", 80),
    }  # fmt: skip
    statuses: list[int] = []

    async def receive() -> Message:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await service.app(scope, receive, send)
    (status,) = statuses
    return status


PHOTO = b'--b\r\nContent-Disposition: form-data; name="file"; filename="a.png"\r\n\r\nx\r\n--b--\r\n'


def test_uploads_go_into_the_queue_while_the_loop_is_busy_with_others(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread that is done with one takes the next by itself; the loop need not come round for that."""
    may_begin, all_in, seen = threading.Event(), threading.Event(), list[str]()
    real: Callable[..., list[Job]] = Desk.upscale

    def counted(desk: Desk, upload: Upload, staging: str, who: Customer) -> list[Job]:
        assert may_begin.wait(20)
        added = real(desk, upload, staging, who)
        seen.append(staging)
        if len(seen) == COUNT:
            all_in.set()
        return added

    monkeypatch.setattr(Desk, "upscale", counted)

    async def all_at_once() -> list[int]:
        uploads = [asyncio.create_task(asked(service, "POST", "/api/jobs", PHOTO)) for _ in range(COUNT)]
        for _ in range(20):  # until each has handed its photo over
            await asyncio.sleep(0)
        may_begin.set()
        assert all_in.wait(20), f"{len(seen)} of {COUNT} while the loop was away"
        return await asyncio.gather(*uploads)

    assert asyncio.run(all_at_once()) == [201] * COUNT
    assert service.store.counts() == {"queued": COUNT}


@pytest.mark.parametrize(
    ("path", "status"), [(f"/api/jobs/{'0' * 32}", 404), ("/api/jobs/x", 422), ("/nowhere", 404)]
)
def test_refusals_are_told_without_a_thread(service: Service, path: str, status: int) -> None:
    """Where threads are taken up, the answer must not wait for one: it is there in the same turn of the loop."""

    async def in_one_turn() -> int:
        asking = asyncio.create_task(asked(service, "GET", path))
        await asyncio.sleep(0)
        assert asking.done()
        return asking.result()

    assert asyncio.run(in_one_turn()) == status


def test_the_loop_never_writes_to_the_disk(idle: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    """A disk that is busy would stop all answers; long uploads are written piece by piece, and stay whole."""
    names: list[str] = []
    real = Storage.new_photo

    def noted(storage: Storage, job_id: str, number: int, name: str) -> Path:
        names.append(threading.current_thread().name)
        return real(storage, job_id, number, name)

    monkeypatch.setattr(Storage, "new_photo", noted)
    photos = [bytes([n]) * size for n, size in enumerate((150_000, 0, 20_000))]
    made = ids(bring(idle.address, *[("a.png", one) for one in photos], token=TOKENS[0]))
    assert len(names) == len(photos)
    assert all(name.startswith("wildsr-intake") for name in names)
    assert stored(idle.settings.folder) == sorted(made)
    folder = idle.settings.folder / "jobs"
    assert [(folder / one / "in" / "0000.png").read_bytes() for one in made] == photos


def test_a_profile_that_is_refused_leaves_nothing(idle: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_arguments: object) -> Path:
        raise OSError(28, "No space left on device")

    refused = bring(idle.address, ("a.png", b"x"), token=TOKENS[0], path="/api/profiles", colour="red")
    assert refused.status_code == 422
    monkeypatch.setattr(Storage, "new_photo", full)
    refused = bring(idle.address, ("a.png", b"x"), token=TOKENS[0], path="/api/profiles")
    assert refused.status_code == 507
    assert stored(idle.settings.folder) == []
    assert idle.service.store.counts() == {}
