"""`wildsr serve` as a process: killed workers, restarts, signals, limits, and what it looks up."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
import requests

from tests.cli.invoke import invoke
from tests.e2e.watching import RECORDER
from tests.service.asking import bring, ended, ids, picture, stored
from tests.service.conftest import FAST
from wildsr.service.access import Access
from wildsr.service.jobs import Job, JobStore, NewJob, new_id
from wildsr.service.leases import Leases, Made
from wildsr.service.options import JobOptions
from wildsr.service.server import create_service
from wildsr.service.settings import ServiceSettings
from wildsr.service.storage import Storage
from wildsr.service.supervisor import Supervisor, sweep, tree_memory

TIMEOUT = 120


@contextmanager
def program(
    folder: Path, model: str, *words: str, **environment: str
) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """Run `wildsr serve`; gives its address and its process."""
    with (folder / "stderr").open("a") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-m", "wildsr", "serve", "--port", "0", "-m", model, "--folder", str(folder / "data"),
             "--threads", "1", *words],
            stdout=subprocess.PIPE, stderr=stderr, text=True, env={**os.environ, "WILDSR_OFFLINE": "1", **environment},
        )  # fmt: skip
        try:
            assert process.stdout is not None
            yield process.stdout.readline().strip(), process
        finally:
            if process.poll() is None:
                process.kill()
            process.communicate(timeout=TIMEOUT)


def worker_of(process: "subprocess.Popen[str]") -> int:
    deadline = time.monotonic() + TIMEOUT
    while time.monotonic() < deadline:
        found = [
            pid for task in Path(f"/proc/{process.pid}/task").iterdir()
            for pid in map(int, (task / "children").read_text().split())
            if b"service.worker" in Path(f"/proc/{pid}/cmdline").read_bytes()
        ]  # fmt: skip
        if found:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no worker came")


@pytest.mark.e2e
@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="finds workers through /proc")
def test_nothing_is_lost_when_workers_and_the_service_die(tmp_path: Path, models: tuple[str, ...]) -> None:
    """Workers killed at work, the service killed, then ended by SIGTERM: each job ends once, with the same bytes."""
    recorder = tmp_path / "recorder"
    recorder.mkdir()
    (recorder / "sitecustomize.py").write_text(RECORDER)
    log = tmp_path / "looked_up"
    log.write_text("")
    watched = {
        "RECORDER_LOG": str(log),
        "PYTHONPATH": os.pathsep.join([str(recorder), os.environ.get("PYTHONPATH", "")]),
    }
    photos = [picture(seed, (320, 240), "jpeg") for seed in range(2)]
    made: list[str] = []
    with program(tmp_path, models[0], **watched) as (address, process):
        made += ids(bring(address, *[(f"{n}.jpg", photo) for n, photo in enumerate(photos)]))
        for _ in range(2):
            os.kill(worker_of(process), signal.SIGKILL)
            time.sleep(0.3)
        process.kill()  # the service itself, with its worker at work
        process.wait(TIMEOUT)
    with program(tmp_path, models[0], **watched) as (address, process):
        jobs = [ended(address, job_id) for job_id in made]
        assert [job["state"] for job in jobs] == ["done"] * 2, jobs
        listed = requests.get(f"{address}/api/jobs", timeout=30).json()["jobs"]
        assert sorted(job["id"] for job in listed) == sorted(made)
        for number, job_id in enumerate(made):
            (tmp_path / f"{number}.jpg").write_bytes(photos[number])
            out = tmp_path / f"{number}.png"
            told = invoke("upscale", tmp_path / f"{number}.jpg", "-o", out, "-m", models[0], "--threads", "1")
            assert told.code == 0, told.err
            found = requests.get(f"{address}/api/jobs/{job_id}/result", timeout=30)
            assert found.content == out.read_bytes()
        worker = worker_of(process)
        process.send_signal(signal.SIGTERM)
        assert process.wait(TIMEOUT) == 143
        assert not Path(f"/proc/{worker}").exists()
    looked_up = {address for _, address in map(json.loads, log.read_text().splitlines())}
    assert looked_up <= {"127.0.0.1"}  # what it listens on itself; nothing else was looked up or connected to
    for line in (tmp_path / "stderr").read_text().splitlines():
        if line != "interrupted":
            assert {"time", "level", "event", "process"} <= set(json.loads(line))


def test_a_busy_port_and_a_missing_token_are_named(tmp_path: Path, models: tuple[str, ...]) -> None:
    import socket

    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        told = invoke("serve", "--port", port, "-m", models[0], "--folder", tmp_path)
    assert (told.code, "can't listen" in told.err) == (1, True)
    told = invoke("serve", "--host", "0.0.0.0", "-m", models[0], "--folder", tmp_path)
    assert (told.code, "no token" in told.err) == (2, True)
    for words, reason in (
        (("--database", "nonsense://x"), "can't use the database"),
        (("--database", "sqlite:////nowhere/x.sqlite"), "can't open the database"),
        (("--database", "postgresql+psycopg://me:secret@127.0.0.1:9/x"), "the database"),
        (("--redis", "nonsense"), "--redis"),
        (("--workers", "65"), "--workers"),
        (("--max-mp", "0"), "--max-mp"),
        (("--keep-days", "-1"), "--keep-days"),
        (("-m", models[0]), "two models are called tiny"),
    ):
        told = invoke("serve", "-m", models[0], "--folder", tmp_path, "--port", "0", *words)
        assert told.code in (1, 2), words
        assert reason in told.err
        assert "secret" not in told.err


def job_in(store: JobStore, storage: Storage) -> Job:
    job_id = new_id()
    storage.new_photo(job_id, 0, "a.png").write_bytes(picture())
    new = NewJob(kind="upscale", name="a.png", options=JobOptions(model="tiny"), input_bytes=1, id=job_id)
    return store.add([new], owner="local", client="x")[0]


def limited(tmp_path: Path, models: tuple[str, ...], **limits: float) -> tuple[Supervisor, JobStore, Leases]:
    """A supervisor whose only child is a process that sleeps and has a job."""
    settings = ServiceSettings(
        folder=tmp_path, models=models, workers=1, timing=replace(FAST, stop=0.1), **limits
    )  # type: ignore[arg-type]
    store = create_service(settings, Access()).store
    leases = Leases(store.database, seconds=30)
    return Supervisor(settings, store, leases, Storage(tmp_path)), store, leases


@pytest.mark.parametrize(
    ("limits", "told"),
    [({"max_minutes": 1e-9}, "it took longer than"), ({"memory_gb": 1e-6}, "it took more than")],
)
def test_a_worker_beyond_its_limits_is_ended_and_its_job_says_why(
    tmp_path: Path,
    models: tuple[str, ...],
    limits: dict[str, float],
    told: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    real = subprocess.Popen

    def sleeper(_words: list[str], **options: object) -> subprocess.Popen[bytes]:
        return real([sys.executable, "-c", "import time; time.sleep(60)"], **options)  # type: ignore[call-overload,no-any-return]

    monkeypatch.setattr(subprocess, "Popen", sleeper)
    supervisor, store, leases = limited(tmp_path, models, **limits)
    job = job_in(store, Storage(tmp_path))
    supervisor._look()
    (child,) = supervisor._children.values()
    assert leases.claim(child.name) is not None
    deadline = time.monotonic() + 30
    while (found := store.get(job.id, owner="local")) and found.state == "running":
        assert time.monotonic() < deadline
        supervisor._look()
        time.sleep(0.02)
    assert found is not None
    assert found.state == "failed"
    assert told in (found.error or "")
    assert supervisor.restarts == 1
    supervisor.start()
    supervisor.stop()
    assert supervisor.pids == []


def test_workers_that_die_at_once_are_not_restarted_in_a_hurry(
    tmp_path: Path, models: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real, begun = subprocess.Popen, 0

    def dying(_words: list[str], **options: object) -> subprocess.Popen[bytes]:
        nonlocal begun
        begun += 1
        process = real([sys.executable, "-c", "raise SystemExit(3)"], **options)  # type: ignore[call-overload]
        process.wait()
        return process  # type: ignore[no-any-return]

    monkeypatch.setattr(subprocess, "Popen", dying)
    supervisor, _, _ = limited(tmp_path, models)
    for _ in range(50):
        supervisor._look()
    assert begun <= 3


def test_memory_of_a_process_counts_its_children() -> None:
    own = tree_memory(os.getpid())
    assert own > 10_000_000
    program = "import time; x = bytearray(50_000_000); print(1, flush=True); time.sleep(60)"
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        assert tree_memory(os.getpid()) - own > 45_000_000
        child.kill()
    assert tree_memory(2**22) == 0


def test_the_sweep_removes_old_jobs_and_orphans_only(tmp_path: Path, store: JobStore) -> None:
    storage = Storage(tmp_path / "data")
    leases = Leases(store.database, seconds=30)
    done, waiting, young = job_in(store, storage), job_in(store, storage), new_id()
    lease = leases.claim("w")
    assert lease is not None
    leases.finish(lease, Made(result="1/x", result_bytes=1, facts={}))
    orphan = new_id()
    for one in (orphan, young):
        storage.new_photo(one, 0, "a").write_bytes(b"x")
    os.utime(storage.folder(orphan), (1, 1))
    assert sweep(store, storage, keep_days=1) == 1
    assert stored(tmp_path / "data") == sorted([done.id, waiting.id, young])
    assert sweep(store, storage, keep_days=-1) == 1
    assert stored(tmp_path / "data") == sorted([waiting.id, young])
    assert store.get(waiting.id, owner="local") is not None
