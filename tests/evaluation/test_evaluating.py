"""What the command does, in Python: from names to a plan, and from a plan to numbers."""

from pathlib import Path

import numpy as np
import pytest

from tests.evaluation.pictures import fill
from tests.models.two_ends import save_ends
from wildsr import metrics
from wildsr.engine import Settings, Upscaler
from wildsr.errors import InputError, UsageError
from wildsr.evaluation import (
    NO_REFERENCE_METRICS,
    REFERENCE_METRICS,
    BicubicEnlargement,
    Network,
    Results,
    evaluate,
    plan_evaluation,
)
from wildsr.imaging import Picture, open_source
from wildsr.models import Model, load_model

NAMES = ["a.png", "b.png"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own."""
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture
def pairs(tmp_path: Path) -> Path:
    """A set of two pictures at ×2."""
    fill(tmp_path / "pairs" / "HR", NAMES, scale=2)
    fill(tmp_path / "pairs" / "LR", NAMES)
    return tmp_path / "pairs"


def never(name: str) -> Model:
    raise AssertionError(f"{name} was loaded")


def test_results_are_judged_by_what_is_named(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    found = evaluate([sr], hr=hr, metrics=["psnr"], load=never)
    expected = [
        metrics.psnr(open_source(sr / name).samples, open_source(hr / name).samples) for name in NAMES
    ]
    assert [row.values["psnr"] for row in found.rows] == expected
    assert found.methods == ("sr",)
    assert found.protocol["set"] == "hr"


def test_lr_pictures_join_for_metrics_that_need_them(tmp_path: Path) -> None:
    lr, sr = fill(tmp_path / "lr", NAMES), fill(tmp_path / "sr", NAMES, scale=2)
    found = evaluate([sr], lr=lr, metrics=["colour_drift", "ringing_lr"])
    assert all(set(row.values) == {"colour_drift", "ringing_lr"} for row in found.rows)
    with pytest.raises(UsageError, match="colour_drift compare with LR pictures"):
        evaluate([sr], metrics=["colour_drift"])


def test_metrics_follow_from_what_is_there(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    assert plan_evaluation([sr], hr=hr).measures.metrics == REFERENCE_METRICS
    assert plan_evaluation([sr]).measures.metrics == NO_REFERENCE_METRICS
    assert plan_evaluation([sr], metrics=["piqe"]).measures.metrics == ("piqe",)
    with pytest.raises(UsageError, match="metrics are none"):
        plan_evaluation([sr], metrics=[])


def test_the_usual_metrics_need_what_their_list_says() -> None:
    assert {metrics.METRICS[name].reference for name in REFERENCE_METRICS} == {"hr", "none"}
    assert {metrics.METRICS[name].reference for name in NO_REFERENCE_METRICS} == {"none"}
    assert all(metrics.METRICS[name].file is None for name in (*REFERENCE_METRICS, *NO_REFERENCE_METRICS))


def test_a_plan_runs_nothing(pairs: Path, cache: Path) -> None:
    plan = plan_evaluation(models=["bicubic"], test_set=pairs, metrics=["psnr"], load=never)
    assert (plan.scale, len(plan.test_set.pictures)) == (2, 2)
    assert not list(cache.rglob("*.png"))
    found = plan.run()
    assert len(list(cache.rglob("*.png"))) == 2
    assert found.means["bicubic"]["psnr"] == plan.run().means["bicubic"]["psnr"]


def test_models_are_loaded_by_name_and_folders_of_results_stand_beside_them(
    pairs: Path, tmp_path: Path, tiny: Model
) -> None:
    loaded = []

    def load(name: str) -> Model:
        loaded.append(name)
        return tiny

    mine = fill(tmp_path / "mine", NAMES, scale=2, sigma=4)
    plan = plan_evaluation(
        [mine],
        models=["bicubic", "realsr-df2k", str(tmp_path / "runs" / "phone")],
        test_set=pairs,
        metrics=["psnr"],
        settings=Settings(color_fix=False),
        load=load,
    )
    assert loaded == ["realsr-df2k", str(tmp_path / "runs" / "phone")]
    assert [method.name for method in plan.methods] == ["bicubic", "realsr-df2k", "phone", "mine"]
    kinds = [BicubicEnlargement, Network, Network, Results]
    assert [type(method) for method in plan.methods] == kinds
    assert plan.methods[1].facts()["color_fix"] is False


def test_a_sharpness_is_for_the_models_with_two_ends(tmp_path: Path, tiny: Model) -> None:
    """The rows are those of each end; a model without a dial beside it is judged as it is; alone it is refused."""
    fill(tmp_path / "pairs" / "HR", NAMES, scale=4)
    fill(tmp_path / "pairs" / "LR", NAMES)
    ends = str(save_ends(tmp_path / "ends"))

    def load(name: str) -> Model:
        return tiny if name == "tiny" else load_model(name)

    found = {
        sharpness: evaluate(
            models=[ends, "tiny"],
            test_set=tmp_path / "pairs",
            metrics=["psnr"],
            settings=Settings(precision="fp32", threads=1, sharpness=sharpness),
            load=load,
        )
        for sharpness in (0.0, 1.0)
    }
    assert [one.protocol["methods"]["ends"]["sharpness"] for one in found.values()] == [0.0, 1.0]
    psnr = {
        sharpness: {
            name: [row.values["psnr"] for row in one.rows if row.method == name] for name in one.methods
        }
        for sharpness, one in found.items()
    }
    assert psnr[0.0]["tiny"] == psnr[1.0]["tiny"]
    assert psnr[0.0]["ends"] != psnr[1.0]["ends"]
    for sharpness in (0.0, 1.0):
        upscaler = Upscaler(load_model(ends), Settings(precision="fp32", threads=1, sharpness=sharpness))
        lr, hr = (open_source(tmp_path / "pairs" / kind / NAMES[0]).samples for kind in ("LR", "HR"))
        sr = np.rint(np.clip(upscaler(Picture(rgb=lr / np.float32(255))).rgb, 0, 1) * 255).astype(np.uint8)
        assert psnr[sharpness]["ends"][0] == pytest.approx(metrics.psnr(sr, hr), abs=1e-6)
    with pytest.raises(UsageError, match="none of tiny has two ends"):
        plan_evaluation(
            models=["tiny"], test_set=tmp_path / "pairs", settings=Settings(sharpness=0.5), load=load
        )


def test_a_scale_can_be_named(pairs: Path) -> None:
    plan = plan_evaluation(models=["bicubic"], test_set=pairs, metrics=["psnr"], scale=4)
    assert plan.scale == 4
    with pytest.raises(InputError, match="the result is 128×96, the ground truth 64×48"):
        plan.run()


@pytest.mark.parametrize(
    "arguments",
    [
        {"models": ["bicubic"]},
        {"test_set": "Set5"},
        {"models": ["bicubic"], "test_set": "Set5", "hr": "hr"},
        {"models": ["bicubic"], "test_set": "Set5", "lr": "lr"},
    ],
)
def test_models_and_sets_go_together(arguments: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="models are run on a test set"):
        plan_evaluation(**arguments)  # type: ignore[arg-type]


def test_nothing_is_nothing_to_judge() -> None:
    with pytest.raises(UsageError, match="nothing to judge"):
        evaluate()


def test_a_fresh_run_measures_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES, sigma=8)
    first = evaluate([sr], hr=hr, metrics=["psnr"])
    measured: list[str] = []
    original = metrics.METRICS["psnr"].measure
    monkeypatch.setattr(
        metrics.Metric,
        "measure",
        lambda self, *args, **more: measured.append(self.name) or original(*args, **more),
    )
    kept = evaluate([sr], hr=hr, metrics=["psnr"])
    assert measured == ["psnr"]  # the trial before a run, and no picture
    again = evaluate([sr], hr=hr, metrics=["psnr"], resume=False)
    assert measured == ["psnr"] * 4
    assert [row.values for row in first.rows] == [row.values for row in kept.rows]
    assert [row.values for row in first.rows] == [row.values for row in again.rows]


def test_progress_is_told(tmp_path: Path) -> None:
    hr, sr = fill(tmp_path / "hr", NAMES), fill(tmp_path / "sr", NAMES)
    told: list[tuple[str, int, int]] = []
    evaluate([sr], hr=hr, metrics=["psnr"], watch=lambda *step: told.append(step))
    assert told == [("measuring", 1, 2), ("measuring", 2, 2)]
