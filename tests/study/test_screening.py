"""Careless raters are found, careful ones stay."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the study extra isn't installed")

from tests.study.designs import design, levels, orders
from wildsr.study.analysis import analyse
from wildsr.study.design import Design, StudyMethod, Trial
from wildsr.study.judgements import Collected, Judgement
from wildsr.study.screening import check_raters
from wildsr.study.simulation import (
    Carelessness,
    Population,
    always_the_same,
    at_random,
    draw_world,
    simulate,
)

QUALITY = (0.3, 1.6, 2.2, 2.8, 4.0)


def upside_down(shown: int, rng: np.random.Generator) -> np.ndarray:
    """Never looks, but orders as if the last shown were best."""
    return -np.arange(shown, dtype=float) + rng.uniform(0, 0.1)


def anchored(protocol: str, duplicates: int = 10) -> Design:
    roles = ("best", "candidate", "candidate", "candidate", "worst")
    methods = tuple(StudyMethod(name=f"m{place}", role=role) for place, role in enumerate(roles))  # type: ignore[arg-type]
    made = design(protocol, methods=5, pictures=30, duplicates=duplicates)  # type: ignore[arg-type]
    return replace(made, methods=methods)


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
@pytest.mark.parametrize("seed", [0, 1])
def test_twenty_careful_raters_stay_and_four_careless_ones_go(protocol: str, seed: int) -> None:
    made = anchored(protocol)
    rng = np.random.default_rng(seed)
    careless: list[Carelessness] = [at_random, at_random, always_the_same, upside_down]
    found = simulate(made, draw_world(Population(quality=QUALITY), 30, 20, rng), rng, careless=careless)
    out = [one.rater for one in check_raters(found) if one.reasons]
    assert out == ["r021", "r022", "r023", "r024"]


def test_without_them_the_result_is_what_the_careful_ones_say() -> None:
    rng = np.random.default_rng(3)
    world = draw_world(Population(quality=QUALITY), 30, 20, rng)
    found = simulate(anchored("mos"), world, rng, careless=[at_random] * 5)
    careful = found.without([f"r{number:03}" for number in range(21, 26)])
    screened, alone = analyse(found, resamples=50), analyse(careful, resamples=50)
    kept = analyse(found, resamples=50, screen=False)
    assert [one.opinion.mean for one in screened.standings] == [one.opinion.mean for one in alone.standings]
    assert kept.standings[0].opinion.mean > screened.standings[0].opinion.mean + 0.2
    assert len([note for note in screened.notes if "left out" in note]) == 5
    assert not [note for note in kept.notes if "left out" in note]


def test_agreement_is_told() -> None:
    rng = np.random.default_rng(0)
    world = draw_world(Population(quality=QUALITY), 30, 8, rng)
    found = check_raters(simulate(anchored("mos"), world, rng, careless=[at_random]))
    assert min(one.agreement for one in found[:8]) > 0.7
    assert abs(found[8].agreement) < 0.25


def test_the_same_level_for_everything_is_no_answer() -> None:
    found = levels({"r1": [[2, 2, 2]] * 4, "r2": [[0, 2, 4]] * 4})
    checks = check_raters(found)
    assert [bool(one.reasons) for one in checks] == [True, False]
    assert "same answer to all 12" in checks[0].reasons[0]


def test_one_kind_of_anchor_is_enough() -> None:
    rows = ["abcd"] * 4
    found = check_raters(orders({"r1": rows, "r2": ["dcba"] * 4}, roles={"d": "worst"}))
    assert [(one.anchors, one.anchors_right) for one in found] == [(12, 1.0), (12, 0.0)]
    assert [bool(one.reasons) for one in found] == [False, True]


def test_consistency_counts_what_was_said_twice() -> None:
    """Ten levels 0…4 twice each, repeated one level higher: the mean distance is 1, that of different answers 16/9."""
    made = design("mos", methods=1, pictures=10)
    answers = []
    for position in range(10):
        trial = Trial(picture=f"p{position}", methods=("m0",))
        answers.append(Judgement(rater="r", position=position, trial=trial, values=(float(position % 5),)))
        again = Trial(picture=f"p{position}", methods=("m0",), repeats=position)
        answers.append(
            Judgement(rater="r", position=10 + position, trial=again, values=(float(position % 5) + 1,))
        )
    (found,) = check_raters(Collected(design=made, judgements=tuple(answers)))
    values = [float(one.values[0]) for one in answers]
    chance = np.mean([abs(a - b) for i, a in enumerate(values) for j, b in enumerate(values) if i != j])
    assert found.repeats == 10
    assert found.consistency == pytest.approx(1 - 1 / chance)


def test_mirrored_orders_compare_by_method() -> None:
    made = design("mor", methods=3, pictures=1)
    first = Judgement(
        rater="r", position=0, trial=Trial(picture="p0", methods=("m0", "m1", "m2")), values=(1.0, 2.0, 3.0)
    )
    same = Judgement(
        rater="r",
        position=1,
        trial=Trial(picture="p0", methods=("m2", "m1", "m0"), repeats=0),
        values=(3.0, 2.0, 1.0),
    )
    (found,) = check_raters(Collected(design=made, judgements=(first, same)))
    assert found.consistency == 1
    turned = replace(same, values=(1.0, 2.0, 3.0))
    (found,) = check_raters(Collected(design=made, judgements=(first, turned)))
    assert found.consistency == -1
