"""`wildsr train`: parse, configure, call a recipe."""

from json import dumps
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
    hr: Annotated[Path | None, typer.Option(help="Folder of clean, large photos.")] = None,
    profile: Annotated[
        Path | None,
        typer.Option(
            help="Degradation profile of the camera to train for: LR is made with its blur and noise."
        ),
    ] = None,
    degradation: Annotated[
        str | None,
        typer.Option(help="How LR is made: the name of a degradation; `wildsr degrade --list` lists them."),
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
        from wildsr.training.config import to_toml
    except ModuleNotFoundError as error:
        raise UsageError(
            f"training needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if recipe is None:
        _list_recipes()
        return
    changes = _changes(
        hr=hr, profile=profile, degradation=degradation, start=start, steps=steps, time_budget=time_budget
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
    data(str(chosen.run(output, resume=resume)))


def _changes(
    *,
    hr: Path | None,
    profile: Path | None,
    degradation: str | None,
    start: str | None,
    steps: int | None,
    time_budget: str | None,
) -> list[str]:
    """Named options as settings."""
    from wildsr.training.durations import seconds

    changes = []
    if hr is not None:
        changes.append(f"data.hr={dumps(str(hr.resolve()))}")
    if profile is not None:
        changes.append(f"data.profile={dumps(str(profile.resolve()))}")
    if degradation is not None:
        changes.append(f"data.degradation={dumps(degradation)}")
    if start is not None:
        changes.append(f"start={dumps(str(Path(start).resolve()) if Path(start).exists() else start)}")
    if steps is not None:
        changes += [f"run.steps={steps}", "run.time_budget=0"]
    if time_budget is not None:
        changes.append(f"run.time_budget={seconds(time_budget)}")
    return changes


def _list_recipes() -> None:
    from wildsr.recipes import RECIPES

    for name, recipe in RECIPES.items():
        data(f"{name}: {recipe.summary}")
        data(f"    presets: {', '.join(recipe.presets)} (default {recipe.default})")
