"""The service's small parts without a server: zips, folders of jobs, speeds, streams of events, the Gate's rules."""

import asyncio
import io
import json
import os
import time
import zipfile
from pathlib import Path

import pytest

from wildsr.errors import OutputError
from wildsr.files.database import Database
from wildsr.service.access import Access, cookie_for, owner_name
from wildsr.service.events import Broker
from wildsr.service.jobs import JobStore, NewJob, new_id
from wildsr.service.leases import Leases, Made
from wildsr.service.options import JobOptions
from wildsr.service.speeds import known_speeds, note_failed
from wildsr.service.storage import Storage, folder_bytes
from wildsr.service.tables import metadata
from wildsr.service.web import Refused
from wildsr.service.zips import unlike, zipped

JOB = "0123456789abcdef" * 2


def files(folder: Path, **contents: bytes) -> list[tuple[str, Path]]:
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [(f"{name}.png", folder / name) for name in contents]


def test_a_zip_holds_every_byte(tmp_path: Path) -> None:
    large = os.urandom((1 << 18) * 2 + 7)
    parts = list(zipped(files(tmp_path, one=b"abc", two=b"", three=large)))
    archive = zipfile.ZipFile(io.BytesIO(b"".join(parts)))
    assert archive.testzip() is None
    assert archive.namelist() == ["one.png", "two.png", "three.png"]
    assert archive.read("three.png") == large
    assert {one.compress_type for one in archive.infolist()} == {zipfile.ZIP_STORED}
    assert max(map(len, parts)) < len(large)  # it is sent while it is read


def test_the_same_files_give_the_same_zip(tmp_path: Path) -> None:
    entries = files(tmp_path, one=b"abc", two=b"def")
    first = b"".join(zipped(entries))
    os.utime(tmp_path / "one", (0, 0))
    assert b"".join(zipped(entries)) == first


def test_files_that_have_gone_are_left_out_of_a_zip(tmp_path: Path) -> None:
    entries = files(tmp_path, one=b"abc", two=b"def")
    (tmp_path / "one").unlink()
    archive = zipfile.ZipFile(io.BytesIO(b"".join(zipped(entries))))
    assert archive.namelist() == ["two.png"]
    nothing = zipfile.ZipFile(io.BytesIO(b"".join(zipped([]))))
    assert nothing.namelist() == []


def test_names_differ_on_every_file_system() -> None:
    given = [
        "a.png",
        "A.PNG",
        "a.png",
        "a (2).png",
        "noextension",
        "noextension",
        "Straße.jpg",
        "STRASSE.jpg",
    ]
    names = [name for name, _ in unlike([(name, Path(name)) for name in given])]
    assert names[:3] == ["a.png", "A (2).PNG", "a (3).png"]
    assert len({name.casefold() for name in names}) == len(given)


@pytest.fixture
def storage(tmp_path: Path) -> Storage:
    return Storage(tmp_path / "root")


@pytest.mark.parametrize("bad", ["", "..", "../" + JOB, JOB[:-1], JOB + "0", JOB.upper(), JOB[:-1] + "\n"])
def test_only_ids_name_folders(storage: Storage, bad: str) -> None:
    with pytest.raises(ValueError, match="no id of a job"):
        storage.folder(bad)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("a.JPG", ".jpg"),
        ("a.tar.gz", ".gz"),
        ("a", ""),
        ("a.p/ng", ""),
        ("a.toolong", ""),
        ("../x.png", ".png"),
    ],
)
def test_of_an_uploads_name_only_the_extension_is_used(storage: Storage, name: str, kept: str) -> None:
    path = storage.new_photo(JOB, 7, name)
    assert path.parent == storage.uploads(JOB)
    assert path.name == f"0007{kept}"


def test_photos_come_in_the_order_they_were_sent(storage: Storage) -> None:
    for number in (2, 0, 11, 1):
        storage.new_photo(JOB, number, "a.png").write_bytes(bytes([number]))
    assert [one.read_bytes()[0] for one in storage.photos(JOB)] == [0, 1, 2, 11]


def test_an_attempt_begins_with_an_empty_folder(storage: Storage) -> None:
    with pytest.raises(OutputError, match="the job was deleted"):
        storage.attempt(JOB, 1)
    storage.new_photo(JOB, 0, "a.png").write_bytes(b"photo")
    (storage.attempt(JOB, 1) / "half").write_bytes(b"half")
    second = storage.attempt(JOB, 2)
    assert list(second.iterdir()) == []
    assert sorted(one.name for one in storage.folder(JOB).iterdir()) == ["2", "in"]
    (second / "result.png").write_bytes(b"12345")
    assert folder_bytes(storage.folder(JOB)) == 10
    assert storage.result(JOB, "2/result.png") == second / "result.png"
    storage.remove(JOB)
    assert storage.result(JOB, "2/result.png") is None
    storage.remove(JOB)


def test_shared_photos_take_their_space_once(storage: Storage) -> None:
    photo = storage.new_photo(JOB, 0, "a.png")
    photo.write_bytes(b"photo")
    other = JOB[::-1]
    storage.give_photo(photo, other)
    (given,) = storage.photos(other)
    assert given.samefile(photo)
    storage.remove(JOB)
    assert given.read_bytes() == b"photo"


def test_a_file_system_without_links_gets_copies(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    photo = storage.new_photo(JOB, 0, "a.png")
    photo.write_bytes(b"photo")

    def refuse(_one: object, _other: object) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    storage.give_photo(photo, JOB[::-1])
    (given,) = storage.photos(JOB[::-1])
    assert given.read_bytes() == b"photo"
    assert not given.samefile(photo)


def test_orphans_are_old_folders_that_no_job_knows(storage: Storage) -> None:
    ids = [letter * 32 for letter in "abc"]
    for one in ids:
        storage.new_photo(one, 0, "a.png")
    (storage.root / "jobs" / "notes").mkdir()
    for one in ("a", "b"):
        os.utime(storage.folder(one * 32), (time.time() - 4000,) * 2)
    os.utime(storage.root / "jobs" / "notes", (0, 0))
    assert list(storage.orphans(known={ids[1]})) == [ids[0]]


def test_what_is_known_of_a_model_is_the_latest(tmp_path: Path) -> None:
    database = Database(tmp_path / "db.sqlite", metadata)
    assert known_speeds(database) == {}
    note_failed(database, "a", "x" * 900)
    note_failed(database, "b", "gone")
    note_failed(database, "a", "damaged")
    found = known_speeds(database)
    assert (found["a"].loaded, found["a"].error, found["a"].seconds_per_megapixel) == (False, "damaged", None)
    assert len(found) == 2
    note_failed(database, "a", "y" * 900)
    assert known_speeds(database)["a"].error == "y" * 500
    database.close()


def new_job() -> NewJob:
    return NewJob(kind="upscale", name="a", options=JobOptions(model="m"), input_bytes=5, id=new_id())


def test_a_job_is_told_to_its_end_and_to_its_owner_alone(store: JobStore) -> None:
    """The worker goes on when the watcher has seen what it did last; a change may be told twice."""
    (job,) = store.add([new_job()], owner="me", client="a")
    leases = Leases(store.database, seconds=30)

    async def watch() -> tuple[list[str], list[str]]:
        broker = Broker(store, seconds=0.01, most=2)
        looking = asyncio.create_task(broker.run())
        other = [one async for one in broker.stream(owner="you", client="b", job_id=job.id)]
        seen: list[str] = []
        async for text in broker.stream(owner="me", client="a", job_id=job.id):
            if not text.startswith("event: job"):
                continue
            state = json.loads(text.split("data: ", 1)[1])["state"]
            if state in seen:
                continue
            seen.append(state)
            if state == "queued":
                lease = leases.claim("w")
            elif state == "running":
                assert lease is not None
                leases.finish(lease, Made(result="1/r.png", result_bytes=1, facts={}))
        looking.cancel()
        return seen, other

    seen, other = asyncio.run(watch())
    assert seen == ["queued", "running", "done"]
    assert len(other) == 1  # the opening alone: for another there is no such job
    assert "event: job" not in other[0]


def test_a_client_has_so_many_streams(store: JobStore) -> None:
    async def open_them() -> int:
        broker = Broker(store, seconds=10, most=2)
        streams = [broker.stream(owner="me", client="a") for _ in range(2)]
        for one in streams:
            await anext(one)
        broker.check_room("b")
        with pytest.raises(Refused):
            broker.check_room("a")
        await streams[0].aclose()  # type: ignore[attr-defined]
        broker.check_room("a")
        left = broker.watchers
        await streams[1].aclose()  # type: ignore[attr-defined]
        return left

    assert asyncio.run(open_them()) == 1


TOKEN = "a-token-of-enough-length"
ASKED = {"host": "127.0.0.1:8000"}


@pytest.mark.parametrize(
    ("method", "path", "headers", "status"),
    [
        ("GET", "/", {}, 401),
        ("GET", "/health", {}, None),
        ("GET", "/healthy", {}, 401),
        ("GET", "/static/x.css", {}, None),
        ("GET", "/static/../api/v1/jobs", {}, 401),
        ("GET", "/", {"authorization": f"Bearer {TOKEN}"}, None),
        ("GET", "/", {"authorization": f"bearer  {TOKEN} "}, None),
        ("GET", "/", {"authorization": f"Basic {TOKEN}"}, 401),
        ("GET", "/", {"cookie": f"wildsr={cookie_for(TOKEN)}"}, None),
        ("GET", "/", {"cookie": f"wildsr={TOKEN}"}, 401),
        ("GET", "/", {"cookie": "wildsr=\udcff; ="}, 401),
        ("GET", "/", {"host": "evil.example", "authorization": f"Bearer {TOKEN}"}, 421),
        ("GET", "/", {"host": "[::1]:8000", "authorization": f"Bearer {TOKEN}"}, None),
        ("GET", "/", {"host": "[", "authorization": f"Bearer {TOKEN}"}, 421),
        ("POST", "/", {"origin": "http://evil.example", "authorization": f"Bearer {TOKEN}"}, 403),
        ("POST", "/", {"origin": "http://127.0.0.1:8000", "authorization": f"Bearer {TOKEN}"}, None),
        ("POST", "/", {"origin": "http://127.0.0.1:9000", "authorization": f"Bearer {TOKEN}"}, 403),
        ("POST", "/", {"origin": "http://[", "authorization": f"Bearer {TOKEN}"}, 403),
        ("DELETE", "/", {"sec-fetch-site": "cross-site", "authorization": f"Bearer {TOKEN}"}, 403),
        ("DELETE", "/", {"sec-fetch-site": "same-origin", "authorization": f"Bearer {TOKEN}"}, None),
    ],
)
def test_who_may_ask_for_what(method: str, path: str, headers: dict[str, str], status: int | None) -> None:
    refusal = Access(tokens=(TOKEN,)).refusal(method, path, ASKED | headers)
    assert (None if refusal is None else refusal.status) == status


def test_every_token_has_an_owner_of_its_own() -> None:
    other = TOKEN[::-1]
    access = Access(tokens=(TOKEN, other))
    owners = [access.owner_of({"authorization": f"Bearer {one}"}) for one in (TOKEN, other)]
    assert owners == [owner_name(TOKEN), owner_name(other)]
    assert len({*owners, TOKEN, other}) == 4
    assert Access().owner_of({}) == "local"
