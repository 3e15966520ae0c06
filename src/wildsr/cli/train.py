"""`wildsr train`: parse, configure, call a recipe."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.errors import UsageError

if TYPE_CHECKING:
    from wildsr.recipes import Config

_UNITS = {"s": 1, "m": 60, "min": 60, "h": 3600}


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
        typer.Option(
            help="How LR is made: bicubic, samsung_generic, realsr (needs --profile), bsrgan or real_esrgan."
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
        from wildsr.recipes import RECIPES, find_recipe
        from wildsr.training.session import say_on_stderr
    except ModuleNotFoundError as error:
        raise UsageError(
            f"training needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if recipe is None:
        _list_recipes()
        return
    found = find_recipe(recipe)
    if found is None:
        from wildsr.training.config import nearest

        names = [*RECIPES, *(name for item in RECIPES.values() for name in item.presets)]
        raise UsageError(f"there is no recipe `{recipe}`", hint=nearest(recipe, names))
    name, default = found
    changes = _changes(hr=hr, profile=profile, start=start, steps=steps, time_budget=time_budget)
    if degradation is not None:
        changes.append(f"data.degradation={_quoted(degradation)}")
    chosen = _configured(
        name, preset or default, config, [*changes, *(sets or [])], output if resume else None
    )
    if print_config:
        from wildsr.training.config import to_toml

        typer.echo(to_toml(chosen), nl=False)
        return
    if output is None:
        raise UsageError("no folder given for the run", hint=f"for example -o runs/{recipe}")
    RECIPES[name].run(chosen, output, resume=resume, say=say_on_stderr)
    typer.echo(str(output))


def seconds(text: str) -> float:
    """`40m`, `1h30m`, `90s` or `2400` as seconds.

    Raises:
        UsageError: Not a time.
    """
    pieces = re.findall(r"(\d+(?:\.\d+)?)\s*(h|min|m|s)?", text.strip().lower())
    whole = "".join(number + unit for number, unit in pieces)
    if not pieces or whole != re.sub(r"\s", "", text.lower()):
        raise UsageError(f"{text!r} is not a time", hint="for example 40m, 1h30m or 90s")
    return sum(float(number) * _UNITS[unit or "s"] for number, unit in pieces)


def _changes(
    *, hr: Path | None, profile: Path | None, start: str | None, steps: int | None, time_budget: str | None
) -> list[str]:
    """Named options as settings."""
    changes = []
    if hr is not None:
        changes.append(f"data.hr={_quoted(str(hr.resolve()))}")
    if profile is not None:
        changes.append(f"data.profile={_quoted(str(profile.resolve()))}")
    if start is not None:
        changes.append(f"start={_quoted(str(Path(start).resolve()) if Path(start).exists() else start)}")
    if steps is not None:
        changes += [f"run.steps={steps}", "run.time_budget=0"]
    if time_budget is not None:
        changes.append(f"run.time_budget={seconds(time_budget)}")
    return changes


def _quoted(text: str) -> str:
    import json

    return json.dumps(text)


def _configured(
    recipe: str, preset: str, file: Path | None, sets: list[str], resumed: Path | None
) -> "Config":
    """The preset, or the run's own configuration when it is resumed, with the changes on top."""
    from wildsr.recipes import RECIPES
    from wildsr.training.checkpoint import checkpoints_in, load_checkpoint
    from wildsr.training.config import configure, from_toml, nearest

    presets = RECIPES[recipe].presets
    if preset not in presets:
        raise UsageError(f"recipe `{recipe}` has no preset `{preset}`", hint=nearest(preset, list(presets)))
    base = presets[preset]
    if resumed is not None:
        kept = checkpoints_in(resumed)
        if not kept:
            raise UsageError(f"{resumed} holds nothing to resume", hint="leave out --resume to start it")
        context = load_checkpoint(kept[-1]).context
        if context.recipe != recipe:
            raise UsageError(f"{resumed} is a `{context.recipe}` training, not `{recipe}`")
        base = from_toml(type(base), context.config)
    return configure(base, file=file, sets=sets)


def _list_recipes() -> None:
    from wildsr.recipes import RECIPES

    for name, recipe in RECIPES.items():
        typer.echo(f"{name}: {recipe.summary}")
        typer.echo(f"    presets: {', '.join(recipe.presets)} (default {recipe.default})")
