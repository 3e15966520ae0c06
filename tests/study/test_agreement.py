"""Kendall's W and Krippendorff's alpha against worked examples and other libraries."""

import math

import numpy as np
import pytest

pytest.importorskip("krippendorff", reason="the study extra isn't installed")
from scipy.stats import friedmanchisquare

from tests.study.designs import levels, orders
from wildsr.study.agreement import alpha, concordance, kendall_w


def test_full_agreement_is_1_and_opposites_0() -> None:
    assert kendall_w(np.array([[1.0, 2, 3], [1, 2, 3], [1, 2, 3]])).w == pytest.approx(1)  # type: ignore[union-attr]
    assert kendall_w(np.array([[1.0, 2, 3], [3, 2, 1]])).w == pytest.approx(0)  # type: ignore[union-attr]


def test_a_worked_example() -> None:
    """Three judges, six things: rank sums 6, 17, 8, 11, 8, 13; S = 81.5; W = 12·81.5 / (9·210) = .5175."""
    table = np.array([[1.0, 6, 3, 2, 5, 4], [1, 5, 3, 4, 2, 6], [4, 6, 2, 5, 1, 3]])
    assert kendall_w(table).w == pytest.approx(0.51746, abs=1e-5)  # type: ignore[union-attr]


@pytest.mark.parametrize("seed", range(5))
def test_with_ties_it_is_friedmans_statistic(seed: int) -> None:
    """Friedman's χ² = m (n − 1) W, ties corrected in both."""
    table = np.random.default_rng(seed).integers(0, 4, (7, 5)).astype(float)
    found = kendall_w(table)
    other = friedmanchisquare(*table.T)
    assert found is not None
    assert 7 * 4 * found.w == pytest.approx(other.statistic)
    assert found.p_value == pytest.approx(other.pvalue)


@pytest.mark.parametrize("table", [np.ones((3, 3)), np.array([[1.0, 2.0]]), np.array([[1.0], [2.0]])])
def test_nothing_to_agree_about(table: np.ndarray) -> None:
    assert kendall_w(table) is None


def test_incomplete_orders_are_left_out() -> None:
    table = np.array([[1.0, 2, 3], [1, np.nan, 2], [1, 2, 3]])
    assert kendall_w(table).orders == 2  # type: ignore[union-attr]


def test_within_and_together_differ() -> None:
    """Raters agree about each picture, but the pictures disagree."""
    together, within = concordance(orders({"r1": ["abc", "cba"], "r2": ["abc", "cba"]}))
    assert within == pytest.approx(1)
    assert together is not None
    assert together.w == pytest.approx(0)
    assert together.orders == 4


def test_alpha_of_levels() -> None:
    same = levels({"r1": [[0, 3], [1, 5]], "r2": [[0, 3], [1, 5]]})
    assert alpha(same) == pytest.approx(1)
    opposite = levels({"r1": [[0, 5], [0, 5]], "r2": [[5, 0], [5, 0]]})
    assert alpha(opposite) < -0.4
    assert math.isnan(alpha(levels({"r1": [[0, 5], [0, 5]]})))
    assert math.isnan(alpha(levels({"r1": [[2, 2]], "r2": [[2, 2]]})))
