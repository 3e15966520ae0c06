"""What a run will take, from the headers of a few of its pictures and the network's speed here."""

import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.batch.planning import Plan
from wildsr.engine import Upscaler
from wildsr.engine.estimate import estimate
from wildsr.files import Job
from wildsr.imaging import Limits

SAMPLE: Final = 24
"""Pictures looked at, spread evenly over the run's."""


@dataclass(frozen=True, kw_only=True)
class Cost:
    """What a run will take; all but `pictures` is carried over from a sample to the whole."""

    pictures: int
    sampled: int
    """How many were looked at."""

    unusable: int
    """How many of these can't be upscaled."""

    megapixels: float
    """Of the pictures."""

    result_megapixels: float

    core_seconds: float
    """Time the network takes, as an upper bound, times the cores it takes."""

    hours: float
    """With all workers, where they are as fast as this machine."""


def cost_of(plan: Plan) -> Cost:
    """Estimate what a plan will take; nothing is written.

    Raises:
        Exception: A store doesn't answer.
    """
    work, tasks = plan.work, plan.tasks
    count = min(SAMPLE, len(tasks))
    if not count:
        return Cost(
            pictures=0, sampled=0, unusable=0, megapixels=0, result_megapixels=0, core_seconds=0, hours=0
        )
    upscaler = Upscaler(work.model, work.settings, tile_pixels=work.tile_pixels)
    with tempfile.TemporaryDirectory(prefix="wildsr-batch-") as name:
        jobs = []
        for number in range(count):
            task, folder = tasks[number * len(tasks) // count], Path(name, str(number))
            folder.mkdir()
            jobs.append(
                Job(source=work.input.fetch(task.source, folder), target=folder / Path(task.target).name)
            )
        found = list(estimate(upscaler, jobs, work.size, Limits(), work.options))
    plans = [one.plan for one in found if one.plan is not None]
    scale = len(tasks) / count
    seconds = sum(one.seconds or 0 for one in found) * scale
    return Cost(
        pictures=len(tasks),
        sampled=count,
        unusable=count - len(plans),
        megapixels=sum(one.passes[0].height * one.passes[0].width for one in plans) * scale / 1e6,
        result_megapixels=sum(one.height * one.width for one in plans) * scale / 1e6,
        core_seconds=seconds * plan.threads,
        hours=seconds / min(plan.workers, len(tasks)) / 3600,
    )
