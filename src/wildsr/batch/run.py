"""`run_batch`: any verb over many workers by Ray Data; paths in, records out, pixels stay inside the workers."""

import logging
import math
import os
import pickle
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import TYPE_CHECKING, Final, Generic, cast

from wildsr.batch.local_cluster import local_cluster
from wildsr.batch.manifest import Record, write_part, write_whole
from wildsr.batch.places import Place
from wildsr.batch.planning import Plan
from wildsr.batch.work import AnyPlan, AnyTask, AnyWork, TaskT
from wildsr.errors import UsageError
from wildsr.files import counted, remove_stale_temporaries
from wildsr.machine import cores

if TYPE_CHECKING:
    from ray.actor import ActorHandle

MOST_DEATHS: Final = 3
"""Workers that one picture may take with it; then it is left out."""

_PART_RECORDS: Final = 200
_PART_SECONDS: Final = 20.0
_OBJECT_STORE: Final = 100_000_000
"""Bytes; records are small."""

_BLOCK: Final = 4
"""Tasks that a worker takes at a time, and does again where it is taken away meanwhile."""

_BLOCKS: Final = 2000
"""Blocks that any run may have; the driver takes some milliseconds for each before the first is done."""

_LARGE_BLOCK: Final = 16
_BLOCKS_A_WORKER: Final = 20
"""What takes their place where there are many workers: tasks of a block at least, and blocks at most."""

OnRecord = Callable[[Record, int, int], None]
"""Record, how many are through, how many there are."""


def upscale_batch(plan: Plan, *, address: str | None = None, watch: OnRecord | None = None) -> list[Record]:
    """Upscale what is planned; see `run_batch`.

    Args:
        plan: Of `plan_batch`.
        address: Of a Ray cluster.
        watch: Called after each picture.
    """
    return run_batch(plan, threads=plan.threads, address=address, watch=watch)


def run_batch(
    plan: AnyPlan[TaskT],
    *,
    threads: int = 1,
    total: int | None = None,
    address: str | None = None,
    watch: OnRecord | None = None,
) -> list[Record]:
    """Do what is left to do; the same plan made again goes on after whatever has happened.

    Args:
        plan: Of any verb.
        threads: Cores that each worker takes.
        total: Records that will come; a record a task by default.
        address: Of a Ray cluster (`auto`, `ray://…`, `host:port`); None starts one on this machine.
        watch: Called after each record.

    Returns:
        All records, the kept ones too, which the manifest in the output holds.

    Raises:
        UsageError: No machine of the cluster has as many cores as a worker has threads.
    """
    with ExitStack() as stack:
        made: Iterator[Record] = iter(())
        if plan.tasks:
            home = stack.enter_context(cluster(address, workers=plan.workers, threads=threads))
            made = records_of(plan.work, plan.tasks, home, workers=plan.workers, threads=threads)
        return recorded(plan.work.output, plan.tasks, plan.kept, made, total=total, watch=watch)


def recorded(
    output: Place,
    tasks: Sequence[AnyTask],
    kept: Mapping[str, Record],
    made: Iterator[Record],
    *,
    total: int | None = None,
    watch: OnRecord | None = None,
) -> list[Record]:
    """Keep the manifest while records come; see `run_batch`."""
    records = dict(kept)
    _sweep(output, tasks)
    pending: list[Record] = []
    written = time.monotonic()
    try:
        for done, record in enumerate(made, 1):
            records[record.source] = record
            pending.append(record)
            if watch is not None:
                watch(record, done, total or len(tasks))
            if len(pending) >= _PART_RECORDS or time.monotonic() - written > _PART_SECONDS:
                write_part(output, pending)
                pending, written = [], time.monotonic()
    finally:
        write_part(output, pending)
    write_whole(output, records.values())
    return sorted(records.values(), key=lambda one: one.source)


def _sweep(output: Place, tasks: Sequence[AnyTask]) -> None:
    """Remove what killed workers left half-written in folders of this machine."""
    if (folder := output.local) is not None:
        for parent in {(folder / task.target).parent for task in tasks}:
            remove_stale_temporaries(parent)


@contextmanager
def cluster(address: str | None, *, workers: int, threads: int) -> Iterator[str | None]:
    """Join a cluster, or start one here; one that the caller has joined is used and stays.

    Gives the home folder that workers of a cluster started here shall have.
    """
    home = None
    with ExitStack() as stack:
        if address is None and not _joined():
            home = os.environ.get("HOME")
            cpus = max(cores(), workers * threads)
            stack.enter_context(local_cluster(cpus=cpus, object_store=_OBJECT_STORE))
        import ray  # after a cluster here has begun to start: it takes a second, and need not wait for it

        if not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
            stack.callback(ray.shutdown)
        largest = max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])
        if threads > largest:
            raise UsageError(
                f"a worker of {counted(threads, 'thread')} is wanted; no machine of the cluster has more than "
                f"{largest:g} cores",
                hint=f"--threads {max(1, int(largest))}",
            )
        yield home


def _joined() -> bool:
    """Whether the caller has joined a cluster."""
    ray = sys.modules.get("ray")
    return ray is not None and bool(ray.is_initialized())


def begun_counter() -> "ActorHandle":
    """Start the process that counts how often each task was begun and not ended: it may be what kills workers."""
    import ray

    class Begun:  # a class of a function travels by itself: its process need not import this package, which takes long
        def __init__(self) -> None:
            self._begun: dict[str, int] = {}

        def begin(self, source: str, ended: str | None) -> int:
            if ended is not None:
                self._begun.pop(ended, None)
            self._begun[source] = self._begun.get(source, 0) + 1
            return self._begun[source]

    return ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(Begun).remote()


Row = dict[str, bytes]
"""A task on its way to a worker; its Parquet form would have to know every verb."""


class _Actor(Generic[TaskT]):
    """A worker inside an actor."""

    def __init__(self, work: AnyWork[TaskT], begun: "ActorHandle", home: str | None) -> None:
        if home is not None:
            os.environ["HOME"] = home  # where models are cached
        self._worker = work.worker()
        self._work = work
        self._begun = begun
        self._ended: str | None = None

    def __call__(self, row: Row) -> list[dict[str, str | int | float]]:
        import ray

        task = cast("TaskT", pickle.loads(row["task"]))  # made by the driver of this run
        attempts: int = ray.get(self._begun.begin.remote(task.source, self._ended))
        self._ended = None
        if attempts > MOST_DEATHS:
            reason = f"{MOST_DEATHS} workers died at it"
            records = self._work.unfinished(task, "quarantined", reason, attempts=attempts - 1)
        else:
            records = self._worker.records(task, attempts=attempts)
            self._ended = task.source
        return [asdict(one) for one in records]


def block_count(tasks: int, workers: int) -> int:
    """Return how many blocks tasks are handed out in."""
    most = max(_BLOCKS, min(math.ceil(tasks / _LARGE_BLOCK), _BLOCKS_A_WORKER * workers))
    return max(workers, min(math.ceil(tasks / _BLOCK), most))


def records_of(
    work: AnyWork[TaskT], tasks: Sequence[TaskT], home: str | None, *, workers: int, threads: int
) -> Iterator[Record]:
    """Do tasks in a cluster, and yield what became of them as it comes.

    Args:
        work: What all tasks have in common.
        tasks: At least one.
        home: Of `cluster`.
        workers: Processes at most.
        threads: Cores that each takes.
    """
    import ray.data

    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # its plans are no news to a user
    begun = begun_counter()
    workers = min(workers, len(tasks))
    blocks = block_count(len(tasks), workers)
    rows = ray.data.from_items([{"task": pickle.dumps(one)} for one in tasks], override_num_blocks=blocks)
    done = rows.flat_map(
        _Actor,
        fn_constructor_args=(work, begun, home),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=threads,
    )  # actors are restarted, and their blocks done again, without end: Ray Data's own defaults
    for row in done.iter_rows():
        yield Record(**row)
