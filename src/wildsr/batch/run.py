"""`run_batch`: any verb over many workers by Ray Data; paths in, records out, pixels stay inside the workers."""

import logging
import math
import os
import pickle
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Final, Generic, cast

import ray
import ray.data

from wildsr.batch.local_cluster import local_cluster
from wildsr.batch.manifest import Record, write_part, write_whole
from wildsr.batch.places import Place
from wildsr.batch.planning import Plan
from wildsr.batch.work import AnyTask, AnyWork, TaskT
from wildsr.errors import UsageError
from wildsr.files import remove_stale_temporaries
from wildsr.machine import cores

MOST_DEATHS: Final = 3
"""Workers that one picture may take with it; then it is left out."""

_PART_RECORDS: Final = 200
_PART_SECONDS: Final = 20.0
_OBJECT_STORE: Final = 100_000_000
"""Bytes; records are small."""

OnRecord = Callable[[Record, int, int], None]
"""Record, how many are through, how many there are."""


def upscale_batch(plan: Plan, *, address: str | None = None, watch: OnRecord | None = None) -> list[Record]:
    """Upscale what is planned; see `run_batch`.

    Args:
        plan: Of `plan_batch`.
        address: Of a Ray cluster.
        watch: Called after each picture.
    """
    return run_batch(
        plan.work,
        plan.tasks,
        plan.kept,
        workers=plan.workers,
        threads=plan.threads,
        address=address,
        watch=watch,
    )


def run_batch(
    work: AnyWork[TaskT],
    tasks: Sequence[TaskT],
    kept: Mapping[str, Record],
    *,
    workers: int,
    threads: int,
    total: int | None = None,
    address: str | None = None,
    watch: OnRecord | None = None,
) -> list[Record]:
    """Do what is left to do; the same plan made again goes on after whatever has happened.

    Args:
        work: What all tasks have in common.
        tasks: Left to do.
        kept: Records of earlier runs, by source.
        workers: Processes at most.
        threads: Cores that each takes.
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
        if tasks:
            home = stack.enter_context(cluster(address, workers=workers, threads=threads))
            made = records_of(work, tasks, home, workers=workers, threads=threads)
        return recorded(work.output, tasks, kept, made, total=total, watch=watch)


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
        if not ray.is_initialized() and address is None:
            home = os.environ.get("HOME")
            cpus = max(cores(), workers * threads)
            stack.enter_context(local_cluster(cpus=cpus, object_store=_OBJECT_STORE))
        elif not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
            stack.callback(ray.shutdown)
        largest = max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])
        if threads > largest:
            raise UsageError(
                f"a worker of {threads} threads is wanted; no machine of the cluster has more than "
                f"{largest:g} cores",
                hint=f"--threads {max(1, int(largest))}",
            )
        yield home


class _Begun:
    """Counts how often each picture was begun and not ended: it may be what kills workers."""

    def __init__(self) -> None:
        self._begun: dict[str, int] = {}

    def begin(self, source: str) -> int:
        self._begun[source] = self._begun.get(source, 0) + 1
        return self._begun[source]

    def end(self, source: str) -> None:
        self._begun.pop(source, None)


Row = dict[str, bytes]
"""A task on its way to a worker; its Parquet form would have to know every verb."""


class _Actor(Generic[TaskT]):
    """A worker inside an actor."""

    def __init__(self, work: AnyWork[TaskT], begun: "ray.actor.ActorHandle", home: str | None) -> None:
        if home is not None:
            os.environ["HOME"] = home  # where models are cached
        self._worker = work.worker()
        self._work = work
        self._begun = begun

    def __call__(self, row: Row) -> list[dict[str, str | int | float]]:
        task = cast("TaskT", pickle.loads(row["task"]))  # made by the driver of this run
        attempts: int = ray.get(self._begun.begin.remote(task.source))
        if attempts > MOST_DEATHS:
            reason = f"{MOST_DEATHS} workers died at it"
            records = self._work.unfinished(task, "quarantined", reason, attempts=attempts - 1)
        else:
            records = self._worker.records(task, attempts=attempts)
            ray.get(self._begun.end.remote(task.source))
        return [asdict(one) for one in records]


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
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # its plans are no news to a user
    begun = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Begun).remote()
    workers = min(workers, len(tasks))
    blocks = max(workers, min(len(tasks), math.ceil(len(tasks) / 16), 20 * workers))
    rows = ray.data.from_items([{"task": pickle.dumps(one)} for one in tasks], override_num_blocks=blocks)
    done = rows.flat_map(
        _Actor,
        fn_constructor_args=(work, begun, home),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=threads,
    )  # actors are restarted, and their blocks done again, without end: Ray Data's own defaults
    for row in done.iter_rows():
        yield Record(**row)
