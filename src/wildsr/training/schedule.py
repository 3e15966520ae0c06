"""The learning rate as a function of the step: nothing to store, nothing to restore."""

import math

from wildsr.training.settings import OptimiserSettings


def learning_rate(settings: OptimiserSettings, step: int, total: int | None) -> float:
    """Learning rate of step `step` (counted from 0) out of `total`.

    Args:
        settings: Peak, warm-up and shape.
        step: Which step.
        total: Steps in all; None while a time budget has not fixed them yet, when only the warm-up applies.
    """
    factor = min(1.0, (step + 1) / settings.warm_up) if settings.warm_up else 1.0
    if total is None or settings.schedule == "constant":
        return settings.learning_rate * factor
    done = min(step / total, 1.0)
    if settings.schedule == "steps":
        factor *= settings.decay ** sum(done >= milestone for milestone in settings.milestones)
    else:
        within = math.fmod(done * settings.restarts, 1.0) if done < 1 else 1.0
        factor *= settings.floor + (1 - settings.floor) * 0.5 * (1 + math.cos(math.pi * within))
    return settings.learning_rate * factor
