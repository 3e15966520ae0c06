"""`wildsr adapt`: a folder of one camera's photos in, a model for that camera out."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import data_name, progress_bar, say
from wildsr.errors import UsageError
from wildsr.files import find_pictures, shown


def adapt(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(metavar="PHOTOS…", help="Photos and folders of one camera.", show_default=False),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder of the model; `wildsr upscale -m` takes it."),
    ] = None,
    start: Annotated[
        str,
        typer.Option(
            help="Weights to start from: crisp or, nearer to the truth, balanced (both realesrgan-x4plus), faithful "
            "(realsr-df2k), a run's folder, a model file, a name of the catalog."
        ),
    ] = "crisp",
    profile: Annotated[
        Path | None, typer.Option(help="Degradation profile; without it one is made of the photos.")
    ] = None,
    hr: Annotated[
        Path | None,
        typer.Option(help="Folder of clean, large photos to learn from; by default yours, shrunk by 2."),
    ] = None,
    time_budget: Annotated[
        str, typer.Option(metavar="TIME", help="From the command to the model: 10m, 1h30m or 90s.")
    ] = "10m",
    steps: Annotated[
        int | None, typer.Option(min=1, help="Training steps; by default as many as the time allows.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of everything random.")] = 0,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Enter folders in folders.")] = False,
) -> None:
    """Make a model for your camera from its ordinary photos, in minutes."""
    if not inputs:
        raise UsageError("no photo given", hint="wildsr adapt my-photos/ -o phone")
    if output is None:
        raise UsageError("no folder given for the model", hint="for example -o phone")
    try:
        from wildsr.recipes.adapt_camera import AdaptOptions, adapt_camera
        from wildsr.training.durations import seconds
    except ModuleNotFoundError as error:
        raise UsageError(
            f"adapting needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    found = find_pictures(inputs, recursive=recursive, exclude=output)
    for problem in found.problems:
        say(f"skipped {shown(problem.path)}: it {problem.reason}")
    options = AdaptOptions(
        start=start, profile=profile, hr=hr, time_budget=seconds(time_budget), steps=steps, seed=seed
    )
    with progress_bar(quiet=False) as bar:
        task = bar.add_task("", total=None, visible=False)
        adapt_camera(
            [one.path for one in found.pictures],
            output,
            options,
            say=say,
            progress=lambda what, done, of: bar.update(
                task, description=what, completed=done, total=of, visible=done < of
            ),
        )
    data_name(output)
