"""Folders of stores: listing, whole files or none, stores that don't answer; the manifest in them."""

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import fsspec
import pytest
from fsspec.implementations.memory import MemoryFileSystem

pytest.importorskip("pyarrow", reason="needs the extra batch")

from tests.batch.conftest import Store
from wildsr.batch import patience
from wildsr.batch.manifest import MANIFEST, Record, read_all, write_part, write_whole
from wildsr.batch.places import Place, place_of
from wildsr.errors import InputError, OutputError, UsageError


class Flaky(MemoryFileSystem):
    """Fails a number of times, then answers."""

    protocol = "flaky"
    store: dict[str, object] = {}  # noqa: RUF012 -- as in the class above
    pseudo_dirs: list[str] = [""]  # noqa: RUF012
    failures = 0

    def put_file(self, *args: object, **kwargs: object) -> object:
        self.fail()
        return super().put_file(*args, **kwargs)

    def cat_file(self, *args: object, **kwargs: object) -> bytes:
        self.fail()
        content: bytes = super().cat_file(*args, **kwargs)
        return content

    def fail(self) -> None:
        if Flaky.failures > 0:
            Flaky.failures -= 1
            raise ConnectionError("no answer")


@pytest.fixture
def waits(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[float]]:
    fsspec.register_implementation("flaky", Flaky, clobber=True)
    Flaky.store.clear()
    waits: list[float] = []
    monkeypatch.setattr(patience.time, "sleep", waits.append)
    yield waits
    Flaky.failures = 0


def test_local_folders_list_by_name_with_sizes_and_versions(tmp_path: Path) -> None:
    (tmp_path / "x::y" / "deep").mkdir(parents=True)
    (tmp_path / "x::y" / "b").write_bytes(b"12")
    (tmp_path / "x::y" / "deep" / "a").write_bytes(b"123")
    place = place_of(str(tmp_path / "x::y" / ".." / "x::y"))
    assert place.local == tmp_path / "x::y"
    assert [(one.path, one.size) for one in place.stored()] == [("b", 2), ("deep/a", 3)]
    assert [one.path for one in place.stored(recursive=False)] == ["b"]
    before = next(iter(place.stored())).version
    os.utime(tmp_path / "x::y" / "b", (1, 1))
    assert next(iter(place.stored())).version != before
    with pytest.raises(InputError, match="there is no"):
        list(Place(url=str(tmp_path / "nowhere")).stored())


def test_names_that_are_no_place_are_refused() -> None:
    for name in ("", "a\0b"):
        with pytest.raises(UsageError, match="empty or has a NUL"):
            place_of(name)
    with pytest.raises(UsageError, match="can't be opened") as caught:
        list(place_of("nostore://x/").stored())
    assert "pip install" in (caught.value.hint or "")
    assert place_of("file:///data/x/").local == Path("/data/x")
    assert place_of("memory://x/").local is None


@pytest.mark.parametrize("kind", ["local", "memory", "s3"])
def test_a_file_is_published_once_and_another_is_refused(
    kind: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    if kind == "s3":
        request.getfixturevalue("s3")
    url = {"local": str(tmp_path / "out"), "memory": f"memory://{tmp_path.name}", "s3": "s3://bucket/out"}[
        kind
    ]
    place = place_of(url)
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1" * 3000)
    two.write_bytes(b"2")
    place.publish(one, "a b/ü.png")
    place.publish(one, "a b/ü.png")
    with pytest.raises(OutputError, match="another content"):
        place.publish(two, "a b/ü.png", replaces="0" * 64)
    assert place.read("a b/ü.png") == b"1" * 3000
    sha = hashlib.sha256(b"1" * 3000).hexdigest()
    place.publish(two, "a b/ü.png", replaces=sha)
    place.publish(one, "a b/ü.png", overwrite=True)
    assert [(found.path, found.size) for found in place.stored()] == [("a b/ü.png", 3000)]
    copy = place.fetch("a b/ü.png", tmp_path)
    assert copy.read_bytes() == b"1" * 3000
    assert copy == (tmp_path / "out" / "a b" / "ü.png" if kind == "local" else tmp_path / "ü.png")
    with pytest.raises(FileNotFoundError):
        place.read("none")
    place.remove("a b/ü.png")
    place.remove("a b/ü.png")
    assert not place.exists("a b/ü.png")


@pytest.mark.parametrize("kind", ["local", "s3"])
def test_of_two_writers_at_a_time_one_wins_and_the_other_hears_of_it(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    """The other's file appears after this one looked, before it writes."""
    if kind == "s3":
        request.getfixturevalue("s3")
    monkeypatch.setattr(patience.time, "sleep", lambda _: None)
    place = place_of(str(tmp_path / "out") if kind == "local" else "s3://bucket/race")
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_bytes(b"1")
    two.write_bytes(b"2")
    put = Place._put

    def late(self: Place, file: Path, path: str, *, overwrite: bool) -> None:
        put(self, one, path, overwrite=False)
        put(self, file, path, overwrite=overwrite)

    monkeypatch.setattr(Place, "_put", late)
    place.publish(one, "same")
    with pytest.raises((OutputError, OSError)):
        place.publish(two, "other")
    assert place.read("other") == b"1"


@pytest.mark.parametrize(("failures", "answers"), [(4, True), (5, False)])
def test_a_store_that_does_not_answer_is_asked_again(
    failures: int, answers: bool, waits: list[float], tmp_path: Path
) -> None:
    place = place_of("flaky://x")
    (tmp_path / "one").write_bytes(b"1")
    Flaky.failures = failures
    if answers:
        place.publish(tmp_path / "one", "one")
        assert place.read("one") == b"1"
    else:
        with pytest.raises(ConnectionError, match="no answer"):
            place.publish(tmp_path / "one", "one")
    assert waits == [0.5, 1, 2, 4]


def test_answers_that_stay_are_not_asked_for_again(waits: list[float]) -> None:
    with pytest.raises(FileNotFoundError):
        place_of("flaky://x").read("none")
    assert waits == []


def test_one_call_in_twenty_may_fail(s3: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files there and back; nothing lost, nothing half."""
    place = place_of("s3://bucket/many")
    s3.fail_every = 20
    contents = {f"{number}": os.urandom(number) for number in range(1, 31)}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        place.publish(tmp_path / name, name)
    assert {one.path: one.size for one in place.stored()} == {
        name: len(content) for name, content in contents.items()
    }
    assert all(place.read(name) == content for name, content in contents.items())
    assert s3.failed > 4


def test_the_manifest_gathers_parts_and_leaves_out_what_was_cut(tmp_path: Path) -> None:
    place = Place(url=str(tmp_path))
    assert read_all(place) == {}
    one = Record(
        source="a", version="1", target="a_x4", status="done", settings="s", model="m", seconds=0.5, width=7
    )
    two = replace(one, source="b", status="failed", reason="no answer")
    write_part(place, [])
    assert not place.exists("_wildsr")
    write_part(place, [one, two])
    write_part(place, [replace(two, status="done", reason="")])
    (tmp_path / "_wildsr" / "parts" / "cut.parquet").write_bytes(b"PAR1")
    found = read_all(place)
    assert found == {"a": one, "b": replace(two, status="done", reason="")}
    write_whole(place, found.values())
    assert read_all(place) == found
    assert [path.name for path in (tmp_path / "_wildsr" / "parts").iterdir()] == []
    later = replace(one, status="failed", settings="others")
    write_part(place, [later])
    assert read_all(place)["a"] == later
    write_whole(place, [replace(one, source="c")])
    assert sorted(read_all(place)) == ["a", "b", "c"]
    import pyarrow.parquet as pq

    table = pq.read_table(tmp_path / MANIFEST)
    assert table.column("source").to_pylist() == ["a", "b", "c"]
    assert str(table.schema.field("width").type) == "int64"
