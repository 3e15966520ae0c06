"""From answers to findings: who is best, how surely, how far raters agree, and which metric agrees with them."""

import math
from dataclasses import dataclass

import numpy as np

from wildsr.errors import UsageError
from wildsr.study.agreement import Concordance, alpha, concordance
from wildsr.study.bootstrap import (
    RESAMPLES,
    Drawn,
    Estimate,
    Over,
    Weights,
    bootstrap,
    draw,
    means,
    resampled_means,
    resampled_sums,
)
from wildsr.study.bradley_terry import strengths
from wildsr.study.correlation import Correlation, MetricValues, aligned, correlate
from wildsr.study.judgements import Collected, Floats
from wildsr.study.screening import RaterCheck, check_raters


@dataclass(frozen=True, kw_only=True)
class Standing:
    """What raters think of a method."""

    method: str
    """Its name."""

    place: int
    """1 the best; 0 for a hidden reference, which takes no place in MOR."""

    opinion: Estimate
    """Mean level (MOS), mean rank (MOR), or part of comparisons lost (pairwise); lower is better."""

    behind: Estimate
    """How much it is behind the best, from the same answers: what decides whether the two differ."""

    strength: Estimate
    """Bradley–Terry's log-strength, mean 0 over the methods, higher is better."""

    answers: int
    """First answers about it."""

    @property
    def ties_with_best(self) -> bool:
        """Whether it can't be told from the best: the interval of the difference holds 0."""
        return self.place > 1 and self.behind.low <= 0


@dataclass(frozen=True, kw_only=True)
class Findings:
    """The result of a study."""

    found: Collected
    """The answers that count."""

    standings: tuple[Standing, ...]
    """Best first; a hidden reference that takes no place last."""

    over: Over
    """What the intervals allow for."""

    checks: tuple[RaterCheck, ...]
    """Every rater, those left out too."""

    together: Concordance | None
    """Kendall's W of all orders; None where there are none."""

    within: float
    """Mean of Kendall's W within a picture; NaN where there is none."""

    alpha: float
    """Krippendorff's alpha; NaN where it can't be said."""

    results: tuple[Correlation, ...]
    """Metrics against opinions over single results."""

    methods: tuple[Correlation, ...]
    """Metrics against opinions over the methods' means."""

    scores: MetricValues
    """The metrics' values, as given."""

    notes: tuple[str, ...]
    """What a reader must know."""


def analyse(
    found: Collected,
    *,
    over: Over = "both",
    screen: bool = True,
    scores: MetricValues | None = None,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Findings:
    """Return what a study found.

    Args:
        found: The answers.
        over: What intervals allow for: other `raters`, other `pictures`, or `both`.
        screen: Leave out raters whom repeats and anchors speak against.
        scores: Values of metrics, to correlate with.
        resamples: Of the bootstrap.
        seed: Of the bootstrap.

    Raises:
        UsageError: Nobody has answered, or nobody is left.
    """
    if not found.judgements:
        raise UsageError("nobody has answered yet", hint="wildsr study status says who has begun")
    checks = check_raters(found)
    out = [one.rater for one in checks if one.reasons] if screen else []
    kept = found.without(out)
    if not kept.judgements:
        raise UsageError(
            f"all {len(checks)} raters would be left out",
            hint="--no-screen keeps them; look at their checks first",
        )
    together, within = concordance(kept)
    table = opinion_table(kept)
    by_result, by_method = _correlations(kept, table, scores or {})
    return Findings(
        found=kept,
        standings=_standings(kept, table, over=over, resamples=resamples, seed=seed),
        over=over,
        checks=checks,
        together=together,
        within=within,
        alpha=alpha(kept),
        results=by_result,
        methods=by_method,
        scores=scores or {},
        notes=_notes(kept, checks, out, over),
    )


def opinion_table(found: Collected) -> Floats:
    """Return rater × picture × method: the level, the rank, or the part of comparisons lost; NaN where none."""
    if found.design.protocol != "pairwise":
        return found.values
    lost = np.swapaxes(found.wins, -1, -2).sum(axis=-1)
    games = found.wins.sum(axis=-1) + lost
    with np.errstate(invalid="ignore", divide="ignore"):
        table: Floats = np.where(games > 0, lost / games, np.nan)
    return table


def _standings(
    found: Collected, table: Floats, *, over: Over, resamples: int, seed: int
) -> tuple[Standing, ...]:
    names = found.design.method_names
    weights = draw(
        (table.shape[0], table.shape[1]), over=over, resamples=resamples, rng=np.random.default_rng(seed)
    )
    middle, drawn = means(table), bootstrap(lambda chosen: resampled_means(table, chosen), weights)
    power, drawn_power = _strengths(found.wins, weights)
    order = sorted(
        (place for place in range(len(names)) if not math.isnan(middle[place])), key=lambda one: middle[one]
    )
    if not order:
        raise UsageError("there is no answer yet that counts")
    best = order[0]
    counts = (~np.isnan(table)).sum(axis=(0, 1))
    rest = [place for place in range(len(names)) if place not in order]
    return tuple(
        Standing(
            method=names[one],
            place=order.index(one) + 1 if one in order else 0,
            opinion=drawn.interval(float(middle[one]), one),
            behind=drawn.interval(float(middle[one] - middle[best]), one, minus=best),
            strength=drawn_power.interval(float(power[one]), one),
            answers=int(counts[one]),
        )
        for one in [*order, *rest]
    )


def _strengths(wins: Floats, weights: Weights) -> tuple[Floats, Drawn]:
    raters, pictures, count, _ = wins.shape
    flat = wins.reshape(raters, pictures, count * count)

    def fitted(chosen: Weights) -> Floats:
        return strengths(resampled_sums(flat, chosen).reshape(-1, count, count))

    return strengths(wins.sum(axis=(0, 1))), bootstrap(fitted, weights)


def _correlations(
    found: Collected, table: Floats, scores: MetricValues
) -> tuple[tuple[Correlation, ...], tuple[Correlation, ...]]:
    if not scores:
        return (), ()
    present = ~np.isnan(table)
    with np.errstate(invalid="ignore", divide="ignore"):
        by_result = np.where(present, table, 0).sum(axis=0) / present.sum(axis=0)
    middle = means(table)
    results, methods = [], []
    for metric in scores:
        values = aligned(scores, metric, found.design.pictures, found.design.method_names)
        values = np.where(np.isfinite(values), values, np.nan)
        single = correlate(by_result.ravel(), values.ravel(), metric=metric)
        if single is not None:
            results.append(single)
        complete = ~np.isnan(values).all(axis=0)
        averages = np.full(values.shape[1], np.nan)
        averages[complete] = np.nanmean(values[:, complete], axis=0)
        if (whole := correlate(middle, averages, metric=metric)) is not None:
            methods.append(whole)
    return tuple(results), tuple(methods)


def _notes(found: Collected, checks: tuple[RaterCheck, ...], out: list[str], over: Over) -> tuple[str, ...]:
    notes = [
        f"{one.rater} is left out: {'; '.join(one.reasons)}"
        for one in checks
        if one.rater in out and one.reasons
    ]
    if not any(one.repeats or one.anchors for one in checks):
        notes.append("no question was repeated and there is no anchor: careless raters can't be told")
    planned = found.design.trials_per_rater
    short = [one.rater for one in checks if one.answers < planned and one.rater not in out]
    if short:
        notes.append(
            f"{len(short)} of {len(found.raters)} raters have not finished; what they answered counts"
        )
    if len(found.raters) < 2 and over != "pictures":
        notes.append("one rater says nothing about other people; the intervals hold for nobody else")
    return tuple(notes)
