"""`wildsr serve` under load on loopback: many clients, small jobs, workers killed meanwhile.

    python -m benchmarks.serve_load --clients 200 --jobs 1000 --kills 20

Runs the service as a program with a tiny ONNX model, brings the jobs from as many threads as there are clients, kills
workers again and again, and asks the API for itself meanwhile. Prints one JSON object: whether every job ended
once, with which results, how fast the API answered (not the jobs), and how the memory of the web process went.
`api_ms` is what the service's own log says of each request, uploads included; `client_ms` has the waiting of the
clients, which share the cores with the service, in it.
"""

import argparse
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
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import requests
from tests.engine.tiny import save, tiny_compact
from tests.service.asking import picture

from wildsr.machine import cores
from wildsr.models import ModelSpec
from wildsr.models.onnx_file import embed_spec

_READERS = 4
"""Results are fetched by so many at a time."""


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--clients", type=int, default=200)
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=20)
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="Over which the jobs are brought, at random."
    )
    parser.add_argument("--database", default=None)
    parser.add_argument("--redis", default=None)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        print(json.dumps(run(Path(name), given), indent=1))


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
    words += ["--workers", "2", "--max-queue", str(4 * given.jobs), *more]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(
            [sys.executable, "-m", "wildsr", *words], stdout=subprocess.PIPE, stderr=log, text=True
        ) as service,
    ):
        assert service.stdout is not None
        address = service.stdout.readline().strip()
        wait_for(address)
        before = memory(service.pid)
        start = time.monotonic()
        moments = sorted(random.uniform(0, given.seconds) for _ in range(given.jobs))
        seconds: list[float] = []
        statuses: Counter[str] = Counter()
        over = threading.Event()
        killer = threading.Thread(target=kill, args=(service.pid, given.kills, over))
        killer.start()
        with ThreadPoolExecutor(given.clients) as pool:
            sent = list(
                pool.map(
                    lambda n: bring(address, photos, n, start + moments[n], seconds, statuses),
                    range(given.jobs),
                )
            )
            brought = time.monotonic() - start
            ends = Counter[str]()
            wrong = 0
            peak = memory(service.pid)
            waiting = set(sent)
            while waiting:
                peak = max(peak, memory(service.pid))
                waiting = still(address, waiting, seconds)
                time.sleep(0.5)
            over.set()
            took = time.monotonic() - start
        with ThreadPoolExecutor(_READERS) as pool:
            for state, right in pool.map(
                lambda pair: result(address, pair, expected, seconds), enumerate(sent)
            ):
                ends[state] += 1
                wrong += not right
        killer.join()
        listed = every(address)
        after = memory(service.pid)
        metrics = requests.get(f"{address}/metrics", timeout=30).text
        restarts = float(metrics.partition("\nwildsr_worker_restarts_total ")[2].split()[0])
        service.send_signal(signal.SIGTERM)
        service.wait(60)
    logged = [json.loads(line) for line in (folder / "log").read_text().splitlines() if '"request"' in line]
    return {
        "date": time.strftime("%Y-%m-%d"), "machine": f"{platform.machine()}, {cores()} cores",
        "load_average": os.getloadavg()[0], "clients": given.clients, "jobs": given.jobs, "ended": dict(ends),
        "jobs_listed": len(listed), "listed_once": len(set(listed)) == len(listed) == given.jobs,
        "wrong_bytes": wrong, "worker_restarts": restarts, "statuses": dict(statuses),
        "seconds_to_bring": round(brought, 1), "seconds_in_all": round(took, 1), "api_requests": len(logged),
        "api_ms": percentiles([one["ms"] for one in logged]),
        "upload_ms": percentiles([one["ms"] for one in logged if one["method"] == "POST"]),
        "client_ms": percentiles([1000 * one for one in seconds]),
        "web_rss_mb": {"before": before // 10**6, "peak": peak // 10**6, "after": after // 10**6},
    }  # fmt: skip


def percentiles(values: list[float]) -> dict[str, float]:
    ordered = sorted(values)
    last = len(ordered) - 1
    return {f"p{p}": round(ordered[min(last, len(ordered) * p // 100)], 1) for p in (50, 90, 99, 100)}


def command(folder: Path, model: Path, photo: bytes) -> str:
    source, target = folder / "one.jpg", folder / "one.png"
    source.write_bytes(photo)
    words = ["upscale", str(source), "-o", str(target), "-m", str(model), "--threads", "1", "--overwrite"]
    subprocess.run([sys.executable, "-m", "wildsr", *words], check=True, capture_output=True)
    return hashlib.sha256(target.read_bytes()).hexdigest()


def wait_for(address: str) -> None:
    while not requests.get(f"{address}/api/about", timeout=30).json()["models"][0]["seconds_per_megapixel"]:
        time.sleep(0.2)


def timed(seconds: list[float], method: str, url: str, **options: object) -> requests.Response:
    start = time.perf_counter()
    answer = requests.request(method, url, timeout=120, **options)  # type: ignore[arg-type]
    seconds.append(time.perf_counter() - start)
    return answer


def bring(
    address: str,
    photos: list[bytes],
    number: int,
    moment: float,
    seconds: list[float],
    statuses: Counter[str],
) -> str:
    """Bring a job at its moment, again where the queue is full."""
    time.sleep(max(0.0, moment - time.monotonic()))
    while True:
        photo = ("photo.jpg", photos[number % len(photos)])
        answer = timed(seconds, "POST", f"{address}/api/jobs", files={"file": photo})
        statuses[str(answer.status_code)] += 1
        if answer.status_code == 201:
            return str(answer.json()["jobs"][0]["id"])
        time.sleep(random.uniform(0.5, 1.5))


def still(address: str, waiting: set[str], seconds: list[float]) -> set[str]:
    """Return those that have not ended, asking for a page of those that wait or run."""
    alive: set[str] = set()
    for state in ("queued", "running"):
        before = ""
        while True:
            page = timed(seconds, "GET", f"{address}/api/jobs?state={state}&limit=500{before}").json()
            alive |= {job["id"] for job in page["jobs"]}
            if page["next"] is None:
                break
            before = f"&before={page['next']}"
    return waiting & alive


def result(
    address: str, pair: tuple[int, str], expected: list[str], seconds: list[float]
) -> tuple[str, bool]:
    number, job_id = pair
    state = str(timed(seconds, "GET", f"{address}/api/jobs/{job_id}").json()["state"])
    if state != "done":
        return state, False
    content = timed(seconds, "GET", f"{address}/api/jobs/{job_id}/result").content
    return state, hashlib.sha256(content).hexdigest() == expected[number % len(expected)]


def every(address: str) -> list[str]:
    found: list[str] = []
    before = ""
    while True:
        page = requests.get(f"{address}/api/jobs?limit=500{before}", timeout=60).json()
        found += [job["id"] for job in page["jobs"]]
        if page["next"] is None:
            return found
        before = f"&before={page['next']}"


def kill(service: int, count: int, over: threading.Event) -> None:
    """Kill the worker that has lived longest, again and again."""
    for _ in range(count):
        if over.wait(random.uniform(3, 6)):
            return
        oldest = min(workers(service), default=None)
        if oldest is not None:
            os.kill(oldest, signal.SIGKILL)


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
