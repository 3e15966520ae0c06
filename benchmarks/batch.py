"""`wildsr batch` with two workers against two independent `wildsr upscale` processes, on the same pictures.

    python -m benchmarks.batch --pictures 200 --width 352 [--processes-first]

Wild-compact, one thread each. `working` counts pictures a second between the first and the last result on the disk
(starting is left out on both sides), `whole` from the start of the programs to their end. Also: whether all bytes
agree, the RSS of the workers after a quarter of the pictures and near the end, the most that lay in Ray's object
store, and what each side takes of the cores for a picture, which other programs disturb less than rates.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import psutil
from PIL import Image
from tests.batch.on_ray import actors

from wildsr.engine import Settings, Upscaler

MODEL = "wild-compact"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=200)
    parser.add_argument("--width", type=int, default=128)
    parser.add_argument("--precision", default="auto")
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
            "precision": f"{given.precision}, {Upscaler(MODEL, Settings(precision=given.precision)).precision} here",
            "order": "processes first" if given.processes_first else "Ray first",
        }
        steps = [by_ray, by_processes]
        for step in reversed(steps) if given.processes_first else steps:
            found |= step(folder, given.precision)
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


def by_ray(folder: Path, precision: str) -> dict[str, object]:
    return measured(
        "ray", folder, [["batch", str(folder / "in"), str(folder / "ray"), "--workers", "2"]], precision
    )


def by_processes(folder: Path, precision: str) -> dict[str, object]:
    commands = [
        ["upscale", str(folder / "in" / half), "-o", str(folder / "processes" / half)] for half in ("a", "b")
    ]
    return measured("processes", folder, commands, precision)


@dataclass
class Look:
    """What is seen of running programs."""

    done: int
    cores: float
    """Seconds that they and their children have had of the cores."""

    workers: list[int]
    """RSS in MB."""

    store: float
    """MB of Ray's object store that were ever touched."""


def measured(name: str, folder: Path, commands: list[list[str]], precision: str) -> dict[str, object]:
    total = len(list((folder / "in").rglob("*.jpg")))
    settings = ["-m", MODEL, "--threads", "1", "--precision", precision, "--max-memory", "1.5"]
    begun = time.time()
    running = [
        psutil.Popen(
            [sys.executable, "-m", "wildsr", *one, *settings],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for one in commands
    ]
    looks = []
    for one in running:
        while one.poll() is None:
            with suppress(psutil.Error):
                looks.append(look(running, folder / name))
            with suppress(psutil.TimeoutExpired):
                one.wait(2)  # looking takes some milliseconds
    if any(one.returncode for one in running):
        raise SystemExit(f"wildsr {commands[0][0]} failed")
    took = time.time() - begun
    early = next(one for one in looks if one.done >= total / 4)
    late = [one for one in looks if one.done < total - 2][-1]
    times = sorted(path.stat().st_mtime for path in (folder / name).rglob("*.png"))
    return {
        f"{name} working": round((len(times) - 2) / (times[-1] - times[1]), 3),
        f"{name} whole": round(len(times) / took, 3),
        f"{name}, seconds to the first": round(times[0] - begun, 1),
        f"{name}, seconds after the last": round(begun + took - times[-1], 1),
        f"{name}, core seconds a picture": round((late.cores - early.cores) / (late.done - early.done), 4),
        f"{name}, workers' MB after a quarter": early.workers,
        f"{name}, workers' MB near the end": late.workers,
    } | ({"object store MB at most": round(max(one.store for one in looks), 1)} if name == "ray" else {})


def look(running: list[psutil.Popen], results: Path) -> Look:
    family = [member for one in running for member in (one, *one.children(recursive=True))]
    times = [one.cpu_times() for one in family]
    store = [
        area.rss
        for one in family
        if one.name() == "raylet"
        for area in one.memory_maps()
        if "/dev/shm" in area.path
    ]
    return Look(
        done=len(list(results.rglob("*_x4.png"))),
        cores=sum(one.user + one.system for one in times),
        workers=[round(one.memory_info().rss / 1e6) for one in actors() or running],
        store=sum(store) / 1e6,
    )


def results(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*.png")}


if __name__ == "__main__":
    main()
