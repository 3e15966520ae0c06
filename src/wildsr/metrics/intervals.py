"""Means over pictures, and how sure they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

_RESAMPLES: Final = 2000
_SEED: Final = 0
_AT_ONCE: Final = 1_000_000
"""Values drawn at a time: all resamples of a million pictures would take 32 GB."""


@dataclass(frozen=True, kw_only=True)
class Interval:
    """A mean and its 95 % bootstrap interval over pictures."""

    mean: float
    """Over the pictures that count."""

    low: float
    """2.5th percentile of the means of resampled sets."""

    high: float
    """97.5th percentile."""

    count: int
    """Pictures that count."""


def interval(values: Sequence[float]) -> Interval | None:
    """Return the mean and its 95 % percentile-bootstrap interval (2000 resamples, fixed seed)."""
    if not values:
        return None
    array = np.asarray(values, np.float64)
    rng, rows = np.random.default_rng(_SEED), max(1, _AT_ONCE // array.size)
    means = [
        array[rng.integers(0, array.size, (min(rows, _RESAMPLES - first), array.size))].mean(axis=1)
        for first in range(0, _RESAMPLES, rows)
    ]
    low, high = np.percentile(np.concatenate(means), [2.5, 97.5])
    return Interval(mean=float(array.mean()), low=float(low), high=float(high), count=array.size)
