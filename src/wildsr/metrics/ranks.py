"""Ranks over methods, as the NTIRE 2020 real-world challenge compares them: IQA-Rank and MOR."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError

Scores: TypeAlias = Mapping[str, Mapping[str, Mapping[str, float]]]
"""metric → picture → method → value."""


def ranks(values: Sequence[float], *, higher_is_better: bool) -> NDArray[np.float64]:
    """Return the rank of each value, 1 the best; equal values share the mean of their ranks.

    Args:
        values: One number a method; ±inf is allowed.
        higher_is_better: The metric's direction.

    Raises:
        MetricError: A value is NaN: it has no rank.
    """
    array = np.asarray(values, np.float64)
    if np.isnan(array).any():
        raise MetricError(f"NaN has no rank; the values are {array.tolist()}")
    if higher_is_better:
        array = -array
    better = (array[None] < array[:, None]).sum(axis=1)
    equal = (array[None] == array[:, None]).sum(axis=1)
    result: NDArray[np.float64] = better + (equal + 1) / 2
    return result


def rank_table(scores: Scores, directions: Mapping[str, bool]) -> dict[str, dict[str, dict[str, float]]]:
    """Return the rank of every method per metric and picture, in the layout of `scores`.

    Args:
        scores: metric → picture → method → value; every picture has every method.
        directions: metric → True where higher is better.

    Raises:
        MetricError: A metric without direction, a picture that lacks a method, or a NaN.
    """
    methods = _methods(scores)
    table: dict[str, dict[str, dict[str, float]]] = {}
    for metric, pictures in scores.items():
        if metric not in directions:
            raise MetricError(f"no direction is known for {metric}")
        table[metric] = {}
        for picture, row in pictures.items():
            if set(row) != set(methods):
                missing = ", ".join(sorted(set(methods) ^ set(row)))
                raise MetricError(
                    f"{metric} of {picture} does not have the methods of the others ({missing})"
                )
            ranked = ranks([row[method] for method in methods], higher_is_better=directions[metric])
            table[metric][picture] = dict(zip(methods, ranked.tolist(), strict=True))
    return table


def iqa_rank(scores: Scores, directions: Mapping[str, bool]) -> dict[str, float]:
    """Return IQA-Rank: each method's mean rank over all pictures and metrics; lower is better.

    Ranks are per picture: the published values are multiples of 1/500 (100 pictures × 5 metrics), which ranks
    of means could not be.

    Raises:
        MetricError: As `rank_table`.
    """
    table = rank_table(scores, directions)
    methods = _methods(scores)
    rows = [row for pictures in table.values() for row in pictures.values()]
    return {method: float(np.mean([row[method] for row in rows])) for method in methods}


def mean_opinion_rank(orderings: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Return MOR: the mean rank of each method over people's orderings; lower is better.

    Args:
        orderings: One mapping an ordering, method → place (1 the best); equal places share the mean of their ranks,
            so the results of n methods always sum to n(n + 1)/2.

    Raises:
        MetricError: No orderings, or they are not all of the same methods.
    """
    if not orderings:
        raise MetricError("there are no orderings to average")
    methods = list(orderings[0])
    if any(set(ordering) != set(methods) for ordering in orderings):
        raise MetricError("the orderings are not all of the same methods")
    places = [ranks([ordering[m] for m in methods], higher_is_better=False) for ordering in orderings]
    return dict(zip(methods, np.mean(places, axis=0).tolist(), strict=True))


def _methods(scores: Scores) -> list[str]:
    for pictures in scores.values():
        for row in pictures.values():
            return list(row)
    raise MetricError("there are no scores to rank")
