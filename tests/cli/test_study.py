"""`wildsr study`: from folders of results to a report."""

import csv
import io
import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("sqlalchemy", reason="the study extra isn't installed")

from tests.cli.invoke import invoke
from tests.evaluation.pictures import fill
from wildsr.study.simulation import Population, answer, draw_world
from wildsr.study.store import StudyStore


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    for method, sigma in (("truth", 0.0), ("good", 3.0), ("fair", 12.0), ("bicubic", 30.0)):
        fill(folder / method, [f"p{number}.png" for number in range(6)], sigma=sigma)
    return folder


@pytest.fixture(autouse=True)
def here(tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for method in results.iterdir():
        (tmp_path / method.name).symlink_to(method)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def create(*more: str) -> None:
    done = invoke("study", "create", "photos", "good", "fair", "bicubic", "--hr", "truth", *more)
    assert done.code == 0, done.err
    assert done.out == "photos\n"


def judge(raters: int, quality: dict[str, float], database: str = "studies.sqlite") -> None:
    """Simulated people answer as real ones do."""
    store = StudyStore(database)
    study = store.study("photos")
    names = study.design.method_names
    rng = np.random.default_rng(1)
    people = Population(quality=tuple(quality[name] for name in names))
    world = draw_world(people, len(study.design.pictures), raters, rng)
    for number in range(raters):
        rater = store.join(study)
        for position, trial in enumerate(rater.trials):
            places = [names.index(name) for name in trial.methods]
            felt = world.pictures[study.design.pictures.index(trial.picture), places]
            felt = felt + world.raters[number, places] + people.noise * rng.normal(size=len(places))
            store.answer(rater, position, answer(study.design, trial, felt), seconds=2.0)
    store.close()


QUALITY = {"reference": 0.2, "good": 1.2, "fair": 2.4, "bicubic": 3.8}


@pytest.mark.parametrize("protocol", ["mos", "mor", "pairwise"])
def test_a_study_from_folders_to_a_report(here: Path, protocol: str) -> None:
    create("--protocol", protocol, "--hidden-reference", "--worst", "bicubic")
    judge(8, QUALITY)
    scores = {
        "rows": [
            {
                "image": f"p{number}.png",
                "method": method,
                "psnr_y": 40 - 4 * QUALITY[method] + 0.1 * number,
            }
            for number in range(6)
            for method in ("good", "fair", "bicubic")
        ]
    }
    (here / "scores.json").write_text(json.dumps(scores))
    done = invoke(
        "study", "analyse", "--scores", "scores.json", "--html", "report.html", "--json", "found.json"
    )
    assert done.code == 0, done.err
    rows = [line.split(" | ")[0].strip("| ") for line in done.out.splitlines()[2:]]
    ranked = ["good", "fair", "bicubic"]
    assert rows == ([*ranked, "reference"] if protocol == "mor" else ["reference", *ranked])
    found = json.loads((here / "found.json").read_text())
    assert [one["left_out"] for one in found["raters_checked"]] == [[]] * 8
    assert found["kendall_w"]["w"] > 0.6
    (correlation,) = found["correlations"]["results"]
    assert correlation["metric"] == "psnr_y"
    assert correlation["srcc"] > 0.7
    assert found["correlations"]["methods"][0]["srcc"] == pytest.approx(1)
    page = (here / "report.html").read_text()
    assert "hidden reference" in page
    assert "Metrics against people" in page
    assert "http" not in page


def test_the_status_counts(here: Path) -> None:
    create("--duplicates", "0")
    store = StudyStore("studies.sqlite")
    rater = store.join(store.study("photos"))
    store.answer(rater, 0, [3])
    store.close()
    done = invoke("study", "status", "--json")
    assert done.json["raters"] == [{"rater": "r001", "answered": 1, "questions": 18}]
    assert "/study/rate/" in str(done.json["invitation"])
    table = invoke("study", "status", "photos")
    assert "r001" in table.out
    assert "1 raters, 0 of them finished" in table.err
    assert invoke("study", "close").err == "photos is closed\n"
    assert invoke("study", "status", "--json").json["closed"] is True
    assert invoke("study", "close", "--reopen").err == "photos is open\n"


def test_answers_go_out_and_can_be_analysed_elsewhere(here: Path) -> None:
    create()
    judge(4, QUALITY)
    done = invoke("study", "export", "--json", "answers.json")
    assert done.code == 0, done.err
    rows = list(csv.DictReader(io.StringIO(invoke("study", "export").out)))
    assert len(rows) == 4 * (18 + 4)
    assert {row["method"] for row in rows} == {"good", "fair", "bicubic"}
    assert {int(row["value"]) for row in rows} <= set(range(6))
    assert sum(bool(row["repeats"]) for row in rows) == 4 * 4
    here_found = invoke("study", "analyse", "--over", "raters")
    there_found = invoke("study", "analyse", "--answers", "answers.json", "--over", "raters")
    assert here_found.out == there_found.out
    assert "good" in here_found.out


def test_choices_of_a_blind_page_are_a_study(here: Path) -> None:
    crops = [{"image": f"p{n}.png", "left": "good", "right": "fair"} for n in range(6)]
    key = {"wildsr_blind_key": 1, "test": "t", "methods": ["good", "fair"], "crops": crops}
    (here / "choose.key.json").write_text(json.dumps(key))
    for number, choices in enumerate((["left"] * 5 + ["same"], ["left"] * 4 + ["right", None])):
        saved = {"wildsr_blind_choices": 1, "test": "t", "choices": choices}
        (here / f"c{number}.json").write_text(json.dumps(saved))
    done = invoke(
        "study", "analyse", "--blind-key", "choose.key.json", "--blind-choices", "c0.json",
        "--blind-choices", "c1.json", "--json", "-",
    )  # fmt: skip
    assert done.code == 0, done.err
    first, _ = done.json["methods"]  # type: ignore[misc]
    assert first["method"] == "good"  # type: ignore[index,call-overload]
    # part of comparisons lost: 1.5 of 11, the mean over answers
    assert first["opinion"]["mean"] == pytest.approx(1.5 / 11)  # type: ignore[index,call-overload]
    assert done.json["raters"] == 2


def test_power_says_how_many(here: Path) -> None:
    done = invoke(
        "study", "power", "--width", "1.0", "--methods", "3", "--pictures", "8", "--over", "raters",
        "--studies", "4", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    tried = {one["raters"]: one["width"] for one in done.json["tried"]}  # type: ignore[index,call-overload,union-attr]
    needed = done.json["raters"]
    assert tried[needed] <= 1.0
    assert all(width > 1.0 for raters, width in tried.items() if raters < needed)
    too_narrow = invoke(
        "study",
        "power",
        "--width",
        "0.05",
        "--methods",
        "2",
        "--pictures",
        "4",
        "--studies",
        "2",
        "--most",
        "16",
    )
    assert too_narrow.code == 1
    assert "16 raters still leave intervals" in too_narrow.err
    assert "more pictures narrow it" in too_narrow.err


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["create", "x", "good"], 2, "no ground truth to show"),
        (["create", "x", "good", "--no-reference", "--hidden-reference"], 2, "no ground truth"),
        (["create", "x", "good", "nowhere", "--hr", "truth"], 1, "is no folder"),
        (["create", "x", "good", "--hr", "truth", "--worst", "bad"], 2, "--worst bad is no method"),
        (["create", "x", "good", "--hr", "truth", "--crop", "8"], 2, "from 64 to 2048"),
        (["create", "No Name", "good", "--hr", "truth"], 2, "can't be called"),
        (["status", "--database", "none.sqlite"], 2, "there is no database none.sqlite"),
        (["analyse", "--answers", "none.json"], 1, "can't read none.json"),
        (["analyse", "--answers", "text.json"], 1, "holds no answers"),
        (["analyse", "--blind-key", "text.json"], 2, "key of their page"),
        (["analyse", "x", "--answers", "text.json"], 2, "one of them"),
        (["power", "--width", "0"], 2, "must be more than 0"),
    ],
)
def test_what_cannot_be_done_is_named(here: Path, arguments: list[str], code: int, told: str) -> None:
    (here / "text.json").write_text("no json")
    done = invoke("study", *arguments)
    assert done.code == code, done.err
    assert told in done.err


def test_a_study_without_answers_or_with_many_says_so(here: Path) -> None:
    create()
    assert "nobody has answered yet" in invoke("study", "analyse").err
    refused = invoke("study", "delete", "photos")
    assert refused.code == 2
    assert "0 answers" in refused.err
    assert invoke("study", "delete", "photos", "--yes").err == "photos is deleted\n"
    assert "0 studies" in invoke("study", "status").err
