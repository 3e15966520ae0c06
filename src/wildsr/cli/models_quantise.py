"""`wildsr models quantise`: the int8 form of a model, made from your photos and judged on them."""

from typing import Annotated

import typer

from wildsr.cli.console import data, data_json, say
from wildsr.cli.fetching import fetch_model
from wildsr.engine.quantising import quantise as make
from wildsr.errors import UsageError
from wildsr.files import find_pictures
from wildsr.models.quantised import graph_file


def quantise(
    model: Annotated[str, typer.Argument(help="Catalog name, model file, or folder of a training run.")],
    photos: Annotated[
        list[str] | None,
        typer.Argument(help="Photos, folders or patterns: some like those you upscale.", show_default=False),
    ] = None,
    sharpness: Annotated[
        float | None,
        typer.Option(
            help="For a model with two ends: from 0 (faithful) to 1 (crisp); it holds for that position."
        ),
    ] = None,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Enter folders in folders.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
) -> None:
    """Quantise a model to int8 on your photos, and say whether it is good enough to be taken by itself.

    Three quarters of the photos set the ranges, the rest judge the result against fp32. `--precision auto` takes it
    where it agrees to 38 dB, LPIPS differs by at most .005, and it is 1.1 times as fast, on this processor.
    """
    if not photos:
        raise UsageError("no photo given", hint=f"wildsr models quantise {model} PHOTOS")
    found = find_pictures(photos, recursive=recursive)
    for problem in found.problems:
        say(f"left out: {problem.path} {problem.reason}")
    loaded = fetch_model(model)
    if sharpness is not None:
        loaded = loaded.at(sharpness)
    record = make(loaded, [one.path for one in found.pictures], say=say)
    lacking = record.shortcomings()
    if json:
        data_json(
            {
                "model": loaded.spec.id,
                "file": str(graph_file(loaded)),
                "agreement": round(record.agreement, 2),
                "lpips": None if record.lpips is None else round(record.lpips, 5),
                "worst_lpips": None if record.worst_lpips is None else round(record.worst_lpips, 5),
                "speed": round(record.speed, 3),
                "kept": [*record.kept],
                "taken_by_auto": record.passes,
            }
        )
        return
    data(
        f"{loaded.spec.id} in int8: agreement {record.agreement:.1f} dB, {record.speed:.2f} times as fast; "
        + (
            "--precision auto takes it"
            if record.passes
            else f"only --precision int8 takes it: {'; '.join(lacking)}"
        )
    )
