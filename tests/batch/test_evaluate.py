"""Results measured by workers: the numbers of `wildsr evaluate`, what can't be measured, what a second run leaves."""

import json
import math
import os
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("pyarrow", reason="needs the extra batch")

from tests.cli.invoke import invoke
from tests.evaluation.pictures import fill, noisy, save, scene
from wildsr.batch.evaluate import EvaluatePlan, EvaluateWork, Measurer, evaluation_of, plan_evaluate
from wildsr.batch.manifest import Record, read_of, write_whole
from wildsr.batch.places import place_of
from wildsr.errors import InputError, ModelError, UsageError
from wildsr.evaluation import Evaluation, evaluate, to_csv, to_json, to_markdown
from wildsr.evaluation.measures import Measures

NAMES = ["s1/10.png", "s1/9.png", "s2/a.png"]
METRICS = ("psnr", "ssim_y", "piqe")


@pytest.fixture
def places(tmp_path: Path) -> tuple[Path, Path]:
    """Results, one of them perfect, and ground truth."""
    hr = fill(tmp_path / "hr", NAMES, scale=8)
    sr = fill(tmp_path / "sr", ["s1/10_x4.png", "s1/9_x4.png"], scale=8, sigma=5)
    save(sr / "s2" / "a_x4.png", scene(192, 256, seed=2))
    return sr, hr


def measured(plan: EvaluatePlan) -> tuple[list[Record], Evaluation]:
    """Do without Ray what the command does."""
    worker = Measurer(plan.work)
    new = [record for one in plan.tasks for record in worker.records(one, attempts=1)]
    records = [*plan.kept.values(), *new]
    write_whole(plan.work.output, records)
    return records, evaluation_of(plan, records)


def planned(sr: Path | str, hr: Path | str, out: Path | str, **more: object) -> EvaluatePlan:
    return plan_evaluate(str(sr), str(out), hr=str(hr), metrics=METRICS, **more)  # type: ignore[arg-type]


def test_the_numbers_are_those_of_the_command(
    places: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    sr, hr = places
    _, found = measured(planned(sr, hr, tmp_path / "out", crop_border=3))
    alone = evaluate([sr], hr=hr, metrics=METRICS, crop_border=3)
    assert to_csv(found) == to_csv(alone)
    assert to_markdown(found) == to_markdown(alone)
    assert to_json(found) == to_json(alone)
    assert found.by_image["s2/a.png"]["sr"].values["psnr"] == math.inf
    assert 20 < found.by_image["s1/9.png"]["sr"].values["psnr"] < 40


def test_stores_give_the_same_numbers(places: tuple[Path, Path], tmp_path: Path) -> None:
    url = f"memory://{tmp_path.name}"
    for place, name in zip(places, ("sr", "hr"), strict=True):
        for path in place.rglob("*.png"):
            place_of(f"{url}/{name}").publish(path, path.relative_to(place).as_posix())
    _, here = measured(planned(*places, tmp_path / "out"))
    _, there = measured(planned(f"{url}/sr", f"{url}/hr", f"{url}/out"))
    assert {row.image: dict(row.values) for row in here.rows} == {
        row.image: dict(row.values) for row in there.rows
    }
    assert there.protocol["set"] == "hr"


def test_a_second_run_measures_only_what_has_changed(places: tuple[Path, Path], tmp_path: Path) -> None:
    sr, hr = places
    first, before = measured(planned(sr, hr, tmp_path / "out"))
    assert {one.status for one in first} == {"done"}
    again = planned(sr, hr, tmp_path / "out")
    assert not again.tasks
    assert measured(again)[1].rows == before.rows
    os.utime(hr / "s1" / "9.png", (1, 1))
    assert [one.source for one in planned(sr, hr, tmp_path / "out").tasks] == ["s1/9_x4.png"]
    assert len(planned(sr, hr, tmp_path / "out", crop_border=1).tasks) == 3


def test_what_can_not_be_measured_is_named_and_the_rest_is(places: tuple[Path, Path], tmp_path: Path) -> None:
    sr, hr = places
    (sr / "s1" / "10_x4.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    save(sr / "s1" / "9_x4.png", noisy(scene(64, 64), 5)[:50])
    records, found = measured(planned(sr, hr, tmp_path / "out"))
    assert {one.source: one.status for one in records} == {
        "s1/10_x4.png": "quarantined", "s1/9_x4.png": "quarantined", "s2/a_x4.png": "done"
    }  # fmt: skip
    assert [text.split(",")[0] for text in found.failures] == ["s1/9.png", "s1/10.png"]
    assert found.means["sr"]["ssim_y"] is not None
    assert found.means["sr"]["ssim_y"].count == 1
    assert not planned(sr, hr, tmp_path / "out").tasks
    assert len(planned(sr, hr, tmp_path / "out", retry=True).tasks) == 2


def test_one_metric_that_fails_leaves_the_others(tmp_path: Path) -> None:
    save(tmp_path / "sr" / "a.png", scene(12, 12))
    save(tmp_path / "hr" / "a.png", scene(12, 12, seed=1))
    records, found = measured(planned(tmp_path / "sr", tmp_path / "hr", tmp_path / "out"))
    assert records[0].status == "quarantined"
    assert set(json.loads(records[0].found)["values"]) == {"psnr", "ssim_y"}
    assert list(found.rows[0].errors) == ["piqe"]
    assert found.rows[0].values["psnr"] > 5


def test_without_ground_truth_and_with_lr(places: tuple[Path, Path], tmp_path: Path) -> None:
    sr, hr = places
    plan = plan_evaluate(str(sr), str(tmp_path / "out"), metrics=["piqe"])
    _, found = measured(plan)
    assert found.rows[0].image == "s1/9_x4.png"
    assert found.protocol["reference"] is None
    lr = fill(tmp_path / "lr", NAMES, scale=2)
    plan = plan_evaluate(
        str(sr), str(tmp_path / "two"), hr=str(hr), lr=str(lr), metrics=["psnr", "lr_consistency"]
    )
    assert [one.lr for one in plan.tasks] == ["s1/9.png", "s1/10.png", "s2/a.png"]
    _, found = measured(plan)
    assert all("lr_consistency" in row.values for row in found.rows)


def test_counterparts_and_metrics_are_asked_for_before_anything_runs(
    places: tuple[Path, Path], tmp_path: Path
) -> None:
    sr, hr = places
    with pytest.raises(UsageError, match="compare with ground truth"):
        plan_evaluate(str(sr), str(tmp_path / "out"), metrics=["psnr"])
    with pytest.raises(UsageError, match="nonsense"):
        plan_evaluate(str(sr), str(tmp_path / "out"), metrics=["nonsense"])
    (hr / "s2" / "a.png").unlink()
    with pytest.raises(InputError, match=r"a_x4\.png has no counterpart in hr"):
        planned(sr, hr, tmp_path / "out")
    with pytest.raises(InputError, match="there is no"):
        planned(sr, tmp_path / "none", tmp_path / "out")


def test_a_worker_that_would_measure_otherwise_refuses(places: tuple[Path, Path], tmp_path: Path) -> None:
    work: EvaluateWork = planned(*places, tmp_path / "out").work
    with pytest.raises(ModelError, match="another version"):
        Measurer(replace(work, measures=Measures(metrics=("psnr",))))


def test_the_manifest_of_another_verb_is_not_added_to(places: tuple[Path, Path], tmp_path: Path) -> None:
    measured(planned(*places, tmp_path / "out"))
    assert len(read_of(place_of(str(tmp_path / "out")), "evaluate")) == 3
    for verb in ("upscale", "degrade"):
        with pytest.raises(UsageError, match="manifest of wildsr batch evaluate"):
            read_of(place_of(str(tmp_path / "out")), verb)
    old = Record(source="a", version="", target="", status="done", settings="0123", model="m")
    write_whole(place_of(str(tmp_path / "old")), [old])
    with pytest.raises(UsageError, match="manifest of wildsr batch upscale"):
        planned(*places, tmp_path / "old")


def test_a_dry_run_says_what_there_is_to_do(places: tuple[Path, Path], tmp_path: Path) -> None:
    sr, hr = places
    found = invoke("batch", "evaluate", sr, tmp_path / "out", "--hr", hr, "--metrics", "psnr", "--dry-run")
    assert found.code == 0, found.err
    assert "3 results of sr to measure against hr, 0 measured" in found.err
    assert not (tmp_path / "out").exists()
