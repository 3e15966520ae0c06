"""Who is asked what, in which order."""

from collections import Counter
from itertools import combinations, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.study.designs import design
from wildsr.errors import UsageError
from wildsr.study.design import Design, StudyMethod, plan_rater
from wildsr.study.orders import picture_share, williams_square


@pytest.mark.parametrize("count", range(1, 9))
def test_williams_balances_places_and_neighbours(count: int) -> None:
    square = williams_square(count)
    assert len(square) == (count if count % 2 == 0 else 2 * count)
    assert all(sorted(row) == list(range(count)) for row in square)
    for place in range(count):
        assert set(Counter(row[place] for row in square).values()) == {len(square) // count}
    followed = Counter(pair for row in square for pair in pairwise(row))
    if count > 1:
        assert len(followed) == count * (count - 1)
        assert set(followed.values()) == {len(square) // count}


def test_a_mos_rater_sees_every_result_once_and_no_picture_twice_in_a_row() -> None:
    asked = design("mos", methods=5, pictures=30)
    for number in range(3):
        trials = plan_rater(asked, number)
        assert len(trials) == asked.trials_per_rater == 150
        assert len({(trial.picture, trial.methods) for trial in trials}) == 150
        assert all(one.picture != two.picture for one, two in pairwise(trials))
        for first in range(0, 150, 30):  # every round asks about every picture once
            assert len({trial.picture for trial in trials[first : first + 30]}) == 30
            assert set(Counter(trial.methods for trial in trials[first : first + 30]).values()) == {6}


def test_over_raters_every_result_comes_in_every_round() -> None:
    asked = design("mos", methods=4, pictures=6)
    seen = Counter()
    for number in range(4):
        for position, trial in enumerate(plan_rater(asked, number)):
            seen[trial.picture, trial.methods, position // 6] += 1
    assert len(seen) == 6 * 4 * 4
    assert set(seen.values()) == {1}


def test_orders_show_every_method_in_every_place() -> None:
    asked = design("mor", methods=4, pictures=8)
    places = Counter(
        (name, place)
        for number in range(4)
        for trial in plan_rater(asked, number)
        for place, name in enumerate(trial.methods)
    )
    assert set(places.values()) == {8}


def test_pairs_are_all_asked_with_sides_balanced() -> None:
    asked = design("pairwise", methods=4, pictures=6)
    sides = Counter(trial.methods for number in range(2) for trial in plan_rater(asked, number))
    for one, two in combinations(asked.method_names, 2):
        assert sides[one, two] == sides[two, one] == 6


def test_the_same_seed_gives_the_same_trials_and_another_does_not() -> None:
    one, two = design(pictures=12, seed=1), design(pictures=12, seed=1)
    assert plan_rater(one, 3) == plan_rater(two, 3)
    assert plan_rater(one, 3) != plan_rater(design(pictures=12, seed=2), 3)
    assert plan_rater(one, 3) != plan_rater(one, 4)


@given(st.integers(1, 40), st.integers(0, 50), st.integers(0, 3), st.data())
def test_a_share_of_pictures_is_spread_evenly(
    count: int, raters: int, seed: int, data: st.DataObject
) -> None:
    share = data.draw(st.integers(1, count))
    seen = Counter()
    for number in range(raters):
        mine = picture_share(count, share, number, seed=seed)
        assert len(set(mine)) == share
        seen.update(mine)
    if raters:
        assert max(seen.values()) - min(seen[one] for one in range(count)) <= 1


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_duplicates_come_far_behind_and_mirrored(protocol: str) -> None:
    asked = design(protocol, methods=4, pictures=24, duplicates=6)  # type: ignore[arg-type]
    for number in range(5):
        trials = plan_rater(asked, number)
        repeats = [(position, trial) for position, trial in enumerate(trials) if trial.repeats is not None]
        assert len(trials) == asked.trials_per_rater
        assert len(repeats) == 6
        assert len({trial.repeats for _, trial in repeats}) == 6
        for position, trial in repeats:
            assert trial.repeats is not None
            first = trials[trial.repeats]
            assert first.repeats is None
            assert (trial.picture, trial.methods) == (first.picture, first.methods[::-1])
            assert position - trial.repeats >= (len(trials) - 6) // 3


def test_less_can_be_asked_of_each() -> None:
    asked = design("pairwise", methods=5, pictures=30, pictures_per_rater=10, trials_per_picture=4)
    seen = Counter()
    for number in range(15):
        trials = plan_rater(asked, number)
        assert len(trials) == asked.trials_per_rater == 40
        seen.update(frozenset(trial.methods) for trial in trials)
    assert len(seen) == 10
    assert max(seen.values()) - min(seen.values()) <= 6  # 60 ± 5 %


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        ({"protocol": "ranking"}, "no protocol ranking"),
        ({"methods": 0}, "1 method or more"),
        ({"protocol": "pairwise", "methods": 1}, "2 methods or more"),
        ({"protocol": "mor", "methods": 13}, "nobody can order 13"),
        ({"pictures": 0}, "needs a picture"),
        ({"pictures_per_rater": 5}, "from 1 to 4"),
        ({"trials_per_picture": 4}, "from 1 to 3"),
        ({"duplicates": 7}, "from 0 to 6"),
        ({"duplicates": -1}, "from 0 to 6"),
        ({"methods": 100, "pictures": 100}, "10000 trials"),
    ],
)
def test_what_cannot_be_asked_is_refused(choices: dict[str, int], told: str) -> None:
    with pytest.raises(UsageError, match=told):
        design(**choices)  # type: ignore[arg-type]


def test_names_are_unique() -> None:
    twice = (StudyMethod(name="a"), StudyMethod(name="a"))
    with pytest.raises(UsageError, match="two methods are called a"):
        Design(protocol="mos", methods=twice, pictures=("p",))
