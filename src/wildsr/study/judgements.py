"""What raters answered, as numbers: one value a shown result, lower is better."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.metrics.ranks import ranks
from wildsr.study.design import LEVELS, Design, Protocol, Trial

Floats: TypeAlias = NDArray[np.float64]
Side: TypeAlias = Literal["left", "right", "same"]

SIDES: Final[dict[Side, tuple[float, float]]] = {"left": (1.0, 2.0), "right": (2.0, 1.0), "same": (1.5, 1.5)}
"""Places of the left and the right result by what was chosen."""


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A rater's answer to a trial."""

    rater: str
    """Who, by a name that says nothing of the person."""

    position: int
    """Which of the rater's trials, from 0."""

    trial: Trial
    """What was asked."""

    values: tuple[float, ...]
    """One number a method of the trial, lower is better: the level (MOS), or places from 1 (equal ones are ties)."""

    seconds: float | None = None
    """Time it took."""


def check_values(protocol: Protocol, trial: Trial, values: Sequence[float]) -> tuple[float, ...]:
    """Return an answer that fits its trial.

    Raises:
        InputError: It does not.
    """
    found = tuple(float(value) for value in values)
    count = len(trial.methods)
    if len(found) != count:
        raise InputError(f"the answer has {len(found)} values; this trial needs {count}")
    if protocol == "mos":
        if found[0] not in range(len(LEVELS)):
            raise InputError(
                f"the level is {found[0]:g}; it must be a whole number from 0 to {len(LEVELS) - 1}"
            )
    elif protocol == "mor":
        if any(value not in range(1, count + 1) for value in found):
            raise InputError(f"places are {_listed(found)}; they must be whole numbers from 1 to {count}")
    elif found not in SIDES.values():
        raise InputError(f"places are {_listed(found)}; they must be 1 and 2, 2 and 1, or 1.5 and 1.5")
    return found


@dataclass(frozen=True, kw_only=True)
class Collected:
    """A design and what was answered."""

    design: Design
    """What was asked."""

    judgements: tuple[Judgement, ...]
    """All answers, repeated trials too."""

    @cached_property
    def raters(self) -> tuple[str, ...]:
        """Those who answered anything, in the order of their first answers."""
        return tuple(dict.fromkeys(one.rater for one in self.judgements))

    def without(self, raters: Iterable[str]) -> "Collected":
        """Return what the others answered."""
        left_out = set(raters)
        kept = tuple(one for one in self.judgements if one.rater not in left_out)
        return Collected(design=self.design, judgements=kept)

    @cached_property
    def values(self) -> Floats:
        """Rater × picture × method: the level (MOS) or the rank from 1 among the methods (MOR); NaN where none.

        A hidden reference takes no rank: the ranks are those that the others have without it. Pairs have no such
        value.
        """
        table = self._empty((len(self.design.methods),))
        hidden = {method.name for method in self.design.methods if method.role == "best"}
        for one, rater, picture in self._first_answers():
            if self.design.protocol == "mos":
                table[rater, picture, self._method[one.trial.methods[0]]] = one.values[0]
            elif self.design.protocol == "mor":
                ranked = [
                    (self._method[name], value)
                    for name, value in zip(one.trial.methods, one.values, strict=True)
                    if name not in hidden
                ]
                places = ranks([value for _, value in ranked], higher_is_better=False)
                for (method, _), rank in zip(ranked, places, strict=True):
                    table[rater, picture, method] = rank
        return table

    @cached_property
    def wins(self) -> Floats:
        """Rater × picture × method × method: how often the first was put before the second; ties count half to each."""
        count = len(self.design.methods)
        table = np.zeros((*self._shape, count, count))
        if self.design.protocol == "mos":
            better = self.values[..., :, None] - self.values[..., None, :]
            table[better < 0] = 1.0
            table[better == 0] = 0.5
            table[..., np.arange(count), np.arange(count)] = 0.0
            return table
        for one, rater, picture in self._first_answers():
            for first, mine in zip(one.trial.methods, one.values, strict=True):
                for second, other in zip(one.trial.methods, one.values, strict=True):
                    if first != second:
                        won = 1.0 if mine < other else 0.5 if mine == other else 0.0
                        table[rater, picture, self._method[first], self._method[second]] += won
        return table

    def repeats(self) -> list[tuple[Judgement, Judgement]]:
        """Return the pairs of first and second answers to the same question."""
        by_place = {(one.rater, one.position): one for one in self.judgements}
        return [
            (by_place[one.rater, one.trial.repeats], one)
            for one in self.judgements
            if one.trial.repeats is not None and (one.rater, one.trial.repeats) in by_place
        ]

    def _first_answers(self) -> Iterable[tuple[Judgement, int, int]]:
        raters = {name: number for number, name in enumerate(self.raters)}
        pictures = {name: number for number, name in enumerate(self.design.pictures)}
        for one in self.judgements:
            if one.trial.repeats is None:
                yield one, raters[one.rater], pictures[one.trial.picture]

    @cached_property
    def _method(self) -> dict[str, int]:
        return {name: number for number, name in enumerate(self.design.method_names)}

    @property
    def _shape(self) -> tuple[int, int]:
        return len(self.raters), len(self.design.pictures)

    def _empty(self, tail: tuple[int, ...]) -> Floats:
        return np.full((*self._shape, *tail), np.nan)


def _listed(values: Sequence[float]) -> str:
    return ", ".join(f"{value:g}" for value in values)
