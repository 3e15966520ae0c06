"""Lists of pictures: what rows mean, which are refused, and that they run as a folder's pictures do."""

from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="needs the extra batch")

import pyarrow as pa
import pyarrow.parquet as pq

from tests.batch.conftest import make_photos
from wildsr.batch.lists import is_list, read_list
from wildsr.batch.places import place_of
from wildsr.batch.planning import Plan, plan_batch
from wildsr.batch.step import Worker
from wildsr.engine import Settings
from wildsr.errors import InputError, UsageError


def plan(listed: object, out: object, model: Path) -> Plan:
    return plan_batch(str(listed), str(out), model=str(model), settings=Settings(precision="fp32"))


def csv(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def parquet(path: Path, **columns: list[object]) -> Path:
    pq.write_table(pa.table(columns), path)
    return path


def test_rows_lead_from_the_lists_folder_or_from_anywhere(model: Path, tmp_path: Path) -> None:
    make_photos(tmp_path / "photos", 4)
    place_of(f"memory://{tmp_path.name}").publish(tmp_path / "photos" / "a" / "1.png", "far/1.png")
    (tmp_path / "photos" / "lists").mkdir()
    listed = parquet(
        tmp_path / "photos" / "lists" / "some.parquet",
        source=[
            "../a/1.png",
            "x.jpg",
            str(tmp_path / "photos" / "b" / "2.png"),
            f"memory://{tmp_path.name}/far/1.png",
        ],
        target=[None, "named/é.tif", "", None],
        other=[1, 2, 3, 4],
    )
    (listed.parent / "x.jpg").write_bytes((tmp_path / "photos" / "b" / "0.jpg").read_bytes())
    found = plan(listed, tmp_path / "out", model)
    here = str(tmp_path).lstrip("/")
    assert [(one.source, one.target) for one in found.tasks] == [
        (f"{tmp_path}/photos/a/1.png", f"{here}/photos/a/1_x4.png"),
        ("x.jpg", "named/é.tif"),
        (f"{tmp_path}/photos/b/2.png", f"{here}/photos/b/2_x4.png"),
        (f"memory://{tmp_path.name}/far/1.png", f"{tmp_path.name}/far/1_x4.png"),
    ]
    worker = Worker(found.work)
    records = [worker.do(one) for one in found.tasks]
    assert [one.status for one in records] == ["done"] * 4, records
    assert records[0].sha256 == records[3].sha256
    assert all(one.version for one in found.tasks)
    assert (tmp_path / "out" / "named" / "é.tif").stat().st_size > 0


def test_a_list_of_a_store_leads_from_its_folder_there(model: Path, tmp_path: Path) -> None:
    place = place_of(f"memory://{tmp_path.name}/lists")
    place.write(
        "some.CSV", "\ufeffsource,target\r\na.png,\r\n../b/c.png,c.png\r\n/nowhere/d.png,\r\n".encode()
    )
    folder, entries = read_list(f"{place.url}/some.CSV")
    assert folder == place
    assert [(one.source, one.target, one.version) for one in entries] == [
        ("a.png", "", ""),
        (f"memory://{tmp_path.name}/b/c.png", "c.png", ""),
        ("file:///nowhere/d.png", "", ""),
    ]
    before = entries[0].version
    place.write("a.png", b"12")
    after = read_list(f"{place.url}/some.CSV")[1][0].version
    assert after.startswith("2 ")
    assert after != before


def test_a_folder_is_no_list_whatever_its_name(photos: Path, model: Path, tmp_path: Path) -> None:
    photos.rename(tmp_path / "photos.csv")
    assert not is_list(str(tmp_path / "photos.csv"))
    assert not is_list(f"memory://{tmp_path.name}/photos")
    assert len(plan(tmp_path / "photos.csv", tmp_path / "out", model).tasks) == 12


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        (["source,target", "a.png,x.png", "b.png,X.png"], "two rows of the list have the target"),
        (["source", "a.png", "./a.png"], "two rows of the list have the source a.png"),
        (["source,target", "a.png,../x.png"], "only names below the output"),
        (["source,target", "a.png,/x.png"], "only names below the output"),
        (["source,target", "a.png,s3://x/x.png"], "only names below the output"),
        (["source,target", r"a.png,..\x.png"], "only names below the output"),
        (["source,target", "a.png,."], "extension must be"),
        (["source,target", "a.png,x.xcf"], "row 1 of the list has the target x.xcf"),
        (["source,target", "a.png,_wildsr/x.png"], "where the manifest is"),
        (["source,target", "a.png,", ",x.png"], "row 2 of the list names no picture"),
        (["source,target", "a.png,", "b.png,a_x4.png"], "a.png and b.png would both become a_x4.png"),
        (["source,target", "a.png,a.png"], "would replace a picture that is read: a.png"),
        (["source", "nostore://x/a.png"], "can't be opened"),
    ],
)
def test_rows_that_cannot_be_used(lines: list[str], said: str, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=said):
        plan(csv(tmp_path / "list.csv", *lines), tmp_path, model)
    assert not (tmp_path / "_wildsr").exists()


def test_files_that_are_no_list(model: Path, tmp_path: Path) -> None:
    cases = {
        "no column source; it has url, target": csv(tmp_path / "1.csv", "url,target", "a.png,"),
        "has no rows": csv(tmp_path / "2.csv", "source"),
        "no column source; it has none": csv(tmp_path / "3.csv"),
        "can't be read as Parquet": csv(tmp_path / "4.parquet", "source", "a.png"),
        "no column source; it has url": parquet(tmp_path / "5.parquet", url=["a.png"]),
        "the column source of .* holds int64": parquet(tmp_path / "6.parquet", source=[1, 2]),
        "5.csv": tmp_path / "5.csv",
        "7.parquet has no rows": parquet(tmp_path / "7.parquet", source=pa.array([], pa.string())),
    }
    (tmp_path / "3.csv").write_bytes(b"")
    (tmp_path / "8.csv").write_bytes(b"source\nb\xe9.png\n")
    (tmp_path / "9.csv").write_bytes(b'source\n"a.png\n')
    for said, path in {
        **cases,
        "8.csv can't be read": tmp_path / "8.csv",
        "9.csv can't": tmp_path / "9.csv",
    }.items():
        with pytest.raises(InputError, match=said) as caught:
            plan(path, tmp_path / "out", model)
        assert caught.value.hint, said
    place_of("memory://top").write("list.csv", b"source\n../../x.png\n")
    with pytest.raises(UsageError, match="leads out of its store"):
        plan("memory://top/list.csv", tmp_path / "out", model)
