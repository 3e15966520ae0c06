"""Commands ended at random points by kill -9, SIGTERM, SIGHUP and Ctrl-C, and started again: the same files, or not.

    python benchmarks/interruptions.py [--points 20] [--commands upscale degrade …] [--seed 0]

Each command runs twice undisturbed; files whose bytes agree are what must come out in the end, and all names. Then, for
each signal, a run is ended at a random moment of what is left of it, and the next takes up from there, until `--points`
signals have met a running program; the last one runs to its end. After a signal that can be answered, nothing temporary
may be left.
"""

import argparse
import datetime
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import psutil
from numpy.typing import NDArray
from PIL import Image

from wildsr.assets.files import cache_dir
from wildsr.files.temporaries import TEMPORARY
from wildsr.machine import cores, processor

_SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)
_PROGRAM = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "signal.signal(signal.SIGHUP, signal.SIG_DFL); from wildsr.cli import main; main()"
)
"""As from a terminal: what starts in the background ignores Ctrl-C."""
_TRAINING = (
    "network=srvgg-16 data.patch=32 data.batch=2 data.validation_photos=2 data.validation_side=32 run.threads=1 "
    "arguments.blocks=1 arguments.channels=8 run.log_every=5 run.checkpoint_every=10 run.validate_every=20"
)


def _upscale(_: Path, out: str) -> list[str]:
    return ["upscale", "hr", "-o", out, "--threads", "1", "-m", "wild-compact"]


def _degrade(_: Path, out: str) -> list[str]:
    return ["degrade", "hr", "--preset", "wild", "-o", out]


def _evaluate(_: Path, out: str) -> list[str]:
    files = [f"--csv={out}/all.csv", f"--markdown={out}/table.md", f"--html={out}/page.html"]
    return ["evaluate", "sr", "--hr", "hr", "--metrics", "psnr,ssim", *files]


def _profile(_: Path, out: str) -> list[str]:
    return [
        "profile",
        "camera",
        "-o",
        f"{out}/camera.profile",
        "--method",
        "spectrum",
        "-j",
        "1",
        "--overwrite",
    ]


def _train(place: Path, out: str) -> list[str]:
    sets = [word for one in _TRAINING.split() for word in ("--set", one)]
    begun = ["--resume"] if any((place / out).glob("checkpoints/*")) else []
    fresh = ["--hr", "hr", "--degradation", "bicubic", "--steps", "30", *sets]
    return ["train", "psnr", "-o", out, *(begun or fresh)]


_SAVED = {"train": (1,), "adapt": (1,)}
"""Exit codes of a training that was asked to end, and says how to go on."""


def _adapt(place: Path, out: str) -> list[str]:
    start, profile = place / "start", place / "camera.profile"
    if not start.exists():
        ready(place, _train(place, start.name))
        ready(place, ["profile", "camera", "-o", profile.name, "--method", "spectrum"])
    return [
        "adapt",
        "hr",
        "-o",
        out,
        "--hr",
        "hr",
        "--start",
        start.name,
        "--profile",
        profile.name,
        "--steps",
        "8",
    ]


_COMMANDS: dict[str, Callable[[Path, str], list[str]]] = {
    "upscale": _upscale,
    "degrade": _degrade,
    "evaluate": _evaluate,
    "profile": _profile,
    "train": _train,
    "adapt": _adapt,
}


@dataclass(kw_only=True)
class Tally:
    """What a signal did to a command."""

    sent: int = 0
    """Runs that it met before they ended."""

    codes: dict[int, int] = field(default_factory=dict)
    left: int = 0
    """Runs that left something temporary: none may that can answer, and some must that can't, or nobody looked."""
    traces: int = 0
    """Runs that printed a traceback."""


def files(folder: Path) -> dict[str, bytes]:
    """Return every file but what a run keeps to go on by."""
    kept = ("journal", "checkpoints/", "tensorboard/")
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in found.items() if not any(one in name for one in kept)}


def temporaries(folder: Path) -> list[str]:
    """Return names of files that were being written."""
    return [path.name for path in folder.rglob("*") if TEMPORARY.fullmatch(path.name)]


def started(place: Path, arguments: list[str], cache: Path) -> "subprocess.Popen[bytes]":
    """Start the program with a cache of its own, but for what was fetched: LPIPS, for adapting."""
    if not cache.exists():
        cache.mkdir()
        (cache / "assets").symlink_to(cache_dir() / "assets")
    return subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, *arguments],
        cwd=place,
        env={**os.environ, "WILDSR_OFFLINE": "1", "WILDSR_CACHE": str(cache)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def ready(place: Path, arguments: list[str]) -> None:
    """Run what another command needs."""
    run = started(place, arguments, place / "cache-ready")
    _, said = run.communicate()
    if run.returncode:
        raise SystemExit(said.decode(errors="replace")[-800:])


def finished(place: Path, command: str, out: str, cache: Path) -> float:
    """Run a command to its end; return the processor time it took, in seconds."""
    (place / out).mkdir(exist_ok=True)
    before = os.times()
    run = started(place, _COMMANDS[command](place, out), cache)
    _, said = run.communicate()
    if run.returncode:
        raise SystemExit(f"{command} failed: {said.decode(errors='replace')[-800:]}")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


def wait_for(run: "subprocess.Popen[bytes]", seconds: float) -> None:
    """Wait until a program has used that much processor time: a moment of its work, however busy the machine is."""
    with suppress(psutil.Error):
        process = psutil.Process(run.pid)
        while run.poll() is None and sum(process.cpu_times()[:2]) < seconds:
            time.sleep(0.005)


def ended(
    place: Path, command: str, number: signal.Signals, points: int, dice: random.Random, seconds: float
) -> tuple[Tally, Path]:
    """End a command at random points, until that many have met it running, then let it finish."""
    tally, out = Tally(), f"{command}-{number.name}"
    cache = place / f"cache-{out}"
    (place / out).mkdir()
    for _ in range(10 * points):
        if tally.sent == points:
            break
        run = started(place, _COMMANDS[command](place, out), cache)
        wait_for(run, dice.uniform(0.05, seconds))
        if run.poll() is None:
            run.send_signal(number)
            tally.sent += 1
        _, said = run.communicate()
        tally.codes[run.returncode] = tally.codes.get(run.returncode, 0) + 1
        if b"Traceback" in said:
            tally.traces += 1
            print(said.decode(errors="replace"), file=sys.stderr)
        tally.left += bool(temporaries(place / out))
        if run.returncode == 0:  # there would be nothing left to end
            shutil.rmtree(place / out)
            (place / out).mkdir()
    finished(place, command, out, cache)
    return tally, place / out


def pictures(folder: Path, count: int) -> None:
    dice = np.random.default_rng(0)
    for part in ("hr", "sr"):
        (folder / part).mkdir()
    y, x = np.mgrid[:160, :200]
    for number in range(count):
        waves = [128 + 90 * np.sin(x / (2 + c) + number) * np.cos(y / (3 + c)) for c in range(3)]
        rgb = np.stack(waves, axis=2) + dice.normal(0, 6, (160, 200, 3))
        for part, noise in (("hr", 0), ("sr", 4)):
            made = np.clip(rgb + dice.normal(0, 1, rgb.shape) * noise, 0, 255).astype(np.uint8)
            Image.fromarray(made).save(folder / part / f"{number}.png")
    (folder / "camera").mkdir()
    for number in range(2):
        Image.fromarray(scene(320, 384, dice)).save(folder / "camera" / f"{number}.png")


def scene(height: int, width: int, dice: np.random.Generator) -> NDArray[np.uint8]:
    """Discs of all sizes that hide each other, seen by a camera that blurs: what a profile can be learnt from."""
    picture = np.full((2 * height, 2 * width, 3), 0.5)
    y, x = np.mgrid[: 2 * height, : 2 * width]
    for radius in np.sort(dice.uniform(1 / 40**2, 1 / 2**2, 500) ** -0.5)[::-1]:
        inside = np.hypot(y - dice.uniform(0, 2 * height), x - dice.uniform(0, 2 * width)) < radius
        picture[inside] = dice.uniform(0.08, 0.92, 3)
    small = picture.reshape(height, 2, width, 2, 3).mean((1, 3)) + dice.normal(0, 0.01, (height, width, 3))
    rounded: NDArray[np.uint8] = np.rint(np.clip(small, 0, 1) * 255).astype(np.uint8)
    return rounded


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--points", type=int, default=20, help="of each signal, met by a running program")
    parser.add_argument("--commands", nargs="+", choices=list(_COMMANDS), default=list(_COMMANDS))
    parser.add_argument("--pictures", type=int, default=24)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    print(f"{datetime.datetime.now(tz=datetime.UTC).date()}, {processor()}, {cores()} cores\n")
    print("| command | signal | runs ended | exit codes | tracebacks | temporaries left | files in the end |")
    print("|--|--|--|--|--|--|--|")
    dice, wrong = random.Random(given.seed), 0
    for command in given.commands:
        with tempfile.TemporaryDirectory(prefix="wildsr-interruptions-") as name:
            place = Path(name)
            pictures(place, given.pictures)
            seconds = max(finished(place, command, f"whole-{n}", place / f"cache-whole-{n}") for n in (1, 2))
            one, other = files(place / "whole-1"), files(place / "whole-2")
            stable = {key: data for key, data in one.items() if other.get(key) == data}
            for number in _SIGNALS:
                tally, out = ended(place, command, number, given.points, dice, seconds)
                found = files(out)
                same = found.keys() == one.keys() and all(found[key] == data for key, data in stable.items())
                wrong += not same or tally.traces > 0 or (tally.left > 0 and number != signal.SIGKILL)
                wrong += any(
                    code not in (0, -number, 128 + number, *_SAVED.get(command, ())) for code in tally.codes
                )
                codes = ", ".join(f"{code}: {count}" for code, count in sorted(tally.codes.items()))
                told = f"same {len(stable)} of {len(one)} by bytes" if same else "DIFFERENT"
                row = (command, number.name, tally.sent, codes, tally.traces, tally.left, told)
                print("|", " | ".join(map(str, row)), "|", flush=True)
                if not same:
                    differ = [key for key, data in stable.items() if found.get(key) != data]
                    print(sorted(found.keys() ^ one.keys())[:5], differ[:5], file=sys.stderr)
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
