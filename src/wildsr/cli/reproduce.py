"""`wildsr reproduce`: the evidence of the literature made again, small."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import data
from wildsr.errors import UsageError, did_you_mean


def reproduce(
    experiment: Annotated[
        str | None, typer.Argument(metavar="EXPERIMENT", help="Which; without one, all are listed.")
    ] = None,
    hr: Annotated[Path | None, typer.Option(help="Folder of clean, large photos to train on.")] = None,
    test: Annotated[
        Path | None, typer.Option(help="Folder of clean pictures to test on, none of them in --hr.")
    ] = None,
    pairs: Annotated[
        Path | None,
        typer.Option(
            help="Folder with HR/ and LR/ of a real camera, for ablation and tracks: every other LR photo is learnt "
            "from, the pairs of the others are tested."
        ),
    ] = None,
    photos: Annotated[
        Path | None,
        typer.Option(help="Folder of real photos without ground truth, for tracks: the second of the two."),
    ] = None,
    budget: Annotated[
        str, typer.Option(metavar="TIME", help="Processor time of all trainings together, 20m or 1h.")
    ] = "20m",
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder of the pages.")] = Path(
        "docs/results"
    ),
    runs: Annotated[
        Path, typer.Option(help="Folder of the trainings; what is there already goes on.")
    ] = Path("runs/reproduce"),
) -> None:
    """Make an experiment of the literature again, small: train, measure, write a page."""
    try:
        from wildsr.experiments import EXPERIMENTS, Asked
        from wildsr.training.durations import seconds
        from wildsr.training.session import say_on_stderr
    except ModuleNotFoundError as error:
        raise UsageError(
            f"experiments train networks, which needs the package {error.name}; it is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if experiment is None:
        for name, one in EXPERIMENTS.items():
            data(f"{name}: {one.summary}")
        return
    if experiment not in EXPERIMENTS:
        raise UsageError(
            f"there is no experiment `{experiment}`", hint=did_you_mean(experiment, list(EXPERIMENTS))
        )
    if hr is None or test is None:
        raise UsageError(
            "photos to train on and pictures to test on are needed",
            hint="for example --hr photos/ --test Set14/HR",
        )
    asked = Asked(
        hr=hr,
        test=test,
        budget=seconds(budget),
        output=output,
        runs=runs,
        say=say_on_stderr,
        pairs=pairs,
        photos=photos,
    )
    data(str(EXPERIMENTS[experiment].run(asked)))
