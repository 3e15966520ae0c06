"""The human results of the NTIRE 2020 challenge, as published."""

import csv

import numpy as np
import pytest

from tests.conftest import REPOSITORY
from tests.study.designs import orders
from wildsr.metrics import mean_opinion_rank
from wildsr.study.bootstrap import means

TABLE = REPOSITORY / "docs" / "results" / "ntire2020" / "track2.csv"


def published() -> dict[str, float]:
    with TABLE.open(encoding="utf-8") as file:
        return {row["team"]: float(row["mor"]) for row in csv.DictReader(file) if row["mor"]}


def test_the_mean_ranks_of_the_seven_candidates_sum_to_28() -> None:
    table = published()
    assert len(table) == 7
    assert sum(table.values()) == pytest.approx(28, abs=7 * 0.005)
    assert sorted(table, key=lambda name: table[name])[:3] == ["Impressionism", "AITA-Noah-A", "ITS425"]
    assert all(1 <= value <= 7 for value in table.values())


def test_orders_with_the_published_means_give_them_back() -> None:
    """100 orders of seven that have these mean ranks: what the challenge averaged, put through a study."""
    target = published()
    names = sorted(target, key=lambda name: target[name])
    wanted = np.array([target[name] for name in names])
    rows = []
    total = np.zeros(7)
    for number in range(100):
        # the order whose ranks bring the running mean closest to the published one
        due = wanted * (number + 1) - total
        ranks = np.empty(7)
        ranks[np.argsort(due, kind="stable")] = np.arange(1, 8)
        total += ranks
        rows.append("".join("abcdefg"[place] for place in np.argsort(ranks)))
    found = orders({"r001": rows[:50], "r002": rows[50:]})
    middle = means(found.values)
    assert middle == pytest.approx(wanted, abs=0.05)
    assert middle.sum() == pytest.approx(28)
    listed = [
        {name: float(order.index("abcdefg"[place])) for place, name in enumerate(names)} for order in rows
    ]
    assert [mean_opinion_rank(listed)[name] for name in names] == pytest.approx(middle)
