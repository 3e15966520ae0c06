"""`wildsr study power`: how many raters for how narrow an interval."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from wildsr.cli import study_options as options
from wildsr.cli.console import data_json, say
from wildsr.errors import UsageError
from wildsr.study.bootstrap import Over
from wildsr.study.design import Design, Protocol, StudyMethod


def power(
    width: Annotated[
        float,
        typer.Option(
            help="Wanted width of the 95 % intervals: levels (mos), ranks (mor), parts of 1 (pairwise)."
        ),
    ],
    protocol: options.ProtocolChoice = "mos",
    methods: Annotated[int, typer.Option(min=2, max=50, help="How many methods.")] = 5,
    pictures: Annotated[int, typer.Option(min=1, max=1000, help="How many pictures.")] = 30,
    pictures_per_rater: options.PicturesPerRater = None,
    trials_per_picture: options.TrialsPerPicture = None,
    over: options.OverChoice = "both",
    pilot: Annotated[
        Path | None,
        typer.Option(
            help="Answers of a MOS study (wildsr study export --json) that say how much people and pictures vary.",
            show_default=False,
        ),
    ] = None,
    studies: Annotated[int, typer.Option(min=2, max=1000, help="Simulated for each number of raters.")] = 20,
    most: Annotated[int, typer.Option(min=4, max=5000, help="Raters at most.")] = 500,
    json: options.JsonFlag = False,
    seed: Annotated[int, typer.Option(min=0, help="Of the simulation.")] = 0,
) -> None:
    """Say how many raters a study needs for intervals of a wanted width, by simulation."""
    try:
        from wildsr.study.export import read_export
        from wildsr.study.judgements import Collected
        from wildsr.study.power import fit_population, raters_needed, usual_population
    except ModuleNotFoundError as error:
        raise UsageError(
            f"studies need the package {error.name}, which is not installed",
            hint='pip install "wildsr[study]"',
        ) from error
    population = usual_population(methods)
    if pilot is not None:
        found = read_export(pilot)
        population = fit_population(Collected(design=found.design, judgements=found.judgements))
        methods = len(population.quality)
    design = _design(protocol, methods, pictures, pictures_per_rater, trials_per_picture)
    result = raters_needed(
        design,
        population,
        width=width,
        over=over,
        studies=studies,
        most=most,
        seed=seed,
        watch=lambda raters: say(f"simulating {studies} studies with {raters} raters"),
    )
    if json:
        data_json(
            {
                "raters": result.needed,
                "width": width,
                "tried": [
                    {"raters": one.raters, "width": one.width, "told_apart": one.told_apart}
                    for one in result.tried
                ],
            }
        )
    else:
        table = Table(box=None, pad_edge=False)
        for heading in ("raters", "width of intervals", "neighbours told apart"):
            table.add_column(heading)
        for one in result.tried:
            table.add_row(str(one.raters), f"{one.width:.3f}", f"{one.told_apart:.0%}")
        Console(highlight=False).print(table)
    say(_verdict(result.needed, width, most, result.floor, over))
    if result.needed is None:
        raise typer.Exit(1)


def _design(protocol: Protocol, methods: int, pictures: int, share: int | None, trials: int | None) -> Design:
    return Design(
        protocol=protocol,
        methods=tuple(StudyMethod(name=f"m{one + 1}") for one in range(methods)),
        pictures=tuple(f"p{one + 1}" for one in range(pictures)),
        pictures_per_rater=share,
        trials_per_picture=trials,
    )


def _verdict(needed: int | None, width: float, most: int, floor: float, over: Over) -> str:
    if needed is not None:
        return f"{needed} raters give intervals no wider than {width:g}"
    more = (
        ""
        if over == "raters"
        else "; more pictures narrow it, or --over raters if only these pictures matter"
    )
    return f"{most} raters still leave intervals {floor:.3f} wide{more}"
