"""How many raters a study needs, and what a pilot says of people and pictures."""

import math

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the study extra isn't installed")

from tests.study.designs import design, levels, orders
from wildsr.errors import UsageError
from wildsr.study import power
from wildsr.study.judgements import Collected, Judgement
from wildsr.study.power import Expected, expect, fit_population, raters_needed, usual_population
from wildsr.study.simulation import Population


def widths_of(monkeypatch: pytest.MonkeyPatch, width: float) -> list[int]:
    """Let intervals be `width`/√raters wide; return which numbers of raters are looked at."""
    asked: list[int] = []

    def stand_in(_design: object, _people: object, raters: int, **_: object) -> Expected:
        asked.append(raters)
        return Expected(raters=raters, width=width / math.sqrt(raters), told_apart=0.5)

    monkeypatch.setattr(power, "expect", stand_in)
    return asked


@pytest.mark.parametrize(("wanted", "needed"), [(1.0, 16), (0.5, 64), (0.9, 20), (3.9, 2), (2.0, 4)])
def test_the_fewest_raters_that_suffice_are_found(
    monkeypatch: pytest.MonkeyPatch, wanted: float, needed: int
) -> None:
    """4/√n ≤ width: n ≥ (4/width)²; two raters are the fewest looked for."""
    asked = widths_of(monkeypatch, 4.0)
    seen: list[int] = []
    found = raters_needed(design(), usual_population(3), width=wanted, watch=seen.append)
    assert found.needed == needed
    assert [one.raters for one in found.tried] == sorted(asked)
    assert seen == asked
    assert len(set(asked)) == len(asked)


def test_it_is_said_when_no_number_suffices(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = widths_of(monkeypatch, 4.0)
    found = raters_needed(design(), usual_population(3), width=0.01, most=50)
    assert found.needed is None
    assert asked == [4, 8, 16, 32, 50]
    assert found.floor == pytest.approx(4 / math.sqrt(50))


@pytest.mark.parametrize("width", [0.0, -1.0, math.inf, math.nan])
def test_a_width_that_is_none_is_refused(width: float) -> None:
    with pytest.raises(UsageError, match="it must be more than 0"):
        raters_needed(design(), usual_population(3), width=width)


def test_more_raters_give_narrower_intervals_and_tell_more_apart() -> None:
    people = Population(quality=(1.0, 1.4, 1.8))
    few, many = (
        expect(design(pictures=6), people, raters, over="raters", studies=6, seed=1) for raters in (4, 36)
    )
    assert many.width / few.width == pytest.approx(1 / 3, rel=0.35)
    assert many.told_apart > few.told_apart
    assert (few.raters, many.raters) == (4, 36)


def test_the_same_seed_expects_the_same() -> None:
    one, same, other = (
        expect(design(), usual_population(3), 5, over="both", studies=2, seed=seed) for seed in (1, 1, 2)
    )
    assert one == same
    assert one != other


def test_pictures_leave_a_width_that_raters_do_not_take_away() -> None:
    """Over pictures alone the spread of pictures stays, however many people look."""
    people = Population(quality=(1.5, 3.0), strictness=0, taste=0, difficulty=0.8, fit=0.5, noise=0.2)
    some = expect(design(methods=2, pictures=5), people, 6, over="pictures", studies=8)
    more = expect(design(methods=2, pictures=5), people, 48, over="pictures", studies=8)
    assert more.width == pytest.approx(some.width, rel=0.4)
    alone = expect(design(methods=2, pictures=5), people, 48, over="raters", studies=8)
    assert alone.width < more.width / 4


def pilot(people: Population, *, raters: int = 60, pictures: int = 40) -> Collected:
    """MOS answers that are not rounded to levels, so that the parts can be found again exactly."""
    rng = np.random.default_rng(5)
    methods = len(people.quality)
    made = design(methods=methods, pictures=pictures)
    shape = (raters, pictures, methods)
    felt = np.broadcast_to(np.asarray(people.quality), shape).copy()
    felt += people.strictness * rng.normal(size=(raters, 1, 1))
    felt += people.taste * rng.normal(size=(raters, 1, methods))
    felt += people.difficulty * rng.normal(size=(1, pictures, 1))
    felt += people.fit * rng.normal(size=(1, pictures, methods))
    felt += people.noise * rng.normal(size=shape)
    return CollectedValues(design=made, judgements=(), table=felt)


class CollectedValues(Collected):
    """Answers given as a table of values, without trials."""

    def __init__(self, *, design: object, judgements: tuple[Judgement, ...], table: np.ndarray) -> None:
        super().__init__(design=design, judgements=judgements)  # type: ignore[arg-type]
        self.__dict__["values"] = table


def test_a_pilot_gives_back_what_it_was_made_of() -> None:
    people = Population(
        quality=(1.0, 2.0, 3.0, 4.0), strictness=0.6, taste=0.3, difficulty=0.5, fit=0.25, noise=0.7
    )
    found = fit_population(pilot(people))
    assert found.noise == pytest.approx(0.7, rel=0.03)
    assert found.taste == pytest.approx(0.3, rel=0.15)
    assert found.fit == pytest.approx(0.25, rel=0.15)
    assert found.strictness == pytest.approx(0.6, rel=0.2)
    assert found.difficulty == pytest.approx(0.5, rel=0.25)
    assert np.diff(found.quality) == pytest.approx(1.0, abs=0.2)


def test_a_pilot_without_noise_has_none() -> None:
    """Rater r adds r, picture p adds 2p: nothing is left for chance, and nothing for a method's own."""
    table = levels({"a": [[0, 1], [2, 3]], "b": [[1, 2], [3, 4]]})
    found = fit_population(table)
    assert found.quality == (1.5, 2.5)
    assert (found.noise, found.taste, found.fit) == pytest.approx((0, 0, 0))
    assert found.strictness == pytest.approx(math.sqrt(0.5))  # variance of 0 and 1
    assert found.difficulty == pytest.approx(math.sqrt(2.0))  # variance of 0 and 2


def test_raters_that_have_not_finished_are_left_out_of_a_pilot() -> None:
    whole = levels({"a": [[0, 1], [2, 3]], "b": [[1, 2], [3, 4]], "c": [[5, 5], [5, 5]]})
    cut = Collected(design=whole.design, judgements=whole.judgements[:-1])
    assert fit_population(cut) == fit_population(whole.without(["c"]))


@pytest.mark.parametrize(
    "found",
    [
        orders({"a": ["ab", "ba"], "b": ["ab", "ab"]}),
        levels({"a": [[0, 1], [2, 3]]}),
        levels({"a": [[0], [2]], "b": [[1], [3]]}),
        levels({"a": [[0, 1]], "b": [[1, 2]]}),
    ],
    ids=["no MOS", "one rater", "one method", "one picture"],
)
def test_a_pilot_that_says_too_little_is_refused(found: Collected) -> None:
    with pytest.raises(UsageError, match="a pilot must be a MOS study") as caught:
        fit_population(found)
    assert "--pilot" in str(caught.value.hint)


def test_usual_means_are_spread_evenly() -> None:
    assert usual_population(4).quality == (1.0, 2.0, 3.0, 4.0)
    assert usual_population(1).quality == (1.0,)


def test_the_spread_of_an_answer_is_that_of_all_parts() -> None:
    people = Population(quality=(1.0,), strictness=1, taste=2, difficulty=2, fit=4, noise=0)
    assert people.spread == pytest.approx(5.0)
