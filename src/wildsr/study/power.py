"""How many raters a study needs for intervals of a wanted width, by simulation."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from wildsr.errors import UsageError
from wildsr.study.analysis import opinion_table
from wildsr.study.bootstrap import Drawn, Over, Weights, bootstrap, draw, means, resampled_means
from wildsr.study.design import Design
from wildsr.study.judgements import Collected, Floats
from wildsr.study.simulation import Population, draw_world, simulate

MOST_RATERS: Final = 500
_RESAMPLES: Final = 400


@dataclass(frozen=True, kw_only=True)
class Expected:
    """What to expect of a number of raters."""

    raters: int
    """How many."""

    width: float
    """Mean width of the 95 % intervals of the methods' means."""

    told_apart: float
    """Part of the pairs of methods next to each other whose difference excludes 0."""


@dataclass(frozen=True, kw_only=True)
class Power:
    """How the width falls with the number of raters."""

    tried: tuple[Expected, ...]
    """By number of raters."""

    needed: int | None
    """Fewest raters tried that suffice; None where none do."""

    floor: float
    """Width that is left with the most raters: what other pictures would change."""


def raters_needed(
    design: Design,
    population: Population,
    *,
    width: float,
    over: Over = "both",
    studies: int = 20,
    most: int = MOST_RATERS,
    seed: int = 0,
    watch: Callable[[int], None] | None = None,
) -> Power:
    """Return how many raters give intervals no wider than wanted.

    Numbers of raters are doubled until one suffices, then halved in.

    Args:
        design: What will be asked; its methods are those of the population.
        population: What is expected of people and pictures.
        width: Wanted width of the 95 % interval of a method's mean: levels (MOS), ranks (MOR), parts of 1 (pairwise).
        over: What intervals allow for.
        studies: Simulated for each number of raters.
        most: Raters at most.
        seed: Of the simulation.
        watch: Told every number before it is tried.

    Raises:
        UsageError: A width that is no width.
    """
    if not width > 0 or math.isinf(width):
        raise UsageError(f"the width is {width:g}; it must be more than 0")
    tried: dict[int, Expected] = {}

    def suffices(raters: int) -> bool:
        if raters not in tried:
            if watch is not None:
                watch(raters)
            tried[raters] = expect(design, population, raters, over=over, studies=studies, seed=seed)
        return tried[raters].width <= width

    high = 4
    while not suffices(high) and high < most:
        high = min(2 * high, most)
    needed = high if suffices(high) else None
    if needed is not None:
        low = high // 2 if high > 4 else 1
        while needed - low > 1:
            middle = (needed + low) // 2
            if suffices(middle):
                needed = middle
            else:
                low = middle
    floor = tried[max(tried)].width
    return Power(tried=tuple(tried[one] for one in sorted(tried)), needed=needed, floor=floor)


def expect(
    design: Design, population: Population, raters: int, *, over: Over, studies: int, seed: int = 0
) -> Expected:
    """Return what simulated studies with so many raters give on average."""
    widths, apart = [], []
    for study in range(studies):
        rng = np.random.default_rng((seed, raters, study))
        world = draw_world(population, len(design.pictures), raters, rng)
        table = opinion_table(simulate(design, world, rng))
        weights = draw((table.shape[0], table.shape[1]), over=over, resamples=_RESAMPLES, rng=rng)
        middle, drawn = means(table), _drawn(table, weights)
        places = np.argsort(middle[~np.isnan(middle)])
        for place in places:
            one = drawn.interval(float(middle[place]), int(place))
            widths.append(one.high - one.low)
        for first, second in pairwise(places):
            gap = drawn.interval(0.0, int(second), minus=int(first))
            apart.append(float(gap.low > 0))
    return Expected(raters=raters, width=float(np.mean(widths)), told_apart=float(np.mean(apart or [0.0])))


def _drawn(table: Floats, weights: Weights) -> Drawn:
    return bootstrap(lambda chosen: resampled_means(table, chosen), weights)


def fit_population(found: Collected) -> Population:
    """Return the population that a pilot study's levels speak of (moments of a crossed design, Searle 1971).

    Raises:
        UsageError: Not MOS, or too few answers to tell people, pictures and noise apart.
    """
    table = found.values
    complete = table[~np.isnan(table).any(axis=(1, 2))]
    if found.design.protocol != "mos" or min(complete.shape) < 2:
        raise UsageError(
            "a pilot must be a MOS study of two methods or more that two or more raters have finished",
            hint="without --pilot, usual values are taken",
        )
    methods = complete.shape[2]
    parts = [_variances(complete[:, :, one]) for one in range(methods)]
    person, picture, noise = np.mean(parts, axis=0)
    middle = complete.mean(axis=2)
    shared_person, shared_picture, _ = _variances(middle)
    common_person = _shared(shared_person, person, methods)
    common_picture = _shared(shared_picture, picture, methods)
    return Population(
        quality=tuple(complete.mean(axis=(0, 1)).tolist()),
        strictness=math.sqrt(common_person),
        taste=math.sqrt(max(person - common_person, 0.0)),
        difficulty=math.sqrt(common_picture),
        fit=math.sqrt(max(picture - common_picture, 0.0)),
        noise=math.sqrt(noise),
    )


def _shared(of_means: float, single: float, methods: int) -> float:
    """Variance that methods have in common: var of means = shared + (single − shared)/methods."""
    return min(max((methods * of_means - single) / (methods - 1), 0.0), single)


def _variances(table: Floats) -> tuple[float, float, float]:
    """Of raters, of pictures and what is left, in a complete table of both."""
    rows, columns = table.shape
    middle = table.mean()
    by_row, by_column = table.mean(axis=1), table.mean(axis=0)
    left = table - by_row[:, None] - by_column[None] + middle
    noise = float((left**2).sum() / ((rows - 1) * (columns - 1)))
    row = float(by_row.var(ddof=1)) - noise / columns
    column = float(by_column.var(ddof=1)) - noise / rows
    return max(row, 0.0), max(column, 0.0), noise


def usual_population(methods: int) -> Population:
    """Return a population as studies of super-resolution have it: means from 1 to 4, spread evenly."""
    return Population(quality=tuple(np.linspace(1.0, 4.0, methods).tolist()))
