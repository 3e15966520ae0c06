"""`wildsr upscale`: photos in, larger photos out."""

import os
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from wildsr.cli.console import Json, data, data_json, progress_bar, say, time_text
from wildsr.cli.fetching import fetch_model
from wildsr.cli.fields import field_help
from wildsr.cli.upscale_dry_run import dry_run
from wildsr.cli.upscale_report import outcome_json, problem_json, tell_outcome
from wildsr.engine import FusionRule, Settings, Size, Upscaler
from wildsr.engine.backends import BackendName, Device, PrecisionChoice
from wildsr.engine.compare import comparison_path, write_comparison
from wildsr.engine.jobs import Outcome, journal_settings, recorded_choices, run_jobs
from wildsr.engine.settings import TilingChoice
from wildsr.errors import WildsrError
from wildsr.files import (
    JOURNAL_NAME,
    Findings,
    Job,
    Journal,
    OutputPlan,
    find_pictures,
    make_folder,
    plan_outputs,
    refuse_existing,
    remove_stale_temporaries,
    scale_suffix,
    shown,
)
from wildsr.imaging import Limits, WriteOptions, open_source
from wildsr.models import DEFAULT_MODEL, Model

Inputs = Annotated[list[str] | None, typer.Argument(help="Photos, folders or patterns.", show_default=False)]


def upscale(
    inputs: Inputs = None,
    more_inputs: Annotated[
        list[str] | None,
        typer.Option("-i", "--input", help="The same as naming it without -i.", show_default=False),
    ] = None,
    output: Annotated[
        str | None,
        typer.Option(
            "-o", "--output", help="Folder for results (made when missing), or a file for a single photo."
        ),
    ] = None,
    model: Annotated[
        str, typer.Option("-m", "--model", help="Catalog name, model file, or folder of a training run.")
    ] = DEFAULT_MODEL,
    scale: Annotated[
        float | None, typer.Option("-s", "--scale", help=field_help(Size, "scale"), show_default=False)
    ] = None,
    width: Annotated[int | None, typer.Option(help=field_help(Size, "width"), show_default=False)] = None,
    max_side: Annotated[
        int | None, typer.Option(help=field_help(Size, "max_side"), show_default=False)
    ] = None,
    suffix: Annotated[
        str | None, typer.Option(help="Added to the name; _x4 (or the scale asked for) by default.")
    ] = None,
    ext: Annotated[
        str | None,
        typer.Option("-f", "--ext", help="Format of results: png (default), jpg, webp, tiff, avif."),
    ] = None,
    recursive: Annotated[
        bool, typer.Option("-r", "--recursive", help="Enter folders in folders; results mirror the tree.")
    ] = False,
    tile: Annotated[int, typer.Option("-t", "--tile", help=field_help(Settings, "tile"))] = 0,
    tiling: Annotated[TilingChoice, typer.Option(help=field_help(Settings, "tiling"))] = "fast",
    precision: Annotated[PrecisionChoice, typer.Option(help=field_help(Settings, "precision"))] = "auto",
    backend: Annotated[BackendName, typer.Option(help=field_help(Settings, "backend"))] = "openvino",
    device: Annotated[Device, typer.Option(help=field_help(Settings, "device"))] = "cpu",
    threads: Annotated[
        int | None, typer.Option(help=field_help(Settings, "threads"), show_default=False)
    ] = None,
    max_memory: Annotated[
        float | None, typer.Option(help=field_help(Settings, "max_memory"), show_default=False)
    ] = None,
    strength: Annotated[float, typer.Option(help=field_help(Settings, "strength"))] = 1.0,
    ensemble: Annotated[bool, typer.Option("--ensemble", help=field_help(Settings, "ensemble"))] = False,
    color_fix: Annotated[
        bool, typer.Option("--color-fix/--no-color-fix", help=field_help(Settings, "color_fix"))
    ] = True,
    fuse_with: Annotated[
        str | None,
        typer.Option(help="Second model (y_S), fused into dark pictures; -m is y_R.", show_default=False),
    ] = None,
    alpha: Annotated[float, typer.Option(help=field_help(FusionRule, "alpha"))] = 0.5,
    beta: Annotated[float, typer.Option(help=field_help(FusionRule, "beta"))] = 0.5,
    gamma: Annotated[float, typer.Option(help=field_help(FusionRule, "gamma"))] = 60.0,
    quality: Annotated[
        int | None, typer.Option(help=field_help(WriteOptions, "quality"), show_default=False)
    ] = None,
    lossless: Annotated[bool, typer.Option("--lossless", help=field_help(WriteOptions, "lossless"))] = False,
    strip_metadata: Annotated[
        bool, typer.Option("--strip-metadata", help=field_help(WriteOptions, "strip_metadata"))
    ] = False,
    strip_gps: Annotated[
        bool, typer.Option("--strip-gps", help=field_help(WriteOptions, "strip_gps"))
    ] = False,
    overwrite: Annotated[
        bool,
        typer.Option(
            "--overwrite",
            help="Replace files that exist; a batch that goes on keeps what it finished (see --no-resume).",
        ),
    ] = False,
    resume: Annotated[
        bool, typer.Option("--resume/--no-resume", help="Go on where an interrupted batch stopped.")
    ] = True,
    plan_only: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and what it takes.")
    ] = False,
    compare: Annotated[
        bool, typer.Option("--compare", help="Also write a before/after picture beside each result.")
    ] = False,
    json: Annotated[
        bool, typer.Option("--json", help="Print one JSON object instead of file names.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Never fetch weights.")] = False,
    max_pixels: Annotated[
        int, typer.Option(help="Largest photo that is opened, in pixels.", show_default=True)
    ] = Limits().max_pixels,
) -> None:
    """Upscale photos, by default ×4 with the winner's weights of the NTIRE 2020 real-world challenge.

    Names of results are printed to stdout, everything else to stderr. Exit code 1 when a photo failed.
    """
    start = time.perf_counter()
    size = Size(scale=scale, width=width, max_side=max_side)
    limits = Limits(max_pixels=max_pixels)
    fusion = FusionRule(alpha=alpha, beta=beta, gamma=gamma)
    settings = Settings(
        precision=precision,
        tile=tile,
        tiling=tiling,
        strength=strength,
        ensemble=ensemble,
        color_fix=color_fix,
        fusion=fusion,
        backend=backend,
        device=device,
        threads=threads,
        max_memory=max_memory,
    )
    options = WriteOptions(
        quality=quality,
        lossless=lossless,
        strip_metadata=strip_metadata,
        strip_gps=strip_gps,
        overwrite=overwrite,
    )
    found = find_pictures(
        [*(inputs or []), *(more_inputs or [])],
        recursive=recursive,
        exclude=Path(output) if output and "\0" not in output else None,
    )
    chosen = fetch_model(model, offline=offline or None)
    names = _without_comparisons(
        plan_outputs(found.pictures, output, suffix=_suffix(suffix, size, chosen.spec.scale), extension=ext)
    )
    single = len(names.jobs) == 1 and found.pictures[0].explicit
    second = fetch_model(fuse_with, offline=offline or None) if fuse_with is not None else None
    upscaler = _open_upscaler(names, settings, chosen, second, resume=resume and not single)
    if upscaler.precision_note:
        say(upscaler.precision_note)
    say(
        f"{upscaler.model.spec.id} on {device} ({backend}, {upscaler.precision}, {upscaler.threads} threads): "
        f"{len(names.jobs)} photo{'s' if len(names.jobs) != 1 else ''}"
    )
    _tell_left_out(found, names)
    if plan_only:
        dry_run(upscaler, names.jobs, size, limits, options, problems=found.problems, json=json)
        return
    results: list[dict[str, Json]] = []
    skipped: list[Json] = []
    stopped: WildsrError | None = None
    try:
        for outcome in _run(
            upscaler, names, size, limits, options, journaled=not single, resume=resume, quiet=json
        ):
            if isinstance(outcome, Job):
                skipped.append(os.fspath(outcome.target))
                continue
            comparison, compare_failed = None, None
            if outcome.report is not None:
                if not json:
                    data(str(outcome.job.target))
                if compare:
                    comparison, compare_failed = _compare(outcome.job, limits, overwrite=overwrite)
            tell_outcome(outcome, comparison, compare_failed)
            results.append(outcome_json(outcome, comparison, compare_failed))
    except WildsrError as error:  # told when the account of what is done is complete
        stopped = error
    done = [one for one in results if one["status"] == "done"]
    failed = [one for one in results if one["status"] == "failed"]
    failed += [problem_json(one) for one in found.problems]
    seconds = time.perf_counter() - start
    if json:
        data_json(
            {
                "model": upscaler.model.spec.id,
                "precision": upscaler.precision,
                "backend": backend,
                "device": device,
                "threads": upscaler.threads,
                "results": list[Json](done),
                "failed": list[Json](failed),
                "skipped": skipped,
                "stopped": None if stopped is None else str(stopped),
                "seconds": round(seconds, 3),
            }
        )
    if (results and len(names.jobs) > 1) or skipped or found.problems:
        say(f"{len(done)} done, {len(skipped)} already done, {len(failed)} failed in {time_text(seconds)}")
    if stopped is not None:
        raise stopped
    if failed or any(one["compare_failed"] for one in done):
        raise typer.Exit(1)


def _compare(job: Job, limits: Limits, *, overwrite: bool) -> tuple[Path | None, str | None]:
    """Write the before/after picture of a result; return its path, or why there is none."""
    path = comparison_path(job.target)
    try:
        write_comparison(open_source(job.source, limits=limits), job.target, path, overwrite=overwrite)
    except WildsrError as error:  # the result itself is good, and so are those to come
        return None, str(error)
    return path, None


def _suffix(suffix: str | None, size: Size, model_scale: int) -> str:
    if suffix is not None:
        return suffix
    if size.width is not None:
        return f"_w{size.width}"
    if size.max_side is not None:
        return f"_max{size.max_side}"
    return scale_suffix(size.scale if size.scale is not None else model_scale)


def _without_comparisons(names: OutputPlan) -> OutputPlan:
    """Leave out the before/after pictures an earlier run put beside results, as a second run finds them."""
    made = {comparison_path(job.target) for job in names.jobs}
    earlier = [job.source for job in names.jobs if job.source in made]
    return replace(
        names,
        jobs=tuple(job for job in names.jobs if job.source not in made),
        earlier_results=(*names.earlier_results, *earlier),
    )


def _open_upscaler(
    names: OutputPlan, settings: Settings, model: Model, second: Model | None, *, resume: bool
) -> Upscaler:
    """Compile the model; a batch that goes on uses the threads and tiles it began with."""
    threads, pixels = recorded_choices(names.folder / JOURNAL_NAME) if resume else (None, None)
    if settings.threads is None:
        settings = replace(settings, threads=threads)
    return Upscaler(
        model, settings, fuse_with=second, tile_pixels=pixels if settings.max_memory is None else None
    )


def _tell_left_out(found: Findings, names: OutputPlan) -> None:
    for problem in found.problems:
        say(f"failed: {shown(problem.path)}: {problem.reason}")
    if found.ignored:
        say(f"{len(found.ignored)} other files are no pictures and were left out")
    if names.earlier_results:
        say(f"{len(names.earlier_results)} pictures are results of others here and were left out")


def _run(
    upscaler: Upscaler,
    names: OutputPlan,
    size: Size,
    limits: Limits,
    options: WriteOptions,
    *,
    journaled: bool,
    resume: bool,
    quiet: bool,
) -> Iterator[Outcome | Job]:
    """Yield what became of each job; a bare Job was done by an earlier run."""
    with ExitStack() as stack:
        jobs, replacing, journal = names.jobs, frozenset[Path](), None
        for folder in {job.target.parent for job in jobs}:
            remove_stale_temporaries(folder)
        if journaled:
            make_folder(names.folder)
            path = names.folder / JOURNAL_NAME
            journal = stack.enter_context(
                Journal.open(path, journal_settings(upscaler, size, options), resume=resume)
            )
            pending = journal.pending(jobs, overwrite=options.overwrite)
            yield from pending.skipped
            for refused in pending.refused:
                job = next(one for one in jobs if one.source == refused.source)
                yield Outcome(job=job, report=None, reason=refused.reason)
            jobs, replacing = pending.run, pending.replacing
        elif not options.overwrite:
            refuse_existing(jobs)
        bar = stack.enter_context(progress_bar(quiet=quiet))
        photos = bar.add_task("photos", total=len(jobs), visible=len(jobs) > 1)
        tiles = bar.add_task("tiles", total=None)
        for outcome in run_jobs(
            upscaler,
            jobs,
            size,
            limits=limits,
            options=options,
            journal=journal,
            replacing=replacing,
            on_start=lambda job: bar.reset(tiles, total=None, description=shown(job.source.name)),
            on_tile=lambda done, total: bar.update(tiles, completed=done, total=total),
        ):
            bar.advance(photos)
            yield outcome
