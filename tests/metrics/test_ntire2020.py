"""The published tables of the NTIRE 2020 challenge come out of our ranks, as far as printed means allow."""

import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.stats import spearmanr

from wildsr.metrics import METRICS, iqa_rank, mean_opinion_rank, ranks

TABLES = Path(__file__).resolve().parents[2] / "docs" / "results" / "ntire2020"
TRACK2 = ("niqe", "brisque", "piqe", "nrqm", "pi")
MISSING = {"niqe": 7, "brisque": 6, "piqe": 5, "nrqm": 7, "pi": 7}
"""Ranks of the one method of track 2 whose row is not printed."""


def rows(track: int) -> list[dict[str, str]]:
    with (TABLES / f"track{track}.csv").open() as file:
        return list(csv.DictReader(file))


@pytest.mark.parametrize("metric", ["psnr", "ssim", "lpips"])
def test_track1_ranks(metric: str) -> None:
    ranked = [row for row in rows(1) if row[f"{metric}_rank"]]
    assert len(ranked) == 19
    ours = ranks([float(row[metric]) for row in ranked], higher_is_better=METRICS[metric].higher_is_better)
    theirs = np.array([float(row[f"{metric}_rank"]) for row in ranked])
    # a tie of printed digits shares the mean of ranks that were told apart by further digits: ±½
    assert np.abs(ours - theirs).max() <= 0.5
    assert (ours != theirs).sum() == (2 if metric == "lpips" else 0)


@pytest.mark.parametrize("metric", TRACK2)
def test_track2_ranks(metric: str) -> None:
    table = rows(2)
    ours = ranks([float(row[metric]) for row in table], higher_is_better=METRICS[metric].higher_is_better)
    ours += ours >= MISSING[metric]  # make room for the method that isn't printed
    theirs = np.array([float(row[f"{metric}_rank"]) for row in table])
    assert sorted([*theirs, MISSING[metric]]) == list(range(1, 19))
    assert np.abs(ours - theirs).max() <= 0.5


def test_track2_pi_is_made_of_nrqm_and_niqe() -> None:
    for row in rows(2):
        expected = ((10 - float(row["nrqm"])) + float(row["niqe"])) / 2
        assert float(row["pi"]) == pytest.approx(expected, abs=0.0101), row["team"]


def test_track2_iqa_rank_is_of_pictures_and_follows_the_means_closely() -> None:
    table = rows(2)
    theirs = np.array([float(row["iqa_rank"]) for row in table])
    assert np.abs(theirs * 500 - np.round(theirs * 500)).max() < 1e-9
    # 18 mean ranks sum to 171, so the missing method has what is left
    assert 171 - theirs.sum() == pytest.approx(10.302)
    means = {metric: {"all": {row["team"]: float(row[metric]) for row in table}} for metric in TRACK2}
    ours = iqa_rank(means, {metric: METRICS[metric].higher_is_better for metric in TRACK2})
    assert list(ours) == [row["team"] for row in table]
    assert spearmanr(list(ours.values()), theirs).statistic > 0.97
    assert min(ours, key=ours.__getitem__) == "Impressionism"


def test_track2_mean_opinion_ranks() -> None:
    judged = {row["team"]: row for row in rows(2) if row["mor"]}
    assert len(judged) == 7
    published = {team: float(row["mor"]) for team, row in judged.items()}
    assert sum(published.values()) == pytest.approx(28, abs=0.035)  # seven values rounded to .01
    ordering = mean_opinion_rank([published])
    assert ordering == {team: float(row["mor_rank"]) for team, row in judged.items()}


def test_people_and_metrics_disagree() -> None:
    # ITS425: last of all printed methods on every metric but third for people
    table = {row["team"]: row for row in rows(2)}
    assert all(table["ITS425"][f"{metric}_rank"] == "18" for metric in TRACK2)
    assert table["ITS425"]["mor_rank"] == "3"
