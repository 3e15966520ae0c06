"""IQA-Rank and MOR."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import rankdata

from wildsr.errors import MetricError
from wildsr.metrics import iqa_rank, mean_opinion_rank, rank_table, ranks

numbers = st.lists(st.integers(-5, 5).map(float), min_size=1, max_size=12)


@given(numbers)
def test_ranks_are_scipys(values: list[float]) -> None:
    np.testing.assert_array_equal(ranks(values, higher_is_better=False), rankdata(values))
    np.testing.assert_array_equal(ranks(values, higher_is_better=True), rankdata([-v for v in values]))


@given(numbers)
def test_ranks_sum_as_they_must(values: list[float]) -> None:
    n = len(values)
    assert ranks(values, higher_is_better=True).sum() == n * (n + 1) / 2


def test_infinite_values_rank_and_nan_does_not() -> None:
    assert ranks([30.0, float("inf"), 20.0], higher_is_better=True).tolist() == [2, 1, 3]
    with pytest.raises(MetricError, match="NaN has no rank"):
        ranks([1.0, float("nan")], higher_is_better=True)


SCORES = {
    "psnr": {"a": {"x": 20.0, "y": 30.0, "z": 30.0}, "b": {"x": 25.0, "y": 24.0, "z": 23.0}},
    "niqe": {"a": {"x": 3.0, "y": 4.0, "z": 5.0}},
}
DIRECTIONS = {"psnr": True, "niqe": False}


def test_iqa_rank_by_hand() -> None:
    table = rank_table(SCORES, DIRECTIONS)
    assert table["psnr"]["a"] == {"x": 3, "y": 1.5, "z": 1.5}
    assert table["psnr"]["b"] == {"x": 1, "y": 2, "z": 3}
    assert table["niqe"]["a"] == {"x": 1, "y": 2, "z": 3}
    assert iqa_rank(SCORES, DIRECTIONS) == {
        "x": pytest.approx(5 / 3),
        "y": pytest.approx(5.5 / 3),
        "z": pytest.approx(7.5 / 3),
    }


@given(st.integers(1, 8), st.integers(1, 5))
def test_identical_methods_share_the_middle(methods: int, pictures: int) -> None:
    scores = {"psnr": {str(p): dict.fromkeys(map(str, range(methods)), 7.0) for p in range(pictures)}}
    assert set(iqa_rank(scores, {"psnr": True}).values()) == {(methods + 1) / 2}


def test_incomplete_tables_are_refused() -> None:
    with pytest.raises(MetricError, match=r"psnr of b does not have the methods of the others \(y\)"):
        rank_table({"psnr": {"a": {"x": 1.0, "y": 2.0}, "b": {"x": 1.0}}}, DIRECTIONS)
    with pytest.raises(MetricError, match="no direction is known for fsim"):
        rank_table({"fsim": {"a": {"x": 1.0}}}, DIRECTIONS)
    with pytest.raises(MetricError, match="no scores"):
        iqa_rank({}, DIRECTIONS)


@given(st.lists(st.permutations(list("abcdefg")), min_size=1, max_size=6))
def test_mean_opinion_ranks_sum_to_28_of_seven(orders: list[list[str]]) -> None:
    found = mean_opinion_rank([{name: place for place, name in enumerate(order)} for order in orders])
    assert sum(found.values()) == pytest.approx(28)
    first = mean_opinion_rank([{name: place for place, name in enumerate(orders[0])}])
    assert first == {name: place + 1 for place, name in enumerate(orders[0])}


def test_mean_opinion_rank_refuses_other_candidates() -> None:
    with pytest.raises(MetricError, match="not all of the same methods"):
        mean_opinion_rank([{"a": 1.0}, {"b": 1.0}])
    with pytest.raises(MetricError, match="no orderings"):
        mean_opinion_rank([])
