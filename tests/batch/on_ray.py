"""Runs over real workers: the bytes of `wildsr upscale`, whatever dies, breaks or doesn't answer on the way.

`test_ray` runs these in a process of their own.
"""

import hashlib
import os
import pickle
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from PIL import Image

pytest.importorskip("ray", reason="needs the extra batch")

import ray

from tests.batch.conftest import Store, make_photos, tiny_model, with_tiles
from tests.cli.invoke import invoke
from tests.conftest import REPOSITORY
from wildsr.batch import (
    MANIFEST,
    Place,
    Record,
    place_of,
    plan_batch,
    plan_split,
    read_all,
    split_batch,
    upscale_batch,
)
from wildsr.batch.degrade import Asked, Degrader, plan_degrade
from wildsr.batch.local_cluster import ENVIRONMENT
from wildsr.batch.run import MOST_DEATHS, _Actor, begun_counter, run_batch
from wildsr.engine import Settings, Upscaler, upscale_folder
from wildsr.errors import UsageError

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings(
        "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::ResourceWarning"
    ),
]
SETTINGS = Settings(precision="fp32", threads=1, max_memory=1.5)


@pytest.fixture(scope="module")
def cluster(s3_server: Store) -> Iterator[str]:
    """One cluster for all; its address."""
    folder = tempfile.mkdtemp(prefix="ray-")  # short: sockets lie in it
    os.environ.update(ENVIRONMENT)
    started = ray.init(
        address="local",
        num_cpus=4,
        object_store_memory=100_000_000,
        include_dashboard=False,
        log_to_driver=False,
        configure_logging=False,
        _temp_dir=folder,
    )
    yield started.address_info["gcs_address"]
    ray.shutdown()
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, dict[str, bytes]]:
    """Photos with broken ones among them, a model, and what `wildsr upscale` makes of them."""
    folder = tmp_path_factory.mktemp("batch")
    model, photos = tiny_model(folder / "tiny.onnx"), make_photos(folder / "photos", 22)
    (photos / "cut.png").write_bytes((photos / "a" / "1.png").read_bytes()[:200])
    (photos / "text.jpg").write_text("no picture")
    out = folder / "alone"
    list(upscale_folder(photos, out, model=model, settings=SETTINGS, recursive=True))
    return photos, model, {path.relative_to(out).as_posix(): path.read_bytes() for path in out.rglob("*.png")}


def check(records: list[Record], output: Place, expected: dict[str, bytes]) -> None:
    """Nothing lost, nothing half, nothing else; the manifest says so."""
    good = {one.target: one for one in records if one.status == "done"}
    assert set(good) == set(expected)
    assert {one.source: one.status for one in records if one.status != "done"} == {
        "cut.png": "quarantined",
        "text.jpg": "quarantined",
    }
    files = [one.path for one in output.stored() if not one.path.startswith("_wildsr/")]
    assert sorted(files) == sorted(expected)
    for target, content in expected.items():
        assert output.read(target) == content, target
        assert hashlib.sha256(content).hexdigest() == good[target].sha256
    assert read_all(output) == {one.source: one for one in records}
    assert [one.path for one in output.stored() if one.path.startswith("_wildsr/")] == [MANIFEST]


def test_a_second_run_finds_all_done(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, expected = made
    out = str(tmp_path / "out")
    plan = plan_batch(str(photos), out, model=str(model), settings=SETTINGS, workers=2)
    seen: list[tuple[int, int]] = []
    records = upscale_batch(plan, watch=lambda _, done, total: seen.append((done, total)))
    check(records, place_of(out), expected)
    assert seen == [(number, 24) for number in range(1, 25)]
    assert {one.result_width for one in records if one.status == "done"} == {120}
    again = plan_batch(str(photos), out, model=str(model), settings=SETTINGS, workers=2)
    assert not again.tasks
    assert upscale_batch(again) == records


def test_a_worker_that_is_killed_costs_nothing(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, expected = made
    out = str(tmp_path / "out")
    killed: list[int] = []

    def kill(record: Record, done: int, total: int) -> None:
        if len(killed) < 2 and (workers := actors()):
            killed.append(workers[0].pid)
            workers[0].kill()

    plan = plan_batch(str(photos), out, model=str(model), settings=SETTINGS, workers=2)
    records = upscale_batch(plan, watch=kill)
    assert killed
    check(records, place_of(out), expected)


def actors() -> list[psutil.Process]:
    found = []
    for process in psutil.Process().children(recursive=True):
        try:
            if "_Actor" in " ".join(process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def test_a_store_that_fails_one_call_in_twenty(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], s3: Store
) -> None:
    photos, model, expected = made
    for path in photos.rglob("*.*"):
        place_of("s3://bucket/in").publish(path, path.relative_to(photos).as_posix())
    s3.fail_every = 20
    plan = plan_batch("s3://bucket/in", "s3://bucket/out", model=str(model), settings=SETTINGS, workers=2)
    records = upscale_batch(plan)
    s3.fail_every = 0
    assert s3.failed > 5
    check(records, place_of("s3://bucket/out"), expected)
    assert not plan_batch("s3://bucket/in", "s3://bucket/out", model=str(model), settings=SETTINGS).tasks


def test_a_driver_that_is_killed_is_run_again(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, expected = made
    out = tmp_path / "out"
    options = ["--precision", "fp32", "--max-memory", "1.5", "--workers", "2"]
    command = ["batch", str(photos), str(out), "-m", str(model), "--address", cluster, *options]
    driver = subprocess.Popen(
        [sys.executable, "-m", "wildsr", *command], cwd=REPOSITORY, stderr=subprocess.PIPE
    )
    while not list(out.rglob("*.png")):
        assert driver.poll() is None, driver.stderr and driver.stderr.read().decode()
        time.sleep(0.02)
    driver.send_signal(signal.SIGKILL)
    driver.communicate()
    for path in out.rglob("*_x4.png"):
        if not path.name.startswith("."):
            assert path.read_bytes() == expected[path.relative_to(out).as_posix()]
    done = invoke(*command)
    assert done.code == 1, done.err
    assert done.out.strip() == f"{out}/{MANIFEST}"
    assert "quarantined: text.jpg" in done.err
    check(list(read_all(place_of(str(out))).values()), place_of(str(out)), expected)


def test_a_picture_that_workers_die_at_is_left_out(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, _ = made
    plan = plan_batch(str(photos), str(tmp_path / "out"), model=str(model), settings=SETTINGS)
    task = plan.tasks[0]
    begun = begun_counter()
    for _ in range(MOST_DEATHS - 1):
        ray.get(begun.begin.remote(task.source, None))
    actor = _Actor(plan.work, begun, None)
    row = {"task": pickle.dumps(task)}
    done = actor(row)[0]
    assert (done["status"], done["attempts"]) == ("done", 3)
    assert actor(row)[0]["attempts"] == 1
    for _ in range(MOST_DEATHS - 1):  # on top of what that worker has not yet said to have ended
        ray.get(begun.begin.remote(task.source, None))
    (left,) = _Actor(plan.work, begun, None)(row)
    assert (left["status"], left["attempts"]) == ("quarantined", 3)
    assert left["reason"] == "3 workers died at it"


def test_a_worker_no_machine_can_hold_is_refused_instead_of_waited_for(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, _ = made
    plan = plan_batch(str(photos), str(tmp_path / "out"), model=str(model), settings=SETTINGS)
    with pytest.raises(UsageError, match="no machine of the cluster has more than 4 cores") as caught:
        upscale_batch(replace(plan, threads=5))
    assert caught.value.hint == "--threads 4"
    assert ray.is_initialized()


def test_a_picture_in_parts_has_the_bytes_of_one_machine_though_a_worker_is_killed(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    photos, model, _ = made
    (tmp_path / "in").mkdir()
    shutil.copy(photos / "cut.png", tmp_path / "in" / "cut.png")
    noise = np.random.default_rng(1).integers(0, 256, (400, 40, 3), dtype=np.uint8)
    Image.fromarray(noise).save(tmp_path / "in" / "tall.png")
    settings = replace(SETTINGS, color_fix=True)
    plan = plan_batch(
        str(tmp_path / "in"), str(tmp_path / "out"), model=str(model), settings=settings, workers=2
    )
    plan = with_tiles(plan, 60 * 40)
    split = plan_split(plan)
    killed: list[int] = []

    def kill(part: Record, done: int, total: int) -> None:
        assert total == len(split.parts) + 2
        if not killed and done == 3 and (workers := actors()):
            killed.append(workers[0].pid)
            workers[0].kill()

    records = split_batch(plan, split, watch=kill)
    assert killed
    assert len(split.parts) > 8
    assert [(one.source, one.status) for one in records] == [("cut.png", "quarantined"), ("tall.png", "done")]
    upscaler = Upscaler(model, plan.work.settings, tile_pixels=plan.work.tile_pixels)
    list(upscale_folder(tmp_path / "in" / "tall.png", tmp_path / "alone.png", model=upscaler))
    output = place_of(str(tmp_path / "out"))
    assert output.read("tall_x4.png") == (tmp_path / "alone.png").read_bytes()
    assert [one.path for one in output.stored()] == [MANIFEST, "tall_x4.png"]
    assert read_all(output) == {one.source: one for one in records}


def test_a_task_may_give_many_records(
    cluster: str, made: tuple[Path, Path, dict[str, bytes]], tmp_path: Path
) -> None:
    """Shards of pairs; all other verbs run through the same few lines."""
    pytest.importorskip("torch", reason="needs the extra train")
    photos, _, _ = made
    plan = plan_degrade(str(photos), str(tmp_path / "out"), Asked(preset="bicubic", scale=2), per_shard=10)
    seen: list[tuple[int, int]] = []
    records = run_batch(plan, total=plan.pictures, watch=lambda _, done, total: seen.append((done, total)))
    assert seen == [(number, 24) for number in range(1, 25)]
    assert [one.source for one in records if one.status != "done"] == ["cut.png", "text.jpg"]
    assert read_all(place_of(str(tmp_path / "out"))) == {one.source: one for one in records}
    alone = Degrader(replace(plan.work, output=place_of(str(tmp_path / "alone"))))
    for task in plan.tasks:
        digest = {one.sha256 for one in alone.records(task, attempts=1) if one.status == "done"}
        assert digest == {one.sha256 for one in records if one.target == task.target and one.sha256}
    assert not plan_degrade(str(photos), str(tmp_path / "out"), plan.work.asked, per_shard=10).tasks
