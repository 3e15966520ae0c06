"""One picture by one worker: bad pictures, results that are there already, machines that differ."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="needs the extra batch")

from wildsr.batch.places import place_of
from wildsr.batch.planning import plan_batch
from wildsr.batch.step import Task, Work, Worker
from wildsr.engine import Settings
from wildsr.errors import ModelError, NoSpaceError
from wildsr.imaging import WriteOptions

TASK = Task(source="a.png", version="1", target="sub/a_x4.png")


@pytest.fixture
def work(tmp_path: Path, model: Path) -> Work:
    (tmp_path / "photos").mkdir()
    noise = np.random.default_rng(0).integers(0, 256, (20, 30, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "photos" / "a.png")
    return plan_batch(
        str(tmp_path / "photos"),
        str(tmp_path / "out"),
        model=str(model),
        settings=Settings(precision="fp32"),
    ).work


def test_a_picture_is_read_upscaled_and_written(work: Work, tmp_path: Path) -> None:
    record = Worker(work).do(TASK, attempts=2)
    assert (record.status, record.width, record.result_height, record.attempts) == ("done", 30, 80, 2)
    assert record.seconds > 0
    assert len(record.sha256) == 64
    with Image.open(tmp_path / "out" / "sub" / "a_x4.png") as made:
        assert made.size == (120, 80)
    assert [path.name for path in (tmp_path / "out").rglob("*") if path.is_file()] == ["a_x4.png"]


def test_a_store_elsewhere_gives_the_same_bytes(work: Work, tmp_path: Path) -> None:
    inner, outer = place_of(f"memory://{tmp_path.name}/in"), place_of(f"memory://{tmp_path.name}/out")
    inner.publish(tmp_path / "photos" / "a.png", "a.png")
    here = Worker(work).do(TASK)
    there = Worker(replace(work, input=inner, output=outer)).do(TASK)
    assert there.sha256 == here.sha256
    assert outer.read(TASK.target) == (tmp_path / "out" / TASK.target).read_bytes()


def test_a_picture_that_is_gone_or_none_is_left_out_for_good(work: Work, tmp_path: Path) -> None:
    (tmp_path / "photos" / "text.png").write_text("no picture")
    (tmp_path / "photos" / "empty.png").write_bytes(b"")
    worker = Worker(work)
    for name, reason in (
        ("gone.png", "no longer there"),
        ("text.png", "text.png"),
        ("empty.png", "empty.png"),
    ):
        record = worker.do(Task(source=name, version="", target=f"{name}_x4.png"))
        assert record.status == "quarantined"
        assert reason in record.reason or "does not exist" in record.reason
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("error", "status"),
    [(NoSpaceError("full"), "failed"), (MemoryError(), "failed"), (RuntimeError("odd"), "failed")],
)
def test_what_the_picture_is_not_to_blame_for_is_tried_again(
    work: Work, error: Exception, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    worker = Worker(work)

    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(worker._upscaler, "upscale_source", fail)
    record = worker.do(TASK)
    assert record.status == status
    assert type(error).__name__ in record.reason or str(error) in record.reason


def test_another_result_is_not_replaced_unasked_and_the_same_is_welcome(work: Work, tmp_path: Path) -> None:
    first = Worker(work).do(TASK)
    assert Worker(work).do(TASK).status == "done"
    made = tmp_path / "out" / "sub" / "a_x4.png"
    whole = made.read_bytes()
    made.write_bytes(b"somebody's")
    record = Worker(work).do(replace(TASK, replaces=first.sha256))
    assert record.status == "quarantined"
    assert "another content" in record.reason
    assert made.read_bytes() == b"somebody's"
    assert Worker(replace(work, overwrite=True)).do(TASK).status == "done"
    assert made.read_bytes() == whole


@pytest.mark.parametrize(
    "change", [{"options": WriteOptions(compression=5)}, {"settings": Settings(precision="fp32", threads=2)}]
)
def test_a_worker_that_would_make_other_bytes_refuses(work: Work, change: dict[str, object]) -> None:
    with pytest.raises(ModelError, match="in another way"):
        Worker(replace(work, **change))  # type: ignore[arg-type]
