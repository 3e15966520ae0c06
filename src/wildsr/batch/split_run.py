"""`split_batch`: large pictures over many workers, each in parts, with the bytes of one machine."""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace

from wildsr.batch.manifest import Record
from wildsr.batch.planning import Plan
from wildsr.batch.run import OnRecord, cluster, recorded, records_of
from wildsr.batch.split import SplitWork
from wildsr.batch.split_planning import SplitPlan, remove_parts


def split_batch(
    plan: Plan, split: SplitPlan, *, address: str | None = None, watch: OnRecord | None = None
) -> list[Record]:
    """Make what parts are missing, join them, and remove them.

    Args:
        plan: Of `plan_batch`.
        split: Of `plan_split`, for this plan.
        address: Of a Ray cluster; see `run_batch`.
        watch: Called after each part and each picture joined.

    Returns:
        All records, of pictures and not of parts; the kept ones too.

    Raises:
        UsageError: No machine of the cluster has as many cores as a worker has threads.
    """
    with ExitStack() as stack:
        made: Iterator[Record] = iter(())
        if split.joins:
            home = stack.enter_context(cluster(address, workers=plan.workers, threads=plan.threads))
            made = _pictures(plan, split, home, watch)
        records = recorded(plan.work.output, plan.tasks, plan.kept, _both(split, made))
    remove_parts(plan.work.output, records)
    return records


def _both(split: SplitPlan, made: Iterator[Record]) -> Iterator[Record]:
    yield from split.unusable
    yield from made


def _pictures(plan: Plan, split: SplitPlan, home: str | None, watch: OnRecord | None) -> Iterator[Record]:
    """Yield a record for each picture: joined, or why a part of it is missing."""
    work, total = SplitWork(work=plan.work), len(split.parts) + len(split.joins)
    missing: dict[str, Record] = {}
    through = 0
    if split.parts:
        pictures = {one.source: one.picture.source for one in split.parts}
        for through, part in enumerate(
            records_of(work, split.parts, home, workers=plan.workers, threads=plan.threads), 1
        ):
            if watch is not None:
                watch(part, through, total)
            if part.status != "done":
                picture = pictures[part.source]
                missing[picture] = replace(part, source=picture)
    yield from missing.values()
    joins = [one for one in split.joins if one.source not in missing]
    if not joins:
        return
    for joined in records_of(work, joins, home, workers=plan.workers, threads=plan.threads):
        through += 1
        if watch is not None:  # its pixels were counted by its parts
            watch(replace(joined, width=0, height=0), through, total)
        yield joined
