"""Answers as CSV and JSON, and back: what a study collected can be analysed anywhere."""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from pydantic import TypeAdapter, ValidationError

from wildsr.errors import InputError, WildsrError
from wildsr.files import shown
from wildsr.study.design import Design, StudyMethod, Trial
from wildsr.study.judgements import SIDES, Collected, Judgement, check_values

_MOST_BYTES: Final = 256 << 20


@dataclass(frozen=True, kw_only=True)
class Export:
    """What a file of answers holds."""

    wildsr_study: Literal[1] = 1
    """Version of the layout."""

    name: str
    """The study."""

    title: str
    """What raters saw above."""

    design: Design
    """What was asked."""

    judgements: tuple[Judgement, ...]
    """What was answered."""


_EXPORT: Final = TypeAdapter(Export)


def to_json(found: Collected, *, name: str, title: str) -> str:
    """Return design and answers as JSON; raters go by numbers."""
    export = Export(name=name, title=title, design=found.design, judgements=found.judgements)
    return _EXPORT.dump_json(export, indent=1).decode() + "\n"


def to_csv(found: Collected) -> str:
    """Return a line for each result shown in each trial.

    `value` is the level (MOS) or the place from 1 (MOR, pairwise; 1.5 is no difference), `shown_at` the place on the
    screen from 1, `repeats` the position of the trial that this one repeats.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(["rater", "position", "repeats", "picture", "method", "shown_at", "value", "seconds"])
    for one in found.judgements:
        for place, (method, value) in enumerate(zip(one.trial.methods, one.values, strict=True), 1):
            seconds = "" if one.seconds is None else f"{one.seconds:.2f}"
            repeats = "" if one.trial.repeats is None else one.trial.repeats
            picture = one.trial.picture
            writer.writerow([one.rater, one.position, repeats, picture, method, place, f"{value:g}", seconds])
    return out.getvalue()


def read_export(path: Path) -> Export:
    """Return what `to_json` wrote.

    Raises:
        InputError: It can't be read, is something else, or holds answers that fit no trial.
    """
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except OSError as error:
        raise InputError(f"can't read {shown(path.name)}: {error.strerror or error}") from error
    if len(raw) > _MOST_BYTES:
        raise InputError(f"{shown(path.name)} has more than {_MOST_BYTES >> 20} MB; it can't be answers")
    try:
        found = _EXPORT.validate_json(raw)
        for one in found.judgements:
            _check(found.design, one)
    except (ValidationError, RecursionError) as error:
        raise InputError(
            f"{shown(path.name)} holds no answers of a study", hint="wildsr study export … --json writes them"
        ) from error
    except WildsrError as error:
        raise InputError(f"{shown(path.name)} is damaged: {error}") from error
    return found


def from_choices(methods: tuple[str, str], people: Sequence[Sequence[tuple[str, str]]]) -> Collected:
    """Return the choices made on pages of `wildsr evaluate --blind-page` as answers of a pairwise study.

    Args:
        methods: The two that the page compares.
        people: For each person picture and chosen method, `same` for neither.

    Raises:
        InputError: Nobody has chosen.
    """
    pictures = tuple(dict.fromkeys(picture for choices in people for picture, _ in choices))
    if not pictures:
        raise InputError("nobody has chosen anything on the page")
    design = Design(
        protocol="pairwise",
        methods=tuple(StudyMethod(name=name) for name in methods),
        pictures=pictures,
        reference_shown=False,
    )
    answers = [
        Judgement(
            rater=f"r{number:03}",
            position=position,
            trial=Trial(picture=picture, methods=methods),
            values=SIDES["same" if chosen == "same" else "left" if chosen == methods[0] else "right"],
        )
        for number, choices in enumerate(people, 1)
        for position, (picture, chosen) in enumerate(choices)
    ]
    return Collected(design=design, judgements=tuple(answers))


def _check(design: Design, one: Judgement) -> None:
    unknown = [name for name in one.trial.methods if name not in design.method_names]
    if unknown or one.trial.picture not in design.pictures or not one.trial.methods:
        raise InputError(f"answer {one.position} of {shown(one.rater)} is about something else")
    check_values(design.protocol, one.trial, one.values)
