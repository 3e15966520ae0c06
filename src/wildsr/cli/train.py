"""`wildsr train`: parse, configure, call a recipe."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import data
from wildsr.errors import UsageError


def train(
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE", help="A recipe, or a preset's name; without one, all are listed."),
    ] = None,
    preset: Annotated[str | None, typer.Option(help="Named configuration to start from.")] = None,
    hr: Annotated[Path | None, typer.Option(help="Folder of clean, large photos, or of tar shards.")] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            help="Degradation profile of the camera to train for: LR is made with its blur and noise."
        ),
    ] = None,
    degradation: Annotated[
        str | None,
        typer.Option(
            help="How LR is made: a name of `wildsr degrade --list`, or the folder of a `frequency` run."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the run; `wildsr upscale -m` takes it."),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(help="Weights to start from: a run's folder, a model file, a name of the catalog."),
    ] = None,
    config: Annotated[Path | None, typer.Option(help="TOML file with settings.")] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="NAME=VALUE", help="Change one setting, data.patch=96 for example."),
    ] = None,
    print_config: Annotated[
        bool, typer.Option(help="Print the whole configuration as TOML, and stop.")
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on with the run in the folder.")
    ] = False,
    steps: Annotated[int | None, typer.Option(help="Steps in all.")] = None,
    time_budget: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="Time the training may take, 40m or 1h30m; fixes the steps."),
    ] = None,
) -> None:
    """Train a super-resolution network."""
    try:
        from wildsr.recipes.choosing import configured
        from wildsr.recipes.train import named_settings
        from wildsr.training.config import to_toml
        from wildsr.training.durations import seconds
    except ModuleNotFoundError as error:
        raise UsageError(
            f"training needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if recipe is None:
        _list_recipes()
        return
    changes = named_settings(
        hr=hr,
        profile=profile,
        degradation=degradation,
        start=start,
        steps=steps,
        seconds=None if time_budget is None else seconds(time_budget),
    )
    chosen = configured(
        recipe,
        preset=preset,
        file=config,
        sets=[*changes, *(sets or [])],
        resumed=output if resume else None,
    )
    if print_config:
        data(to_toml(chosen.config).rstrip("\n"))
        return
    if output is None:
        raise UsageError("no folder given for the run", hint=f"for example -o runs/{recipe}")
    _tell(chosen.run(output, resume=resume))


def _tell(folder: Path) -> None:
    """Print the run's folder, once for all processes."""
    from wildsr.training.hardware import is_first_process

    if is_first_process():
        data(str(folder))


def _list_recipes() -> None:
    from wildsr.recipes import RECIPES

    for name, recipe in RECIPES.items():
        data(f"{name}: {recipe.summary}")
        data(f"    presets: {', '.join(recipe.presets)} (default {recipe.default})")
