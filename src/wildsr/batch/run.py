"""`upscale_batch`: a run over many workers by Ray Data; paths in, records out, pixels stay inside the workers."""

import logging
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict
from typing import Final

import ray
import ray.data

from wildsr.batch.local_cluster import local_cluster
from wildsr.batch.manifest import Record, write_part, write_whole
from wildsr.batch.planning import Plan
from wildsr.batch.step import Task, Work, Worker, unfinished
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
    """Do what is planned; the same plan made again goes on after whatever has happened.

    Args:
        plan: Of `plan_batch`.
        address: Of a Ray cluster (`auto`, `ray://…`, `host:port`); None starts one on this machine.
        watch: Called after each picture.

    Returns:
        All records, the kept ones too, which the manifest in the output holds.

    Raises:
        UsageError: No machine of the cluster has as many cores as a worker has threads.
    """
    records = dict(plan.kept)
    _sweep(plan)
    if plan.tasks:
        with _cluster(plan, address) as home:
            pending: list[Record] = []
            written = time.monotonic()
            try:
                for done, record in enumerate(_records(plan, home), 1):
                    records[record.source] = record
                    pending.append(record)
                    if watch is not None:
                        watch(record, done, len(plan.tasks))
                    if len(pending) >= _PART_RECORDS or time.monotonic() - written > _PART_SECONDS:
                        write_part(plan.work.output, pending)
                        pending, written = [], time.monotonic()
            finally:
                write_part(plan.work.output, pending)
    write_whole(plan.work.output, records.values())
    return sorted(records.values(), key=lambda one: one.source)


def _sweep(plan: Plan) -> None:
    """Remove what killed workers left half-written in folders of this machine."""
    if (folder := plan.work.output.local) is not None:
        for parent in {(folder / task.target).parent for task in plan.tasks}:
            remove_stale_temporaries(parent)


@contextmanager
def _cluster(plan: Plan, address: str | None) -> Iterator[str | None]:
    """Join a cluster, or start one here; one that the caller has joined is used and stays.

    Gives the home folder that workers of a cluster started here shall have.
    """
    home = None
    with ExitStack() as stack:
        if not ray.is_initialized() and address is None:
            home = os.environ.get("HOME")
            cpus = max(cores(), plan.workers * plan.threads)
            stack.enter_context(local_cluster(cpus=cpus, object_store=_OBJECT_STORE))
        elif not ray.is_initialized():
            ray.init(address=address, log_to_driver=False, configure_logging=False)
            stack.callback(ray.shutdown)
        largest = max(node["Resources"].get("CPU", 0) for node in ray.nodes() if node["Alive"])
        if plan.threads > largest:
            raise UsageError(
                f"a worker of {plan.threads} threads is wanted; no machine of the cluster has more than "
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


class _Actor:
    """A worker inside an actor."""

    def __init__(self, work: Work, begun: "ray.actor.ActorHandle", home: str | None) -> None:
        if home is not None:
            os.environ["HOME"] = home  # where models are cached
        self._worker = Worker(work)
        self._work = work
        self._begun = begun

    def __call__(self, row: dict[str, str]) -> dict[str, str | int | float]:
        task = Task(**row)
        attempts: int = ray.get(self._begun.begin.remote(task.source))
        if attempts > MOST_DEATHS:
            reason = f"{MOST_DEATHS} workers died at it"
            return asdict(unfinished(self._work, task, "quarantined", reason, attempts=attempts - 1))
        record = self._worker.do(task, attempts=attempts)
        ray.get(self._begun.end.remote(task.source))
        return asdict(record)


def _records(plan: Plan, home: str | None) -> Iterator[Record]:
    ray.data.DataContext.get_current().enable_progress_bars = False
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # its plans are no news to a user
    begun = ray.remote(num_cpus=0, max_restarts=-1, max_task_retries=-1)(_Begun).remote()
    workers = min(plan.workers, len(plan.tasks))
    blocks = max(workers, min(len(plan.tasks), math.ceil(len(plan.tasks) / 16), 20 * workers))
    rows = ray.data.from_items([asdict(task) for task in plan.tasks], override_num_blocks=blocks)
    done = rows.map(
        _Actor,
        fn_constructor_args=(plan.work, begun, home),
        compute=ray.data.ActorPoolStrategy(min_size=1, max_size=workers, initial_size=workers),
        num_cpus=plan.threads,
    )  # actors are restarted, and their blocks done again, without end: Ray Data's own defaults
    for row in done.iter_rows():
        yield Record(**row)
