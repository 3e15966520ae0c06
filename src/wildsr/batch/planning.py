"""What a run will do, known before any worker starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from wildsr.batch.listing import Listing, as_path, kept_of, list_pictures
from wildsr.batch.manifest import Record, read_of
from wildsr.batch.places import Place, place_of
from wildsr.batch.step import Task, Work, settings_digest
from wildsr.engine import Settings, Size, Upscaler
from wildsr.errors import UsageError
from wildsr.files import plan_outputs, scale_suffix, shown
from wildsr.files.places import places
from wildsr.imaging import WriteOptions
from wildsr.imaging.formats import DEEP_ZOOM
from wildsr.machine import cores

WORKER_MEMORY: Final = 1.5
"""GB a worker may take where nothing is said: the same on every machine, so that tiles and bytes are."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is left to do, and how."""

    work: Work
    tasks: Sequence[Task]
    """Left to do."""

    kept: Mapping[str, Record]
    """Done or left out by earlier runs, by source."""

    problems: Sequence[str]
    """What could not be looked at, in words."""

    workers: int
    """Processes at most."""

    threads: int
    """Of each."""


def plan_batch(
    input: str,  # noqa: A002 -- what it is called everywhere
    output: str,
    *,
    model: str,
    settings: Settings | None = None,
    size: Size | None = None,
    options: WriteOptions | None = None,
    extension: str = "png",
    recursive: bool = True,
    overwrite: bool = False,
    retry: bool = False,
    workers: int | None = None,
) -> Plan:
    """List the pictures, and leave out what earlier runs with the same settings have done.

    Args:
        input: URL of a picture, of a folder of pictures, or of a list of them (`.parquet`, `.csv`; see `lists`).
        output: URL of a folder for results and manifest.
        model: Name in the catalog, or a path that every machine has.
        settings: How pictures are super-resolved; by default one thread and 1.5 GB a worker.
        size: How large results are.
        options: How results are written.
        extension: Format of the results.
        recursive: Enter folders in folders.
        overwrite: Replace results of other settings; what was left out is tried again.
        retry: Try pictures again that were left out.
        workers: Processes; by default as many as this machine's cores allow.

    Raises:
        InputError: No such folder or list, or no picture in it.
        UsageError: A store that can't be opened; two pictures whose results would share a name; a row of a list that
            can't be used; another verb's output.
    """
    target = place_of(output)
    if extension.lower().lstrip(".") == DEEP_ZOOM.name:
        raise UsageError(
            "wildsr batch writes a result as one file, and Deep Zoom is a folder of tiles",
            hint="write TIFF with --pyramid",
        )
    listing = list_pictures(input, target, recursive=recursive)
    chosen, upscaler = _fixed(model, settings or Settings())
    wanted, how = size or Size(), options or WriteOptions()
    work = Work(
        input=listing.input, output=target, model=model, settings=chosen, tile_pixels=upscaler.tile_pixels, size=wanted,
        options=how, digest=settings_digest(upscaler, wanted, how), overwrite=overwrite,
    )  # fmt: skip
    earlier = read_of(target, "upscale")
    tasks = _tasks(listing, target, scale_suffix(wanted.scale or upscaler.model.spec.scale), extension)
    tasks = [_with_replaced(one, earlier.get(one.source), work.digest) for one in tasks]
    kept = kept_of(tasks, earlier, work.digest, retry=retry or overwrite)
    threads = chosen.threads or 1
    return Plan(
        work=work,
        tasks=[one for one in tasks if one.source not in kept],
        kept=kept,
        problems=listing.problems,
        workers=workers or max(1, cores() // threads),
        threads=threads,
    )


def _fixed(model: str, asked: Settings) -> tuple[Settings, Upscaler]:
    """Decide here what each worker would decide by itself: threads, memory, precision."""
    chosen = replace(asked, threads=asked.threads or 1, max_memory=asked.max_memory or WORKER_MEMORY)
    upscaler = Upscaler(model, chosen)
    return replace(chosen, precision=upscaler.precision), upscaler


def _tasks(listing: Listing, target: Place, suffix: str, extension: str) -> list[Task]:
    folder = target.local or as_path(target)
    given = listing.targets or [""] * len(listing.found)
    unnamed = [one for one, name in zip(listing.found, given, strict=True) if not name]
    # with a slash, it is a folder whatever its name
    planned = plan_outputs(unnamed, f"{folder}/", suffix=suffix, extension=extension).jobs if unnamed else ()
    by_rule = {job.source: job.target.relative_to(folder).as_posix() for job in planned}
    tasks = []
    for one, source, version, name in zip(
        listing.found, listing.sources, listing.versions, given, strict=True
    ):
        if result := name or by_rule.get(one.path):
            tasks.append(Task(source=source, version=version, target=result))
    _refuse_shared(tasks, listing.input, target)
    return tasks


def _refuse_shared(tasks: Sequence[Task], source: Place, target: Place) -> None:
    """What a list names may be the name that another picture gets by the rule, or a picture of the list."""
    first: dict[str, Task] = {}
    read = set(places([Path(source.whole(one.source)) for one in tasks]))
    for task, place in zip(tasks, places([Path(target.whole(one.target)) for one in tasks]), strict=True):
        other = first.setdefault(place, task)
        if other is not task:
            raise UsageError(
                f"{shown(other.source)} and {shown(task.source)} would both become {shown(task.target)}",
                hint="give both a target in the list",
            )
        if place in read:
            raise UsageError(
                f"the result of {shown(task.source)} would replace a picture that is read: {shown(task.target)}",
                hint="choose another output",
            )


def _with_replaced(task: Task, earlier: Record | None, digest: str) -> Task:
    """A picture that has changed since: its result, made by these settings, may be replaced."""
    if earlier is None or earlier.settings != digest or earlier.target != task.target:
        return task
    return replace(task, replaces=earlier.sha256)
