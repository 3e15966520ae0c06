"""Intervals: what they allow for, and how often they hold the truth."""

import math

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the study extra isn't installed")
from scipy.stats import t

from tests.study.designs import design
from wildsr.study.analysis import analyse, opinion_table
from wildsr.study.bootstrap import bootstrap, draw, expanded_tail, means, resampled_means, resampled_sums
from wildsr.study.simulation import Population, Truth, draw_world, simulate, simulate_opinions

QUALITY = (1.0, 1.6, 2.2, 2.8, 3.4)


def half_width(values: np.ndarray, over: str, resamples: int = 20_000) -> float:
    weights = draw(values.shape[:2], over=over, resamples=resamples, rng=np.random.default_rng(0))  # type: ignore[arg-type]
    drawn = bootstrap(lambda chosen: resampled_means(values, chosen), weights)
    one = drawn.interval(float(means(values)[0]), 0)
    return (one.high - one.low) / 2


def test_over_raters_it_is_as_wide_as_students_t_says() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=(20, 1, 1)) + np.zeros((20, 30, 1))
    wanted = t.ppf(0.975, 19) * values[:, 0, 0].std(ddof=1) / math.sqrt(20)
    assert half_width(values, "raters") == pytest.approx(wanted, rel=0.05)
    assert half_width(values, "pictures") == pytest.approx(0, abs=1e-12)


def test_noise_is_counted_once_over_both() -> None:
    """Nothing but noise: the pigeonhole bootstrap alone would be √3 too wide."""
    values = np.random.default_rng(2).normal(size=(25, 25, 1))
    wanted = t.ppf(0.975, 24) * values.std(ddof=1) / 25
    assert half_width(values, "both") == pytest.approx(wanted, rel=0.25)
    assert half_width(values, "both") < 1.4 * wanted


def test_people_and_pictures_add_up() -> None:
    rng = np.random.default_rng(3)
    people, pictures = rng.normal(size=(30, 1, 1)), rng.normal(size=(1, 30, 1))
    values = people + pictures
    one = math.sqrt(people.var(ddof=1) / 30 + pictures.var(ddof=1) / 30)
    assert half_width(values, "both") == pytest.approx(t.ppf(0.975, 29) * one, rel=0.05)


def test_missing_answers_are_left_out_of_sums_and_counts() -> None:
    values = np.array([[[1.0], [np.nan]], [[3.0], [5.0]]])
    assert means(values) == pytest.approx([3])
    weights = draw((2, 2), over="raters", resamples=500, rng=np.random.default_rng(0))
    found = set(np.round(resampled_means(values, weights)[:, 0], 6))
    assert found == {1.0, 3.0, 4.0}  # the first rater twice, both, the second twice
    assert math.isnan(means(np.full((2, 2, 1), np.nan))[0])


def test_weighted_sums_are_loops() -> None:
    rng = np.random.default_rng(4)
    values = rng.normal(size=(3, 4, 2))
    weights = draw((3, 4), over="both", resamples=6, rng=rng)
    wanted = [
        [sum(r[i] * p[j] * values[i, j, c] for i in range(3) for j in range(4)) for c in range(2)]
        for r, p in zip(weights.raters, weights.pictures, strict=True)
    ]
    assert np.allclose(resampled_sums(values, weights), wanted)
    assert (weights.raters.sum(axis=1) == 3).all()
    assert (weights.pictures.sum(axis=1) == 4).all()


def test_the_tail_makes_up_for_few_raters() -> None:
    assert expanded_tail(20) == pytest.approx(0.0159, abs=1e-4)
    assert expanded_tail(100_000) == pytest.approx(0.025, abs=1e-4)
    assert expanded_tail(1) == 0


@pytest.mark.parametrize(
    ("protocol", "over"), [("mos", "both"), ("mos", "raters"), ("mor", "both"), ("pairwise", "both")]
)
def test_intervals_hold_the_truth_and_the_planted_order_comes_out(protocol: str, over: str) -> None:
    """20 raters × 30 pictures × 5 methods; benchmarks/study.py does it 1,000 times."""
    people = Population(quality=QUALITY)
    asked = design(protocol, methods=5, pictures=30)  # type: ignore[arg-type]
    truth = Truth(population=people)
    held, ordered, studies = 0, 0, 8
    for study in range(studies):
        rng = np.random.default_rng((7, study))
        world = draw_world(people, 30, 20, rng)
        table = opinion_table(simulate(asked, world, rng))
        if protocol == "mos":
            wanted = truth.opinion(world if over == "raters" else None)
        else:
            wanted = truth.rank() if protocol == "mor" else truth.wins().T.sum(axis=1) / 4
        weights = draw((20, 30), over=over, resamples=400, rng=rng)  # type: ignore[arg-type]
        drawn = bootstrap(lambda chosen, values=table: resampled_means(values, chosen), weights)  # type: ignore[misc]
        middle = means(table)
        ordered += bool((np.argsort(middle) == np.arange(5)).all())
        for method in range(5):
            one = drawn.interval(float(middle[method]), method)
            held += one.low <= wanted[method] <= one.high
    assert ordered == studies
    assert held >= 0.8 * 5 * studies  # 95 % are expected; methods of one study go together


def test_a_study_says_who_is_best_and_who_ties() -> None:
    rng = np.random.default_rng(5)
    people = Population(quality=(1.0, 1.0, 3.0))
    found = analyse(simulate(design("mos", 3, 20), draw_world(people, 20, 10, rng), rng), resamples=300)
    assert {one.method for one in found.standings[:2]} == {"m0", "m1"}
    assert [one.place for one in found.standings] == [1, 2, 3]
    assert [one.ties_with_best for one in found.standings] == [False, True, False]
    assert found.standings[0].behind.mean == 0
    strengths = [one.strength.mean for one in found.standings]
    assert sum(strengths) == pytest.approx(0, abs=1e-9)
    assert strengths[2] < -1
    assert found.alpha > 0.4
    assert found.together is not None
    assert found.together.p_value < 1e-9


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_the_quick_simulation_is_the_slow_one(protocol: str) -> None:
    """Means over many answers agree with each other and with the computed truth."""
    people = Population(quality=QUALITY, strictness=0.0, difficulty=0.0, taste=0.0, fit=0.0)
    world = draw_world(people, 30, 20, np.random.default_rng(0))
    slow = means(opinion_table(simulate(design(protocol, 5, 30), world, np.random.default_rng(1))))  # type: ignore[arg-type]
    quick = means(simulate_opinions(protocol, world, np.random.default_rng(2)))  # type: ignore[arg-type]
    truth = Truth(population=people)
    wanted = {
        "mos": truth.opinion(),
        "mor": truth.rank(),
        "pairwise": truth.wins().T.sum(axis=1) / 4,
    }[protocol]
    assert slow == pytest.approx(wanted, abs=0.13)
    assert quick == pytest.approx(wanted, abs=0.13)
