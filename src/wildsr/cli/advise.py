"""`wildsr advise`: which model for this photo, and why."""

from typing import Annotated

import typer

from wildsr.cli.console import Json, data, data_json, say
from wildsr.errors import UsageError, WildsrError
from wildsr.evaluation.advice import Advice
from wildsr.evaluation.advice import advise as advise_photo
from wildsr.files import find_pictures, shown


def advise(
    photos: Annotated[
        list[str] | None, typer.Argument(help="Photos, folders or patterns.", show_default=False)
    ] = None,
    recursive: Annotated[bool, typer.Option("-r", "--recursive", help="Enter folders in folders.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Measure what damaged a photo, and suggest a model, a size to shrink it to first, and why.

    Exit code 1 when a photo could not be measured.
    """
    if not photos:
        raise UsageError("no photo given", hint="wildsr advise PHOTO")
    found = find_pictures(photos, recursive=recursive)
    results: list[Json] = []
    failed: list[Json] = [
        {"photo": shown(one.path), "reason": f"{shown(one.path)} {one.reason}"} for one in found.problems
    ]
    for picture in found.pictures:
        try:
            advice = advise_photo(picture.path)
        except WildsrError as error:
            failed.append({"photo": shown(picture.path), "reason": str(error)})
            continue
        results.append({"photo": shown(picture.path), **_facts(advice)})
        if not json:
            data("\n".join([shown(picture.path), *(f"  {line}" for line in _lines(advice)), ""]))
    if json:
        data_json({"photos": results, "failed": failed})
    for one in failed:
        if isinstance(one, dict):
            say(f"failed: {one['reason']}")
    if failed:
        raise typer.Exit(1)


def _lines(advice: Advice) -> list[str]:
    first = [f"model: {advice.model}"]
    if advice.shrink_to is not None:
        width, height = advice.shrink_to
        first.append(f"shrink first: to {width}×{height} pixels")
    return [*first, *(f"- {reason}" for reason in advice.reasons)]


def _facts(advice: Advice) -> dict[str, Json]:
    facts = advice.facts
    return {
        "model": advice.model,
        "fetched": advice.fetched,
        "downscale": advice.downscale,
        "shrink_to": None if advice.shrink_to is None else list[Json](advice.shrink_to),
        "reasons": list[Json](advice.reasons),
        "measured": {
            "width": facts.width,
            "height": facts.height,
            "noise": facts.noise,
            "blocks": facts.blocks,
            "file_quality": facts.file_quality,
            "seen_quality": facts.seen_quality,
            "detail": facts.detail,
            "blur": facts.blur,
        },
    }
