"""Calls of one `Upscaler` by several threads: right results, and how many a second.

    python benchmarks/threads.py MODEL [--threads 4] [--calls 200] [--side 48] [--rounds 3] [--each 1]

Pictures of random pixels, one tile each; a call's network runs on `--each` threads of its own (0: on all cores). One
thread and several take turns, and make the same number of calls in a round. Every result is compared with that of a
first, serial call, value by value.
"""

import argparse
import datetime
import statistics
import time
from concurrent.futures import ThreadPoolExecutor

import numpy as np

import wildsr
from wildsr.engine import Settings
from wildsr.imaging import FloatArray, Picture
from wildsr.machine import cores, processor

_PICTURES = 12


def made(
    upscaler: wildsr.Upscaler, pictures: list[Picture], expected: list[FloatArray], threads: int, calls: int
) -> tuple[float, int, int]:
    """Let each thread make `calls` calls; return calls a second, wrong results and errors."""

    def work(thread: int) -> tuple[int, int]:
        wrong = errors = 0
        for call in range(calls):
            index = (call * (thread + 1) + thread) % len(pictures)
            try:
                wrong += not np.array_equal(upscaler(pictures[index]).rgb, expected[index])
            except Exception as error:  # counted, and the others go on
                print(f"{type(error).__name__}: {error}")
                errors += 1
        return wrong, errors

    begun = time.perf_counter()
    with ThreadPoolExecutor(threads) as pool:
        counted = list(pool.map(work, range(threads)))
    seconds = time.perf_counter() - begun
    return threads * calls / seconds, sum(wrong for wrong, _ in counted), sum(errors for _, errors in counted)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model")
    parser.add_argument("--threads", type=int, default=4)
    parser.add_argument("--calls", type=int, default=200, help="of each thread")
    parser.add_argument("--side", type=int, default=48, help="of the pictures")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--each", type=int, default=1, help="threads of one call's network; 0: as many as cores"
    )
    given = parser.parse_args()
    print(
        f"{datetime.datetime.now(tz=datetime.UTC).date()}, {processor()}, {cores()} cores,",
        f"{given.model}, {given.side}×{given.side}",
        "\n",
    )
    rng = np.random.default_rng(0)
    side = (given.side, given.side, 3)
    pictures = [Picture(rgb=rng.random(side, dtype=np.float32)) for _ in range(_PICTURES)]
    print(
        "| backend | threads | calls | calls a second (least–most) | wrong | errors |",
        "|--|--|--|--|--|--|",
        sep="\n",
    )
    for backend in ("openvino", "onnxruntime"):
        upscaler = wildsr.Upscaler(
            given.model, Settings(backend=backend, precision="fp32", threads=given.each or None)
        )
        expected = [upscaler(picture).rgb for picture in pictures]
        rows: dict[int, list[tuple[float, int, int]]] = {1: [], given.threads: []}
        for _ in range(given.rounds):
            for threads, results in rows.items():
                calls = given.calls * given.threads // threads
                results.append(made(upscaler, pictures, expected, threads, calls))
        for threads, results in rows.items():
            speeds = [speed for speed, _, _ in results]
            wrong, errors = (sum(row[which] for row in results) for which in (1, 2))
            total = given.calls * given.threads * given.rounds
            middle = f"{statistics.median(speeds):.0f} ({min(speeds):.0f}–{max(speeds):.0f})"
            print(f"| {backend} | {threads} | {total} | {middle} | {wrong} | {errors} |")


if __name__ == "__main__":
    main()
