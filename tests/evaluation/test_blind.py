"""Blind comparison: a page that gives nothing away, a key, and what choices say."""

import json
import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from urllib.parse import unquote

import numpy as np
import pytest
from scipy.stats import binomtest

from tests.evaluation.pictures import noisy, save, scene
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import (
    BlindScore,
    Evaluation,
    Measures,
    Store,
    blind_json,
    blind_test,
    existing_results,
    judge,
    key_path,
    score_blind,
)

NAMES = [f"{number}.png" for number in range(6)]


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Evaluation:
    """Two methods on six pictures."""
    folder = tmp_path_factory.mktemp("blind")
    for number, name in enumerate(NAMES):
        rgb = scene(100, 120, seed=number)
        save(folder / "hr" / name, rgb)
        save(folder / "secretive" / name, noisy(rgb, 4))
        save(folder / "mysterious" / name, noisy(rgb, 12))
    test_set, methods = existing_results([folder / "secretive", folder / "mysterious"], hr=folder / "hr")
    return judge(test_set, methods, Measures(metrics=("psnr",)), store=Store(folder / "store"))


def write_choices(path: Path, test: str, choices: object, **changes: object) -> Path:
    path.write_text(json.dumps({"wildsr_blind_choices": 1, "test": test, "choices": choices, **changes}))
    return path


def test_the_page_names_no_method_and_needs_nothing_else(found: Evaluation) -> None:
    test = blind_test(found, np.random.default_rng(0))
    assert test.crops == 6
    assert test.page.count("<fieldset>") == 6
    assert test.page.count('<img alt="left"') == test.page.count('<img alt="right"') == 6
    assert "secretive" not in test.page
    assert "mysterious" not in test.page
    assert not any(name in test.page for name in NAMES)
    assert "http" not in test.page
    assert all(one.startswith("data:image/jpeg;base64,") for one in re.findall(r'src="([^"]*)"', test.page))


def test_the_truth_can_be_shown_between_the_two(found: Evaluation) -> None:
    test = blind_test(found, np.random.default_rng(0), reference=True)
    plain = blind_test(found, np.random.default_rng(0))
    assert "like it" in test.page
    assert [json.loads(one.key)["reference_shown"] for one in (test, plain)] == [True, False]
    assert json.loads(test.key)["crops"] == json.loads(plain.key)["crops"]
    shown = re.findall(
        r'left" src="([^"]*)"><img alt="truth" src="([^"]*)"><img alt="right" src="([^"]*)"', test.page
    )
    assert len(shown) == 6
    assert "truth" not in plain.page
    # without noise the picture takes the least bytes as JPEG
    assert all(len(truth) < min(len(left), len(right)) for left, truth, right in shown)


def test_the_key_knows_what_every_side_shows(found: Evaluation) -> None:
    test = blind_test(found, np.random.default_rng(1))
    key = json.loads(test.key)
    assert key["test"] in test.page
    assert key["methods"] == ["secretive", "mysterious"]
    assert sorted(crop["image"] for crop in key["crops"]) == NAMES
    sides = re.findall(r'<img alt="left" src="([^"]*)"><img alt="right" src="([^"]*)">', test.page)
    # the noisier picture takes more bytes as JPEG
    for (left, right), crop in zip(sides, key["crops"], strict=True):
        assert (len(left) > len(right)) == (crop["left"] == "mysterious")


def test_sides_and_order_are_random(found: Evaluation) -> None:
    keys = [json.loads(blind_test(found, np.random.default_rng(seed)).key) for seed in range(12)]
    sides = Counter(crop["left"] for key in keys for crop in key["crops"])
    assert 20 < sides["secretive"] < 52  # of 72; 36 ± 4.2 expected
    assert len({tuple(crop["image"] for crop in key["crops"]) for key in keys}) > 6
    assert len({key["test"] for key in keys}) == 12
    again = blind_test(found, np.random.default_rng(3))
    assert json.loads(again.key) == keys[3]


def test_choices_are_scored_by_the_key(found: Evaluation, tmp_path: Path) -> None:
    test = blind_test(found, np.random.default_rng(2))
    key = tmp_path / "choose.key.json"
    key.write_text(test.key)
    crops = json.loads(test.key)["crops"]
    sides = [next(side for side in ("left", "right") if crop[side] == "secretive") for crop in crops]
    mine = write_choices(tmp_path / "a.json", json.loads(test.key)["test"], [*sides[:4], "same", None])
    theirs = write_choices(
        tmp_path / "b.json",
        json.loads(test.key)["test"],
        ["left" if side == "right" else "right" for side in sides],
    )
    score = score_blind(key, [mine])
    assert (score.preferred, score.same, score.open) == ((4, 0), 1, 1)
    assert score.choices[0] == (crops[0]["image"], "secretive")
    assert score.choices[4] == (crops[4]["image"], "same")
    both = score_blind(key, [mine, theirs])
    assert both.preferred == (4, 6)
    text = json.loads(blind_json(both))
    assert text["preferred"] == {"secretive": 4, "mysterious": 6}
    assert text["share"] == 0.4
    assert len(text["choices"]) == 11


@pytest.mark.parametrize(("first", "second"), [(20, 10), (5, 25), (1, 0), (15, 15), (600, 500)])
def test_share_interval_and_p_value_are_scipys(first: int, second: int) -> None:
    score = BlindScore(methods=("a", "b"), preferred=(first, second), same=3, open=0, choices=())
    expected = binomtest(first, first + second)
    assert score.share == first / (first + second)
    assert score.p_value == pytest.approx(expected.pvalue)
    interval = expected.proportion_ci(method="wilson")
    assert score.interval == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_without_a_preference_there_is_no_share() -> None:
    score = BlindScore(methods=("a", "b"), preferred=(0, 0), same=3, open=0, choices=())
    assert (score.share, score.interval, score.p_value) == (None, None, 1.0)
    assert json.loads(blind_json(score))["share"] is None


def test_other_numbers_of_methods_are_refused(found: Evaluation) -> None:
    with pytest.raises(UsageError, match="compares two methods, not 3"):
        blind_test(
            Evaluation(methods=("a", "b", "c"), metrics=(), rows=(), protocol={}), np.random.default_rng(0)
        )
    with pytest.raises(UsageError, match="no picture that both methods have a result for"):
        blind_test(Evaluation(methods=("a", "b"), metrics=(), rows=(), protocol={}), np.random.default_rng(0))
    assert len(json.loads(blind_test(found, np.random.default_rng(0), most=2).key)["crops"]) == 2


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ("[]", "is neither a key nor the choices"),
        ("{}", "holds no choices"),
        ('{"wildsr_blind_choices": 1, "test": "other", "choices": []}', "belongs to another page"),
        ('{"wildsr_blind_choices": 1, "test": "TEST", "choices": ["left"]}', "does not hold 6 choices"),
        ('{"wildsr_blind_choices": 1, "test": "TEST", "choices": [1, 2, 3, 4, 5, 6]}', "does not hold 6"),
        (" " * (1 << 21), "is neither a key"),
    ],
)
def test_other_files_hold_no_choices(found: Evaluation, tmp_path: Path, content: str, message: str) -> None:
    test = blind_test(found, np.random.default_rng(0))
    (tmp_path / "key.json").write_text(test.key)
    (tmp_path / "c.json").write_text(content.replace("TEST", json.loads(test.key)["test"]))
    with pytest.raises(InputError, match=rf"c\.json {message}"):
        score_blind(tmp_path / "key.json", [tmp_path / "c.json"])


@pytest.mark.parametrize(
    "change",
    [
        {"wildsr_blind_key": 2},
        {"methods": ["a"]},
        {"crops": "all"},
        {"crops": [{"image": "a", "left": "secretive", "right": "secretive"}]},
        {"crops": [{"left": "secretive", "right": "mysterious"}]},
    ],
)
def test_broken_keys_are_refused(found: Evaluation, tmp_path: Path, change: dict[str, object]) -> None:
    key = json.loads(blind_test(found, np.random.default_rng(0)).key)
    (tmp_path / "key.json").write_text(json.dumps({**key, **change}))
    with pytest.raises(InputError, match=r"key\.json is (no key|a broken key)"):
        score_blind(tmp_path / "key.json", [tmp_path / "none.json"])


def test_the_key_lies_beside_the_page() -> None:
    assert key_path(Path("out/choose.html")) == Path("out/choose.key.json")


@pytest.mark.skipif(shutil.which("node") is None, reason="node is not at hand")
def test_the_pages_script_saves_what_was_chosen(found: Evaluation, tmp_path: Path) -> None:
    """Run against a stand-in for the browser's document: six pairs, the third left open."""
    test = blind_test(found, np.random.default_rng(0))
    script = re.search(r"<script>(.*)</script>", test.page, re.S)
    assert script is not None
    stand_in = """
const answers = ["left", "right", null, "same", "left", "right"];
const elements = {save: {addEventListener: (_, call) => { elements.save.call = call; }}, left: {textContent: ""}};
const link = {click: () => console.log(JSON.stringify({href: link.href, name: link.download}))};
globalThis.document = {
  body: {querySelector: () => ({dataset: {test: "TEST"}})},
  getElementById: (id) => elements[id],
  createElement: () => link,
  addEventListener: (_, call) => { globalThis.changed = call; },
  querySelectorAll: (what) => what === "fieldset"
    ? answers.map((value) => ({querySelector: () => value && {value}}))
    : answers.filter(Boolean),
};
"""
    after = "\nchanged(); console.log(elements.left.textContent); elements.save.call();"
    (tmp_path / "run.js").write_text(stand_in + script[1] + after)
    done = subprocess.run(
        ["node", str(tmp_path / "run.js")], capture_output=True, text=True, timeout=60, check=True
    )
    left, saved = done.stdout.splitlines()
    assert left == "1 to go"
    assert json.loads(saved)["name"] == "choices-TEST.json"
    body = json.loads(unquote(json.loads(saved)["href"].removeprefix("data:application/json,")))
    assert body == {
        "wildsr_blind_choices": 1,
        "test": "TEST",
        "choices": ["left", "right", None, "same", "left", "right"],
    }
