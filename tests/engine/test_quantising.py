"""The int8 form of a model: made from photos, judged, stored, taken by `auto` only above the bar."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from wildsr.engine import Settings, Upscaler, quantising
from wildsr.engine.backends import resolve
from wildsr.errors import UsageError
from wildsr.imaging import Picture
from wildsr.machine import processor
from wildsr.models import Model
from wildsr.models import quantised as store
from wildsr.models.quantised import FORMAT, Record, graph_file, keep, quantised, remove
from wildsr.models.runtimes import openvino

GOOD = Record(
    format=FORMAT,
    graph_sha256="",
    weights_sha256="",
    agreement=45.0,
    lpips=0.001,
    speed=2.0,
    processor=processor(),
    kept=(),
)


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")
    return tmp_path / "cache"


def stored(model: Model, record: Record, folder: Path) -> None:
    """Keep the model's own graph as if it were its int8 form, with this record."""
    runtime = openvino()
    graph = runtime.Core().read_model(model.graph().SerializeToString())
    runtime.save_model(graph, str(folder / "g.xml"), compress_to_fp16=False)
    digests = [store.sha256_of(folder / name) for name in ("g.xml", "g.bin")]
    record = replace(record, graph_sha256=digests[0], weights_sha256=digests[1])
    keep(model, (folder / "g.xml").read_bytes(), (folder / "g.bin").read_bytes(), record)


@pytest.mark.parametrize(
    ("change", "shortcoming"),
    [
        ({}, None),
        ({"agreement": 38.0, "lpips": 0.005, "speed": 1.1}, None),
        ({"agreement": 37.9}, "agreement 37.9 dB is below 38"),
        ({"lpips": 0.0051}, "LPIPS differs by 0.0051, more than 0.005"),
        ({"lpips": None}, "LPIPS could not be measured"),
        ({"speed": 1.09}, "it is 1.09 times as fast, less than 1.1"),
        ({"processor": "another"}, "it was measured on another processor (another)"),
    ],
)
def test_auto_takes_it_only_above_the_bar(
    change: dict[str, float | str | None], shortcoming: str | None, compact: Model, tmp_path: Path
) -> None:
    record = replace(GOOD, **change)
    stored(compact, record, tmp_path)
    assert record.passes == (shortcoming is None)
    assert record.shortcomings() == ([] if shortcoming is None else [shortcoming])
    runs = resolve(models=[compact])
    assert (runs.precision == "int8") == (shortcoming is None)
    assert resolve(precision="int8", models=[compact]).precision == "int8"  # who asks for it gets it
    assert resolve(precision="fp32", models=[compact]).precision == "fp32"


def test_what_runs_is_what_is_said(compact: Model, tmp_path: Path) -> None:
    stored(compact, GOOD, tmp_path)
    upscaler = Upscaler(compact)
    assert (upscaler.precision, upscaler.execution.backend) == ("int8", "openvino")
    picture = Picture(rgb=np.random.default_rng(0).random((20, 24, 3), dtype=np.float32))
    exact = Upscaler(compact, Settings(precision="fp32"))(picture)
    assert np.abs(upscaler(picture).rgb - exact.rgb).max() < 1e-4  # the stand-in is the same graph


def test_two_models_need_two(compact: Model, rrdb: Model, tmp_path: Path) -> None:
    rrdb = replace(rrdb, sha256="1" * 64)
    stored(compact, GOOD, tmp_path)
    assert resolve(models=[compact, rrdb]).precision != "int8"
    with pytest.raises(UsageError, match="tiny-rrdb has no int8 form") as caught:
        resolve(precision="int8", models=[compact, rrdb])
    assert "wildsr models quantise tiny-rrdb PHOTOS" in str(caught.value.hint)


def test_another_backend_refuses(compact: Model, tmp_path: Path) -> None:
    stored(compact, GOOD, tmp_path)
    assert resolve("onnxruntime", models=[compact]).precision == "fp32"
    with pytest.raises(UsageError, match="the onnxruntime backend doesn't run int8"):
        resolve("onnxruntime", precision="int8", models=[compact])


@pytest.mark.parametrize("damage", ["graph", "weights", "record", "missing"])
def test_a_damaged_form_counts_for_nothing(damage: str, compact: Model, tmp_path: Path) -> None:
    stored(compact, GOOD, tmp_path)
    assert quantised(compact) is not None
    path = graph_file(compact)
    if damage == "record":
        path.with_suffix(".json").write_text(json.dumps({"format": 1}))
    elif damage == "missing":
        path.unlink()
    else:
        target = path if damage == "graph" else path.with_suffix(".bin")
        target.write_bytes(target.read_bytes()[:-1] + b"x")
    assert quantised(compact) is None
    assert resolve(models=[compact]).precision != "int8"
    assert remove(compact) == True  # noqa: E712 -- a bool, not something true
    assert not list(path.parent.iterdir())


def photo(path: Path, seed: int, side: int = 96) -> Path:
    rng = np.random.default_rng(seed)
    coarse = Image.fromarray(rng.integers(0, 256, (12, 12, 3), dtype=np.uint8))
    coarse.resize((side, side), Image.Resampling.BICUBIC).save(path)
    return path


def test_photos_too_small_are_refused(rrdb: Model, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="none of the 1 photo has 64 pixels a side"):
        quantising.quantise(rrdb, [photo(tmp_path / "a.png", 0, 40)], say=print)


def test_without_nncf_the_extra_is_named(
    rrdb: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wildsr.models import runtimes

    monkeypatch.setattr(runtimes.importlib.util, "find_spec", lambda name: None)
    monkeypatch.delitem(runtimes._loaded, "nncf", raising=False)
    with pytest.raises(UsageError, match="needs the package nncf") as caught:
        quantising.quantise(rrdb, [photo(tmp_path / "a.png", 0)], say=print)
    assert "wildsr[quantise]" in str(caught.value.hint)


def test_sums_and_ends_are_what_may_stay_in_fp32(rrdb: Model, compact: Model) -> None:
    for model in (rrdb, compact):
        nodes = {node.output[0]: node.op_type for node in model.graph().graph.node}
        sums, ends = quantising._sums(model.graph()), quantising._ends(model.graph())
        assert [nodes[name] for name in sums] == [kind for kind in nodes.values() if kind in ("Add", "Mul")]
        assert sums
        assert {nodes[name.removesuffix("/WithoutBiases")] for name in ends} == {"Conv"}


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_quantising_for_real(rrdb: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nncf", reason="the quantise extra isn't installed")
    monkeypatch.setattr(quantising, "_lpips", lambda ours, truth: 0.001)
    for seed in range(4):
        photo(tmp_path / f"{seed}.png", seed)
    done = invoke("models", "quantise", rrdb.onnx_path, tmp_path / "*.png", "--json")
    assert done.code == 0, done.err
    facts = done.json
    assert facts["agreement"] > 25
    assert facts["lpips"] == 0.001
    assert Path(str(facts["file"])).is_file()
    again = invoke("upscale", tmp_path / "0.png", "-m", rrdb.onnx_path, "--precision", "int8", "--json")
    assert again.code == 0, again.err
    assert again.json["precision"] == "int8"
