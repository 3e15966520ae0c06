"""`wildsr batch` with two workers against two independent `wildsr upscale` processes, on the same pictures.

    python -m benchmarks.batch --pictures 200 [--processes-first]

Wild-compact in fp32, one thread each. `working` counts pictures a second between the first and the last result on
the disk (starting is left out on both sides), `whole` from the start of the program. Also: whether all bytes agree,
the RSS of the workers after a quarter of the pictures and near the end, and the most that lay in Ray's object store.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from tests.batch.on_ray import actors

from wildsr.batch import Record, plan_batch, upscale_batch
from wildsr.engine import Settings

MODEL = "wild-compact"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--processes-first", action="store_true")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="wildsr-") as name:
        folder = Path(name)
        for half in ("in/a", "in/b"):
            (folder / half).mkdir(parents=True)
        for number in range(given.pictures):
            half = "in/a" if number % 2 else "in/b"
            Image.fromarray(picture(number, given.width)).save(folder / half / f"{number}.jpg", quality=92)
        found: dict[str, object] = {
            "date": time.strftime("%Y-%m-%d"),
            "machine": f"{platform.machine()}, {os.cpu_count()} cores, {os.getloadavg()[0]:.1f} load before",
            "pictures": f"{given.pictures} of {given.width}×{given.width * 3 // 4}",
            "order": "processes first" if given.processes_first else "Ray first",
        }
        steps = [by_ray, by_processes]
        for step in reversed(steps) if given.processes_first else steps:
            found |= step(folder)
        one, two = results(folder / "ray"), results(folder / "processes")
        found["same bytes"] = one == two and len(one) == given.pictures
        found["ratio working"] = round(float(found["ray working"]) / float(found["processes working"]), 3)
        found["ratio whole"] = round(float(found["ray whole"]) / float(found["processes whole"]), 3)
    print(json.dumps(found, indent=1, ensure_ascii=False))


def picture(seed: int, width: int) -> np.ndarray:
    """Waves and noise, as unlike as photos are."""
    dice = np.random.default_rng(seed)
    y, x = np.mgrid[0 : width * 3 // 4, 0:width]
    waves = [
        120 + 80 * np.sin(x / (4 + seed % 9) + channel) * np.cos(y / (5 + seed % 7)) for channel in range(3)
    ]
    noisy = np.stack(waves, -1) + dice.normal(0, 5, (*x.shape, 3))
    return noisy.clip(0, 255).astype(np.uint8)


def by_ray(folder: Path) -> dict[str, object]:
    quarter: list[int] = []
    stored: list[tuple[float, float]] = []
    last: list[int] = []

    def watch(record: Record, done: int, total: int) -> None:
        if done % 25 == 0:  # it takes the driver some milliseconds
            stored.append(in_object_store())
        if done == total // 4:
            quarter.extend(one.memory_info().rss for one in actors())
        if done == total - 20:
            last.extend(one.memory_info().rss for one in actors())

    begun = time.time()
    settings = Settings(precision="fp32", threads=1, max_memory=1.5)
    plan = plan_batch(str(folder / "in"), str(folder / "ray"), model=MODEL, settings=settings, workers=2)
    upscale_batch(plan, watch=watch)
    took = time.time() - begun
    return rates("ray", folder / "ray", took) | {
        "worker MB after a quarter": [round(one / 1e6) for one in quarter],
        "worker MB near the end": [round(one / 1e6) for one in last],
        "object store MB at most, of": [round(one, 1) for one in max(stored)],
    }


def in_object_store() -> tuple[float, float]:
    """Return the megabytes of the object store that were ever touched, and those it has."""
    areas = [
        area
        for one in psutil.Process().children(recursive=True)
        if one.name() == "raylet"
        for area in one.memory_maps()
        if "/dev/shm" in area.path
    ]
    return sum(one.rss for one in areas) / 1e6, sum(one.size for one in areas) / 1e6


def by_processes(folder: Path) -> dict[str, object]:
    begun = time.time()
    running = [
        subprocess.Popen(
            [
                sys.executable, "-m", "wildsr", "upscale", str(folder / "in" / half), "-m", MODEL,
                "-o", str(folder / "processes" / half),
                "--threads", "1", "--precision", "fp32", "--max-memory", "1.5",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for half in ("a", "b")
    ]  # fmt: skip
    if sum(one.wait() for one in running):  # all are waited for
        raise SystemExit("wildsr upscale failed")
    return rates("processes", folder / "processes", time.time() - begun)


def rates(name: str, folder: Path, took: float) -> dict[str, object]:
    times = sorted(path.stat().st_mtime for path in folder.rglob("*.png"))
    return {
        f"{name} working": round((len(times) - 2) / (times[-1] - times[1]), 3),
        f"{name} whole": round(len(times) / took, 3),
    }


def results(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}


if __name__ == "__main__":
    main()
