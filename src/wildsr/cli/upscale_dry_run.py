"""`wildsr upscale --dry-run`: what would be done, and what it takes; nothing is written."""

import os
from collections.abc import Sequence

import typer

from wildsr.cli.console import Json, data, data_json, say
from wildsr.cli.upscale_report import plan_json, plan_line, problem_json
from wildsr.engine import Size, Upscaler
from wildsr.engine.plan import Shape
from wildsr.errors import WildsrError
from wildsr.files import Job, Problem, shown
from wildsr.imaging import Limits, WriteOptions, check_output, chosen_format, probe


def dry_run(
    upscaler: Upscaler,
    jobs: Sequence[Job],
    size: Size,
    limits: Limits,
    options: WriteOptions,
    *,
    problems: Sequence[Problem],
    json: bool,
) -> None:
    """Say what each photo will take; ends with exit code 1 where the run itself would."""
    per_pixel = upscaler.seconds_per_pixel()
    planned: list[Json] = []
    failed: list[Json] = [problem_json(one) for one in problems]
    for job in jobs:
        try:
            header = probe(job.source, limits=limits)
            channels = (1 if header.gray else 3) + header.alpha
            plan = upscaler.plan_shape(Shape(header.height, header.width, channels, header.depth), size)
            form = chosen_format(job.target, options)
            check_output(form, plan.width, plan.height, header.depth, header.alpha)
            plan = plan.into(form)
        except WildsrError as error:
            failed.append({"source": os.fspath(job.source), "status": "failed", "reason": str(error)})
            say(f"will fail: {shown(job.source)}: {error}")
            continue
        seconds = plan.network_pixels * per_pixel
        planned.append(plan_json(job, plan, seconds=seconds))
        if not json:
            data(plan_line(job, plan, seconds=seconds))
    if json:
        data_json(
            {
                "model": upscaler.model.spec.id,
                "precision": upscaler.precision,
                "plans": planned,
                "failed": failed,
            }
        )
    if failed:
        raise typer.Exit(1)
