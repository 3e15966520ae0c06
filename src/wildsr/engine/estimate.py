"""What a picture will take, from its header alone."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wildsr.engine.plan import Plan, Shape
from wildsr.engine.settings import Size
from wildsr.engine.upscaler import Upscaler
from wildsr.errors import WildsrError
from wildsr.files import Job
from wildsr.imaging import Limits, WriteOptions, check_output, chosen_format, probe


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a picture will take, or why it will fail."""

    job: Job
    """The picture and the place of its result."""

    plan: Plan | None
    """Size, tiles and memory; None where it will fail."""

    seconds: float | None
    """Time the network will take, as an upper bound."""

    reason: str | None = None
    """Why it will fail."""


def estimate(
    upscaler: Upscaler, jobs: Sequence[Job], size: Size, limits: Limits, options: WriteOptions
) -> Iterator[Estimate]:
    """Yield what each picture will take; measures the network's speed once, and writes nothing."""
    per_pixel = upscaler.seconds_per_pixel()
    for job in jobs:
        try:
            header = probe(job.source, limits=limits)
            channels = (1 if header.gray else 3) + header.alpha
            plan = upscaler.plan_shape(Shape(header.height, header.width, channels, header.depth), size)
            form = chosen_format(job.target, options)
            check_output(
                form, plan.width, plan.height, header.depth, header.alpha and options.background is None
            )
        except WildsrError as error:
            yield Estimate(job=job, plan=None, seconds=None, reason=str(error))
        else:
            yield Estimate(job=job, plan=plan.into(form), seconds=plan.network_pixels * per_pixel)
