"""Answers leave a study as CSV and JSON, and come back as they were."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.study.designs import design, levels, orders
from wildsr.errors import InputError
from wildsr.study.export import from_choices, read_export, to_csv, to_json
from wildsr.study.judgements import Collected
from wildsr.study.power import usual_population
from wildsr.study.simulation import draw_world, simulate


def simulated(protocol: str) -> Collected:
    rng = np.random.default_rng(1)
    asked = design(protocol, duplicates=2)  # type: ignore[arg-type]
    return simulate(asked, draw_world(usual_population(3), 4, 3, rng), rng)


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_what_is_written_is_read(tmp_path: Path, protocol: str) -> None:
    found = simulated(protocol)
    file = tmp_path / "answers.json"
    file.write_text(to_json(found, name="sharp", title="Which one?"))
    back = read_export(file)
    assert (back.name, back.title) == ("sharp", "Which one?")
    assert back.design == found.design
    assert back.judgements == found.judgements
    again = to_json(
        Collected(design=back.design, judgements=back.judgements), name=back.name, title=back.title
    )
    assert again == file.read_text()


def test_a_line_a_result() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(orders({"ann": ["bac"], "bob": ["cab"]})))))
    assert len(rows) == 6
    assert rows[0] == {
        "rater": "ann",
        "position": "0",
        "repeats": "",
        "picture": "p0",
        "method": "a",
        "shown_at": "1",
        "value": "2",
        "seconds": "",
    }
    assert [row["value"] for row in rows[3:]] == ["2", "3", "1"]


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_lines_say_what_repeats_what(protocol: str) -> None:
    found = simulated(protocol)
    rows = list(csv.DictReader(io.StringIO(to_csv(found))))
    shown = {"mos": 1, "mor": 3, "pairwise": 2}[protocol]
    assert len(rows) == 3 * shown * found.design.trials_per_rater
    again = [row for row in rows if row["repeats"]]
    assert len(again) == 3 * shown * 2
    first = {(row["rater"], row["position"], row["method"]): row["picture"] for row in rows}
    assert all(first[row["rater"], row["repeats"], row["method"]] == row["picture"] for row in again)


def test_times_are_written_to_hundredths() -> None:
    found = levels({"ann": [[3.0]]})
    quick = Collected(design=found.design, judgements=(replace(found.judgements[0], seconds=1.23456),))
    assert to_csv(quick).splitlines()[1] == "ann,0,,p0,m0,1,3,1.23"


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff", b'{"wildsr_study": 2}', b"[" * 100_000])
def test_what_holds_no_answers_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "answers.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"answers.json holds no answers of a study") as caught:
        read_export(file)
    assert "study export" in str(caught.value.hint)


def change_method(one: dict) -> None:
    one["judgements"][2]["trial"]["methods"] = ["m7"]


def change_picture(one: dict) -> None:
    one["judgements"][2]["trial"]["picture"] = "elsewhere"


def change_level(one: dict) -> None:
    one["judgements"][2]["values"] = [9.0]


def change_count(one: dict) -> None:
    one["judgements"][2]["values"] = [1.0, 2.0]


def ask_nothing(one: dict) -> None:
    one["judgements"][2]["trial"]["methods"] = []
    one["judgements"][2]["values"] = []


def one_name_twice(one: dict) -> None:
    one["design"]["pictures"] = ["p0", "p0", "p0", "p0"]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (change_method, "is damaged: answer 2 of r001 is about something else"),
        (change_picture, "is damaged: answer 2 of r001 is about something else"),
        (ask_nothing, "is damaged: answer 2 of r001 is about something else"),
        (change_level, "is damaged: the level is 9"),
        (change_count, "is damaged: the answer has 2 values; this trial needs 1"),
        (one_name_twice, "two pictures are called p0"),
    ],
)
def test_answers_that_fit_nothing_are_refused(tmp_path: Path, change: object, words: str) -> None:
    content = json.loads(to_json(simulated("mos"), name="n", title="t"))
    change(content)  # type: ignore[operator]
    file = tmp_path / "answers.json"
    file.write_text(json.dumps(content))
    with pytest.raises(InputError, match=words):
        read_export(file)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't read none.json: No such file"):
        read_export(tmp_path / "none.json")


def test_choices_of_a_page_become_pairs() -> None:
    found = from_choices(
        ("old", "new"), [[("a", "new"), ("b", "same")], [("a", "old"), ("b", "new"), ("c", "new")]]
    )
    assert found.design.pictures == ("a", "b", "c")
    assert found.design.method_names == ("old", "new")
    assert not found.design.reference_shown
    assert found.raters == ("r001", "r002")
    wins = found.wins.sum(axis=(0, 1))
    np.testing.assert_array_equal(wins, [[0, 1.5], [3.5, 0]])


def test_no_choices_are_named() -> None:
    with pytest.raises(InputError, match="nobody has chosen anything"):
        from_choices(("old", "new"), [[], []])
