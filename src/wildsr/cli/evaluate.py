"""`wildsr evaluate`: how good results are, in numbers with their protocol and in pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.choices import Backend, Device
from wildsr.cli.console import data, progress_bar, say
from wildsr.cli.fetching import fetch_model
from wildsr.cli.fields import field_help
from wildsr.engine import Settings
from wildsr.engine.backends import PrecisionChoice
from wildsr.evaluation import (
    NO_REFERENCE_METRICS,
    REFERENCE_METRICS,
    Evaluation,
    EvaluationPlan,
    Measures,
    html_report,
    json_text,
    plan_evaluation,
    to_csv,
    to_markdown,
    write_text,
)
from wildsr.files import shown


def evaluate(
    sr: Annotated[
        list[str] | None,
        typer.Argument(help="Results to judge: folders (each is a method) or files.", show_default=False),
    ] = None,
    hr: Annotated[
        str | None, typer.Option("--hr", help="Ground truth: a folder or a file.", show_default=False)
    ] = None,
    lr: Annotated[
        str | None,
        typer.Option("--lr", help="LR pictures, for lr_consistency and colour_drift.", show_default=False),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "-m",
            "--models",
            help="Models to run: names, files, folders of training runs, or bicubic; several may follow.",
            show_default=False,
        ),
    ] = None,
    test_set: Annotated[
        str | None,
        typer.Option("--set", help="Test set to run them on: a name or a folder.", show_default=False),
    ] = None,
    metrics: Annotated[
        str | None,
        typer.Option(
            help="Comma-separated names (wildsr metrics list). "
            f"Default: {','.join(REFERENCE_METRICS)}; without ground truth {','.join(NO_REFERENCE_METRICS)}.",
            show_default=False,
        ),
    ] = None,
    crop_border: Annotated[int, typer.Option(help=field_help(Measures, "crop_border"))] = 0,
    crop: Annotated[bool, typer.Option("--crop", help=field_help(Measures, "crop"))] = False,
    json: Annotated[
        str | None, typer.Option("--json", help="Write everything as JSON; - prints it.", show_default=False)
    ] = None,
    csv: Annotated[
        str | None, typer.Option("--csv", help="Write a line a picture and method.", show_default=False)
    ] = None,
    markdown: Annotated[
        str | None, typer.Option("--markdown", help="Write the table of means.", show_default=False)
    ] = None,
    html: Annotated[
        str | None,
        typer.Option("--html", help="Write the report: one file, pictures and all.", show_default=False),
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option("-s", "--scale", help="Enlargement; by default HR : LR, else 4.", show_default=False),
    ] = None,
    color_fix: Annotated[
        bool, typer.Option("--color-fix/--no-color-fix", help=field_help(Settings, "color_fix"))
    ] = True,
    precision: Annotated[PrecisionChoice, typer.Option(help=field_help(Settings, "precision"))] = "auto",
    backend: Backend = "auto",
    device: Device = "cpu",
    threads: Annotated[
        int | None, typer.Option(help=field_help(Settings, "threads"), show_default=False)
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Take from the cache what an earlier run made.")
    ] = True,
    offline: Annotated[bool, typer.Option("--offline", help="Never fetch weights.")] = False,
) -> None:
    """Judge results against ground truth, or run models on a test set and judge them.

    The table of means is printed to stdout. Exit code 1 when a value could not be computed.
    """
    plan = plan_evaluation(
        sr or (),
        hr=hr,
        lr=lr,
        models=_listed(models or []),
        test_set=test_set,
        metrics=None if metrics is None else _listed([metrics]),
        crop_border=crop_border,
        crop=crop,
        scale=scale,
        settings=Settings(
            precision=precision, backend=backend, device=device, threads=threads, color_fix=color_fix
        ),
        resume=resume,
        load=lambda name: fetch_model(name, offline=offline or None),
    )
    result = _run(plan)
    _write(result, json=json, csv=csv, markdown=markdown, html=html)
    for failure in result.failures:
        say(f"failed: {failure}")
    if result.failures:
        raise typer.Exit(1)


def _listed(texts: Sequence[str]) -> list[str]:
    """The names in comma-separated lists of them."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _run(plan: EvaluationPlan) -> Evaluation:
    count = len(plan.test_set.pictures)
    say(
        f"{shown(plan.test_set.name)}: {count} picture{'' if count == 1 else 's'}, "
        f"{', '.join(shown(method.name) for method in plan.methods)}"
    )
    with progress_bar(quiet=False) as bar:
        task = bar.add_task("checking", total=None)
        stage = ""

        def watch(current: str, done: int, total: int) -> None:
            nonlocal stage
            if current != stage:
                stage = current
                bar.reset(task, total=total, description=current)
            bar.update(task, completed=done, total=total)

        return plan.run(watch)


def _write(
    found: Evaluation, *, json: str | None, csv: str | None, markdown: str | None, html: str | None
) -> None:
    for note in found.notes:
        say(f"note: {note}")
    texts = {csv: to_csv, markdown: to_markdown, html: html_report}
    if json == "-":
        data(json_text(found).rstrip("\n"))
    else:
        texts[json] = json_text
        data(to_markdown(found).rstrip("\n"))
    for target, make in texts.items():
        if target is not None:
            write_text(Path(target), make(found))
            say(f"wrote {shown(target)}")
