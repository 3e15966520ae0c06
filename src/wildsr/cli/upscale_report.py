"""How `wildsr upscale` tells what it does and did."""

import os

import typer

from wildsr.cli.console import Json, data_json, data_name, say, size_text, time_text
from wildsr.engine import Batch, Outcome, Plan, Report
from wildsr.errors import WildsrError
from wildsr.files import Problem, counted, shown
from wildsr.files.display import shown_some


def tell_plan(batch: Batch) -> None:
    """Say what will run, on how many photos, and what was left out."""
    runs, count = batch.upscaler.execution, len(batch.outputs.jobs)
    if runs.note:
        say(runs.note)
    model = batch.upscaler.model
    dial = "" if model.sharpness is None else f", sharpness {model.sharpness:g},"
    say(
        f"{model.spec.id}{dial} on {runs.device} ({runs.backend}, {runs.precision}, "
        f"{counted(batch.upscaler.threads, 'thread')}): {counted(count, 'photo')}"
    )
    if batch.findings.ignored:
        ignored = len(batch.findings.ignored)
        say(f"{counted(ignored, 'other file', 'is no picture and was', 'are no pictures and were')} left out")
    if batch.outputs.earlier_results:
        earlier = len(batch.outputs.earlier_results)
        which = (
            "is the result of another here and was" if earlier == 1 else "are results of others here and were"
        )
        say(f"{counted(earlier, 'picture')} {which} left out")
    if renamed := batch.outputs.renamed:
        say(
            f"{counted(len(renamed), 'result')} would share a name and {'keeps' if len(renamed) == 1 else 'keep'} "
            "the extension in it: "
            f"{shown_some([shown(job.target.name) for job in renamed])}"
        )


class Account:
    """What became of the photos: told as it comes, summed up at the end."""

    def __init__(self, *, json: bool) -> None:
        self._json = json
        self._outcomes: list[Outcome] = []
        self.stopped: WildsrError | KeyboardInterrupt | None = None
        """What ended the batch before its time."""

    def add(self, outcome: Outcome) -> None:
        """Take up what became of one photo; a result's name is data."""
        self._outcomes.append(outcome)
        if outcome.status == "done" and outcome.target is not None and not self._json:
            data_name(outcome.target)
        _tell(outcome)

    def close(self, batch: Batch, *, seconds: float) -> None:
        """Sum up.

        Raises:
            WildsrError, KeyboardInterrupt: What ended the batch.
            typer.Exit: With code 1, where a photo failed.
        """
        done, skipped, failed = (
            [one for one in self._outcomes if one.status == status]
            for status in ("done", "skipped", "failed")
        )
        if self._json:
            data_json(self._summary(batch, done, skipped, failed, seconds))
        looked_at = [one for one in self._outcomes if one.status != "skipped" and one.target is not None]
        if (looked_at and len(batch.outputs.jobs) > 1) or skipped or len(failed) > len(looked_at):
            say(
                f"{len(done)} done, {len(skipped)} already done, {len(failed)} failed in {time_text(seconds)}"
            )
        if self.stopped is not None:
            raise self.stopped
        if failed or any(one.comparison_failed for one in done):
            raise typer.Exit(1)

    def _summary(
        self, batch: Batch, done: list[Outcome], skipped: list[Outcome], failed: list[Outcome], seconds: float
    ) -> dict[str, Json]:
        runs = batch.upscaler.execution
        return {
            "model": batch.upscaler.model.spec.id,
            "sharpness": batch.upscaler.model.sharpness,
            "precision": runs.precision,
            "backend": runs.backend,
            "device": runs.device,
            "threads": batch.upscaler.threads,
            "results": [_done_json(one, one.report) for one in done if one.report is not None],
            "failed": [_failed_json(one) for one in sorted(failed, key=lambda one: one.target is None)],
            "skipped": [os.fspath(one.target) for one in skipped if one.target is not None],
            "stopped": None if self.stopped is None else str(self.stopped) or "interrupted",
            "seconds": round(seconds, 3),
        }


def problem_json(problem: Problem) -> dict[str, Json]:
    """An input that can't be looked at."""
    return {"source": os.fspath(problem.path), "status": "failed", "reason": problem.reason}


def plan_facts(plan: Plan) -> dict[str, Json]:
    """Size, tiles and memory of a plan."""
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


def _done_json(outcome: Outcome, report: Report) -> dict[str, Json]:
    """One result, its names as they are on disk."""
    overhead = (report.seconds - report.inference_seconds) / max(report.inference_seconds, 1e-9)
    return {
        "source": os.fspath(outcome.source),
        "status": "done",
        "target": os.fspath(report.target),
        "compare": None if outcome.comparison is None else os.fspath(outcome.comparison),
        "compare_failed": outcome.comparison_failed,
        **plan_facts(report.plan),
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


def _failed_json(outcome: Outcome) -> dict[str, Json]:
    return {
        "source": os.fspath(outcome.source),
        "status": "failed",
        "reason": outcome.reason,
        "hint": outcome.hint,
    }


def _tell(outcome: Outcome) -> None:
    """Tell a person what became of one photo."""
    name = shown(outcome.source)
    if outcome.status == "failed":
        say(f"failed: {name}: {outcome.reason}")
        if outcome.hint:
            say(f"hint: {outcome.hint}")
    report = outcome.report
    if report is None:
        return
    size = f"{report.plan.width}×{report.plan.height}, {size_text(report.bytes)}"
    say(f"{name} → {shown(report.target)} ({size}) in {time_text(report.seconds)}")
    for note in (*report.notes, *(f"the format can't hold {what}" for what in report.dropped)):
        say(f"  note: {note}")
    if report.redone:
        say(
            f"  note: {counted(len(report.redone), 'tile', 'was', 'were')} bad in low precision and redone in fp32"
        )
    if outcome.comparison is not None:
        say(f"  before/after: {shown(outcome.comparison)}")
    if outcome.comparison_failed is not None:
        say(f"failed: no before/after picture of {name}: {outcome.comparison_failed}")
