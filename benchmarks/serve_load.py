"""`wildsr serve` under load on loopback: many clients at a time, small jobs, workers killed meanwhile.

    python -m benchmarks.serve_load --clients 200 --jobs 1000 --kills 20

Runs the service as a program with a tiny ONNX model. Each client keeps a connection, brings its share of the jobs at
random moments, looks after each once a second, lists its jobs, and fetches the result, which must be the bytes of
`wildsr upscale`. Then comes a rush: all clients ask without a pause, while jobs run. Prints one JSON object: whether
every job ended once, with which results, how fast the API answered as clients saw it (`work`, `rush`) and as the
service's log says (`log_ms`), how the memory of the web process went, and which share of one core the clients took
themselves (`clients_cpu`: they share the cores with the service).
"""

import argparse
import asyncio
import hashlib
import json
import os
import platform
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import requests
from benchmarks.serve_clients import Client, Notes, percentiles
from tests.engine.tiny import save, tiny_compact
from tests.service.asking import picture

from wildsr.machine import cores
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

_FINAL = ("done", "failed", "cancelled")
_LOOK = 1.0
"""Seconds between two looks at a job, as `wildsr.client` does at most."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="Over which the jobs are brought, at random."
    )
    parser.add_argument("--rush", type=float, default=10.0, help="Seconds of asking without a pause.")
    parser.add_argument("--database", default=None)
    parser.add_argument("--redis", default=None)
    given = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))  # the service is ended too
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(run(Path(name), given), indent=1))


@dataclass
class Ended:
    """What became of the jobs."""

    states: Counter[str] = field(default_factory=Counter)
    reasons: Counter[str] = field(default_factory=Counter)
    wrong_bytes: int = 0
    ids: list[str] = field(default_factory=list)


def run(folder: Path, given: argparse.Namespace) -> dict[str, object]:
    spec = ModelSpec(id="tiny", architecture="graph", scale=4, halo=6, halo_exact=6)
    model = save(embed_spec(tiny_compact(), spec), folder / "tiny.onnx")
    photos = [picture(seed, (64, 48), "jpeg") for seed in range(4)]
    expected = [command(folder, model, photo) for photo in photos]
    more = [
        *(["--database", given.database] if given.database else []),
        *(["--redis", given.redis] if given.redis else []),
    ]
    words = ["serve", "--port", "0", "-m", str(model), "--folder", str(folder / "data"), "--threads", "1"]
    words += ["--workers", "2", "--max-queue", str(4 * given.jobs + 4 * given.clients), *more]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "wildsr", *words], stdout=subprocess.PIPE, stderr=log, text=True
        ) as service,
        ended_after(service),
    ):
        assert service.stdout is not None
        address = service.stdout.readline().strip()
        wait_for(address)
        rss = {"before": memory(service.pid)}
        over, killed = threading.Event(), Counter[str]()
        killer = threading.Thread(target=kill, args=(service.pid, given.kills, over, killed), daemon=True)
        killer.start()
        start, cpu = time.monotonic(), time.process_time()
        work, ended = Notes(), Ended()
        asyncio.run(all_at_work(address, given, photos, expected, work, ended))
        took = time.monotonic() - start
        shares = {"work": (time.process_time() - cpu) / took}
        over.set()
        killer.join()
        rss["after work"] = memory(service.pid)
        rush = Notes()
        if given.rush:
            cpu = time.process_time()
            asyncio.run(all_in_a_rush(address, given, photos[0], rush, ended.ids))
            shares["rush"] = (time.process_time() - cpu) / given.rush
            rss["after the rush"] = memory(service.pid)
        listed = every(address)
        metrics = requests.get(f"{address}/metrics", timeout=30).text
        restarts = float(metrics.partition("\nwildsr_worker_restarts_total ")[2].split()[0])
    logged = [json.loads(line) for line in (folder / "log").read_text().splitlines() if '"request"' in line]
    brought = sum(work.statuses[f"bring {code}"] for code in (201,))
    return {
        "date": time.strftime("%Y-%m-%d"), "machine": f"{platform.machine()}, {cores()} cores",
        "load_average": os.getloadavg()[0], "clients": given.clients, "jobs": given.jobs,
        "ended": dict(ended.states), "reasons": dict(ended.reasons), "wrong_bytes": ended.wrong_bytes,
        "each_once": len(set(ended.ids)) == given.jobs == brought and set(ended.ids) <= set(listed)
        and len(set(listed)) == len(listed),
        "workers_killed": killed["killed"], "worker_restarts": restarts,
        "statuses": dict(work.statuses + rush.statuses), "broken_connections": work.broken + rush.broken,
        "seconds_in_all": round(took, 1), "work_ms": work.table(),
        "rush_ms": rush.table() if rush.seconds else None,
        "rush_requests_per_second": round(sum(map(len, rush.seconds.values())) / max(given.rush, 1e-9)),
        "log_ms": percentiles([one["ms"] / 1000 for one in logged]),
        "clients_cpu": {name: round(share, 2) for name, share in shares.items()},
        "web_rss_mb": {name: size // 10**6 for name, size in rss.items()},
    }  # fmt: skip


async def all_at_work(
    address: str,
    given: argparse.Namespace,
    photos: list[bytes],
    expected: list[str],
    notes: Notes,
    ended: Ended,
) -> None:
    shares = [range(number, given.jobs, given.clients) for number in range(given.clients)]
    await asyncio.gather(
        *(at_work(address, share, given.seconds, photos, expected, notes, ended) for share in shares)
    )


async def at_work(
    address: str,
    share: range,
    seconds: float,
    photos: list[bytes],
    expected: list[str],
    notes: Notes,
    ended: Ended,
) -> None:
    """Bring a share of the jobs, each at its moment, and look after all of them until they have ended."""
    start = time.monotonic()
    moments = sorted(random.uniform(0, seconds) for _ in share)
    open_jobs: dict[str, int] = {}
    todo = list(zip(moments, share, strict=True))
    await asyncio.sleep(random.uniform(0, _LOOK))
    async with Client(address, notes) as client:
        while todo or open_jobs:
            while todo and todo[0][0] <= time.monotonic() - start:
                which = todo[0][1] % len(photos)
                answer = await client.send_photo("bring", "/api/jobs", photos[which])
                if answer.status == 201:
                    open_jobs[str(json.loads(answer.body)["jobs"][0]["id"])] = which
                    todo.pop(0)
                    continue
                break
            for job_id, which in list(open_jobs.items()):
                if await has_ended(client, job_id, expected[which], ended):
                    del open_jobs[job_id]
            if random.random() < 0.1:
                await client.get("list", "/api/jobs?limit=20")
            await asyncio.sleep(random.uniform(0.8, 1.2) * _LOOK)


async def has_ended(client: Client, job_id: str, expected: str, ended: Ended) -> bool:
    """Look at a job; fetch and compare its result where it is done."""
    job = json.loads((await client.get("job", f"/api/jobs/{job_id}")).body)
    if job["state"] not in _FINAL:
        return False
    ended.states[job["state"]] += 1
    ended.ids.append(job_id)
    if job["error"] is not None:
        ended.reasons[job["error"]["message"]] += 1
    if job["state"] == "done":
        content = (await client.get("result", f"/api/jobs/{job_id}/result")).body
        ended.wrong_bytes += hashlib.sha256(content).hexdigest() != expected
    return True


async def all_in_a_rush(
    address: str, given: argparse.Namespace, photo: bytes, notes: Notes, ids: list[str]
) -> None:
    end = time.monotonic() + given.rush
    await asyncio.gather(*(in_a_rush(address, end, photo, notes, ids) for _ in range(given.clients)))


async def in_a_rush(address: str, end: float, photo: bytes, notes: Notes, ids: list[str]) -> None:
    """Ask without a pause until a moment."""
    async with Client(address, notes) as client:
        answer = await client.send_photo("bring", "/api/jobs", photo)
        own = str(json.loads(answer.body)["jobs"][0]["id"])
        while time.monotonic() < end:
            draw = random.random()
            if draw < 0.6:
                await client.get("job", f"/api/jobs/{own}")
            elif draw < 0.8:
                await client.get("result", f"/api/jobs/{random.choice(ids)}/result")
            elif draw < 0.9:
                await client.get("list", "/api/jobs?limit=20")
            elif draw < 0.95:
                await client.get("about", "/api/about")
            else:
                await client.get("health", "/health")


@contextmanager
def ended_after(service: "subprocess.Popen[str]") -> Iterator[None]:
    try:
        yield
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(60)


def command(folder: Path, model: Path, photo: bytes) -> str:
    source, target = folder / "one.jpg", folder / "one.png"
    source.write_bytes(photo)
    words = ["upscale", str(source), "-o", str(target), "-m", str(model), "--threads", "1", "--overwrite"]
    subprocess.run([sys.executable, "-m", "wildsr", *words], check=True, capture_output=True)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def wait_for(address: str) -> None:
    while not requests.get(f"{address}/api/about", timeout=30).json()["models"][0]["seconds_per_megapixel"]:
        time.sleep(0.2)


def every(address: str) -> list[str]:
    found: list[str] = []
    before = ""
    while True:
        page = requests.get(f"{address}/api/jobs?limit=500{before}", timeout=60).json()
        found += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def kill(service: int, count: int, over: threading.Event, killed: Counter[str]) -> None:
    """Kill the worker that has lived longest, again and again."""
    while killed["killed"] < count:
        if over.wait(random.uniform(3, 6)):
            return
        oldest = min(workers(service), default=None)
        if oldest is not None:
            os.kill(oldest, signal.SIGKILL)
            killed["killed"] += 1


def workers(service: int) -> list[int]:
    found = []
    for task in Path(f"/proc/{service}/task").iterdir():
        for pid in (task / "children").read_text().split():
            if b"service.worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                found.append(int(pid))
    return found


def memory(pid: int) -> int:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


if __name__ == "__main__":
    main()
