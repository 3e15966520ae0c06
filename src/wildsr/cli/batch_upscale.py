"""`wildsr batch upscale`, also without the verb."""

from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli import batch_options as batch
from wildsr.cli import upscale_options as options
from wildsr.cli.console import say, time_text
from wildsr.cli.fetching import fetch_model
from wildsr.engine import Settings, Size
from wildsr.files import counted
from wildsr.imaging import WriteOptions
from wildsr.models import COMPACT_MODEL

if TYPE_CHECKING:
    from wildsr.batch import Plan

Source = Annotated[
    str,
    typer.Argument(
        metavar="INPUT",
        help="Folder or URL of pictures (file, s3, gs, …), one picture, or a list: .parquet or .csv with a column "
        "source, and target where names are wanted.",
    ),
]
Split = Annotated[
    bool,
    typer.Option(
        "--split", help="Give each worker parts of every picture: for few very large ones. The same bytes."
    ),
]


def upscale(
    source: Source,
    target: batch.Target,
    model: options.ModelName = None,
    address: batch.Address = None,
    workers: batch.Workers = None,
    threads: batch.Threads = 1,
    scale: options.Scale = None,
    width: options.Width = None,
    max_side: options.MaxSide = None,
    ext: options.Extension = None,
    precision: options.Precision = "auto",
    max_memory: options.MaxMemory = None,
    strength: options.Strength = 1.0,
    sharpness: options.Sharpness = None,
    quality: options.Quality = None,
    pyramid: options.Pyramid = False,
    overwrite: options.Overwrite = False,
    split: Split = False,
    retry: batch.Retry = False,
    plan_only: options.PlanOnly = False,
    offline: options.Offline = False,
) -> None:
    """Upscale pictures: the bytes and names of wildsr upscale.

    The manifest is _wildsr/manifest.parquet in the output. Exit code 1 when a picture failed or was left out.
    """
    with batch.needing("batch", ""):
        from wildsr.batch import plan_batch, plan_split, split_batch, upscale_batch
    name = model or COMPACT_MODEL
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
        options=WriteOptions(quality=quality, pyramid=pyramid),
        extension=ext or "png",
        overwrite=overwrite,
        retry=retry,
        workers=workers,
    )
    batch.tell_left_out(plan.problems)
    say(
        f"{counted(len(plan.tasks), 'picture')} to do, {len(plan.kept)} done or left out by earlier runs; {name}, "
        f"{counted(plan.workers, 'worker')} of {counted(plan.threads, 'thread')}"
    )
    parts = plan_split(plan) if split else None
    if parts is not None:
        say(f"in {counted(len(parts.parts), 'part')} to make, {parts.there} made by earlier runs")
    if plan_only:
        _tell_cost(plan)
        return
    steps = len(plan.tasks) if parts is None else len(parts.parts) + len(parts.joins)
    with batch.watching(steps) as watch:
        records = (
            upscale_batch(plan, address=address, watch=watch)
            if parts is None
            else split_batch(plan, parts, address=address, watch=watch)
        )
        bad = batch.tell_bad(records)
    batch.tell_manifest(target)
    if bad or plan.problems:
        raise typer.Exit(1)


def _tell_cost(plan: "Plan") -> None:
    from wildsr.batch import cost_of

    cost = cost_of(plan)
    say(
        f"{cost.megapixels:.3g} MP become {cost.result_megapixels:.3g} MP in at most "
        f"{time_text(cost.core_seconds)} of one core, {time_text(cost.hours * 3600)} with "
        f"{counted(plan.workers, 'worker')} "
        f"as fast as this machine (from {cost.sampled} of {counted(cost.pictures, 'picture')}, {cost.unusable} of "
        "them unusable)"
    )
