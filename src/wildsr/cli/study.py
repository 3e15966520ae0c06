"""`wildsr study`: let people judge results, and say what they found."""

import json as json_format
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from wildsr.cli import study_options as options
from wildsr.cli import study_power, study_serve
from wildsr.cli.console import data, data_json, say
from wildsr.errors import UsageError
from wildsr.files import counted, shown
from wildsr.study.design import Design, StudyMethod

if TYPE_CHECKING:
    from wildsr.study.correlation import MetricValues
    from wildsr.study.judgements import Collected
    from wildsr.study.store import StudyStore

DATABASE = "studies.sqlite"

app = typer.Typer(help="Let people judge results: MOS, MOR, pairs.", no_args_is_help=True)
app.command("power")(study_power.power)
app.command("serve")(study_serve.serve)

_QUESTIONS = {
    "mos": "How good is the result?",
    "mor": "Which results are better?",
    "pairwise": "Which result is better?",
}
_HIDDEN = "reference"


@app.command("create")
def create(
    name: options.NewName,
    results: options.Results,
    hr: options.GroundTruth = None,
    protocol: options.ProtocolChoice = "mos",
    reference: options.Reference = None,
    hidden_reference: options.HiddenReference = False,
    worst: options.Worst = None,
    duplicates: options.Duplicates = None,
    pictures_per_rater: options.PicturesPerRater = None,
    trials_per_picture: options.TrialsPerPicture = None,
    crop: options.Crop = 512,
    title: options.Title = None,
    seed: options.Seed = 0,
    database: options.Database = DATABASE,
) -> None:
    """Make a study from folders of results.

    The pieces that raters see are copied into the database, so that the folders are no longer needed.
    """
    with _extra():
        from wildsr.study.stimuli import LEAST_CROP, MOST_CROP, find_material
        from wildsr.study.store import StudyStore
    if not LEAST_CROP <= crop <= MOST_CROP:
        raise UsageError(f"--crop {crop}: from {LEAST_CROP} to {MOST_CROP} are possible")
    wants_reference = protocol == "mos" if reference is None else reference
    if (wants_reference or hidden_reference) and hr is None:
        raise UsageError(
            "there is no ground truth to show",
            hint="name its folder with --hr, or judge without it: --no-reference",
        )
    material = find_material(results, hr=hr)
    if hidden_reference:
        if _HIDDEN in material.methods:
            raise UsageError(
                f"a method is called {_HIDDEN}, as the hidden reference is", hint="rename its folder"
            )
        material = material.with_hidden_reference(_HIDDEN)
    unknown = sorted(set(worst or ()) - set(material.methods))
    if unknown:
        raise UsageError(
            f"--worst {shown(unknown[0])} is no method; there are {', '.join(map(shown, material.methods))}"
        )
    methods = tuple(
        StudyMethod(
            name=method,
            role="best"
            if hidden_reference and method == _HIDDEN
            else "worst"
            if method in (worst or ())
            else "candidate",
        )
        for method in material.methods
    )

    def design(repeats: int) -> Design:
        return Design(
            protocol=protocol,
            methods=methods,
            pictures=material.pictures,
            reference_shown=wants_reference,
            pictures_per_rater=pictures_per_rater,
            trials_per_picture=trials_per_picture,
            duplicates=repeats,
            seed=seed,
        )

    asked = design(min(10, design(0).trials_per_rater // 4) if duplicates is None else duplicates)
    stimuli = material.stimuli(crop, reference=wants_reference)
    with _closing(StudyStore(database)) as store:
        made = store.create(name, asked, stimuli, title=title or _QUESTIONS[protocol])
    say(
        f"{name}: {counted(len(methods), 'method')}, {counted(len(material.pictures), 'picture')}, "
        f"{counted(asked.trials_per_rater, 'question')} a rater; wildsr study serve shows it, raters begin at "
        f"/study/rate/{made.invitation}"
    )
    data(made.name)


@app.command("status")
def status(
    name: options.Name = None,
    json: options.JsonFlag = False,
    database: options.Database = DATABASE,
) -> None:
    """Say who has judged how much."""
    with _opened(database) as store:
        study = store.study(name)
        raters = store.raters(study)
    if json:
        data_json(
            {
                "study": study.name,
                "protocol": study.design.protocol,
                "closed": study.closed,
                "invitation": f"/study/rate/{study.invitation}",
                "raters": [
                    {"rater": one.name, "answered": one.answered, "questions": len(one.trials)}
                    for one in raters
                ],
            }
        )
        return
    finished = sum(one.finished for one in raters)
    state = "closed" if study.closed else "open"
    say(f"{study.name}: {study.design.protocol}, {state}, {len(raters)} raters, {finished} of them finished")
    say(f"raters begin at /study/rate/{study.invitation}")
    table = Table(box=None, pad_edge=False)
    for heading in ("rater", "answered", "of"):
        table.add_column(heading)
    for one in raters:
        table.add_row(one.name, str(one.answered), str(len(one.trials)))
    Console(highlight=False).print(table)


@app.command("analyse")
def analyse(
    name: options.Name = None,
    scores: options.Scores = None,
    over: options.OverChoice = "both",
    screen: options.Screen = True,
    answers: options.Answers = None,
    blind_key: options.BlindKey = None,
    blind_choices: options.BlindChoices = None,
    html: options.HtmlFile = None,
    json: options.JsonFile = None,
    markdown: options.MarkdownFile = None,
    database: options.Database = DATABASE,
) -> None:
    """Say what a study found: means with intervals, agreement, and which metric agrees with people.

    The table of methods is printed to stdout.
    """
    with _extra():
        from wildsr.evaluation import write_text
        from wildsr.study.analysis import analyse as found_by
        from wildsr.study.page import html_report
        from wildsr.study.results import to_json, to_markdown
    title, collected = _collected(name, answers, blind_key, blind_choices or [], database)
    found = found_by(collected, over=over, screen=screen, scores=_scores(scores or []))
    for note in found.notes:
        say(f"note: {shown(note)}")
    text = json_format.dumps(to_json(found), indent=2, allow_nan=False) + "\n"
    data((text if json == "-" else to_markdown(found)).rstrip("\n"))
    for target, content in (
        (html, html_report(found, title=title) if html is not None else ""),
        (markdown, to_markdown(found)),
        (json, text),
    ):
        if target is not None and target != "-":
            write_text(Path(target), content)
            say(f"wrote {shown(target)}")


@app.command("export")
def export(
    name: options.Name = None,
    csv: options.CsvFile = None,
    json: options.JsonFile = None,
    database: options.Database = DATABASE,
) -> None:
    """Write all answers as CSV or JSON; CSV is printed where neither is asked for."""
    with _opened(database) as store:
        from wildsr.evaluation import write_text
        from wildsr.study.export import to_csv, to_json

        study = store.study(name)
        found = store.collected(study)
    if csv is None and json is None:
        csv = "-"
    if csv == "-" and json == "-":
        raise UsageError("CSV and JSON can't both be printed", hint="name a file for one of them")
    answers_csv, answers_json = to_csv(found), to_json(found, name=study.name, title=study.title)
    for target, content in ((csv, answers_csv), (json, answers_json)):
        if target == "-":
            data(content.rstrip("\n"))
        elif target is not None:
            write_text(Path(target), content)
            say(f"wrote {shown(target)}")


@app.command("close")
def close(
    name: options.Name = None,
    reopen: bool = typer.Option(False, "--reopen", help="Take answers again."),
    database: options.Database = DATABASE,
) -> None:
    """Take no more answers."""
    with _opened(database) as store:
        study = store.study(name)
        store.set_closed(study, not reopen)
    say(f"{study.name} is {'open' if reopen else 'closed'}")


@app.command("delete")
def delete(
    name: str = typer.Argument(help="Which study."),
    yes: bool = typer.Option(False, "--yes", help="Really: pictures, raters and answers are gone then."),
    database: options.Database = DATABASE,
) -> None:
    """Forget a study, its pictures, raters and answers."""
    with _opened(database) as store:
        study = store.study(name)
        if not yes:
            count = len(store.collected(study).judgements)
            raise UsageError(f"{study.name} has {count} answers", hint="--yes deletes it with all of them")
        store.delete(study)
    say(f"{name} is deleted")


@contextmanager
def _extra() -> Iterator[None]:
    """Say which extra is missing."""
    try:
        yield
    except ModuleNotFoundError as error:
        raise UsageError(
            f"studies need the package {error.name}, which is not installed",
            hint='pip install "wildsr[study]"',
        ) from error


@contextmanager
def _opened(database: str) -> "Iterator[StudyStore]":
    with _extra():
        from wildsr.study.store import StudyStore
    with _closing(StudyStore(database, make=False)) as store:
        yield store


@contextmanager
def _closing(store: "StudyStore") -> "Iterator[StudyStore]":
    try:
        yield store
    finally:
        store.close()


def _collected(
    name: str | None, answers: Path | None, key: Path | None, choices: Sequence[Path], database: str
) -> "tuple[str, Collected]":
    from wildsr.study.export import from_choices, read_export
    from wildsr.study.judgements import Collected

    given = [name is not None, answers is not None, key is not None]
    if sum(given) > 1:
        raise UsageError("name a study, a file of answers, or a key: one of them")
    if answers is not None:
        export = read_export(answers)
        return export.title, Collected(design=export.design, judgements=export.judgements)
    if key is not None or choices:
        from wildsr.evaluation import score_blind

        if key is None or not choices:
            raise UsageError(
                "choices are read with the key of their page",
                hint="wildsr study analyse --blind-key choose.key.json --blind-choices choices.json",
            )
        people = [score_blind(key, [one]) for one in choices]
        return "Which is better?", from_choices(people[0].methods, [one.choices for one in people])
    with _opened(database) as store:
        study = store.study(name)
        return study.title, store.collected(study)


def _scores(files: Sequence[Path]) -> "MetricValues":
    from wildsr.study.correlation import read_scores

    table: dict[str, dict[str, dict[str, float]]] = {}
    for file in files:
        for metric, pictures in read_scores(file).items():
            for picture, methods in pictures.items():
                table.setdefault(metric, {}).setdefault(picture, {}).update(methods)
    return table
