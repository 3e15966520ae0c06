"""The table of commands: one a file."""

from typing import Annotated

import typer

from wildsr.cli import (
    adapt,
    advise,
    bench,
    degrade,
    doctor,
    evaluate,
    metrics,
    models,
    profile,
    serve,
    train,
    upscale,
)
from wildsr.cli.console import data
from wildsr.version import __version__

app = typer.Typer(
    name="wildsr",
    help="Super-resolution for the photos you really have.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("upscale")(upscale.upscale)
app.add_typer(models.app, name="models")
app.command("evaluate")(evaluate.evaluate)
app.add_typer(metrics.app, name="metrics")
app.command("advise")(advise.advise)
app.command("profile")(profile.profile)
app.command("adapt")(adapt.adapt)
app.command("degrade")(degrade.degrade)
app.command("train")(train.train)
app.command("serve")(serve.serve)
app.command("doctor")(doctor.doctor)
app.command("bench")(bench.bench)


def _print_version(wanted: bool) -> None:
    if wanted:
        data(f"wildsr {__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Super-resolution for the photos you really have."""
