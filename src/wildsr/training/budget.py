"""Budgets that are too small to be of use, said before anything starts."""

from typing import Final

from torch import nn

from wildsr.errors import UsageError
from wildsr.training.durations import duration
from wildsr.training.pace import seconds_per_step
from wildsr.training.session import Say
from wildsr.training.settings import DataSettings

_FEWEST: Final = 20
"""Steps below which nothing is learnt."""

_USEFUL: Final = 500
"""Steps below which a network that starts from nothing is hardly better than bicubic."""


def check_budget(
    seconds: float, network: nn.Module, data: DataSettings, *, scale: int, share: float, say: Say
) -> None:
    """Refuse a time budget that holds no training, and say so where it holds a poor one.

    Args:
        seconds: The budget of the whole run (0: none).
        network: The generator.
        data: Patch and batch.
        scale: HR pixels per LR pixel along one side.
        share: Of the budget that the shortest stage gets.
        say: Takes the note.

    Raises:
        UsageError: The shortest stage would have fewer than 20 steps, without losses and validation.
    """
    if not seconds:
        return
    pace, _ = seconds_per_step(network, scale=scale, patch=data.patch, batch=data.batch)
    steps = int(seconds * share / pace)
    holds = f"{duration(seconds)} hold about {steps} steps of the shortest stage, {pace:.2g} s each"
    if steps < _FEWEST:
        raise UsageError(
            f"{holds}: nothing can be learnt in so few",
            hint=f"give it at least {duration(_USEFUL * pace / share)}, or take a smaller network, batch or patch",
        )
    if steps < _USEFUL:
        say(f"note: {holds}; below {_USEFUL} the result will hardly be better than where it starts from")
