"""`wildsr degrade`: clean photos in, aligned LR/HR pairs out."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer

from wildsr.cli import degrade_options as options
from wildsr.cli.console import Json, data, data_json, data_name, progress_bar, say
from wildsr.errors import UsageError
from wildsr.files import counted, find_pictures, shown
from wildsr.files.display import shown_some

if TYPE_CHECKING:
    from wildsr.data.pairing import PairsMade
    from wildsr.degradation import Chosen


def degrade(
    inputs: options.Inputs = None,
    profile: options.ProfileFile = None,
    preset: options.PresetName = None,
    listed: options.Listed = False,
    output: options.Output = None,
    scale: options.Scale = None,
    seed: options.Seed = 0,
    clean_up: options.CleanUp = False,
    recursive: options.Recursive = False,
    overwrite: options.Overwrite = False,
    resume: options.Resume = True,
    json: options.AsJson = False,
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
    if renamed := [shown(job.name) for job in jobs if job.renamed]:
        keep = "keeps" if len(renamed) == 1 else "keep"
        say(
            f"{counted(len(renamed), 'pair')} would share a name and {keep} the extension in it: {shown_some(renamed)}"
        )
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
    _tell(done, output, settings.chosen, json=json)
    if done.failed or found.problems:
        raise typer.Exit(1)


def _tell(done: "PairsMade", output: str, chosen: "Chosen", *, json: bool) -> None:
    if json:
        failed: list[Json] = [{"file": str(path), "reason": reason} for path, reason in done.failed]
        data_json(
            {
                "output": output,
                "pairs": done.made,
                "already_done": done.kept,
                "degradation": chosen.name,
                "failed": failed,
            }
        )
        return
    there = f", {done.kept} already done" if done.kept else ""
    say(f"{counted(done.made, 'pair')} by {chosen.name} ({chosen.summary}){there}")
    data_name(Path(output))


def _list_presets() -> None:
    from wildsr.degradation import PRESETS

    for name, preset in PRESETS.items():
        needs = " (needs --profile)" if preset.needs_profile else ""
        data(f"{name}: {preset.summary}{needs}")
