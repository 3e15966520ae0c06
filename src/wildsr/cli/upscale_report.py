"""How `wildsr upscale` tells what it did."""

import os
from pathlib import Path

from wildsr.cli.console import Json, say, size_text, time_text
from wildsr.engine import Plan
from wildsr.engine.jobs import Outcome
from wildsr.files import Job, Problem, shown


def outcome_json(
    outcome: Outcome, comparison: Path | None, compare_failed: str | None = None
) -> dict[str, Json]:
    """One photo's entry in `--json`, its names as they are on disk."""
    report = outcome.report
    if report is None:
        return {
            "source": os.fspath(outcome.job.source),
            "status": "failed",
            "reason": outcome.reason,
            "hint": outcome.hint,
        }
    overhead = (report.seconds - report.inference_seconds) / max(report.inference_seconds, 1e-9)
    return {
        "source": os.fspath(outcome.job.source),
        "status": "done",
        "target": os.fspath(outcome.job.target),
        "compare": None if comparison is None else os.fspath(comparison),
        "compare_failed": compare_failed,
        **_plan_facts(report.plan),
        "bytes": report.bytes,
        "seconds": round(report.seconds, 3),
        "inference_seconds": round(report.inference_seconds, 3),
        "overhead": round(overhead, 4),
        "drift_before": round(report.drift_before, 4),
        "drift_after": round(report.drift_after, 4),
        "redone_tiles": list[Json](report.redone),
        "fused": report.fused,
        "dropped": list[Json](report.dropped),
        "notes": list[Json](report.notes),
    }


def plan_json(job: Job, plan: Plan, *, seconds: float) -> dict[str, Json]:
    """One photo's entry in `--dry-run --json`."""
    return {
        "source": os.fspath(job.source),
        "target": os.fspath(job.target),
        **_plan_facts(plan),
        "estimated_seconds": round(seconds, 1),
    }


def plan_line(job: Job, plan: Plan, *, seconds: float) -> str:
    """The same for a person."""
    return (
        f"{shown(job.source)} → {shown(job.target)}: {plan.width}×{plan.height}, {plan.tiles} tiles, "
        f"about {time_text(seconds)} and {size_text(plan.memory)} of memory"
    )


def problem_json(problem: Problem) -> dict[str, Json]:
    """An input that can't be looked at, in the `--json` of any run."""
    return {"source": os.fspath(problem.path), "status": "failed", "reason": problem.reason}


def tell_outcome(outcome: Outcome, comparison: Path | None, compare_failed: str | None = None) -> None:
    """Tell what became of one photo."""
    report = outcome.report
    name = shown(outcome.job.source)
    if report is None:
        say(f"failed: {name}: {outcome.reason}")
        if outcome.hint:
            say(f"hint: {outcome.hint}")
        return
    size = f"{report.plan.width}×{report.plan.height}, {size_text(report.bytes)}"
    say(f"{name} → {shown(outcome.job.target)} ({size}) in {time_text(report.seconds)}")
    for note in (*report.notes, *(f"the format can't hold {what}" for what in report.dropped)):
        say(f"  note: {note}")
    if report.redone:
        say(f"  note: {len(report.redone)} tiles were bad in low precision and were redone in fp32")
    if comparison is not None:
        say(f"  before/after: {shown(comparison)}")
    if compare_failed is not None:
        say(f"failed: no before/after picture of {name}: {compare_failed}")


def _plan_facts(plan: Plan) -> dict[str, Json]:
    tile_height, tile_width = plan.passes[-1].grid.tile_size
    return {
        "width": plan.width,
        "height": plan.height,
        "passes": len(plan.passes),
        "tiles": plan.tiles,
        "tile": [tile_height, tile_width],
        "halo": plan.halo,
        "overlap_cost": round(plan.overlap_cost, 4),
        "memory_bytes": plan.memory,
    }
