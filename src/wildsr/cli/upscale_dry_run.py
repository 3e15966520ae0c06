"""`wildsr upscale --dry-run`: what would be done, and what it takes; nothing is written."""

import os

import typer

from wildsr.cli.console import Json, data, data_json, say, size_text, time_text
from wildsr.cli.upscale_report import plan_facts, problem_json
from wildsr.engine import Batch, Estimate, Plan
from wildsr.files import counted, shown


def tell_estimates(batch: Batch, *, json: bool) -> None:
    """Say what each photo will take; ends with exit code 1 where the run itself would."""
    planned: list[Json] = []
    failed: list[Json] = []
    for problem in batch.findings.problems:
        say(f"failed: {shown(problem.path)}: {problem.reason}")
        failed.append(problem_json(problem))
    for one in batch.estimates():
        if one.plan is None or one.seconds is None:
            failed.append({"source": os.fspath(one.job.source), "status": "failed", "reason": one.reason})
            say(f"will fail: {shown(one.job.source)}: {one.reason}")
            continue
        planned.append(_plan_json(one, one.plan, one.seconds))
        if not json:
            data(_plan_line(one, one.plan, one.seconds))
    if json:
        upscaler = batch.upscaler
        data_json(
            {
                "model": upscaler.model.spec.id,
                "sharpness": upscaler.model.sharpness,
                "precision": upscaler.precision,
                "plans": planned,
                "failed": failed,
            }
        )
    if failed:
        raise typer.Exit(1)


def _plan_json(one: Estimate, plan: Plan, seconds: float) -> dict[str, Json]:
    return {
        "source": os.fspath(one.job.source),
        "target": os.fspath(one.job.target),
        **plan_facts(plan),
        "estimated_seconds": round(seconds, 1),
    }


def _plan_line(one: Estimate, plan: Plan, seconds: float) -> str:
    return (
        f"{shown(one.job.source)} → {shown(one.job.target)}: {plan.width}×{plan.height}, "
        f"{counted(plan.tiles, 'tile')}, "
        f"about {time_text(seconds)} and {size_text(plan.memory)} of memory"
    )
