"""`wildsr degrade`: clean photos in, aligned LR/HR pairs out."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from wildsr.cli.talk import Json, data, data_json, progress_bar, say
from wildsr.errors import InputError, UsageError
from wildsr.files import Job, find_pictures, make_folder, plan_outputs, refuse_existing, shown

if TYPE_CHECKING:
    from wildsr.data import PairSettings
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
        Path | None, typer.Option("-o", "--output", help="Folder for LR/, HR/ and manifest.jsonl.")
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
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace existing pairs.")] = False,
    json: Annotated[bool, typer.Option("--json", help="Print one JSON object.")] = False,
) -> None:
    """Degrade clean photos as a camera would: aligned LR/HR pairs with a manifest of every step."""
    if output is None:
        raise UsageError("no folder given for the pairs", hint="for example -o pairs/")
    settings, used = _settings(profile, preset, scale, seed, clean_up)
    found = find_pictures(inputs or [], recursive=recursive, exclude=output)
    for problem in found.problems:
        say(f"left out: {shown(problem.path)}: {problem.reason}")
    for path in found.ignored:
        say(f"left out: {shown(path)}: no picture")
    plan = plan_outputs(found.pictures, f"{output}/HR/", suffix="", extension="png")
    sources = {one.path: one.relative.as_posix() for one in found.pictures}
    names = [job.target.relative_to(output / "HR").as_posix() for job in plan.jobs]
    from wildsr.data import MANIFEST

    if not overwrite:
        more = [
            Job(source=job.source, target=output / "LR" / name)
            for job, name in zip(plan.jobs, names, strict=True)
        ]
        refuse_existing([*plan.jobs, *more, Job(source=output, target=output / MANIFEST)])
    make_folder(output)
    failed = _make(output, plan.jobs, names, sources, settings, used, overwrite=overwrite, quiet=json)
    made = len(plan.jobs) - len(failed)
    skipped: list[Json] = [{"file": str(path), "reason": reason} for path, reason in failed]
    if json:
        data_json(
            {"output": str(output), "pairs": made, "degradation": settings.chosen.name, "failed": skipped}
        )
    else:
        say(f"{made} pairs by {settings.chosen.name} ({settings.chosen.summary})")
        data(str(output))
    if failed or found.problems:
        raise typer.Exit(1)


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
    scale = scale or (4 if loaded is None else loaded.scale)
    if not 1 <= scale <= 8:
        raise UsageError(f"--scale is {scale}; it must be from 1 to 8")
    settings = PairSettings(
        chosen=choose(preset, scale=scale, profile=loaded), scale=scale, seed=seed, clean_up=clean_up
    )
    return settings, None if profile is None or loaded is None else (profile.name, loaded)


def _make(
    output: Path,
    jobs: Sequence[Job],
    names: Sequence[str],
    sources: dict[Path, str],
    settings: "PairSettings",
    used: "tuple[str, Profile] | None",
    *,
    overwrite: bool,
    quiet: bool,
) -> list[tuple[Path, str]]:
    """Make every pair, then the manifest; return what could not be made, and why."""
    from wildsr.data import MANIFEST, make_pair, write_manifest, write_pair
    from wildsr.data.pairs import entry, head

    failed: list[tuple[Path, str]] = []
    lines = [head(settings, profile=used[0] if used else None, content=used[1].fingerprint if used else None)]
    with progress_bar(quiet=quiet) as bar:
        for job, name in bar.track(list(zip(jobs, names, strict=True)), description="degrading"):
            try:
                pair = make_pair(job.source, name, settings)
            except InputError as error:
                failed.append((job.source, str(error)))
                say(f"left out: {shown(job.source)}: {error}")
                continue
            write_pair(pair, output / "LR" / name, output / "HR" / name, overwrite=overwrite)
            lines.append(entry(name, sources[job.source], pair))
    if len(failed) == len(jobs):
        raise InputError("none of the pictures could be degraded", hint="the reasons are given above")
    write_manifest(output / MANIFEST, lines, overwrite=overwrite)
    return failed
