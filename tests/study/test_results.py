"""Findings as a table, as JSON and as a page: what is printed is what was found."""

import json
import math
import re
from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("scipy", reason="the study extra isn't installed")

from tests.study.designs import design, levels, orders
from wildsr.errors import UsageError
from wildsr.study.analysis import Findings, analyse, opinion_table
from wildsr.study.design import Design, StudyMethod, Trial
from wildsr.study.judgements import SIDES, Collected, Judgement
from wildsr.study.page import html_report
from wildsr.study.results import decimals, metric_columns, to_json, to_markdown, written

LEVELS = {"ann": [[0, 2, 5], [1, 3, 5]], "bob": [[1, 2, 4], [0, 3, 4]], "cat": [[0, 3, 5], [0, 2, 5]]}
SCORES = {
    "psnr": {"p0": {"m0": 30.0, "m1": 28.0, "m2": 20.0}, "p1": {"m0": 32.0, "m1": 29.0, "m2": 21.0}},
    "niqe": {"p0": {"m0": 6.0, "m1": 4.0}, "p1": {"m0": 6.5, "m1": 4.5, "m2": 3.0}},
}


def found(**choices: object) -> Findings:
    return analyse(levels(LEVELS), scores=SCORES, resamples=200, **choices)  # type: ignore[arg-type]


def pairs(*answers: tuple[str, str, str]) -> Collected:
    """Pairwise answers of one rater each: left, right, and which was chosen."""
    asked = Design(
        protocol="pairwise",
        methods=tuple(StudyMethod(name=name) for name in "abc"),
        pictures=("p",),
    )
    return Collected(
        design=asked,
        judgements=tuple(
            Judgement(
                rater=f"r{number}",
                position=0,
                trial=Trial(picture="p", methods=(left, right)),
                values=SIDES[side],  # type: ignore[index]
            )
            for number, (left, right, side) in enumerate(answers)
        ),
    )


def test_means_by_hand() -> None:
    means = {one.method: one.opinion.mean for one in found().standings}
    assert means == pytest.approx({"m0": 2 / 6, "m1": 15 / 6, "m2": 28 / 6})
    assert [one.answers for one in found().standings] == [6, 6, 6]
    assert [one.behind.mean for one in found().standings] == pytest.approx([0, 13 / 6, 26 / 6])


def test_the_part_of_comparisons_lost_by_hand() -> None:
    """One person a comparison: a loses 1 of 2 and ties 1 of 1, so 0.5 on each rater's row."""
    table = opinion_table(pairs(("a", "b", "left"), ("a", "b", "right"), ("c", "a", "same")))
    np.testing.assert_array_equal(
        table[:, 0], [[0.0, 1.0, math.nan], [1.0, 0.0, math.nan], [0.5, math.nan, 0.5]]
    )


def test_the_table_in_markdown() -> None:
    lines = to_markdown(found()).splitlines()
    assert len(lines) == 5
    assert lines[0].startswith("| method | PSNR")
    assert re.search(r"\| MOS ↓ \| 95 % interval \| Bradley–Terry ↑ \| place \|$", lines[0])
    assert lines[1].count("--|") == lines[0].count("|") - 1
    assert lines[2].startswith("| m0 | 31.00 (1) | ")
    assert " **0.33** " in lines[2]
    assert [line.rsplit("|", 2)[1].strip() for line in lines[2:]] == ["1", "2", "3"]
    assert "**" not in lines[3] + lines[4]


def test_a_metric_that_lacks_a_picture_has_no_mean_of_that_method() -> None:
    columns = metric_columns(found())
    assert columns["psnr"] == {"m0": "31.00 (1)", "m1": "28.50 (2)", "m2": "20.50 (3)"}
    assert list(columns["niqe"]) == ["m0", "m1"]
    assert columns["niqe"]["m1"].endswith("(1)")
    assert "| – |" in to_markdown(found()).splitlines()[4]


def test_equal_means_share_their_rank() -> None:
    same = {"psnr": {p: {"m0": 30.0, "m1": 30.0, "m2": 20.0} for p in ("p0", "p1")}}
    columns = metric_columns(analyse(levels(LEVELS), scores=same, resamples=50))
    assert [one.split()[1] for one in columns["psnr"].values()] == ["(1.5)", "(1.5)", "(3)"]


def test_a_name_cannot_break_the_table() -> None:
    one = found()
    broken = replace(one, standings=(replace(one.standings[0], method="a|b\nc"), *one.standings[1:]))
    lines = to_markdown(broken).splitlines()
    assert len(lines) == 5
    assert "a\\|b" in lines[2]


def test_json_is_what_was_found_and_can_be_written() -> None:
    one = found()
    told = to_json(one)
    assert json.loads(json.dumps(told, allow_nan=False)) == told
    assert (told["protocol"], told["raters"], told["pictures"]) == ("mos", 3, 2)
    methods = told["methods"]
    assert isinstance(methods, list)
    assert [entry["method"] for entry in methods] == ["m0", "m1", "m2"]  # type: ignore[index,call-overload]
    first = methods[0]
    assert isinstance(first, dict)
    assert first["opinion"]["mean"] == pytest.approx(1 / 3)  # type: ignore[index,call-overload]
    assert first["opinion"]["low"] <= 1 / 3 <= first["opinion"]["high"]  # type: ignore[index,call-overload,operator]
    psnr, niqe = told["correlations"]["results"]  # type: ignore[index,call-overload]
    assert (psnr["metric"], psnr["count"]) == ("psnr", 6)
    assert psnr["srcc"] > 0.9
    assert (niqe["metric"], niqe["count"]) == ("niqe", 5)
    assert niqe["srcc"] < -0.8


def test_what_cannot_be_said_is_null() -> None:
    told = to_json(analyse(levels({"ann": [[0, 2]]}), resamples=50))
    assert told["kendall_w"] is None
    assert told["krippendorff_alpha"] is None
    checked = told["raters_checked"]
    assert checked[0]["consistency"] is None  # type: ignore[index,call-overload]
    assert checked[0]["seconds"] is None  # type: ignore[index,call-overload]
    assert "one rater says nothing about other people" in str(told["notes"])


def test_a_hidden_reference_takes_no_place() -> None:
    answers = {"ann": ["rab", "rba", "rab"], "bob": ["rab", "rab", "arb"]}
    one = analyse(orders(answers, roles={"r": "best"}), resamples=50)
    assert [(standing.method, standing.place) for standing in one.standings] == [("a", 1), ("b", 2), ("r", 0)]
    assert one.standings[0].opinion.mean == pytest.approx(7 / 6)
    rows = to_markdown(one).splitlines()
    assert rows[4].startswith("| r | – | – – – |")
    assert rows[4].endswith("| – |")
    told = to_json(one)["methods"]
    assert told[2]["place"] is None  # type: ignore[index,call-overload]


def test_nobody_and_nobody_left() -> None:
    with pytest.raises(UsageError, match="nobody has answered yet"):
        analyse(Collected(design=design(), judgements=()))
    same = levels({"ann": [[2, 2]] * 6})
    with pytest.raises(UsageError, match="all 1 raters would be left out"):
        analyse(same)
    assert analyse(same, screen=False, resamples=50).standings[0].opinion.mean == 2


def test_who_is_left_out_is_noted_and_does_not_count() -> None:
    answers = {**{name: [[0, 1, 4]] * 4 for name in ("ann", "bob")}, "dan": [[3, 3, 3]] * 4}
    kept, all_of_them = (analyse(levels(answers), screen=screen, resamples=50) for screen in (True, False))
    assert kept.found.raters == ("ann", "bob")
    assert kept.notes[0] == "dan is left out: gives the same answer to all 12 questions"
    assert not any("left out" in note for note in all_of_them.notes)
    assert kept.standings[0].opinion.mean == 0
    assert all_of_them.standings[0].opinion.mean == 1
    assert len(kept.checks) == len(all_of_them.checks) == 3


def test_raters_who_have_not_finished_are_counted() -> None:
    whole = levels(LEVELS)
    cut = Collected(design=whole.design, judgements=whole.judgements[:-1])
    assert any(
        note.startswith("1 of 3 raters have not finished") for note in analyse(cut, resamples=50).notes
    )
    assert not any("not finished" in note for note in analyse(whole, resamples=50).notes)


@pytest.mark.parametrize(("protocol", "digits"), [("mos", 2), ("mor", 2), ("pairwise", 3)])
def test_digits(protocol: str, digits: int) -> None:
    assert decimals(protocol) == digits  # type: ignore[arg-type]
    assert written(2 / 3, digits) == f"{2 / 3:.{digits}f}"
    assert written(math.nan, digits) == "–"


def text(page: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page))


def test_the_page_says_who_is_best_and_who_ties() -> None:
    page = text(html_report(found(), title="Which one?"))
    assert "m0 is best with MOS 0.33, surely ahead of m1." in page
    tie = analyse(levels({"ann": [[0, 1], [2, 1]], "bob": [[1, 0], [1, 2]]}), resamples=200)
    assert "can't be told from m1" in text(html_report(tie, title="t")).replace("&#x27;", "'")
    alone = analyse(levels({"ann": [[1], [2]], "bob": [[1], [1]]}), resamples=50)
    assert "m0 has MOS 1.25." in text(html_report(alone, title="t"))


def test_the_page_counts_levels_and_wins() -> None:
    page = html_report(found(), title="t")
    given = page[page.index("Levels given") : page.index("Metrics against people")]
    assert re.findall(r"\d+%", given) == [
        *("67%", "33%", "0%", "0%", "0%", "0%"),
        *("0%", "0%", "50%", "50%", "0%", "0%"),
        *("0%", "0%", "0%", "0%", "33%", "67%"),
    ]
    before = page[page.index("Who is put before whom") : page.index("<h2>Raters")]
    assert re.findall(r"<td>(–|\d+%)</td>", before) == [
        *("–", "100%", "100%"),
        *("0%", "–", "100%"),
        *("0%", "0%", "–"),
    ]


def test_the_page_orders_metrics_by_how_far_they_agree() -> None:
    page = text(html_report(found(), title="t"))
    part = page[page.index("Metrics against people") :]
    assert part.index("PSNR") < part.index("NIQE")
    without = html_report(analyse(levels(LEVELS), resamples=50), title="t")
    assert "Metrics against people" not in without
    assert "Levels given" in without
    assert "Levels given" not in html_report(
        analyse(orders({"x": ["ab"], "y": ["ba"]}), resamples=50), title="t"
    )


def test_names_cannot_write_into_the_page() -> None:
    one = found()
    hostile = replace(one.standings[0], method='<script>alert("1")</script>')
    asked = replace(
        one.found.design,
        methods=(replace(one.found.design.methods[0], name=hostile.method), *one.found.design.methods[1:]),
    )
    answers = tuple(
        replace(answer, trial=replace(answer.trial, methods=(hostile.method,)))
        if answer.trial.methods == ("m0",)
        else answer
        for answer in one.found.judgements
    )
    told = replace(
        one,
        standings=(hostile, *one.standings[1:]),
        found=Collected(design=asked, judgements=answers),
        scores={},
    )
    page = html_report(told, title="<b>bold</b>")
    assert "<script>alert" not in page
    assert "<b>bold</b>" not in page
    assert "&lt;script&gt;" in page


def test_anchors_and_agreement_are_in_the_protocol() -> None:
    answers = {"ann": ["rab", "rba", "rab"], "bob": ["rab", "rab", "arb"]}
    page = text(html_report(analyse(orders(answers, roles={"r": "best"}), resamples=50), title="t"))
    assert "r (hidden reference)" in page
    assert "Kendall’s W over 6 orders" in page
    assert "no two complete orders to compare" in text(
        html_report(analyse(levels({"ann": [[0, 1]]}), resamples=50), title="t")
    )
