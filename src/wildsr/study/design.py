"""What a study asks of whom: methods × pictures × raters, and the trials of each rater in balanced random order."""

from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations
from typing import Final, Literal, TypeAlias, get_args

import numpy as np

from wildsr.errors import UsageError
from wildsr.files import counted, shown
from wildsr.study.orders import apart, blocks, picture_share, williams_square

Protocol: TypeAlias = Literal["mos", "mor", "pairwise"]
"""MOS: rate a result on six levels. MOR: order all results of a picture. Pairwise: choose one of two."""

Role: TypeAlias = Literal["candidate", "best", "worst"]
"""What is known of a method beforehand; `best` and `worst` are anchors that raters are checked by."""

LEVELS: Final = ("perfect", "almost perfect", "slightly worse", "worse", "much worse", "terrible")
"""The six levels of MOS in the NTIRE 2020 and AIM 2019 challenges, from 0; lower is better."""

MOST_ORDERED: Final = 12
"""Results that a person can order at a time."""

_MOST_TRIALS: Final = 5000


@dataclass(frozen=True, kw_only=True)
class StudyMethod:
    """A method of a study."""

    name: str
    """Its name in tables; raters never see it."""

    role: Role = "candidate"
    """`best` for a hidden reference, `worst` for a low anchor."""


@dataclass(frozen=True, kw_only=True)
class Trial:
    """One thing a rater is asked."""

    picture: str
    """Name of the picture."""

    methods: tuple[str, ...]
    """Methods in the order in which their results are shown: one (MOS), all (MOR), two (pairwise)."""

    repeats: int | None = None
    """Position of the trial that this one repeats; only the first answer counts in results."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """What a study asks; the same design and seed always give the same trials."""

    protocol: Protocol
    """`mos`, `mor` or `pairwise`."""

    methods: tuple[StudyMethod, ...]
    """Candidates and anchors."""

    pictures: tuple[str, ...]
    """Names of the pictures."""

    reference_shown: bool = True
    """Whether raters see the ground truth beside the results."""

    pictures_per_rater: int | None = None
    """How many of the pictures a rater judges; all by default. Every picture gets equally many raters."""

    trials_per_picture: int | None = None
    """How many of a picture's results (MOS) or pairs (pairwise) a rater judges; all by default."""

    duplicates: int = 0
    """Trials that are asked a second time, to see whether a rater answers alike."""

    seed: int = 0
    """Decides all orders."""

    def __post_init__(self) -> None:
        if self.protocol not in get_args(Protocol):
            raise UsageError(
                f"there is no protocol {shown(self.protocol)}; there are {', '.join(get_args(Protocol))}"
            )
        least = 1 if self.protocol == "mos" else 2
        if len(self.methods) < least:
            raise UsageError(
                f"{self.protocol} needs {counted(least, 'method')} or more, not {len(self.methods)}"
            )
        if self.protocol == "mor" and len(self.methods) > MOST_ORDERED:
            raise UsageError(
                f"nobody can order {len(self.methods)} results of a picture; at most {MOST_ORDERED}",
                hint="--protocol pairwise asks about two at a time",
            )
        _unique("method", self.method_names)
        _unique("picture", self.pictures)
        _within("pictures per rater", self.pictures_per_rater, 1, len(self.pictures))
        _within("trials per picture", self.trials_per_picture, 1, len(self.units))
        _within("duplicates", self.duplicates, 0, self._first_trials // 2)
        if self._first_trials > _MOST_TRIALS:
            raise UsageError(
                f"a rater would have {self._first_trials} trials; at most {_MOST_TRIALS}",
                hint="ask less of each: --pictures-per-rater, --trials-per-picture",
            )

    @property
    def method_names(self) -> tuple[str, ...]:
        """Names of the methods, anchors too."""
        return tuple(method.name for method in self.methods)

    @property
    def units(self) -> tuple[tuple[str, ...], ...]:
        """What is asked of one picture: the methods of each trial."""
        if self.protocol == "mos":
            return tuple((name,) for name in self.method_names)
        if self.protocol == "mor":
            return (self.method_names,)
        return tuple(combinations(self.method_names, 2))

    @property
    def trials_per_rater(self) -> int:
        """Trials of each rater, duplicates too."""
        return self._first_trials + self.duplicates

    @property
    def _first_trials(self) -> int:
        per_picture = self.trials_per_picture or len(self.units)
        return (self.pictures_per_rater or len(self.pictures)) * per_picture


@lru_cache(maxsize=512)
def plan_rater(design: Design, number: int) -> tuple[Trial, ...]:
    """Return the trials of the rater with a number (0 the first), in order.

    Each round asks about every picture once, so that a picture comes back as late as it can. Over the raters every
    result stands in every round equally often, in MOR every result in every place and behind every other one equally
    often (Williams, 1949), in pairs left and right equally often.
    """
    rng = np.random.default_rng((design.seed, number))
    pictures = picture_share(len(design.pictures), design.pictures_per_rater, number, seed=design.seed)
    units = design.units
    rounds = design.trials_per_picture or len(units)
    asked = [
        Trial(
            picture=design.pictures[picture],
            methods=_shown_order(design, units[unit], unit + picture + number),
        )
        for picture, unit in blocks(pictures, len(units), rounds, number, rng)
    ]
    return _with_duplicates(asked, design.duplicates, rng)


def _shown_order(design: Design, methods: tuple[str, ...], turn: int) -> tuple[str, ...]:
    if design.protocol == "pairwise":
        return methods if turn % 2 == 0 else methods[::-1]
    if design.protocol == "mor":
        square = williams_square(len(methods))
        return tuple(methods[place] for place in square[turn % len(square)])
    return methods


def _with_duplicates(asked: list[Trial], count: int, rng: np.random.Generator) -> tuple[Trial, ...]:
    """Repeat trials of the first half, far behind themselves and mirrored, so that they are not known again."""
    if not count:
        return tuple(asked)
    total = len(asked)
    chosen = sorted(int(one) for one in rng.choice(max(total // 2, count), count, replace=False))
    behind = [apart(first, total, rng) for first in chosen]
    sequence: list[tuple[float, Trial, int | None]] = [
        (float(position), trial, None) for position, trial in enumerate(asked)
    ]
    sequence += [(place, asked[first], first) for place, first in zip(behind, chosen, strict=True)]
    sequence.sort(key=lambda one: one[0])
    now = {original: place for place, (original, _, of) in enumerate(sequence) if of is None}
    return tuple(
        trial
        if of is None
        else Trial(picture=trial.picture, methods=trial.methods[::-1], repeats=now[float(of)])
        for _, trial, of in sequence
    )


def _unique(kind: str, names: tuple[str, ...]) -> None:
    if not names:
        raise UsageError(f"a study needs a {kind}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise UsageError(f"two {kind}s are called {shown(twice[0])}", hint=f"name each {kind} once")


def _within(what: str, value: int | None, low: int, high: int) -> None:
    if value is not None and not low <= value <= high:
        raise UsageError(f"{what} is {value}; it must be from {low} to {high} in this study")
