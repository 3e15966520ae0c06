"""`wildsr degrade`: clean photos in, aligned LR/HR pairs out."""

import os
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.talk import Json, data, data_json, progress_bar, say
from wildsr.errors import InputError, OutputError, UsageError
from wildsr.files import Found, find_pictures, make_folder, plan_outputs, shown

if TYPE_CHECKING:
    from wildsr.data import Manifest, PairSettings
    from wildsr.degradation import Profile


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
        typer.Option(help="Or a degradation by name: bicubic, samsung_generic, bsrgan, real_esrgan."),
    ] = None,
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
    if not inputs:
        raise UsageError("no input given", hint="wildsr degrade photos/ --preset bsrgan -o pairs/")
    if output is None:
        raise UsageError("no folder given for the pairs", hint="for example -o pairs/")
    if not output or "\0" in output:
        raise UsageError("the output name is empty or has a NUL character in it")
    folder = Path(output)
    settings, used = _settings(profile, preset, scale, seed, clean_up)
    from wildsr.data import MANIFEST

    found = find_pictures(inputs, recursive=recursive, exclude=folder)
    for problem in found.problems:
        say(f"left out: {shown(problem.path)}: {problem.reason}")
    for path in found.ignored:
        if path.name != MANIFEST:
            say(f"left out: {shown(path)}: no picture")
    jobs = _planned(_without_pairs(found.pictures, folder), folder)
    if not overwrite and not (resume and os.path.lexists(folder / MANIFEST)):
        _refuse_existing(jobs, folder)
    make_folder(folder)
    done = _make(folder, jobs, settings, used, resume=resume, overwrite=overwrite, quiet=json)
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


@dataclass(frozen=True, kw_only=True)
class _Job:
    """One pair to make."""

    source: Path
    relative: str
    name: str
    lr: Path
    hr: Path


@dataclass(kw_only=True)
class _Done:
    """What became of the pairs."""

    made: int = 0
    kept: int = 0
    failed: list[tuple[Path, str]] = field(default_factory=list)


def _without_pairs(pictures: Sequence[Found], folder: Path) -> list[Found]:
    """Leave out pairs that an earlier run put below a folder given as input."""
    sides = [Path(os.path.realpath(folder / side)) for side in ("HR", "LR")]

    def is_pair(one: Found) -> bool:
        root, path = (Path(os.path.realpath(place)) for place in (one.root, one.path.parent))
        return any(path.is_relative_to(side) and not root.is_relative_to(side) for side in sides)

    kept = [one for one in pictures if not is_pair(one)]
    if not kept:
        raise InputError(
            f"no picture found beside the pairs in {shown(folder)}", hint="name the clean photos"
        )
    return kept


def _planned(pictures: Sequence[Found], folder: Path) -> list[_Job]:
    """Give every picture the places of its pair; neither may be that of an input or of another's."""
    relative = {one.path: one.relative.as_posix() for one in pictures}
    try:
        hr, lr = (
            plan_outputs(pictures, f"{folder}/{side}/", suffix="", extension="png").jobs
            for side in ("HR", "LR")
        )
    except UsageError as error:
        raise UsageError(
            str(error), hint="run them apart, with another -o; --recursive keeps sub-folders apart"
        ) from error
    return [
        _Job(
            source=high.source,
            relative=relative[high.source],
            name=high.target.relative_to(folder / "HR").as_posix(),
            lr=low.target,
            hr=high.target,
        )
        for high, low in zip(hr, lr, strict=True)
    ]


def _refuse_existing(jobs: Sequence[_Job], folder: Path) -> None:
    """Refuse to start where there is no run to go on with, but files in the way."""
    from wildsr.data import MANIFEST

    targets = [folder / MANIFEST, *(path for job in jobs for path in (job.hr, job.lr))]
    taken = [shown(path) for path in targets if os.path.lexists(path)]
    if taken:
        more = f" and {len(taken) - 3} more" if len(taken) > 3 else ""
        raise OutputError(
            f"{len(taken)} of {len(targets)} files to be made exist already: {', '.join(taken[:3])}{more}",
            hint="--overwrite replaces them; -o gives another folder",
        )


def _settings(
    profile: Path | None, preset: str | None, scale: int | None, seed: int, clean_up: bool
) -> "tuple[PairSettings, tuple[str, Profile] | None]":
    try:
        from wildsr.data import PairSettings
        from wildsr.degradation import Profile, choose
    except ModuleNotFoundError as error:
        raise UsageError(
            f"degrading needs the package {error.name}, which is not installed",
            hint='pip install "wildsr[train]"',
        ) from error
    if profile is None and preset is None:
        raise UsageError(
            "neither a profile nor a preset given", hint="--profile cam.profile, or --preset samsung_generic"
        )
    loaded = None if profile is None else Profile.load(profile)
    if scale is None:
        scale = 4 if loaded is None else loaded.scale
    if not 1 <= scale <= 8:
        raise UsageError(f"--scale is {scale}; it must be from 1 to 8")
    settings = PairSettings(
        chosen=choose(preset, scale=scale, profile=loaded), scale=scale, seed=seed, clean_up=clean_up
    )
    return settings, None if profile is None or loaded is None else (profile.name, loaded)


def _make(
    folder: Path,
    jobs: Sequence[_Job],
    settings: "PairSettings",
    used: "tuple[str, Profile] | None",
    *,
    resume: bool,
    overwrite: bool,
    quiet: bool,
) -> _Done:
    """Make the pairs that aren't there yet; each is in the manifest as soon as it is written."""
    from wildsr.data import Manifest
    from wildsr.data.pairs import head

    done = _Done()
    top = head(settings, profile=used[0] if used else None, content=used[1].fingerprint if used else None)
    with (
        Manifest.open(folder, top, resume=resume, overwrite=overwrite) as manifest,
        progress_bar(quiet=quiet) as bar,
    ):
        try:
            for job in bar.track(jobs, description="degrading"):
                try:
                    if _make_one(job, settings, manifest, overwrite=overwrite):
                        done.made += 1
                    else:
                        done.kept += 1
                except InputError as error:
                    done.failed.append((job.source, str(error)))
                    say(f"left out: {shown(job.source)}: {error}")
        except KeyboardInterrupt:
            say("interrupted; the same command goes on where it stopped")
            raise
        manifest.finish(folder)
    if len(done.failed) == len(jobs):
        with suppress(OSError):
            folder.rmdir()  # only if nothing is in it
        raise InputError("none of the pictures could be degraded", hint="the reasons are given above")
    return done


def _make_one(job: _Job, settings: "PairSettings", manifest: "Manifest", *, overwrite: bool) -> bool:
    """Make a pair and record it; False if it was there already."""
    from wildsr.data import in_the_way, is_made, make_pair, write_pair
    from wildsr.data.pairs import entry

    recorded = manifest.entry(job.name)
    if is_made(job.lr, job.hr, job.source, recorded):
        return False
    pair = make_pair(job.source, job.name, settings)
    if not overwrite and (other := in_the_way(pair, job.lr, job.hr, recorded)):
        raise InputError(
            f"{shown(other)} exists and was not made by this run, or was changed; --overwrite replaces it"
        )
    write_pair(pair, job.lr, job.hr)
    manifest.add(entry(job.name, job.relative, pair, lr=job.lr, hr=job.hr))
    return True
