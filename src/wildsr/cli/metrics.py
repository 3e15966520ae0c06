"""`wildsr metrics`: what can be measured, and a NIQE model of one's own."""

from collections.abc import Iterator, Sequence
from math import isinf
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wildsr.cli.console import Json, data, data_json, data_name, progress_bar, say
from wildsr.errors import UsageError
from wildsr.files import Found, find_pictures, shown
from wildsr.metrics import METRICS, Image, Metric, fit_niqe, markdown_table, save_niqe

app = typer.Typer(help="List the metrics; fit a NIQE model.", no_args_is_help=True)


@app.command("list")
def list_metrics(
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    markdown: Annotated[bool, typer.Option("--markdown", help="Print a Markdown table.")] = False,
) -> None:
    """Show every metric: direction, what it needs, whose numbers it gives, and how to quote it."""
    if json:
        data_json({"metrics": [_facts(metric) for metric in METRICS.values()]})
        return
    if markdown:
        data(markdown_table())
        return
    table = Table(box=None, pad_edge=False)
    for heading in ("name", "better", "needs", "least size", "here", "protocol"):
        table.add_column(heading, overflow="fold", no_wrap=heading != "protocol")
    for metric in METRICS.values():
        short, long = metric.minimum
        table.add_row(
            metric.name,
            metric.direction,
            "-" if metric.reference == "none" else metric.reference.upper(),
            f"{long}×{short}",
            _here(metric),
            metric.protocol,
        )
    Console(highlight=False).print(table)


@app.command("fit-niqe")
def fit(
    pictures: Annotated[list[str], typer.Argument(help="Clean photographs: files, folders, patterns.")],
    output: Annotated[Path, typer.Option("-o", "--output", help="Model file to write (.npz).")],
    sharpness: Annotated[
        float, typer.Option(help="Take blocks at least this sharp, relative to their picture's sharpest.")
    ] = 0.75,
    recursive: Annotated[bool, typer.Option("--recursive", help="Look into sub-folders too.")] = False,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Fit a NIQE model to pristine photographs of your kind; `niqe_own` then judges by it."""
    if output.suffix != ".npz":
        raise UsageError(f"the output is {shown(output)}; it must end in .npz")
    if output.exists() and not overwrite:
        raise UsageError(
            f"{shown(output)} exists", hint="choose another name, or replace it with --overwrite"
        )
    found = find_pictures(pictures, recursive=recursive)
    for problem in found.problems:
        say(f"left out: {shown(problem.path)}: {problem.reason}")
    source = f"{len(found.pictures)} photographs, sharpness {sharpness:g}"
    model = fit_niqe(_loaded(found.pictures), sharpness=sharpness, source=source)
    save_niqe(model, output)
    say("copy it to $WILDSR_METRICS/niqe_own.npz to judge by it: wildsr evaluate … --metrics niqe_own")
    data_name(output)


def _loaded(pictures: Sequence[Found]) -> Iterator[Image]:
    import numpy as np

    from wildsr.imaging import quantise, read

    with progress_bar(quiet=False) as bar:
        for picture in bar.track(pictures, description="reading"):
            levels = quantise(read(picture.path).rgb, None, gray=False, depth=8)
            yield levels.astype(np.uint8, copy=False)


def _facts(metric: Metric) -> dict[str, Json]:
    low, high = (None if isinf(bound) else bound for bound in metric.range)
    return {
        "name": metric.name,
        "direction": metric.direction,
        "range": [low, high],
        "reference": metric.reference,
        "family": metric.family,
        "citation": metric.citation,
        "minimum": list(metric.minimum),
        "protocol": metric.protocol,
        "parameters": _here(metric),
    }


def _here(metric: Metric) -> str:
    """Whether the parameters a user must give are in place."""
    return "yes" if metric.available else "needs a file"
