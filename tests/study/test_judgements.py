"""Answers as numbers."""

import numpy as np
import pytest

from tests.study.designs import design, levels, orders
from wildsr.errors import InputError
from wildsr.study.design import Trial
from wildsr.study.judgements import Collected, Judgement, check_values


def trial(*methods: str) -> Trial:
    return Trial(picture="p0", methods=methods)


@pytest.mark.parametrize(
    ("protocol", "methods", "values"),
    [
        ("mos", "a", (0,)),
        ("mos", "a", (5,)),
        ("mor", "abc", (3, 1, 2)),
        ("mor", "abc", (1, 1, 3)),
        ("pairwise", "ab", (1, 2)),
        ("pairwise", "ab", (2, 1)),
        ("pairwise", "ab", (1.5, 1.5)),
    ],
)
def test_answers_that_fit(protocol: str, methods: str, values: tuple[float, ...]) -> None:
    assert check_values(protocol, trial(*methods), values) == values  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("protocol", "methods", "values", "told"),
    [
        ("mos", "a", (6,), "0 to 5"),
        ("mos", "a", (-1,), "0 to 5"),
        ("mos", "a", (2.5,), "whole number"),
        ("mos", "a", (float("nan"),), "whole number"),
        ("mos", "a", (), "needs 1"),
        ("mor", "abc", (1, 2), "needs 3"),
        ("mor", "abc", (0, 1, 2), "1 to 3"),
        ("mor", "abc", (1, 2, 4), "1 to 3"),
        ("mor", "abc", (1, float("inf"), 2), "1 to 3"),
        ("pairwise", "ab", (1, 1), "1.5 and 1.5"),
    ],
)
def test_answers_that_do_not(protocol: str, methods: str, values: tuple[float, ...], told: str) -> None:
    with pytest.raises(InputError, match=told):
        check_values(protocol, trial(*methods), values)  # type: ignore[arg-type]


def test_levels_become_a_table_and_wins() -> None:
    found = levels({"r1": [[0, 3], [1, 1]], "r2": [[5, 2], [0, 4]]})
    assert found.values.tolist() == [[[0, 3], [1, 1]], [[5, 2], [0, 4]]]
    assert found.wins.sum(axis=(0, 1)).tolist() == [[0, 2.5], [1.5, 0]]


def test_ranks_leave_a_hidden_reference_out() -> None:
    found = orders({"r1": ["abcd", "bacd"], "r2": ["cbad", "dcba"]}, roles={"a": "best"})
    assert found.values[:, :, 1:].tolist() == [[[1, 2, 3], [1, 2, 3]], [[2, 1, 3], [3, 2, 1]]]
    assert np.isnan(found.values[:, :, 0]).all()
    assert found.wins[0, 0].tolist() == [[0, 1, 1, 1], [0, 0, 1, 1], [0, 0, 0, 1], [0, 0, 0, 0]]


def test_repeats_count_once_and_are_paired() -> None:
    made = design("mos", methods=1, pictures=1)
    first = Judgement(rater="r1", position=0, trial=trial("m0"), values=(2.0,))
    again = Judgement(
        rater="r1", position=1, trial=Trial(picture="p0", methods=("m0",), repeats=0), values=(4.0,)
    )
    lost = Judgement(rater="r2", position=1, trial=again.trial, values=(1.0,))
    found = Collected(design=made, judgements=(first, again, lost))
    assert found.values[0].tolist() == [[2.0]]
    assert np.isnan(found.values[1]).all()
    assert found.repeats() == [(first, again)]
    assert found.without(["r1"]).raters == ("r2",)
