"""`wildsr degrade`: clean photos in, aligned LR/HR pairs out."""

from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import Json, data, data_json, progress_bar, say
from wildsr.errors import UsageError
from wildsr.files import find_pictures, shown


def degrade(
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Clean, large photos: files, folders, patterns.", show_default=False),
    ] = None,
    profile: Annotated[
        Path | None, typer.Option(help="Degradation profile: its kernels and its noise are used.")
    ] = None,
    preset: Annotated[
        str | None,
        typer.Option(help="Or a degradation by name; --list lists them."),
    ] = None,
    listed: Annotated[bool, typer.Option("--list", help="List the degradations by name, and stop.")] = False,
    output: Annotated[
        str | None, typer.Option("-o", "--output", help="Folder for LR/, HR/ and manifest.jsonl.")
    ] = None,
    scale: Annotated[
        int | None,
        typer.Option(
            "-s", "--scale", help="HR pixels per LR pixel along a side; the profile's, or 4, by default."
        ),
    ] = None,
    seed: Annotated[
        int, typer.Option(min=0, help="Of all that is drawn; the same seed gives the same bytes.")
    ] = 0,
    clean_up: Annotated[
        bool,
        typer.Option(
            "--clean-up",
            help="Shrink photos by 2 before they become HR, which takes their own noise out of them.",
        ),
    ] = False,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Enter folders in folders; pairs mirror the tree.")
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace files that exist and pairs of other settings; a run that goes on keeps what it finished "
            "(see --no-resume).",
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted run stopped.")
    ] = True,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Degrade clean photos as a camera would: aligned LR/HR pairs with a manifest of every step."""
    try:
        from wildsr.data import MANIFEST, PairJob, make_pairs, pair_settings, plan_pairs
    except ModuleNotFoundError as error:
        raise UsageError(
            f"degrading needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if listed:
        _list_presets()
        return
    if not inputs:
        raise UsageError("no input given", hint="wildsr degrade photos/ --preset bsrgan -o pairs/")
    if output is None:
        raise UsageError("no folder given for the pairs", hint="for example -o pairs/")
    if not output or "\0" in output:
        raise UsageError("the output name is empty or has a NUL character in it")
    folder = Path(output)
    settings, used = pair_settings(profile, preset, scale=scale, seed=seed, clean_up=clean_up)
    found = find_pictures(inputs, recursive=recursive, exclude=folder)
    for problem in found.problems:
        say(f"left out: {shown(problem.path)}: {problem.reason}")
    for path in found.ignored:
        if path.name != MANIFEST:
            say(f"left out: {shown(path)}: no picture")
    jobs = plan_pairs(found.pictures, folder)
    with progress_bar(quiet=json) as bar:
        task = bar.add_task("degrading", total=len(jobs))

        def tell(job: PairJob, problem: str | None) -> None:
            bar.advance(task)
            if problem is not None:
                say(f"left out: {shown(job.source)}: {problem}")

        try:
            done = make_pairs(
                folder, jobs, settings, profile=used, resume=resume, overwrite=overwrite, progress=tell
            )
        except KeyboardInterrupt:
            say("interrupted; the same command goes on where it stopped")
            raise
    skipped: list[Json] = [{"file": str(path), "reason": reason} for path, reason in done.failed]
    if json:
        data_json(
            {
                "output": output,
                "pairs": done.made,
                "already_done": done.kept,
                "degradation": settings.chosen.name,
                "failed": skipped,
            }
        )
    else:
        there = f", {done.kept} already done" if done.kept else ""
        pairs = "1 pair" if done.made == 1 else f"{done.made} pairs"
        say(f"{pairs} by {settings.chosen.name} ({settings.chosen.summary}){there}")
        data(output)
    if done.failed or found.problems:
        raise typer.Exit(1)


def _list_presets() -> None:
    from wildsr.degradation import PRESETS

    for name, preset in PRESETS.items():
        needs = " (needs --profile)" if preset.needs_profile else ""
        data(f"{name}: {preset.summary}{needs}")
