"""`wildsr batch degrade`: clean pictures of a store → tar shards of HR/LR pairs."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli import batch_options as batch
from wildsr.cli import degrade_options as options
from wildsr.cli.console import say
from wildsr.files import counted

PerShard = Annotated[int, typer.Option(min=1, help="Pictures in a shard.")]
ProfileFile = Annotated[
    Path | None, typer.Option(help="Degradation profile, a file that every machine has.", show_default=False)
]


def degrade(
    source: batch.Source,
    target: batch.Target,
    profile: ProfileFile = None,
    preset: options.PresetName = None,
    scale: options.Scale = None,
    seed: options.Seed = 0,
    clean_up: options.CleanUp = False,
    per_shard: PerShard = 100,
    address: batch.Address = None,
    workers: batch.Workers = None,
    overwrite: batch.Overwrite = False,
    retry: batch.Retry = False,
    dry_run: batch.DryRun = False,
) -> None:
    """Make HR/LR pairs as tar shards (WebDataset), which wildsr train reads: the pixels of wildsr degrade.

    A shard has NAME.hr.png, NAME.lr.png and NAME.json for each picture. Exit code 1 when a picture gave no pair.
    """
    with batch.needing("batch,train", " degrade"):
        import torch  # noqa: F401 -- asked for here so that its absence is told before any work

        from wildsr.batch.degrade import Asked, plan_degrade
        from wildsr.batch.run import run_batch
    plan = plan_degrade(
        source,
        target,
        Asked(
            profile=None if profile is None else profile.absolute(),
            preset=preset,
            scale=scale,
            seed=seed,
            clean_up=clean_up,
        ),
        per_shard=per_shard,
        overwrite=overwrite,
        retry=retry,
        workers=workers,
    )
    batch.tell_left_out(plan.problems)
    say(
        f"{counted(plan.pictures, 'picture')} to degrade by {plan.work.degradation} into "
        f"{counted(len(plan.tasks), 'shard')}, "
        f"{len(plan.kept)} done or left out by earlier runs; {counted(plan.workers, 'worker')}"
    )
    if dry_run:
        return
    with batch.watching(plan.pictures) as watch:
        records = run_batch(plan, total=plan.pictures, address=address, watch=watch)
    bad = batch.tell_bad(records)
    batch.tell_manifest(target)
    if bad or plan.problems:
        raise typer.Exit(1)
