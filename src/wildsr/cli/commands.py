"""The table of commands, one a file; only the one that is called is loaded."""

import importlib
import os
from collections.abc import Collection, Sequence
from typing import Annotated, Final

import typer

from wildsr.version import __version__

COMMANDS: Final = {
    "upscale": "Upscale photos, by default ×4; nothing is fetched unless a model is named.",
    "models": "List, fetch, inspect, import, export, quantise, verify and remove models.",
    "evaluate": "Judge results against ground truth, or run models on a test set and judge them.",
    "metrics": "List the metrics; fit a NIQE model.",
    "advise": "Measure what damaged a photo, and suggest a model, a size to shrink it to first, and why.",
    "profile": "Learn a camera's blur and noise from its photos; show, compare and merge what was learnt.",
    "adapt": "Make a model for your camera from its ordinary photos, in minutes.",
    "degrade": "Degrade clean photos as a camera would: aligned LR/HR pairs with a manifest of every step.",
    "pairs": "Pairs of photos by two cameras.",
    "train": "Train a super-resolution network.",
    "reproduce": "Make an experiment of the literature again, small: train, measure, write a page.",
    "serve": "Give a family or a small team a private upscaling service: a page, an HTTP API, a queue.",
    "batch": "Work on the pictures of a store with many workers, and go on after whatever has happened.",
    "study": "Let people judge results: MOS, MOR, pairs.",
    "doctor": "Show versions, processor, memory, backends and cached models.",
    "bench": "Time a model on one tile, and say what that means for photos.",
}
"""Name → first paragraph of its help. The module `wildsr.cli.NAME` has a function of that name, or `app` where the
command has commands of its own. Loading them all took 1.1 s, which the list of commands need not."""


def application(load: Collection[str] = tuple(COMMANDS)) -> typer.Typer:
    """Return the program with these commands; the others are there by name and summary only.

    Args:
        load: Commands to load.
    """
    app = typer.Typer(
        name="wildsr",
        help="Super-resolution for the photos you really have.",
        no_args_is_help=True,
        add_completion=True,
        pretty_exceptions_enable=False,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback()(_root)
    for name, summary in COMMANDS.items():
        if name not in load:
            app.command(name, help=summary)(_not_loaded)
            continue
        module = importlib.import_module(f"wildsr.cli.{name}")
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name))
    return app


def application_for(arguments: Sequence[str]) -> typer.Typer:
    """Return the program with what these arguments need of it."""
    if "_WILDSR_COMPLETE" in os.environ:  # a shell asks what may follow
        return application()
    return application([argument for argument in arguments if not argument.startswith("-")][:1])


def _not_loaded() -> None:
    raise AssertionError("a command that runs is loaded first")


def _print_version(wanted: bool) -> None:
    if wanted:
        from wildsr.cli.console import data

        data(f"wildsr {__version__}")
        raise typer.Exit


def _root(
    version: Annotated[
        bool,
        typer.Option("--version", help="Print the version and stop.", callback=_print_version, is_eager=True),
    ] = False,
) -> None:
    """Super-resolution for the photos you really have."""
