"""`wildsr batch`: more pictures than one machine should do, by Ray."""

import time
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli import upscale_options as options
from wildsr.cli.console import data, progress_bar, say, time_text
from wildsr.cli.fetching import fetch_model
from wildsr.engine import Settings, Size
from wildsr.errors import UsageError
from wildsr.files import shown
from wildsr.imaging import WriteOptions
from wildsr.models import default_model

if TYPE_CHECKING:
    from wildsr.batch import Plan, Record

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="Folder or URL of pictures (file, s3, gs, …), or a list: .parquet or .csv with a column source, "
        "and target where names are wanted.",
    ),
]
Target = Annotated[str, typer.Argument(metavar="OUTPUT", help="Folder or URL for results and manifest.")]
Address = Annotated[
    str | None,
    typer.Option(
        help="Ray cluster: auto, ray://host:port, host:port; without one, workers on this machine.",
        show_default=False,
    ),
]
Workers = Annotated[
    int | None, typer.Option(min=1, help="Processes; as many as cores allow by default.", show_default=False)
]
Threads = Annotated[int, typer.Option(min=1, help="CPU threads of a worker.")]
Retry = Annotated[bool, typer.Option("--retry", help="Try pictures again that an earlier run left out.")]


def batch(
    source: Source,
    target: Target,
    model: options.ModelName = None,
    address: Address = None,
    workers: Workers = None,
    threads: Threads = 1,
    scale: options.Scale = None,
    width: options.Width = None,
    max_side: options.MaxSide = None,
    ext: options.Extension = None,
    precision: options.Precision = "auto",
    max_memory: options.MaxMemory = None,
    strength: options.Strength = 1.0,
    sharpness: options.Sharpness = None,
    quality: options.Quality = None,
    overwrite: options.Overwrite = False,
    retry: Retry = False,
    plan_only: options.PlanOnly = False,
    offline: options.Offline = False,
) -> None:
    """Upscale the pictures of a store on many workers, and go on after whatever has happened.

    The manifest is _wildsr/manifest.parquet in the output. Exit code 1 when a picture failed or was left out.
    """
    try:
        from wildsr.batch import MANIFEST, plan_batch
    except ModuleNotFoundError as error:
        raise UsageError(
            f"wildsr batch needs the package {error.name}; it is not installed",
            hint='pip install "wildsr[batch]"',
        ) from error
    name = model or default_model()
    fetch_model(name, offline=offline or None)
    plan = plan_batch(
        source,
        target,
        model=name,
        settings=Settings(
            precision=precision,
            threads=threads,
            max_memory=max_memory,
            strength=strength,
            sharpness=sharpness,
        ),
        size=Size(scale=scale, width=width, max_side=max_side),
        options=WriteOptions(quality=quality),
        extension=ext or "png",
        overwrite=overwrite,
        retry=retry,
        workers=workers,
    )
    for problem in plan.problems:
        say(f"left out: {problem}")
    say(
        f"{len(plan.tasks)} pictures to do, {len(plan.kept)} done or left out by earlier runs; {name}, "
        f"{plan.workers} workers of {plan.threads} thread{'' if plan.threads == 1 else 's'}"
    )
    if plan_only:
        _tell_cost(plan)
        return
    bad = [one for one in _run(plan, address) if one.status != "done"]
    for one in bad:
        say(f"{one.status}: {shown(one.source)}: {shown(one.reason)}")
    data(f"{target.rstrip('/')}/{MANIFEST}")
    if bad or plan.problems:
        raise typer.Exit(1)


def _tell_cost(plan: "Plan") -> None:
    from wildsr.batch import cost_of

    cost = cost_of(plan)
    say(
        f"{cost.megapixels:.3g} MP become {cost.result_megapixels:.3g} MP in at most "
        f"{time_text(cost.core_seconds)} of one core, {time_text(cost.hours * 3600)} with {plan.workers} workers "
        f"as fast as this machine (from {cost.sampled} of {cost.pictures} pictures, {cost.unusable} of them unusable)"
    )


def _run(plan: "Plan", address: str | None) -> "list[Record]":
    from wildsr.batch import upscale_batch

    begun, megapixels, bad = time.monotonic(), 0.0, 0
    with progress_bar(quiet=False) as bar:
        task = bar.add_task("starting", total=len(plan.tasks))

        def watch(record: "Record", done: int, total: int) -> None:
            nonlocal megapixels, bad
            megapixels += record.width * record.height / 1e6
            bad += record.status != "done"
            rate = megapixels / max(time.monotonic() - begun, 1e-3)
            bar.update(task, completed=done, description=f"{rate:.2f} MP/s, {bad} failed")

        return upscale_batch(plan, address=address, watch=watch)
