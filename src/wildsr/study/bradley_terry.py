"""Bradley–Terry: how strong each method is, from who was put before whom.

P(i before j) = exp(sᵢ) / (exp(sᵢ) + exp(sⱼ)) (Bradley and Terry, Biometrika 1952). `choix` fits one table; a bootstrap
needs thousands, among them tables in which a method never won, so here all are fitted at once.
"""

from typing import Final

import numpy as np

from wildsr.study.judgements import Floats

PRIOR: Final = 0.1
"""Wins added to every pair, both ways: without, a method that always won would be infinitely strong."""

_STEPS: Final = 60
_LONGEST_STEP: Final = 2.0


def strengths(wins: Floats, *, prior: float = PRIOR) -> Floats:
    """Return the log-strengths s that make the wins likeliest; their mean is 0, higher is better.

    Args:
        wins: … × method × method: how often the first was put before the second; ties are half a win each.
        prior: Wins added to every pair, both ways.

    Returns:
        … × method. Differences are log-odds: 0.69 is two wins to one.
    """
    count = wins.shape[-1]
    won = wins + prior * (1 - np.eye(count))
    games = won + np.swapaxes(won, -1, -2)
    found = np.zeros(wins.shape[:-1])
    level = np.full((count, count), 1 / count)  # holds the mean at 0 and makes the equations solvable
    for _ in range(_STEPS):
        chance = 1 / (1 + np.exp(found[..., None, :] - found[..., :, None]))
        gradient = won.sum(-1) - (games * chance).sum(-1)
        curvature = games * chance * (1 - chance)
        hessian = -curvature
        places = np.arange(count)
        hessian[..., places, places] = curvature.sum(-1) - curvature[..., places, places]
        step = np.linalg.solve(hessian + level, gradient[..., None])[..., 0]
        step = np.clip(step, -_LONGEST_STEP, _LONGEST_STEP)
        found = found + step
        if np.abs(step).max(initial=0.0) < 1e-10:
            break
    result: Floats = found - found.mean(axis=-1, keepdims=True)
    return result


def win_chance(difference: float) -> float:
    """Return the probability that a method is put before another which is weaker by `difference`."""
    return float(1 / (1 + np.exp(-difference)))
