"""The `wildsr` program: one command a file, errors printed once, exit codes 0 ok, 1 failed, 2 usage."""

import os
import sys
from typing import Annotated

import typer

from wildsr.cli import advise, bench, degrade, doctor, evaluate, metrics, models, profile, train, upscale
from wildsr.cli.console import complain, data, say
from wildsr.errors import UsageError, WildsrError
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
app.command("degrade")(degrade.degrade)
app.command("train")(train.train)
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


def main() -> None:
    """Run the program and exit."""
    try:
        app()
    except UsageError as error:
        complain(error)
        sys.exit(2)
    except WildsrError as error:
        complain(error)
        sys.exit(1)
    except KeyboardInterrupt:
        say("interrupted")
        sys.exit(130)
    except BrokenPipeError:
        # The reader of our stdout has gone; silence the flush at exit too.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
