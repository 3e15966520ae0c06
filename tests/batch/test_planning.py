"""What a run finds, how it names results, what it leaves out because it is done, what it will take."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="needs the extra batch")

from tests.batch.conftest import make_photos
from tests.cli.invoke import invoke
from wildsr.batch.cost import cost_of
from wildsr.batch.manifest import Record, write_whole
from wildsr.batch.places import place_of
from wildsr.batch.planning import Plan, plan_batch
from wildsr.batch.step import Worker
from wildsr.engine import Settings, upscale_folder
from wildsr.errors import InputError, UsageError, WildsrError


def test_deep_zoom_is_no_single_file(photos: Path, model: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="Deep Zoom is a folder") as caught:
        plan(photos, tmp_path / "out", model, extension=".DZI")
    assert "--pyramid" in str(caught.value.hint)


def plan(photos: object, out: object, model: Path, **more: object) -> Plan:
    settings = Settings(precision="fp32")
    return plan_batch(str(photos), str(out), model=str(model), settings=settings, **more)  # type: ignore[arg-type]


def test_names_are_those_of_the_command(photos: Path, model: Path, tmp_path: Path) -> None:
    (photos / "a" / "1.jpg").write_bytes((photos / "b" / "0.jpg").read_bytes())
    (photos / "notes.txt").write_text("no picture")
    (photos / "out").mkdir()
    (photos / "out" / "old_x4.png").write_bytes(b"")
    found = plan(photos, photos / "out", model)
    command = upscale_folder(photos, photos / "out", model=model, recursive=True)
    assert {(one.source, one.target) for one in found.tasks} == {
        (
            job.source.relative_to(photos).as_posix(),
            job.target.relative_to(photos / "out").as_posix(),
        )
        for job in command.outputs.jobs
    }
    assert len(found.tasks) == 13
    assert ("a/1.jpg", "a/1_jpg_x4.png") in {(one.source, one.target) for one in found.tasks}
    assert (found.work.settings.threads, found.work.settings.max_memory) == (1, 1.5)


def test_a_store_gives_the_names_a_folder_gives(photos: Path, model: Path, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    for path in photos.rglob("*.*"):
        place_of(url).publish(path, path.relative_to(photos).as_posix())
    for name in (".hidden/x.png", "out/old_x4.png", "_wildsr/parts/x.png", "notes.txt", "._1.jpg"):
        place_of(url).write(name, b"")
    here, there = plan(photos, tmp_path / "out", model), plan(url, f"{url}/out", model)
    assert {(one.source, one.target) for one in there.tasks} == {
        (one.source, one.target) for one in here.tasks
    }
    assert plan(url, f"{url}/out", model, workers=3).workers == 3
    place_of(url).write("texts/notes.txt", b"")
    with pytest.raises(InputError, match="no picture"):
        plan(f"{url}/texts", f"{url}/out", model)


def test_nothing_to_do_is_an_error_that_says_so(model: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    for name in ("empty", "nowhere"):
        with pytest.raises(WildsrError, match=name):
            plan(tmp_path / name, tmp_path / "out", model)


def test_only_what_is_left_is_planned(photos: Path, model: Path, tmp_path: Path) -> None:
    """Done with these settings and unchanged; a changed picture's result may be replaced, another's not."""
    out = tmp_path / "out"
    first = plan(photos, out, model)
    worker = Worker(first.work)
    records: dict[str, Record] = {one.source: worker.do(one) for one in first.tasks[:5]}
    names = list(records)
    records[names[1]] = replace(records[names[1]], status="quarantined")
    records[names[2]] = replace(records[names[2]], status="failed")
    records[names[3]] = replace(records[names[3]], settings="others")
    write_whole(place_of(str(out)), records.values())
    os.utime(photos / names[4], (1, 1))
    second = plan(photos, out, model)
    assert sorted(second.kept) == sorted(names[:2])
    left = {one.source: one.replaces for one in second.tasks}
    assert len(left) == 10
    assert left[names[3]] == ""
    assert left[names[4]] == records[names[4]].sha256
    assert sorted(plan(photos, out, model, retry=True).kept) == [names[0]]
    assert sorted(plan(photos, out, model, overwrite=True).kept) == [names[0]]
    other = plan_batch(str(photos), str(out), model=str(model), settings=Settings(strength=0.5))
    assert not other.kept


def test_the_cost_is_carried_over_from_a_sample(model: Path, tmp_path: Path) -> None:
    photos = make_photos(tmp_path / "photos", 60)
    (photos / "a" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    planned = plan(photos, tmp_path / "out", model, workers=2)
    cost = cost_of(planned)
    assert (cost.pictures, cost.sampled) == (61, 24)
    true = sum(30 * (20 + number) for number in range(60)) / 1e6
    assert cost.megapixels == pytest.approx(true, rel=0.25)
    assert cost.result_megapixels == pytest.approx(16 * cost.megapixels)
    assert cost.core_seconds == pytest.approx(cost.hours * 3600 * 2)
    assert cost.core_seconds > 0
    assert not (tmp_path / "out").exists()
    assert cost_of(replace(planned, tasks=[])).pictures == 0


def test_a_dry_run_says_what_there_is_to_do(photos: Path, model: Path, tmp_path: Path) -> None:
    done = invoke("batch", photos, tmp_path / "out", "-m", model, "--dry-run", "--workers", "2")
    assert done.code == 0, done.err
    assert "12 pictures to do, 0 done or left out by earlier runs" in done.err
    assert "2 workers of 1 thread\n" in done.err
    assert "from 12 of 12 pictures, 0 of them unusable" in done.err
    assert not (tmp_path / "out").exists()
    refused = invoke("batch", tmp_path / "none", tmp_path / "out", "-m", model)
    assert refused.code == 1
    assert "there is no folder" in refused.err
