"""LR patches a second of every degradation, beside plain blur-then-subsample, in one run.

    python benchmarks/degradation.py [--side 64] [--rounds 5] [--patches 40] [--threads 2] [--profile cam.profile]

A patch is made as in training: an HR crop with its margin goes in, one draw of everything, an LR patch of the given
side comes out. The workers are threads, as in the loader. `whole` blurs every HR pixel with the same kernels and then
keeps every fourth, which is what computing at the kept positions only is measured against. All ways take turns, round
after round, so that what else the machine does hits all alike; the median round counts.
"""

import argparse
import datetime
import os
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import torch

from wildsr.data import array_degrader
from wildsr.degradation import PRESETS, Profile, choose, correlate, kernels
from wildsr.machine import processor

SCALE = 4
Make = Callable[[int], object]


def stand_in(size: int) -> Profile:
    """Fifty kernels and noise patches as a profile of a camera has them."""
    rng = np.random.default_rng(0)
    pool = [
        kernels.gaussian(size, tuple(rng.uniform(2, 12, 2)), rng.uniform(0, np.pi), scale=SCALE)
        for _ in range(50)
    ]
    noise = rng.normal(0, 5 / 255, (50, 3, 128, 128))
    noise -= noise.mean(axis=(2, 3), keepdims=True)
    return Profile(kernels=np.stack(pool).astype(np.float32), noise=noise.astype(np.float32))


def maker(name: str, profile: Profile, side: int, margin: int | None = None) -> Make:
    chosen = choose(name, scale=SCALE, profile=profile if PRESETS[name].needs_profile else None)
    degrade = array_degrader(chosen.pipeline)
    long = SCALE * (side + 2 * (chosen.margin if margin is None else margin))
    source = np.random.default_rng(1).integers(0, 256, (2 * long, 2 * long, 3), dtype=np.uint8)

    def make(number: int) -> object:
        rng = np.random.default_rng((0, number))
        y, x = rng.integers(long, size=2)
        crop = source[y : y + long, x : x + long].astype(np.float32) / np.float32(255)
        return degrade(crop, rng)

    return make


def whole(profile: Profile, side: int) -> Make:
    """Blur everywhere, then subsample."""
    long = SCALE * (side + 2 * choose("realsr", profile=profile).margin)
    x = torch.rand(1, 3, long, long, generator=torch.Generator().manual_seed(0))

    def make(number: int) -> object:
        kernel = profile.kernels[number % len(profile.kernels)]
        return correlate(x, kernel)[:, :, ::SCALE, ::SCALE]

    return make


def measure(ways: dict[str, Make], rounds: int, patches: int, threads: int) -> dict[str, tuple[float, float]]:
    """Patches a second, and milliseconds of processor time a patch, which other processes disturb less."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in ways}
    with ThreadPoolExecutor(threads) as pool:
        for make in ways.values():  # first calls fill caches
            list(pool.map(make, range(2 * threads)))
        for number in range(rounds):
            for name, make in ways.items():
                start, cpu = time.perf_counter(), time.process_time()
                list(pool.map(make, range(number * patches, (number + 1) * patches)))
                spent = (time.perf_counter() - start, time.process_time() - cpu)
                times[name].append((spent[0] / patches, spent[1] / patches))
    medians = {
        name: [statistics.median(values) for values in zip(*times[name], strict=True)] for name in ways
    }
    return {name: (1 / wall, 1000 * cpu) for name, (wall, cpu) in medians.items()}


def main() -> None:
    parser = argparse.ArgumentParser(description="Degradation speed, side by side.")
    parser.add_argument("--side", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patches", type=int, default=40)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--kernel", type=int, default=25, help="side of the stand-in's kernels")
    parser.add_argument("--profile", type=Path, default=None)
    options = parser.parse_args()
    profile = Profile.load(options.profile) if options.profile else stand_in(options.kernel)
    torch.set_num_threads(1)  # the workers are what runs side by side
    print(f"{datetime.datetime.now(tz=datetime.UTC):%Y-%m-%d %H:%M} UTC, torch {torch.__version__}")
    print(f"{processor()}, {options.threads} workers, load {os.getloadavg()[0]:.1f} before the run")
    print(
        f"LR patches of {options.side}², scale {SCALE}, {len(profile.kernels)} kernels of {profile.kernels.shape[1]}², "
        f"{len(profile.noise)} noise patches of {profile.noise.shape[2]}²"
    )
    ways = {name: maker(name, profile, options.side) for name in PRESETS}
    ways["whole"] = whole(profile, options.side)
    rates = measure(ways, options.rounds, options.patches, options.threads)
    for name, (rate, cpu) in rates.items():
        print(
            f"  {name:<16} {rate:8.1f} patches/s  {rate / rates['whole'][0]:6.2f} × whole  {cpu:6.2f} CPU ms a patch"
        )
    print(f"realsr: goal 300 patches/s, {'met' if rates['realsr'][0] >= 300 else 'not met'} in this run")


if __name__ == "__main__":
    main()
