"""Metrics against people: numbers, which way is better, and the files that scores come from."""

import json
import math
from pathlib import Path

import numpy as np
import pytest

from wildsr.errors import InputError
from wildsr.study.correlation import aligned, correlate, read_scores

stats = pytest.importorskip("scipy.stats", reason="the study extra isn't installed")


def test_the_three_coefficients_are_scipys() -> None:
    rng = np.random.default_rng(3)
    opinions = rng.uniform(0, 5, 40)
    values = 30 - opinions + rng.normal(size=40)
    found = correlate(opinions, values, metric="psnr")
    assert found is not None
    assert found.results == 40
    assert found.srcc == pytest.approx(stats.spearmanr(-opinions, values).statistic)
    assert found.plcc == pytest.approx(stats.pearsonr(-opinions, values).statistic)
    assert found.krcc == pytest.approx(stats.kendalltau(-opinions, values).statistic)


@pytest.mark.parametrize(
    ("metric", "values", "sign"),
    [
        ("psnr", [30.0, 28.0, 25.0, 20.0], 1.0),
        ("psnr", [20.0, 25.0, 28.0, 30.0], -1.0),
        ("lpips", [0.1, 0.2, 0.3, 0.4], 1.0),
        ("niqe", [5.0, 4.0, 3.0, 2.0], -1.0),
    ],
)
def test_a_metric_that_prefers_what_people_prefer_is_positive(
    metric: str, values: list[float], sign: float
) -> None:
    """Opinions are levels: the first result is the best."""
    found = correlate(np.array([0.0, 1.0, 2.0, 4.0]), np.array(values), metric=metric)
    assert found is not None
    assert (found.srcc, found.krcc) == pytest.approx((sign, sign))
    assert found.plcc * sign > 0.9


def test_results_that_lack_either_number_do_not_count() -> None:
    opinions = np.array([0.0, 1.0, math.nan, 3.0, 4.0])
    values = np.array([4.0, 3.0, 9.0, 1.0, math.inf])
    found = correlate(opinions, values, metric="psnr")
    assert found is not None
    assert found.results == 3
    assert found.srcc == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("opinions", "values"),
    [
        ([1.0, 2.0], [2.0, 1.0]),
        ([1.0, 2.0, math.nan], [3.0, 2.0, 1.0]),
        ([2.0, 2.0, 2.0], [3.0, 2.0, 1.0]),
        ([1.0, 2.0, 3.0], [7.0, 7.0, 7.0]),
        ([], []),
    ],
    ids=["two", "two judged", "one opinion", "one value", "none"],
)
def test_too_little_to_correlate(opinions: list[float], values: list[float]) -> None:
    assert correlate(np.array(opinions), np.array(values), metric="psnr") is None


def test_values_are_found_by_picture_and_method() -> None:
    values = {"psnr": {"a_x4.png": {"one": 30.0, "two": 20.0}, "b.png": {"two": 21.0}}}
    table = aligned(values, "psnr", ("b", "a", "c"), ("one", "two"))
    np.testing.assert_array_equal(table, [[math.nan, 21.0], [30.0, 20.0], [math.nan, math.nan]])


def test_scores_are_read_from_json_and_csv_alike(tmp_path: Path) -> None:
    rows = [
        {"image": "a.png", "method": "one", "psnr": 30.5, "niqe": 4.25, "seconds": 3.0},
        {"image": "b.png", "method": "one", "psnr": "inf", "niqe": None, "seconds": 3.0},
    ]
    (tmp_path / "s.json").write_text(json.dumps({"rows": rows}))
    (tmp_path / "s.csv").write_text(
        "image,method,psnr,niqe,seconds\na.png,one,30.5,4.25,3.0\nb.png,one,inf,,3.0\n"
    )
    wanted = {
        "psnr": {"a.png": {"one": 30.5}, "b.png": {"one": math.inf}},
        "niqe": {"a.png": {"one": 4.25}},
    }
    assert read_scores(tmp_path / "s.json") == wanted
    assert read_scores(tmp_path / "s.csv") == wanted


def test_truth_is_no_number(tmp_path: Path) -> None:
    """JSON's `true` is 1 in Python; as a score it is a mistake."""
    rows = [{"image": "a", "method": "m", "psnr": True, "ssim": 0.5}]
    (tmp_path / "s.json").write_text(json.dumps({"rows": rows}))
    assert read_scores(tmp_path / "s.json") == {"ssim": {"a": {"m": 0.5}}}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b'{"rows": 3}',
        b'{"rows": [1, 2]}',
        b'{"rows": []}',
        b'{"rows": [{"image": 1, "method": "m", "psnr": 3}]}',
        b'{"rows": [{"image": "a", "psnr": 3}]}',
        b'{"rows": [{"image": "a", "method": "m", "taste": 3}]}',
        b'{"rows": [',
        b"[" * 100_000,
        b"\xff\xfe\x00",
        b"image,method\na,b\n",
        b"just words\n",
        b"{" * 100_000,
        b"image,method,psnr\na,b,high\n",
    ],
)
def test_what_holds_no_scores_is_named(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "scores.json"
    file.write_bytes(content)
    with pytest.raises(InputError, match=r"scores.json holds no scores") as caught:
        read_scores(file)
    assert "wildsr evaluate" in str(caught.value.hint)


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"can't read missing.json: No such file"):
        read_scores(tmp_path / "missing.json")
    with pytest.raises(InputError, match=r"can't read .*directory"):
        read_scores(tmp_path)


def test_a_file_too_large_to_be_scores(tmp_path: Path) -> None:
    with (tmp_path / "huge.json").open("wb") as file:
        file.truncate((64 << 20) + 1)
    with pytest.raises(InputError, match="more than 64 MB"):
        read_scores(tmp_path / "huge.json")
