"""What a run will do, known before any worker starts."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Final

from wildsr.batch.manifest import FOLDER, Record, read_all
from wildsr.batch.places import Place, place_of
from wildsr.batch.step import Task, Work, settings_digest
from wildsr.engine import Settings, Size, Upscaler
from wildsr.errors import InputError
from wildsr.files import Found, find_pictures, plan_outputs, scale_suffix, shown
from wildsr.files.extensions import PICTURE_EXTENSIONS
from wildsr.imaging import WriteOptions
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


@dataclass(frozen=True, kw_only=True)
class _Listing:
    found: Sequence[Found]
    versions: Sequence[str]
    problems: Sequence[str] = ()


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
        input: URL of a folder of pictures.
        output: URL of a folder for results and manifest.
        model: Name in the catalog, or a path that every machine has.
        settings: How pictures are super-resolved; by default one thread and 1.5 GB a worker.
        size: How large results are.
        options: How results are written.
        extension: Format of the results.
        recursive: Enter folders in folders.
        overwrite: Replace results of other settings.
        retry: Try pictures again that were left out.
        workers: Processes; by default as many as this machine's cores allow.

    Raises:
        InputError: No such folder, or no picture in it.
        UsageError: A store that can't be opened; two pictures whose results would share a name.
    """
    source, target = place_of(input), place_of(output)
    chosen, upscaler = _fixed(model, settings or Settings())
    wanted, how = size or Size(), options or WriteOptions()
    work = Work(
        input=source, output=target, model=model, settings=chosen, tile_pixels=upscaler.tile_pixels, size=wanted,
        options=how, digest=settings_digest(upscaler, wanted, how), overwrite=overwrite,
    )  # fmt: skip
    listing = _listing(source, target, recursive=recursive)
    earlier = read_all(target)
    tasks = _tasks(listing, target, scale_suffix(wanted.scale or upscaler.model.spec.scale), extension)
    tasks = [_with_replaced(one, earlier.get(one.source), work.digest) for one in tasks]
    kept = {
        one.source: earlier[one.source]
        for one in tasks
        if _is_through(one, earlier.get(one.source), work.digest, retry=retry)
    }
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


def _listing(source: Place, target: Place, *, recursive: bool) -> _Listing:
    """List pictures: by the rules of `wildsr upscale` in folders of this machine, by name elsewhere."""
    folder = source.local
    if folder is not None:
        if not folder.is_dir():
            raise InputError(f"there is no folder {shown(folder)}", hint="the URL of a folder is wanted")
        findings = find_pictures([folder], recursive=recursive, exclude=target.local)
        problems = [f"{shown(one.path)} {one.reason}" for one in findings.problems]
        versions = [_file_version(one.path) for one in findings.pictures]
        return _Listing(found=findings.pictures, versions=versions, problems=problems)
    root, inside = _as_path(source), _below(source, target)
    stored = [
        one
        for one in source.stored(recursive=recursive)
        if _is_picture(one.path) and not (inside and one.path.startswith(inside))
    ]
    if not stored:
        raise InputError(f"there is no picture in {shown(source.url)}", hint="names must end as pictures' do")
    return _Listing(
        found=[Found(path=root / one.path, root=root, relative=Path(one.path)) for one in stored],
        versions=[f"{one.size} {one.version}" for one in stored],
    )


def _tasks(listing: _Listing, target: Place, suffix: str, extension: str) -> list[Task]:
    folder = target.local or _as_path(target)
    versions = dict(zip([one.path for one in listing.found], listing.versions, strict=True))
    names = {one.path: one.relative.as_posix() for one in listing.found}
    planned = plan_outputs(listing.found, folder, suffix=suffix, extension=extension)
    return [
        Task(
            source=names[job.source],
            version=versions[job.source],
            target=job.target.relative_to(folder).as_posix(),
        )
        for job in planned.jobs
    ]


def _with_replaced(task: Task, earlier: Record | None, digest: str) -> Task:
    """A picture that has changed since: its result, made by these settings, may be replaced."""
    if earlier is None or earlier.settings != digest or earlier.target != task.target:
        return task
    return replace(task, replaces=earlier.sha256)


def _is_through(task: Task, record: Record | None, digest: str, *, retry: bool) -> bool:
    if record is None or (record.settings, record.version) != (digest, task.version):
        return False
    return record.status == "done" or (record.status == "quarantined" and not retry)


def _is_picture(path: str) -> bool:
    name = PurePosixPath(path)
    hidden = any(part.startswith(".") for part in name.parts)
    return not hidden and FOLDER not in name.parts and name.suffix[1:].lower() in PICTURE_EXTENSIONS


def _file_version(path: Path) -> str:
    try:
        facts = path.stat()
    except OSError:  # gone since; reading it will say so
        return ""
    return f"{facts.st_size} {facts.st_mtime_ns}"


def _as_path(place: Place) -> Path:
    """A path of no file, by which the rules of names can be asked."""
    return Path("/") / place.url.replace("://", "/")


def _below(source: Place, target: Place) -> str:
    """The folder of results below that of pictures, where it is there."""
    return f"{target.url[len(source.url) + 1 :]}/" if target.url.startswith(f"{source.url}/") else ""
