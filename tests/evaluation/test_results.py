import csv
import io
import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wildsr.evaluation import Evaluation, Row, TestPicture, to_csv, to_json, to_markdown
from wildsr.evaluation.results import interval
from wildsr.evaluation.tables import digits, json_text

finite = st.floats(-1e6, 1e6)


def evaluation(values: dict[str, dict[str, list[float | None]]]) -> Evaluation:
    """Method → metric → value per picture; None where there is none."""
    methods = tuple(values)
    names = tuple(next(iter(values.values())))
    count = len(next(iter(values[methods[0]].values())))
    rows = [
        Row(
            picture=TestPicture(name=f"{k}.png"),
            method=method,
            sr=None,
            values={name: v for name in names if (v := values[method][name][k]) is not None},
        )
        for k in range(count)
        for method in methods
    ]
    return Evaluation(methods=methods, metrics=names, rows=tuple(rows), protocol={"set": "made up"})


TWO = evaluation(
    {
        "one": {"psnr": [20.0, 30.0, 40.0], "lpips": [0.1, 0.2, 0.3]},
        "two": {"psnr": [21.0, 29.0, 41.0], "lpips": [0.1, 0.1, 0.4]},
    }
)


def test_means_and_ranks() -> None:
    found = to_json(TWO)
    assert found["mean"] == {
        "one": {"psnr": 30, "lpips": pytest.approx(0.2)},
        "two": {"psnr": pytest.approx(91 / 3), "lpips": pytest.approx(0.2)},
    }
    # psnr: one 2, 1, 2; lpips (lower is better): one 1.5, 2, 1
    assert found["ranks"] == {
        "one": {
            "iqa_rank": pytest.approx(9.5 / 6),
            "psnr": pytest.approx(5 / 3),
            "lpips": pytest.approx(1.5),
        },
        "two": {
            "iqa_rank": pytest.approx(8.5 / 6),
            "psnr": pytest.approx(4 / 3),
            "lpips": pytest.approx(1.5),
        },
    }


def test_json_has_the_shape_and_no_nan() -> None:
    found = evaluation({"m": {"psnr": [math.inf, 20.0, None]}})
    text = json_text(found)
    loaded = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    assert set(loaded) == {"protocol", "rows", "mean", "ranks"}
    assert loaded["rows"] == [
        {"image": "0.png", "method": "m", "psnr": "inf"},
        {"image": "1.png", "method": "m", "psnr": 20.0},
        {"image": "2.png", "method": "m", "psnr": None},
    ]
    assert float(loaded["rows"][0]["psnr"]) == math.inf
    assert loaded["mean"] == {"m": {"psnr": 20.0}}


def test_a_picture_one_method_lacks_counts_for_none() -> None:
    found = evaluation({"one": {"psnr": [20.0, 30.0]}, "two": {"psnr": [22.0, None]}})
    assert to_json(found)["mean"] == {"one": {"psnr": 20.0}, "two": {"psnr": 22.0}}
    assert found.notes == (
        "psnr: 1 of 2 pictures have no value for every method and are left out of all means and ranks",
    )


def test_nothing_at_all_is_null() -> None:
    found = evaluation({"one": {"psnr": [None]}})
    assert to_json(found)["mean"] == {"one": {"psnr": None}}
    assert to_json(found)["ranks"] == {"one": {}}


def test_csv_reads_back() -> None:
    lines = list(csv.reader(io.StringIO(to_csv(TWO))))
    assert lines[0] == ["image", "method", "psnr", "lpips"]
    assert lines[2] == ["0.png", "two", "21.0", "0.1"]
    assert len(lines) == 7
    holes = to_csv(evaluation({"m": {"psnr": [math.inf, None]}}))
    assert holes == "image,method,psnr\n0.png,m,inf\n1.png,m,\n"


def test_markdown_marks_best_and_second() -> None:
    lines = to_markdown(TWO).splitlines()
    assert lines[0] == "| method | psnr ↑ | lpips ↓ | mean rank ↓ |"
    assert lines[2].startswith("| one | *30.00* | ")
    assert lines[3].startswith("| two | **30.33** | ")


def test_names_can_neither_end_a_cell_nor_act_on_a_terminal() -> None:
    lines = to_markdown(evaluation({"a|b\x1b[31m\n": {"psnr": [20.0]}})).splitlines()
    assert lines[2] == r"| a\|b\x1b[31m\n | 20.00 |"
    assert len(lines) == 3


@pytest.mark.parametrize(
    ("metric", "value", "text"),
    [
        ("psnr", 26.5114, "26.51"),
        ("ssim", 0.7518, "0.7518"),
        ("lpips", 0.45241, "0.4524"),
        ("niqe", 3.6549, "3.65"),
        ("psnr", math.inf, "∞"),
    ],
)
def test_digits(metric: str, value: float, text: str) -> None:
    assert digits(metric, value) == text


@given(st.lists(finite, min_size=1, max_size=30))
def test_intervals_hold_their_mean_and_stay_within_the_values(values: list[float]) -> None:
    found = interval(values)
    assert found is not None
    slack = 1e-6 * (1 + max(map(abs, values)))
    assert min(values) - slack <= found.low <= found.high <= max(values) + slack
    assert found.mean == pytest.approx(np.mean(values), abs=slack)
    assert found.count == len(values)
    assert found == interval(values)


def test_an_interval_is_the_same_however_many_values_are_drawn_at_a_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(1).normal(30, 3, 301).tolist()
    whole = interval(values)
    for at_once in (1, 1000, 7777):
        monkeypatch.setattr("wildsr.metrics.intervals._AT_ONCE", at_once)
        assert interval(values) == whole


def test_interval_has_the_width_theory_says() -> None:
    values = np.random.default_rng(3).normal(10, 2, 400).tolist()
    found = interval(values)
    assert found is not None
    # ±1.96 σ/√n = ±0.196 for σ 2, n 400
    assert (found.high - found.low) / 2 == pytest.approx(0.196, rel=0.12)
    assert interval([]) is None


def test_paired_difference_sees_what_means_hide() -> None:
    rng = np.random.default_rng(4)
    base = rng.normal(25, 5, 50)
    found = evaluation(
        {
            "a": {"psnr": [float(v) for v in base]},
            "b": {"psnr": [float(v) for v in base + 0.3 + rng.normal(0, 0.1, 50)]},
        }
    )
    difference = found.paired_difference("psnr", "b", "a")
    assert difference is not None
    assert 0.2 < difference.low < difference.high < 0.4
    a, b = found.means["a"]["psnr"], found.means["b"]["psnr"]
    assert a is not None
    assert b is not None
    assert a.high > b.low
