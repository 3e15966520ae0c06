"""Who answered with care: repeated questions, and anchors whose place is known."""

import math
from collections import defaultdict
from dataclasses import dataclass
from typing import Final

import numpy as np

from wildsr.study.judgements import Collected, Floats, Judgement

LEAST_CONSISTENCY: Final = 0.2
"""Without anchors. Simulated honest raters have 0.5 to 0.75 on average; ten repeats scatter by about 0.2."""

LEAST_ANCHORS_RIGHT: Final = 0.75
"""Simulated honest raters put 95 % and more right, those who answer at random 27 to 73 % of thirty."""

LEAST_CHECKS: Final = 5
"""Fewer repeats, or fewer anchors, than this say nothing about a rater."""


@dataclass(frozen=True, kw_only=True)
class RaterCheck:
    """What is known of one rater."""

    rater: str
    """Who."""

    answers: int
    """Trials answered, repeats too."""

    repeats: int
    """Trials answered twice."""

    consistency: float
    """1 for the same answers twice, 0 for answers as far apart as those to different questions; NaN unknown."""

    anchors: int
    """Comparisons with an anchor."""

    anchors_right: float
    """Part of them in which the anchor stood where it must (ties count half: 0.5 is chance); NaN unknown."""

    agreement: float
    """Spearman's correlation with the mean of the others over results; NaN unknown. Told, not used: leaving out
    those who disagree would make agreement out of nothing."""

    seconds: float
    """Median time an answer took; NaN unknown."""

    reasons: tuple[str, ...]
    """Why the rater is left out; none for those who stay."""


def check_raters(found: Collected) -> tuple[RaterCheck, ...]:
    """Return what repeats and anchors say of every rater.

    Left out is who puts anchors hardly better than by chance. Where there are no anchors, it is who answers repeated
    questions hardly more alike than different ones; where there are, who answers them even less alike: a rater with
    the anchors in place looks, and small differences are hard to see twice. Each rule needs five checks of its kind.
    The same answer to everything is no answer either.
    """
    twice: dict[str, list[tuple[Judgement, Judgement]]] = defaultdict(list)
    for first, second in found.repeats():
        twice[first.rater].append((first, second))
    agreement = _agreements(found)
    checks = []
    for number, rater in enumerate(found.raters):
        mine = [one for one in found.judgements if one.rater == rater]
        consistency = _consistency(twice[rater], mine)
        right = _anchors(found, number)
        times = [one.seconds for one in mine if one.seconds is not None]
        share = float(np.mean(right)) if right else math.nan
        checks.append(
            RaterCheck(
                rater=rater,
                answers=len(mine),
                repeats=len(twice[rater]),
                consistency=consistency,
                anchors=len(right),
                anchors_right=share,
                agreement=agreement[number],
                seconds=float(np.median(times)) if times else math.nan,
                reasons=_reasons(mine, len(twice[rater]), consistency, len(right), share),
            )
        )
    return tuple(checks)


def _reasons(
    mine: list[Judgement], repeats: int, consistency: float, anchors: int, right: float
) -> tuple[str, ...]:
    reasons = []
    anchored = anchors >= LEAST_CHECKS
    if len(mine) >= 2 * LEAST_CHECKS and len({one.values for one in mine}) == 1:
        reasons.append(f"gives the same answer to all {len(mine)} questions")
    if repeats >= LEAST_CHECKS and consistency < (0.0 if anchored else LEAST_CONSISTENCY):
        reasons.append(f"answers {repeats} repeated questions differently (consistency {consistency:.2f})")
    if anchored and right < LEAST_ANCHORS_RIGHT:
        reasons.append(f"puts {1 - right:.0%} of {anchors} anchors in the wrong place")
    return tuple(reasons)


def _consistency(twice: list[tuple[Judgement, Judgement]], mine: list[Judgement]) -> float:
    """1 − distance of repeated answers / distance of answers to different questions, of the same rater."""
    if not twice:
        return math.nan
    first = [_by_method(one) for one, _ in twice]
    second = [_by_method(one) for _, one in twice]
    apart = float(np.mean([_distance(a, b) for a, b in zip(first, second, strict=True)]))
    if len(mine[0].trial.methods) == 1:
        levels = np.array([one.values[0] for one in mine])
        chance = float(np.abs(levels[:, None] - levels[None]).sum() / max(levels.size * (levels.size - 1), 1))
    else:
        chance = _chance_distance(len(mine[0].trial.methods))
    if chance == 0:
        return math.nan  # the same answer to everything, which is told by itself
    return 1 - apart / chance


def _by_method(one: Judgement) -> Floats:
    """Values in the order of the methods' names, so that mirrored trials compare."""
    order = np.argsort(one.trial.methods)
    return np.asarray(one.values)[order]


def _distance(first: Floats, second: Floats) -> float:
    """Levels apart (MOS), or the part of pairs that stand the other way round (MOR, pairwise)."""
    if first.size == 1:
        return abs(float(first[0] - second[0]))
    rows, columns = np.triu_indices(first.size, 1)
    one, other = np.sign(first[rows] - first[columns]), np.sign(second[rows] - second[columns])
    return float(np.mean(np.abs(one - other) / 2))


def _chance_distance(count: int) -> float:
    """Of two random orders: every pair stands the other way round half of the time."""
    return 0.5 if count > 1 else math.nan


def _anchors(found: Collected, rater: int) -> list[float]:
    """1 where an anchor stands as it must against another result of its picture, 0 where not, ½ for ties.

    With both kinds of anchors they are compared with each other; with one, it is compared with all results.
    """
    roles = [method.role for method in found.design.methods]
    best = [place for place, role in enumerate(roles) if role == "best"]
    worst = [place for place, role in enumerate(roles) if role == "worst"]
    candidates = [place for place, role in enumerate(roles) if role == "candidate"]
    right = []
    wins = found.wins[rater]
    for above, below in [(a, b) for a in best or candidates for b in worst or candidates]:
        if roles[above] == roles[below]:
            continue
        for picture in range(wins.shape[0]):
            won, lost = wins[picture, above, below], wins[picture, below, above]
            if won + lost > 0:
                right.append(float(won / (won + lost)))
    return right


def _agreements(found: Collected) -> list[float]:
    """Of each rater with the mean of the others, over results that both judged."""
    from scipy.stats import rankdata

    if found.design.protocol == "pairwise":
        table = -found.wins.sum(axis=-1)
        asked = (found.wins + np.swapaxes(found.wins, -1, -2)).sum(axis=-1) > 0
        table = np.where(asked, table, np.nan)
    else:
        table = found.values
    rows = table.reshape(len(found.raters), -1)
    present = ~np.isnan(rows)
    filled = np.where(present, rows, 0)
    result = []
    for number in range(len(rows)):
        count = present.sum(axis=0) - present[number]
        both = present[number] & (count > 0)
        mine = rows[number, both]
        others = (filled.sum(axis=0) - filled[number])[both] / count[both]
        if mine.size < 3 or np.ptp(mine) == 0 or np.ptp(others) == 0:
            result.append(math.nan)
        else:
            result.append(float(np.corrcoef(rankdata(mine), rankdata(others))[0, 1]))
    return result
