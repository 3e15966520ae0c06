"""`wildsr batch evaluate`: results of a store, measured on many workers."""

from typing import Annotated

import typer

from wildsr.cli import batch_options as batch
from wildsr.cli import evaluate_options as options
from wildsr.cli.console import say
from wildsr.cli.evaluate import listed, write_found
from wildsr.files import counted, shown

Source = Annotated[
    str, typer.Argument(metavar="INPUT", help="Folder or URL of results (file, s3, gs, …), of one method.")
]
Target = Annotated[str, typer.Argument(metavar="OUTPUT", help="Folder or URL for the manifest.")]
GroundTruth = Annotated[
    str | None, typer.Option("--hr", help="Ground truth: a folder or URL.", show_default=False)
]
LrPictures = Annotated[
    str | None,
    typer.Option(
        "--lr",
        help="LR pictures, for metrics that compare with them: a folder or URL.",
        show_default=False,
    ),
]


def evaluate(
    source: Source,
    target: Target,
    hr: GroundTruth = None,
    lr: LrPictures = None,
    metrics: options.MetricNames = None,
    crop_border: options.CropBorder = 0,
    crop: options.Crop = False,
    json: options.JsonFile = None,
    csv: options.CsvFile = None,
    markdown: options.MarkdownFile = None,
    address: batch.Address = None,
    workers: batch.Workers = None,
    threads: batch.Threads = 1,
    retry: batch.Retry = False,
    dry_run: batch.DryRun = False,
) -> None:
    """Measure results against ground truth: the numbers and the table of wildsr evaluate.

    The table of means is printed to stdout; every value is in the manifest. Exit code 1 when one could not be computed.
    """
    with batch.needing("batch", " evaluate"):
        from wildsr.batch import MANIFEST
        from wildsr.batch.evaluate import evaluation_of, plan_evaluate
        from wildsr.batch.run import run_batch
    plan = plan_evaluate(
        source,
        target,
        hr=hr,
        lr=lr,
        metrics=None if metrics is None else listed([metrics]),
        crop_border=crop_border,
        crop=crop,
        retry=retry,
        workers=workers,
    )
    say(
        f"{counted(len(plan.tasks), 'result')} of {shown(plan.method)} to measure against {shown(plan.test_set.name)}, "
        f"{len(plan.kept)} measured or left out by earlier runs; {counted(plan.workers, 'worker')}"
    )
    if dry_run:
        return
    with batch.watching(len(plan.tasks)) as watch:
        records = run_batch(plan, threads=threads, address=address, watch=watch)
    found = evaluation_of(plan, records)
    write_found(found, json=json, csv=csv, markdown=markdown)
    say(f"every value is in {shown(target.rstrip('/'))}/{MANIFEST}")
    if batch.tell_bad(records):
        raise typer.Exit(1)
