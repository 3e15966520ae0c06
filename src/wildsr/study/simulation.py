"""Simulated raters, whose true opinions are known."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np

from wildsr.study.design import LEVELS, Design, Protocol, Trial, plan_rater
from wildsr.study.judgements import SIDES, Collected, Floats, Judgement

Carelessness: TypeAlias = Callable[[int, np.random.Generator], Floats]
"""How a careless rater answers: number of results shown → one value each, on the scale of levels."""


@dataclass(frozen=True, kw_only=True)
class Population:
    """What raters feel about a result, on the scale of levels (0 perfect … 5 terrible); all parts are normal.

    Method's mean + rater's strictness + rater's taste for the method + picture's difficulty + how the method does on
    the picture + noise.
    """

    quality: tuple[float, ...]
    """Mean of each method, lower is better."""

    strictness: float = 0.5
    """σ over raters of what they add to everything."""

    taste: float = 0.3
    """σ over raters of what they add to a method."""

    difficulty: float = 0.4
    """σ over pictures of what is added to all results."""

    fit: float = 0.3
    """σ over pictures of what is added to a method's result."""

    noise: float = 0.6
    """σ of every single answer."""

    @property
    def spread(self) -> float:
        """σ of a single answer about the method's mean, over raters, pictures and occasions."""
        parts = (self.strictness, self.taste, self.difficulty, self.fit, self.noise)
        return math.sqrt(sum(part**2 for part in parts))


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """Pictures and raters drawn from a population."""

    population: Population
    pictures: Floats
    """Picture × method: what all raters feel on average."""

    raters: Floats
    """Rater × method: what each adds."""


def draw_world(population: Population, pictures: int, raters: int, rng: np.random.Generator) -> World:
    """Return pictures and raters at random."""
    count = len(population.quality)
    shown: Floats = np.asarray(population.quality) + population.difficulty * rng.normal(size=(pictures, 1))
    shown = shown + population.fit * rng.normal(size=(pictures, count))
    people: Floats = population.strictness * rng.normal(size=(raters, 1))
    people = people + population.taste * rng.normal(size=(raters, count))
    return World(population=population, pictures=shown, raters=people)


def simulate(
    design: Design,
    world: World,
    rng: np.random.Generator,
    *,
    careless: Sequence[Carelessness] = (),
) -> Collected:
    """Return what all raters of a world would answer; the careless ones come behind them."""
    answers: list[Judgement] = []
    methods = {name: place for place, name in enumerate(design.method_names)}
    pictures = {name: place for place, name in enumerate(design.pictures)}
    for number in range(len(world.raters) + len(careless)):
        trials = plan_rater(design, number)
        noise = world.population.noise * rng.normal(size=(len(trials), len(trials[0].methods)))
        name = f"r{number + 1:03}"
        for position, trial in enumerate(trials):
            if number < len(world.raters):
                places = [methods[one] for one in trial.methods]
                felt = world.pictures[pictures[trial.picture]][places] + world.raters[number][places]
                felt = felt + noise[position]
            else:
                felt = careless[number - len(world.raters)](len(trial.methods), rng)
            values = answer(design, trial, felt)
            answers.append(Judgement(rater=name, position=position, trial=trial, values=values))
    return Collected(design=design, judgements=tuple(answers))


def simulate_opinions(protocol: Protocol, world: World, rng: np.random.Generator) -> Floats:
    """Return what `opinion_table` makes of the answers where everybody is asked everything once, without the answers.

    The same numbers in another order of draws, hundreds of times faster.

    Returns:
        Rater × picture × method: level (MOS), rank (MOR), or part of the comparisons lost (pairwise).
    """
    felt: Floats = world.pictures[None] + world.raters[:, None]
    noise = world.population.noise
    if protocol == "mos":
        levels = np.rint(felt + noise * rng.normal(size=felt.shape))
        return np.asarray(np.clip(levels, 0, len(LEVELS) - 1), np.float64)
    if protocol == "mor":
        felt = felt + noise * rng.normal(size=felt.shape)
        return np.asarray(np.argsort(np.argsort(felt, axis=2), axis=2) + 1, np.float64)
    count = felt.shape[2]
    lost = np.zeros(felt.shape)
    for first, second in combinations(range(count), 2):  # each pair is felt anew
        heard = felt[..., [first, second]] + noise * rng.normal(size=(*felt.shape[:2], 2))
        won = heard[..., 0] < heard[..., 1]
        lost[..., first] += ~won
        lost[..., second] += won
    return np.asarray(lost / (count - 1), np.float64)


def answer(design: Design, trial: Trial, felt: Floats) -> tuple[float, ...]:
    """Return the answer of somebody who feels so about the results shown."""
    if design.protocol == "mos":
        return (float(min(max(round(felt[0]), 0), len(LEVELS) - 1)),)
    if design.protocol == "pairwise":
        return SIDES["left"] if felt[0] < felt[1] else SIDES["right"]
    places = np.empty(len(trial.methods))
    places[np.argsort(felt, kind="stable")] = np.arange(1, len(trial.methods) + 1)
    return tuple(places.tolist())


def at_random(shown: int, rng: np.random.Generator) -> Floats:
    """Answer without looking."""
    return rng.uniform(-0.5, 5.5, shown)


def always_the_same(shown: int, rng: np.random.Generator) -> Floats:
    """Press the same button for everything."""
    return np.arange(shown, dtype=np.float64) + 2


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What a study of a population should find."""

    population: Population
    hidden: frozenset[int] = field(default_factory=frozenset)
    """Methods that take no rank."""

    def opinion(self, world: World | None = None) -> Floats:
        """Return each method's true MOS: over all people and pictures, or over all people on a world's pictures."""
        people = self.population
        if world is None:
            return _mean_level(np.asarray(people.quality), people.spread)
        among = math.sqrt(people.strictness**2 + people.taste**2 + people.noise**2)
        middle: Floats = _mean_level(world.pictures, among).mean(axis=0)
        return middle

    def rank(self) -> Floats:
        """Return each method's true mean rank over all people and pictures."""
        chance = self.wins()
        count = len(chance)
        kept = [place for place in range(count) if place not in self.hidden]
        places = np.full(count, np.nan)
        places[kept] = 1 + chance[np.ix_(kept, kept)].T.sum(axis=1)
        return places

    def wins(self) -> Floats:
        """Return how probably the first method is put before the second; 0 on the diagonal."""
        people = self.population
        apart = math.sqrt(2 * (people.taste**2 + people.fit**2 + people.noise**2))
        quality = np.asarray(people.quality)
        chance: Floats = _normal((quality[None] - quality[:, None]) / apart) * (1 - np.eye(len(quality)))
        return chance


_EDGES: Final = np.arange(len(LEVELS) - 1) + 0.5


def _mean_level(middle: Floats, spread: float) -> Floats:
    """Mean of the level that a normal feeling is rounded to: Σ P(level > k)."""
    total: Floats = _normal((middle[..., None] - _EDGES) / spread).sum(axis=-1)
    return total


def _normal(z: Floats) -> Floats:
    from scipy.special import ndtr

    return np.asarray(ndtr(z), np.float64)
