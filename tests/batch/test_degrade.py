"""Pairs in shards: the pixels of `wildsr degrade`, broken pictures, what a second run makes again."""

import io
import json
import os
import shutil
import tarfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

pytest.importorskip("pyarrow", reason="needs the extra batch")
pytest.importorskip("torch", reason="needs the extra train")

from tests.cli.invoke import invoke
from wildsr.batch.degrade import Asked, DegradePlan, Degrader, plan_degrade
from wildsr.batch.manifest import Record, write_whole
from wildsr.batch.places import place_of
from wildsr.data import open_shards, shards_in
from wildsr.errors import ModelError, UsageError

ASKED = Asked(preset="bsrgan", scale=2, seed=3)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures, two of one name but for the ending, one with a dot in its name."""
    for number, name in enumerate(("a/1.png", "a/1.jpg", "a/x.y.png", "10.png", "9.png")):
        path = tmp_path / "photos" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        noise = np.random.default_rng(number).integers(0, 256, (41 + number, 50, 3), dtype=np.uint8)
        Image.fromarray(noise).save(path)
    return tmp_path / "photos"


def plan(photos: Path | str, out: Path | str, asked: Asked = ASKED, **more: object) -> DegradePlan:
    return plan_degrade(str(photos), str(out), asked, per_shard=2, **more)  # type: ignore[arg-type]


def done(planned: DegradePlan) -> list[Record]:
    """Do without Ray what `run_batch` does."""
    worker = Degrader(planned.work)
    records = [record for task in planned.tasks for record in worker.records(task, attempts=1)]
    write_whole(planned.work.output, records)
    return records


def pixels(content: bytes) -> np.ndarray:
    with Image.open(io.BytesIO(content)) as picture:
        return np.asarray(picture)


def test_shards_hold_the_pixels_that_the_command_makes(photos: Path, tmp_path: Path) -> None:
    planned = plan(photos, tmp_path / "out")
    assert [(one.target, len(one.members)) for one in planned.tasks] == [
        ("shard-000000.tar", 2), ("shard-000001.tar", 2), ("shard-000002.tar", 1)
    ]  # fmt: skip
    records = done(planned)
    assert {(one.status, one.result_width, one.width) for one in records} == {("done", 25, 50)}
    command = invoke(
        "degrade", photos, "-r", "--preset", "bsrgan", "-s", "2", "--seed", "3", "-o", tmp_path / "p"
    )
    assert command.code == 0, command.err
    names = []
    for path in shards_in(tmp_path / "out"):
        with tarfile.open(path) as shard:
            for one in shard:
                key, _, ending = one.name.partition(".")
                file = shard.extractfile(one)
                assert file is not None
                if ending == "json":
                    facts = json.loads(file.read())
                    names.append((key, facts["name"]))
                    assert facts["steps"]
                    continue
                side = tmp_path / "p" / ending[:2].upper()
                made = side / dict(zip(KEYS, NAMES, strict=True))[key]
                assert np.array_equal(pixels(file.read()), pixels(made.read_bytes())), one.name
    assert names == list(zip(KEYS, NAMES, strict=True))
    assert len(open_shards(shards_in(tmp_path / "out"), scale=2, patch=16, cache=tmp_path / "c").photos) == 5


KEYS = ["9", "10", "a/1_jpg", "a/1_png", "a/x_y"]
NAMES = ["9.png", "10.png", "a/1_jpg.png", "a/1_png.png", "a/x.y.png"]


def test_a_store_gives_the_same_bytes(photos: Path, tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    for path in photos.rglob("*.*g"):
        place_of(f"{url}/in").publish(path, path.relative_to(photos).as_posix())
    here, there = done(plan(photos, tmp_path / "out")), done(plan(f"{url}/in", f"{url}/out"))
    assert [(one.source, one.sha256) for one in here] == [(one.source, one.sha256) for one in there]


def test_a_second_run_makes_only_the_shards_that_are_left_or_changed(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = done(plan(photos, out))
    again = plan(photos, out)
    assert (len(again.tasks), len(again.kept)) == (0, 5)
    os.utime(photos / "10.png", (1, 1))
    changed = plan(photos, out)
    assert [(one.target, one.replaces) for one in changed.tasks] == [("shard-000000.tar", first[0].sha256)]
    noise = np.random.default_rng(99).integers(0, 256, (44, 50, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photos / "10.png")
    assert {one.status for one in done(plan(photos, out))} == {"done"}
    shutil.copy(photos / "9.png", photos / "0.png")
    longer = plan(photos, out)
    assert [one.target for one in longer.tasks] == [f"shard-{number:06}.tar" for number in range(3)]
    assert {one.status for one in done(longer)} == {"done"}
    assert len(open_shards(shards_in(out), scale=2, patch=16, cache=tmp_path / "c").photos) == 6
    other = done(plan(photos, out, replace(ASKED, seed=4)))
    assert {one.status for one in other} == {"quarantined"}
    assert "another content" in other[0].reason
    assert {one.status for one in done(plan(photos, out, replace(ASKED, seed=4), overwrite=True))} == {"done"}


def test_pairs_of_pictures_that_are_gone_are_not_left_among_others(photos: Path, tmp_path: Path) -> None:
    done(plan(photos, tmp_path / "out"))
    (photos / "9.png").unlink()
    with pytest.raises(UsageError, match=r"holds pairs of 9\.png, which is no longer given"):
        plan(photos, tmp_path / "out")


def test_broken_pictures_are_left_out_of_their_shard(photos: Path, tmp_path: Path) -> None:
    (photos / "9.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    Image.new("RGB", (15, 40)).save(photos / "10.png")
    Image.new("RGB", (40, 40)).save(photos / "11.png")
    planned = plan(photos, tmp_path / "out")
    (photos / "a" / "1.jpg").unlink()
    records = {one.source: one for one in done(planned)}
    assert {source for source, one in records.items() if one.status == "quarantined"} == {
        "9.png", "10.png", "a/1.jpg"
    }  # fmt: skip
    assert "fewer than 16 pixels" in records["10.png"].reason
    assert "no such file" in records["a/1.jpg"].reason
    assert sorted(path.name for path in (tmp_path / "out").glob("*.tar")) == [
        "shard-000001.tar", "shard-000002.tar"
    ]  # fmt: skip
    (photos / "a" / "1.jpg").write_bytes(b"")
    left = plan(photos, tmp_path / "out", retry=True)
    assert [one.target for one in left.tasks] == ["shard-000000.tar", "shard-000001.tar"]


def test_a_store_that_lets_a_shard_down_costs_that_shard_alone(
    photos: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = plan(photos, tmp_path / "out")
    worker = Degrader(planned.work)

    def fail(*_: object, **__: object) -> None:
        raise ConnectionError("no answer")

    with monkeypatch.context() as patch:
        patch.setattr("wildsr.batch.places.Place.fetch", fail)
        records = worker.records(planned.tasks[0], attempts=2)
    assert [(one.status, one.reason, one.attempts) for one in records] == [
        ("failed", "ConnectionError: no answer", 2)
    ] * 2
    assert not list(tmp_path.glob("out/*.tar"))
    given_up = planned.work.unfinished(planned.tasks[0], "quarantined", "died", attempts=3)
    assert [(one.source, one.status) for one in given_up] == [
        ("9.png", "quarantined"),
        ("10.png", "quarantined"),
    ]


def test_a_worker_that_would_make_other_pairs_refuses(photos: Path, tmp_path: Path) -> None:
    work = plan(photos, tmp_path / "out").work
    with pytest.raises(ModelError, match="another profile"):
        Degrader(replace(work, asked=replace(ASKED, seed=4)))


def test_a_dry_run_says_what_there_is_to_do(photos: Path, tmp_path: Path) -> None:
    words = (
        "batch",
        "degrade",
        photos,
        tmp_path / "out",
        "--preset",
        "bsrgan",
        "--per-shard",
        "2",
        "--dry-run",
    )
    found = invoke(*words)
    assert found.code == 0, found.err
    assert "5 pictures to degrade by bsrgan into 3 shards, 0 done" in found.err
    assert not (tmp_path / "out").exists()
    assert invoke(*words[:4]).code == 2
