"""Batches made ahead of the step that needs them, in threads."""

from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Final

from wildsr.data.sampling import Pair, Sample, Sampler, collate

_LOOK_UP: Final = 0.1
"""Seconds of waiting for a batch between two looks at whether to stop."""


def batches(
    sampler: Sampler,
    *,
    seed: int,
    batch: int,
    start: int = 0,
    rank: int = 0,
    world: int = 1,
    workers: int = 1,
    ahead: int = 4,
    asked_to_stop: Callable[[], bool] = lambda: False,
) -> Generator[Pair, None, None]:
    """Yield batch `start`, `start` + 1, … for ever; close the iterator to stop the threads.

    Batch b of process r holds samples (b·world + r)·batch … + batch − 1, so the position is one number, resuming is
    exact, and `world` processes see together what one process with a `world` times larger batch would.

    Args:
        sampler: Where samples come from.
        seed: Of the whole row of samples.
        batch: Samples a batch (per process).
        start: First batch.
        rank: This process.
        world: Processes.
        workers: Threads; one is enough for cached crops.
        ahead: Batches kept ready.
        asked_to_stop: Once it says so, the iterator ends instead of waiting on for a batch.
    """
    stopped = Event()

    def make(number: int) -> Pair:
        first = (number * world + rank) * batch
        samples: list[Sample] = []
        for item in range(batch):
            if stopped.is_set():  # nobody waits any more, and a batch may take long
                raise CancelledError
            samples.append(sampler.sample(seed, first + item))
        return collate(samples)

    with ThreadPoolExecutor(workers, thread_name_prefix="wildsr-data") as pool:
        waiting: deque[Future[Pair]] = deque()
        try:
            number = start
            while True:
                while len(waiting) < max(ahead, 1):
                    waiting.append(pool.submit(make, number))
                    number += 1
                following = waiting.popleft()
                while wait([following], timeout=_LOOK_UP).not_done:
                    if asked_to_stop():
                        return
                yield following.result()
        finally:
            stopped.set()
            for future in waiting:
                future.cancel()
