"""How long `wildsr batch` takes for a thousand, a million and a thousand million photos: a discrete-event simulation.

    python -m benchmarks.simulate_batch [--seed 0]

The driver lists the photos and starts workers; each worker takes a block of photos at a time, fetches it, computes,
writes, and hands its records to the driver. Machines are taken away at random and replaced; a block that was not
finished is done again whole, as Ray Data does it. Blocks are as large as `wildsr.batch.run` makes them. The store and
the driver are queues. Nothing smaller than a block is simulated: its photos' times are added up.
"""

import argparse
import heapq
import math
from collections import deque
from collections.abc import Generator, Iterable
from dataclasses import dataclass, field, replace
from typing import TypeAlias

import numpy as np
import simpy

Events: TypeAlias = Generator[simpy.Event, object, None]


@dataclass(frozen=True, kw_only=True)
class Assumptions:
    """One run."""

    photos: int
    machines: int
    cores: int = 64
    """Of a machine: workers of one thread."""

    blocks: int | None = None
    """As many as `wildsr.batch.run` makes, by default."""

    compute: float = 12 * 69.0
    """Seconds of a core a photo: 12 MP at the 69 s a megapixel that were measured with wild-compact."""

    spread: float = 0.25
    """Of a photo's time: standard deviation of its logarithm."""

    stragglers: float = 0.02
    """Share of machines that are slow."""

    slowness: float = 2.0
    """Times that a slow machine takes."""

    listing: float = 1e-4
    """Seconds of the driver a name: a thousand a call, ten calls a second."""

    start: float = 16.0
    """Seconds until a worker works, measured."""

    read: float = 4e6
    """Bytes of a photo."""

    written: float = 270e6
    """Bytes of a result: 192 MP at the 1.4 bytes a pixel of a PNG or TIFF."""

    stream: float = 100e6
    """Bytes a second of one transfer."""

    streams: int = 2000
    """Transfers the store bears at a time: 200 GB/s."""

    record: float = 1e-3
    """Seconds of the driver a record."""

    preemption: float = math.inf
    """Mean seconds until a machine is taken away."""

    replacement: float = 300.0
    """Seconds until another is there."""


@dataclass(kw_only=True)
class Outcome:
    """What came of a run."""

    seconds: float = 0.0
    working: float = 0.0
    """Core-seconds of blocks that were finished."""

    lost: float = 0.0
    """Core-seconds of blocks that were not."""

    waiting: float = 0.0
    """Core-seconds that workers waited for the store or the driver."""

    store: float = 0.0
    """Share of the time that the store's transfers were in use."""

    driver: float = 0.0
    """Share of the time that the driver worked."""

    idle: float = 0.0
    """Share of all core-seconds in which a core had nothing to do: starting, or no block left."""

    finished: list[float] = field(default_factory=list)
    """When each block was through."""


@dataclass(frozen=True, order=True)
class Block:
    """Some photos."""

    number: int
    photos: int
    compute: float


def block_count(photos: int, workers: int) -> int:
    """As `wildsr.batch.run`."""
    workers = min(workers, photos)
    return max(workers, min(math.ceil(photos / 4), max(2000, min(math.ceil(photos / 16), 20 * workers))))


def blocks_of(given: Assumptions, rng: np.random.Generator) -> Iterable[Block]:
    """Share the photos out; the time of each is drawn."""
    count = given.blocks or block_count(given.photos, given.machines * given.cores)
    ends = np.arange(count + 1) * given.photos // count
    scale = math.exp(given.spread**2 / 2)  # so that the mean is what was measured
    for number, size in enumerate(np.diff(ends).tolist()):
        times = rng.lognormal(0.0, given.spread, size) / scale
        yield Block(number=number, photos=size, compute=float(times.sum()) * given.compute)


def simulate(given: Assumptions, *, seed: int = 0) -> Outcome:
    """Let one run happen."""
    rng, env = np.random.default_rng(seed), simpy.Environment()
    run = _Run(env=env, given=given, rng=rng, queue=deque(blocks_of(given, rng)))
    run.left = len(run.queue)
    env.process(run.driver_lists())
    env.run(until=run.through)
    found, total = run.outcome, given.machines * given.cores
    found.seconds = env.now
    found.store = run.transferred / given.stream / given.streams / env.now
    found.driver = run.driven / env.now
    found.idle = max(0.0, 1 - (found.working + found.lost + found.waiting) / (total * env.now))
    return found


class _Run:
    """State of a run."""

    def __init__(
        self, *, env: simpy.Environment, given: Assumptions, rng: np.random.Generator, queue: deque[Block]
    ) -> None:
        self.env, self.given, self.rng, self.queue = env, given, rng, queue
        self.store = simpy.Resource(env, given.streams)
        self.driver = simpy.Resource(env, 1)
        self.through, self.outcome = env.event(), Outcome()
        self.left, self.transferred, self.driven = 0, 0.0, 0.0
        self.idle = deque[simpy.Event]()

    def driver_lists(self) -> Events:
        seconds = self.given.photos * self.given.listing
        self.driven += seconds
        yield self.env.timeout(seconds)
        for number in range(self.given.machines):
            self.env.process(self.machine(slow=number < round(self.given.machines * self.given.stragglers)))

    def machine(self, *, slow: bool) -> Events:
        given = self.given
        while True:
            factor = given.slowness if slow else 1.0
            workers = [self.env.process(self.worker(factor)) for _ in range(given.cores)]
            if math.isinf(given.preemption):
                return
            yield self.env.timeout(float(self.rng.exponential(given.preemption)))
            for worker in workers:
                if worker.is_alive:
                    worker.interrupt()
            yield self.env.timeout(given.replacement)
            slow = bool(self.rng.random() < given.stragglers)

    def worker(self, factor: float) -> Events:
        block: Block | None = None
        more: simpy.Event | None = None
        begun = busy = 0.0
        try:
            yield self.env.timeout(self.given.start)
            while True:
                while not self.queue:
                    more = self.env.event()
                    self.idle.append(more)
                    yield more
                block, begun = self.queue.popleft(), self.env.now
                busy = (
                    block.compute * factor
                    + block.photos * (self.given.read + self.given.written) / self.given.stream
                )
                yield from self.transfer(block.photos * self.given.read)
                yield self.env.timeout(block.compute * factor)
                yield from self.transfer(block.photos * self.given.written)
                yield from self.hand_over(block)
                self.outcome.working += busy
                self.outcome.waiting += max(0.0, self.env.now - begun - busy)
                block = None
        except simpy.Interrupt:
            if block is not None:
                self.outcome.lost += self.env.now - begun
                self.queue.appendleft(block)
            elif more in self.idle:
                self.idle.remove(more)
            if self.queue and self.idle:
                self.idle.popleft().succeed()

    def transfer(self, amount: float) -> Events:
        with self.store.request() as stream:
            yield stream
            yield self.env.timeout(amount / self.given.stream)
            self.transferred += amount

    def hand_over(self, block: Block) -> Events:
        with self.driver.request() as turn:
            yield turn
            yield self.env.timeout(block.photos * self.given.record)
            self.driven += block.photos * self.given.record
        self.outcome.finished.append(self.env.now)
        self.left -= 1
        if not self.left:
            self.through.succeed()


def bottleneck(given: Assumptions, found: Outcome) -> str:
    """Say in words what bounds a run."""
    workers = given.machines * given.cores
    useful = found.working / (workers * found.seconds)
    shares = {
        "the network's computing": useful,
        "blocks done again": found.lost / (workers * found.seconds),
        "the store": found.waiting / (workers * found.seconds) if found.store > found.driver else 0.0,
        "the driver": found.waiting / (workers * found.seconds) if found.store <= found.driver else 0.0,
        "start and last blocks": found.idle,
    }
    largest = heapq.nlargest(2, shares.items(), key=lambda one: one[1])
    return " and ".join(f"{name} ({share:.0%})" for name, share in largest if share >= 0.05)


def duration(seconds: float) -> str:
    """In the unit a person would choose."""
    return f"{seconds / 3600:.1f} h" if seconds < 2 * 86400 else f"{seconds / 86400:.1f} days"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    seed = parser.parse_args().seed
    taken_away = {"preemption": 24 * 3600.0}
    thousand = Assumptions(photos=1000, machines=1)
    million = Assumptions(photos=10**6, machines=100)
    part = Assumptions(photos=10**6, machines=10, streams=2)  # one of the thousand runs of 10⁹ photos
    small = replace(part, **taken_away, blocks=10**6 // 16)
    rows = [
        ("10³", thousand, 1),
        ("10³, a photo a block", replace(thousand, blocks=1000), 1),
        ("10⁶", million, 1),
        ("10⁶, machines taken away", replace(million, **taken_away), 1),
        ("the same, 8 photos a block", replace(million, **taken_away, blocks=10**6 // 8), 1),
        ("10⁹", part, 1000),
        ("10⁹, machines taken away", replace(part, **taken_away), 1000),
        ("the same, 16 photos a block", small, 1000),
        ("the same, a store twice as fast", replace(small, streams=4), 1000),
    ]
    print(
        "| photos | machines of 64 cores | time | core-hours | done again | store in use | what the cores do |"
    )
    print("|--|--|--|--|--|--|--|")
    for name, given, times in rows:
        found = simulate(given, seed=seed)
        hours = given.machines * given.cores * times * found.seconds / 3600
        again = found.lost / (found.lost + found.working)
        print(
            f"| {name} | {given.machines * times:,} | {duration(found.seconds)} | {hours:,.0f} | {again:.0%} | "
            f"{found.store:.0%} | {bottleneck(given, found)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
