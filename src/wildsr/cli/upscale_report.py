"""How `wildsr upscale` tells what it did."""

from pathlib import Path

from wildsr.cli.talk import Json, say, size_text, time_text
from wildsr.engine import Plan
from wildsr.engine.jobs import Outcome
from wildsr.files import Job, shown


def outcome_json(outcome: Outcome, comparison: Path | None) -> dict[str, Json]:
    """One photo's entry in `--json`."""
    report = outcome.report
    if report is None:
        return {
            "source": shown(outcome.job.source),
            "status": "failed",
            "reason": outcome.reason,
            "hint": outcome.hint,
        }
    overhead = (report.seconds - report.inference_seconds) / max(report.inference_seconds, 1e-9)
    return {
        "source": shown(outcome.job.source),
        "status": "done",
        "target": shown(outcome.job.target),
        "compare": None if comparison is None else shown(comparison),
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
        "source": shown(job.source),
        "target": shown(job.target),
        **_plan_facts(plan),
        "estimated_seconds": round(seconds, 1),
    }


def plan_line(plan: dict[str, Json]) -> str:
    """The same for a person."""
    return (
        f"{plan['source']} → {plan['target']}: {plan['width']}×{plan['height']}, {plan['tiles']} tiles, "
        f"about {time_text(float(str(plan['estimated_seconds'])))} "
        f"and {size_text(float(str(plan['memory_bytes'])))} of memory"
    )


def tell_outcome(outcome: Outcome, comparison: Path | None) -> None:
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
