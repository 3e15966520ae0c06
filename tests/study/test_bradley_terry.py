"""Strengths against `choix` and arithmetic."""

import math

import numpy as np
import pytest

from wildsr.study.bradley_terry import strengths, win_chance


def test_two_methods_have_the_log_odds() -> None:
    found = strengths(np.array([[0.0, 30], [10, 0]]), prior=0)
    assert found == pytest.approx([math.log(3) / 2, -math.log(3) / 2])
    assert win_chance(float(found[0] - found[1])) == pytest.approx(0.75)


@pytest.mark.parametrize("seed", range(4))
def test_the_likeliest_strengths_are_those_of_choix(seed: int) -> None:
    choix = pytest.importorskip("choix")
    rng = np.random.default_rng(seed)
    wins = rng.integers(1, 40, (6, 6)).astype(float)
    np.fill_diagonal(wins, 0)
    pairs = [(i, j) for i in range(6) for j in range(6) for _ in range(int(wins[i, j]))]
    assert strengths(wins, prior=0) == pytest.approx(choix.opt_pairwise(6, pairs, alpha=0), abs=1e-4)


def test_many_tables_at_once_are_as_one_by_one() -> None:
    wins = np.random.default_rng(0).integers(0, 9, (50, 5, 5)).astype(float)
    wins[:, np.arange(5), np.arange(5)] = 0
    assert np.allclose(strengths(wins), [strengths(one) for one in wins], atol=1e-8)


def test_one_that_always_wins_stays_finite() -> None:
    wins = np.array([[0.0, 500, 500], [0, 0, 500], [0, 0, 0]])
    found = strengths(wins)
    assert np.isfinite(found).all()
    assert found[0] > found[1] > found[2]
    assert strengths(np.zeros((3, 3))) == pytest.approx([0, 0, 0])
