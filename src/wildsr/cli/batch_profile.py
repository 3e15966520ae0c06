"""`wildsr batch profile`: photos of a store → a degradation profile for each camera."""

import json
from typing import Annotated

import typer

from wildsr.cli import batch_options as batch
from wildsr.cli.console import data, say
from wildsr.estimation.kernels.methods import METHODS
from wildsr.files import counted, shown

_METHODS_HELP = "; ".join(f"{name}: {method.summary}" for name, method in METHODS.items()) + "."
Method = Annotated[str, typer.Option(help=f"How kernels are estimated. {_METHODS_HELP}")]
MaxPhotos = Annotated[
    int | None, typer.Option(min=1, help="Look at no more than this many photos, evenly over all.")
]


def profile(
    source: batch.Source,
    target: batch.Target,
    method: Method = "auto",
    max_photos: MaxPhotos = None,
    address: batch.Address = None,
    workers: batch.Workers = None,
    overwrite: batch.Overwrite = False,
    retry: batch.Retry = False,
    dry_run: batch.DryRun = False,
) -> None:
    """Learn blur and noise of every camera whose photos are there: CAMERA.profile, as wildsr profile makes it.

    Cameras are told by maker and model in EXIF; photos without become unknown-camera.profile. Exit code 1 when a
    photo could not be read, or a camera's photos gave nothing.
    """
    with batch.needing("batch,train", " profile"):
        import scipy.optimize  # noqa: F401 -- asked for here so that its absence is told before any work

        from wildsr.batch.profile import FEW, combine, plan_profile
        from wildsr.batch.run import run_batch
    plan = plan_profile(source, target, method=method, max_photos=max_photos, retry=retry, workers=workers)
    batch.tell_left_out(plan.problems)
    say(
        f"{counted(len(plan.tasks), 'photo')} to examine by {plan.work.method}, {len(plan.kept)} done or left out by "
        f"earlier runs; {counted(plan.workers, 'worker')}"
    )
    if dry_run:
        return
    with batch.watching(len(plan.tasks)) as watch:
        records = run_batch(plan, address=address, watch=watch)
    bad = batch.tell_bad(records)
    for one in combine(plan, records, overwrite=overwrite):
        if one.status != "done":
            say(f"no {shown(one.target)}: {shown(one.reason)}")
            bad = True
            continue
        facts = json.loads(one.found)
        few = f", which is few: from {FEW} on it can be relied on" if facts["photos"] < FEW else ""
        say(
            f"{shown(one.target)}: {counted(facts['photos'], 'photo')}{few}; "
            f"{counted(facts['kernels'], 'kernel')}, {counted(facts['noise_patches'], 'noise patch')}, "
            f"confidence {facts['confidence']:.2f}"
        )
        data(f"{target.rstrip('/')}/{one.target}")
    if bad or plan.problems:
        raise typer.Exit(1)
