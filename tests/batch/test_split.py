"""A picture in parts, without Ray: the bytes of `wildsr upscale`; parts that are there, lost, damaged, of others."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="needs the extra batch")

from tests.batch.conftest import with_tiles
from wildsr.batch.manifest import Record
from wildsr.batch.part_file import PartError, load_part, save_part
from wildsr.batch.places import Place, place_of
from wildsr.batch.planning import Plan, plan_batch
from wildsr.batch.split import PARTS, SplitWork, SplitWorker
from wildsr.batch.split_planning import SplitPlan, plan_split, remove_parts
from wildsr.engine import Settings, Size, Upscaler, upscale_folder
from wildsr.engine.blend import Strip
from wildsr.errors import InputError, OutOfMemoryError, UsageError

SETTINGS = Settings(precision="fp32", threads=1, max_memory=1.0, color_fix=True)


@pytest.fixture
def large(tmp_path: Path) -> Path:
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (300, 60, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photos" / "large.png")
    return tmp_path / "photos" / "large.png"


def plan(source: object, out: object, model: Path, **more: object) -> Plan:
    made = plan_batch(str(source), str(out), model=str(model), settings=SETTINGS, **more)  # type: ignore[arg-type]
    return with_tiles(made, 84 * 60)  # 84 rows, as wide as the picture


def alone(source: Path, folder: Path, made: Plan) -> bytes:
    upscaler = Upscaler(made.work.model, made.work.settings, tile_pixels=made.work.tile_pixels)
    list(upscale_folder(source, folder / "alone.png", model=upscaler))
    return (folder / "alone.png").read_bytes()


def run(made: Plan, split: SplitPlan) -> list[Record]:
    """Two workers take turns, the last part first; then one joins."""
    workers = [SplitWorker(made.work), SplitWorker(made.work)]
    parts = [workers[n % 2].do(one) for n, one in enumerate(reversed(split.parts))]
    return [*parts, *(workers[1].do(one) for one in split.joins)]


def names(output: Place) -> list[str]:
    return [one.path for one in output.stored()]


@pytest.mark.parametrize("store", [False, True])
def test_two_workers_make_the_bytes_of_one_machine(
    store: bool, large: Path, model: Path, tmp_path: Path
) -> None:
    source, out = str(large), str(tmp_path / "out")
    if store:
        place_of(f"memory://{tmp_path.name}/in").publish(large, "large.png")
        source, out = f"memory://{tmp_path.name}/in", f"memory://{tmp_path.name}/out"
    made = plan(source, out, model)
    split = plan_split(made)
    assert (len(split.parts), len(split.joins), split.there) == (5, 1, 0)
    records = run(made, split)
    assert [one.status for one in records] == ["done"] * 6, records
    assert sum(one.height for one in records[:5]) == 300
    assert {one.width for one in records} == {60}
    output = place_of(out)
    assert output.read("large_x4.png") == alone(large, tmp_path, made)
    last = records[-1]
    assert (last.source, last.result_width, last.result_height) == ("large.png", 240, 1200)
    assert len([name for name in names(output) if name.startswith(PARTS)]) == 5
    remove_parts(output, records[-1:])
    assert names(output) == ["large_x4.png"]
    assert store or not list((tmp_path / "out" / "_wildsr").rglob("*"))


def test_parts_that_are_there_are_not_made_again(
    large: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(large, tmp_path / "out", model)
    worker = SplitWorker(made.work)
    first = plan_split(made)
    for one in first.parts[1:3]:
        worker.do(one)
    split = plan_split(made)
    assert [one.number for one in split.parts] == [0, 3, 4]
    assert split.there == 2
    assert len(plan_split(plan(large, tmp_path / "out", model, size=Size(scale=3))).parts) == 5
    early = worker.do(split.joins[0])
    assert (early.status, early.reason) == ("failed", "part 1 of 5 is missing: run again")
    assert not (tmp_path / "out" / "large_x4.png").exists()
    monkeypatch.setattr(worker, "_open", lambda _: pytest.fail("it was there"))
    assert worker.do(first.parts[1]).status == "done"
    assert run(made, split)[-1].status == "done"
    assert (tmp_path / "out" / "large_x4.png").read_bytes() == alone(large, tmp_path, made)


def test_a_damaged_part_is_made_again(large: Path, model: Path, tmp_path: Path) -> None:
    made = plan(large, tmp_path / "out", model)
    split = plan_split(made)
    run(made, split)
    (tmp_path / "out" / "large_x4.png").unlink()
    part = sorted((tmp_path / "out" / PARTS).rglob("*.zip"))[2]
    part.write_bytes(part.read_bytes()[:-30])
    record = SplitWorker(made.work).do(split.joins[0])
    assert record.status == "failed"
    assert record.reason.startswith("part 3 of 5 was removed, 00002-of-00005.zip is damaged")
    again = plan_split(made)
    assert [one.number for one in again.parts] == [2]
    assert run(made, again)[-1].status == "done"


def test_a_picture_that_changes_meanwhile_is_not_mixed(large: Path, model: Path, tmp_path: Path) -> None:
    made = plan(large, tmp_path / "out", model)
    split = plan_split(made)
    for one in split.parts:
        SplitWorker(made.work).do(one)
    with Image.open(large) as image:
        flipped = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    flipped.save(large)
    record = SplitWorker(made.work).do(split.joins[0])
    assert record.status == "failed"
    assert "is of another version of the picture: run again" in record.reason
    assert not (tmp_path / "out" / "large_x4.png").exists()
    assert len(plan_split(plan(large, tmp_path / "out", model)).parts) == 5
    flipped.crop((0, 0, 60, 100)).save(large)
    assert "it changed while its parts were made" in SplitWorker(made.work).do(split.joins[0]).reason


def test_what_cannot_be_split_is_said_before_anything_is_done(
    large: Path, model: Path, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=r"large\.png: an enlargement to 960×4800 takes 2 runs"):
        plan_split(plan(large, tmp_path / "out", model, size=Size(scale=16)))
    (large.parent / "text.png").write_text("no picture")
    split = plan_split(plan(large.parent, tmp_path / "out", model))
    assert [(one.source, one.status) for one in split.unusable] == [("text.png", "quarantined")]
    assert [one.source for one in split.joins] == ["large.png"]
    with pytest.raises(InputError, match=r"there is no .*gone\.png"):
        plan(large.parent / "gone.png", tmp_path / "out", model)


def test_memory_that_runs_out_is_no_fault_of_the_picture(
    large: Path, model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = plan(large, tmp_path / "out", model)
    task = plan_split(made).parts[0]
    worker = SplitWorker(made.work)
    picture = worker._open(task).picture

    def fail(number: int) -> None:
        raise OutOfMemoryError(f"no room for {number}")

    monkeypatch.setattr(picture, "part", fail)
    record = worker.do(task)
    assert (record.status, record.source) == ("failed", "large.png#0")
    assert "no room for 0" in record.reason
    left = SplitWork(work=made.work).unfinished(task, "quarantined", "died", attempts=3)
    assert [(one.source, one.reason, one.attempts) for one in left] == [("large.png#0", "died", 3)]


def test_parts_of_other_pictures_stay(large: Path, model: Path, tmp_path: Path) -> None:
    made = plan(large, tmp_path / "out", model)
    split = plan_split(made)
    done = SplitWorker(made.work).do(split.parts[0])
    remove_parts(made.work.output, [replace(done, source="other.png")])
    remove_parts(made.work.output, [replace(done, source="large.png", status="failed")])
    assert plan_split(made).there == 1
    remove_parts(made.work.output, [replace(done, source="large.png")])
    assert plan_split(made).there == 0


def test_a_part_keeps_its_numbers_and_refuses_others(tmp_path: Path) -> None:
    dice = np.random.default_rng(0)
    part = Strip(
        rows=dice.integers(0, 65536, (20, 7, 3)).astype(np.uint16),
        head=dice.random((4, 7, 3), dtype=np.float32),
        tail=np.empty((0, 7, 3), np.float32),
    )
    save_part(part, tmp_path / "part.zip", picture="abc")
    loaded = load_part(tmp_path / "part.zip", picture="abc")
    for name in ("rows", "head", "tail"):
        one, other = getattr(part, name), getattr(loaded, name)
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)
    with pytest.raises(PartError, match="another version"):
        load_part(tmp_path / "part.zip", picture="abd")
    whole = (tmp_path / "part.zip").read_bytes()
    for cut in (0, 10, len(whole) // 2, len(whole) - 5):
        (tmp_path / "part.zip").write_bytes(whole[:cut])
        with pytest.raises(PartError, match="damaged"):
            load_part(tmp_path / "part.zip", picture="abc")
    flat = Strip(rows=part.rows[0], head=part.head, tail=part.tail)
    save_part(flat, tmp_path / "part.zip", picture="abc")
    with pytest.raises(PartError, match="2 dimensions"):
        load_part(tmp_path / "part.zip", picture="abc")
    with pytest.raises(FileNotFoundError):
        load_part(tmp_path / "gone.zip", picture="abc")
