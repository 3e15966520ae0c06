"""`wildsr evaluate`: how good results are, in numbers with their protocol and in pictures."""

from collections.abc import Sequence
from pathlib import Path

import typer

from wildsr.cli import evaluate_options as options
from wildsr.cli.choices import Backend, Device
from wildsr.cli.console import data, progress_bar, say
from wildsr.cli.fetching import fetch_model
from wildsr.engine import Settings
from wildsr.errors import UsageError
from wildsr.evaluation import (
    Evaluation,
    EvaluationPlan,
    blind_json,
    blind_test,
    check_two,
    html_report,
    json_text,
    key_path,
    plan_evaluation,
    score_blind,
    to_csv,
    to_markdown,
    write_text,
)
from wildsr.files import counted, shown


def evaluate(
    sr: options.Results = None,
    hr: options.GroundTruth = None,
    lr: options.LrPictures = None,
    models: options.ModelNames = None,
    test_set: options.SetName = None,
    metrics: options.MetricNames = None,
    crop_border: options.CropBorder = 0,
    crop: options.Crop = False,
    json: options.JsonFile = None,
    csv: options.CsvFile = None,
    markdown: options.MarkdownFile = None,
    html: options.HtmlFile = None,
    blind_page: options.BlindPage = None,
    blind_reference: options.BlindReference = False,
    blind_key: options.BlindKey = None,
    blind_choices: options.BlindChoices = None,
    scale: options.Scale = None,
    sharpness: options.Sharpness = None,
    color_fix: options.ColorFix = None,
    precision: options.Precision = "auto",
    backend: Backend = "auto",
    device: Device = "cpu",
    threads: options.Threads = None,
    resume: options.Resume = True,
    offline: options.Offline = False,
) -> None:
    """Judge results against ground truth, or run models on a test set and judge them.

    The table of means is printed to stdout. Exit code 1 when a value could not be computed.
    """
    if blind_key is not None or blind_choices:
        _score_blind(blind_key, blind_choices or [], json=json)
        return
    plan = plan_evaluation(
        sr or (),
        hr=hr,
        lr=lr,
        models=listed(models or []),
        test_set=test_set,
        metrics=None if metrics is None else listed([metrics]),
        crop_border=crop_border,
        crop=crop,
        scale=scale,
        settings=Settings(
            precision=precision,
            backend=backend,
            device=device,
            threads=threads,
            sharpness=sharpness,
            color_fix=color_fix,
        ),
        resume=resume,
        load=lambda name: fetch_model(name, offline=offline or None),
    )
    if blind_page is not None:
        check_two([method.name for method in plan.methods])
        if blind_reference and not plan.test_set.has_reference:
            raise UsageError("--blind-reference shows the truth, which is not known here", hint="--hr TRUTH")
    elif blind_reference:
        raise UsageError(
            "--blind-reference says what a blind page shows, and none is asked for",
            hint="--blind-page choose.html",
        )
    result = _run(plan)
    write_found(result, json=json, csv=csv, markdown=markdown, html=html)
    if blind_page is not None:
        _write_blind(result, Path(blind_page), reference=blind_reference)
    for failure in result.failures:
        say(f"failed: {shown(failure)}")
    if result.failures:
        raise typer.Exit(1)


def listed(texts: Sequence[str]) -> list[str]:
    """Return the names in comma-separated lists of them."""
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _run(plan: EvaluationPlan) -> Evaluation:
    say(
        f"{shown(plan.test_set.name)}: {counted(len(plan.test_set.pictures), 'picture')}, "
        f"{', '.join(shown(method.name) for method in plan.methods)}"
    )
    with progress_bar(quiet=False) as bar:
        task = bar.add_task("checking", total=None)
        stage = ""

        def watch(current: str, done: int, total: int) -> None:
            nonlocal stage
            if current != stage:
                stage = current
                bar.reset(task, total=total, description=current)
            bar.update(task, completed=done, total=total)

        return plan.run(watch)


def write_found(
    found: Evaluation, *, json: str | None, csv: str | None, markdown: str | None, html: str | None = None
) -> None:
    """Print the table, and write the files asked for."""
    for note in found.notes:
        say(f"note: {shown(note)}")
    texts = {csv: to_csv, markdown: to_markdown, html: html_report}
    if json == "-":
        data(json_text(found).rstrip("\n"))
    else:
        texts[json] = json_text
        data(to_markdown(found).rstrip("\n"))
    for target, make in texts.items():
        if target is not None:
            write_text(Path(target), make(found))
            say(f"wrote {shown(target)}")


def _write_blind(found: Evaluation, target: Path, *, reference: bool) -> None:
    import numpy as np

    test = blind_test(found, np.random.default_rng(), reference=reference)
    key = key_path(target)
    write_text(target, test.page)
    write_text(key, test.key)
    say(
        f"wrote {shown(target)}: {counted(test.crops, 'pair')} to choose from; keep {shown(key)}, which knows the sides"
    )


def _score_blind(key: str | None, choices: Sequence[str], *, json: str | None) -> None:
    if key is None or not choices:
        raise UsageError(
            "choices are scored with the key of their page",
            hint="wildsr evaluate --blind-key choose.key.json --blind-choices choices.json",
        )
    score = score_blind(Path(key), [Path(one) for one in choices])
    if json is not None:
        text = blind_json(score)
        if json == "-":
            data(text.rstrip("\n"))
            return
        write_text(Path(json), text)
        say(f"wrote {shown(json)}")
    first, second = score.methods
    data(f"{shown(first)} preferred: {score.preferred[0]}")
    data(f"{shown(second)} preferred: {score.preferred[1]}")
    data(f"no difference: {score.same}, left open: {score.open}")
    if score.share is not None and score.interval is not None:
        low, high = score.interval
        data(
            f"{shown(first)} in {score.share:.0%} of those where one is preferred "
            f"(95 % interval {low:.0%} to {high:.0%}; sign test p = {score.p_value:.3f})"
        )
