"""From a name or a path to a model that runs: found, converted once, healed, or refused with the next step."""

import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.models.ncnn_files import decibels, picture, run_ncnn, run_onnx
from tests.models.test_onnx_file import saved, shuffle
from wildsr.assets import WEIGHT_ASSETS, cache_dir, cached_path
from wildsr.errors import AssetError, ModelError
from wildsr.files import sha256_of
from wildsr.models import CATALOG, ModelSpec, import_model, load_model
from wildsr.models.conversions import _safe, check_conversions, conversions, remove_conversions
from wildsr.models.onnx_file import embed_spec, is_ready

# ×2: a 1×1 convolution of 3 to 12 channels and a pixel shuffle
PARAM = """7767517
3 3
Input data 0 1 data
Convolution conv 1 1 data wide 0=12 1=1 5=1 6=36
PixelShuffle up 1 1 wide output 0=2
"""
FETCHED = [name for name, entry in CATALOG.items() if entry.assets]
_REAL_CACHE, _OFFLINE = cache_dir(), os.environ.get("WILDSR_OFFLINE", "")
WEIGHTS = bytes(4) + np.linspace(-1, 1, 36, dtype="<f4").tobytes() + bytes(48)


@pytest.fixture(autouse=True)
def _own_cache(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("WILDSR_OFFLINE", "1")


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "best x2.param").write_text(PARAM)
    (folder / "best x2.bin").write_bytes(WEIGHTS)
    return folder / "best x2.param"


@pytest.mark.parametrize("given", ["param", "bin", "folder"])
def test_ncnn_pair_is_converted_once(pair: Path, given: str) -> None:
    path = {"param": pair, "bin": pair.with_suffix(".bin"), "folder": pair.parent}[given]
    model = load_model(path)
    assert (model.spec.id, model.spec.scale, model.spec.halo_exact) == ("best x2", 2, 0)
    before = model.onnx_path.stat().st_mtime_ns
    again = load_model(str(path))
    assert again == model
    assert again.onnx_path.stat().st_mtime_ns == before
    assert conversions("best x2") == [model.onnx_path]


def test_changed_weights_are_another_model(pair: Path) -> None:
    first = load_model(pair)
    pair.with_suffix(".bin").write_bytes(WEIGHTS[:-4] + np.float32(0.5).tobytes())
    second = load_model(pair)
    assert first.sha256 != second.sha256
    assert first.onnx_path != second.onnx_path


def test_damaged_conversion_is_noticed_and_healed(pair: Path) -> None:
    path = load_model(pair).onnx_path
    good = path.read_bytes()
    assert check_conversions() == {path.name: True}
    path.write_bytes(good[: len(good) // 2])
    assert check_conversions() == {path.name: False}
    assert load_model(pair).onnx_path.read_bytes() == good
    assert check_conversions() == {path.name: True}


def test_conversions_are_removed_by_name(pair: Path, tmp_path: Path) -> None:
    load_model(pair)
    (pair.parent / "best.param").write_text(PARAM)
    (pair.parent / "best.bin").write_bytes(WEIGHTS)
    kept = load_model(pair.parent / "best.param").onnx_path
    assert remove_conversions("best x2") == 1
    assert remove_conversions("best x2") == 0
    assert sorted(path.name for path in (tmp_path / "cache" / "models").iterdir()) == sorted(
        [kept.name, kept.with_suffix(".sha256").name]
    )


def test_ready_onnx_file_runs_where_it_is(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", shuffle(3))
    model = load_model(path)
    assert model.onnx_path == path
    assert model.sha256 == sha256_of(path)
    assert model.spec.scale == 3


def test_half_precision_of_one_size_gets_a_ready_copy(tmp_path: Path) -> None:
    path = saved(tmp_path / "net.onnx", shuffle(2, size=(32, 32), kind=onnx.TensorProto.FLOAT16))
    model = load_model(path)
    assert model.onnx_path != path
    assert model.sha256 == sha256_of(path)
    assert is_ready(onnx.load(model.onnx_path))
    assert load_model(path) == model


def test_training_run(tmp_path: Path) -> None:
    spec = ModelSpec(id="phone", architecture="compact", scale=2)
    saved(tmp_path / "model.onnx", embed_spec(shuffle(2), spec))
    saved(tmp_path / "other.onnx", shuffle(3))
    assert load_model(tmp_path).spec == spec


def test_import_writes_a_file_that_describes_itself(pair: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "mine.onnx"
    spec = import_model(pair, target)
    assert load_model(target).spec == spec
    assert load_model(target).onnx_path == target


def test_wrong_paths_name_the_next_step(pair: Path, tmp_path: Path) -> None:
    (tmp_path / "w.pth").write_bytes(b"x")
    (tmp_path / "w.txt").write_bytes(b"x")
    (tmp_path / "empty").mkdir()
    (tmp_path / "alone.param").write_text(PARAM)
    (pair.parent / "second.onnx").write_bytes(b"")
    cases = {
        "realsr-df2k-jpg": ("there is no model", "did you mean realsr-df2k-jpeg"),
        "no/such/file.onnx": ("there is no model", "a file of your own"),
        str(tmp_path / "w.pth"): ("holds weights without the network", "models import"),
        str(tmp_path / "w.txt"): ("is no model file", None),
        str(tmp_path / "empty"): ("holds no model.onnx", "finished training"),
        str(tmp_path / "alone.param"): ("has no alone.bin beside it", "keep them together"),
        str(pair.parent): ("holds 2 models", "name one of them"),
        "bad\0name": ("there is no model", "a file of your own"),
        "n" * 5000: ("there is no model", "a file of your own"),
    }
    for name, (told, hint) in cases.items():
        with pytest.raises(ModelError, match=told) as caught:
            load_model(name)
        assert (caught.value.hint is None) == (hint is None)
        assert hint is None or hint in str(caught.value.hint)


@pytest.mark.parametrize("name", FETCHED)
def test_catalog_model_offline_names_the_way_out(name: str) -> None:
    with pytest.raises(AssetError, match="switched off") as caught:
        load_model(name)
    assert CATALOG[name].weights.distribution.filename in str(caught.value.hint)


@pytest.mark.parametrize("name", FETCHED)
def test_catalog_row(name: str) -> None:
    entry = CATALOG[name]
    assert entry.spec.id == name
    assert {entry.param.name, entry.weights.name} == {f"{name}.param", f"{name}.bin"}
    assert entry.spec.licence == entry.weights.licence != "unknown"
    assert entry.spec.source == entry.weights.source
    assert entry.spec.halo <= entry.spec.halo_exact
    assert entry.summary
    assert entry.spec.training
    assert name.endswith(f"x{entry.spec.scale}") or entry.spec.scale == 4


def test_every_fetched_model_has_two_files() -> None:
    assert 2 * len(FETCHED) == len(WEIGHT_ASSETS) > 0


@pytest.mark.slow
@pytest.mark.parametrize("name", FETCHED)
def test_real_weights_agree_with_ncnn(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Skips where the weights are neither cached nor to be had."""
    monkeypatch.setenv("WILDSR_CACHE", str(_REAL_CACHE))
    monkeypatch.setenv("WILDSR_OFFLINE", _OFFLINE)
    entry = CATALOG[name]
    try:
        model = load_model(name)
    except AssetError as error:
        pytest.skip(f"the weights of {name} are neither cached nor to be had: {error}")
    assert check_conversions()[model.onnx_path.name]
    assert (model.spec.scale, model.spec.multiple) == (entry.spec.scale, 1)
    data = picture(20, 24) * 0.2 + np.linspace(0.1, 0.7, 24, dtype=np.float32)
    ours = run_onnx(model.onnx_path.read_bytes(), data)
    theirs = run_ncnn(cached_path(entry.param), cached_path(entry.weights), data)
    scale = model.spec.scale
    assert ours.shape == theirs.shape == (3, 20 * scale, 24 * scale)
    assert decibels(ours, theirs) > 110  # measured: 120 to 136


@pytest.mark.parametrize("name", ["名" * 200, "x" * 5000, "a/b\n\udce9" * 40, "é" * 59 + "名"])
def test_conversions_of_models_with_very_long_names_have_names_that_fit(name: str) -> None:
    short = _safe(name)
    assert 0 < len(short.encode()) <= 60
    assert not set(short) & set("/\\\n\0")


@pytest.mark.parametrize("name", ["x" * 5000, "x" * 5000 + ".onnx", "nul\0.onnx", "/" + "a/" * 5000])
def test_names_that_cannot_be_are_named_in_a_short_message(name: str) -> None:
    with pytest.raises(ModelError, match="there is no model") as caught:
        load_model(name)
    assert len(str(caught.value)) < 1000
