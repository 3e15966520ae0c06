"""The int8 form of a model: made from photos, judged, stored, taken by `auto` only above the bar."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.cli.invoke import invoke
from wildsr.engine import Settings, Upscaler, quantised_blocks, quantising
from wildsr.engine.backends import resolve
from wildsr.engine.backends.openvino import has_native_bf16
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
    worst_lpips=0.002,
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
        ({"agreement": 38.0, "lpips": 0.005, "worst_lpips": 0.01, "speed": 1.1}, None),
        ({"agreement": 37.9}, "agreement 37.9 dB is below 38"),
        ({"lpips": 0.0051}, "LPIPS differs by 0.0051, more than 0.005"),
        ({"worst_lpips": 0.0101}, "LPIPS of one crop differs by 0.0101, more than 0.01"),
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
    most = (
        0.01 if has_native_bf16() else 1e-4
    )  # the stand-in is the same graph; what isn't quantised takes bf16
    assert np.abs(upscaler(picture).rgb - exact.rgb).max() < most


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


def test_blocks_are_what_lies_between_the_sums(rrdb: Model, compact: Model) -> None:
    for model in (rrdb, compact):
        body = quantising._named(model.graph())
        nodes = {node.output[0]: node.op_type for node in body.graph.node}
        sums = quantised_blocks.sums_of(body)
        assert [nodes[name] for name in sums] == [kind for kind in nodes.values() if kind in ("Add", "Mul")]
        assert sums
        blocks = quantised_blocks.blocks_of(body)
        named = [name.removesuffix("/WithoutBiases") for block in blocks for name in block]
        assert sorted(named) == sorted(name for name, kind in nodes.items() if kind == "Conv")
        assert len(blocks[0]) == 1  # what sees the picture


def test_many_blocks_are_put_together(rrdb: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    body = quantising._named(rrdb.graph())
    single = quantised_blocks.blocks_of(body)
    monkeypatch.setattr(quantised_blocks, "_MOST", 2)
    fewer = quantised_blocks.blocks_of(body)
    assert len(fewer) <= 2 < len(single)
    assert [name for block in fewer for name in block] == [name for block in single for name in block]


@pytest.mark.filterwarnings("ignore")
def test_the_harmful_block_is_found_and_made_exact(rrdb: Model) -> None:
    pytest.importorskip("nncf", reason="the quantise extra isn't installed")
    body = quantising._named(rrdb.graph())
    crops = [np.random.default_rng(seed).random((1, 3, 32, 32), dtype=np.float32) for seed in range(2)]
    whole = quantised_blocks.exact_sums(
        quantising._quantised(body, crops), quantised_blocks.sums_of(body), shared=True
    )
    exact = openvino().Core().read_model(body.SerializeToString())
    blocks = quantised_blocks.blocks_of(body)
    truth = quantised_blocks._run(exact, crops)

    def error(model: object) -> float:
        found = quantised_blocks._run(model, crops)  # type: ignore[arg-type]
        return sum(float(np.mean((a - b) ** 2)) for a, b in zip(found, truth, strict=True))

    every = tuple(name for block in blocks for name in block)
    none, all_of_it = error(whole), error(quantised_blocks.exact_again(whole, exact, every))
    assert none > 0
    assert all_of_it < 1e-6 * none
    assert error(whole) == none  # the copy was changed, not the network
    ranked = quantised_blocks.most_harmful(whole, exact, blocks, crops)
    assert sorted(ranked) == sorted(blocks)
    first, last = (error(quantised_blocks.exact_again(whole, exact, one)) for one in (ranked[0], ranked[-1]))
    assert first == min(error(quantised_blocks.exact_again(whole, exact, one)) for one in blocks) <= last


@pytest.mark.filterwarnings("ignore")
def test_sums_alone_can_be_made_exact(rrdb: Model) -> None:
    pytest.importorskip("nncf", reason="the quantise extra isn't installed")
    body = quantising._named(rrdb.graph())
    crops = [np.random.default_rng(seed).random((1, 3, 32, 32), dtype=np.float32) for seed in range(2)]
    whole, sums = quantising._quantised(body, crops), quantised_blocks.sums_of(body)
    apart = quantised_blocks.exact_sums(whole, sums, shared=True)

    def rounded_inputs(model: object, shared: int = 0) -> int:
        return sum(
            place.get_source_output().get_node().get_type_name() == "FakeQuantize"
            for node in model.get_ordered_ops()  # type: ignore[attr-defined]
            if node.get_friendly_name() in sums
            for place in node.inputs()
            if len(place.get_source_output().get_target_inputs()) > shared
        )

    assert rounded_inputs(whole) > 0 == rounded_inputs(apart)
    terms = quantised_blocks.exact_sums(whole, sums, shared=False)
    assert rounded_inputs(whole) > rounded_inputs(terms) == rounded_inputs(whole, 1)
    exact = openvino().Core().read_model(body.SerializeToString())
    errors = [quantised_blocks.error_of(made, exact, crops) for made in (whole, apart, exact)]
    assert errors[0] > 0
    assert errors[1] > 0 == errors[2]


@pytest.mark.filterwarnings("ignore")
def test_a_centred_network_is_right_on_average(rrdb: Model, compact: Model) -> None:
    pytest.importorskip("nncf", reason="the quantise extra isn't installed")
    crops = [np.random.default_rng(seed).random((1, 3, 32, 32), dtype=np.float32) for seed in range(3)]
    for model in (rrdb, compact):
        body = quantising._named(model.graph())
        exact = openvino().Core().read_model(body.SerializeToString())
        whole = quantising._quantised(body, crops)
        made = quantised_blocks.centred(whole, exact, crops)
        before, after, truth = (quantised_blocks._run(one, crops) for one in (whole, made, exact))
        off, left = (
            np.abs(np.mean(found, axis=(0, 1, 3, 4)) - np.mean(truth, axis=(0, 1, 3, 4))).max()
            for found in (before, after)
        )
        assert left < 1e-5
        assert left < off


@pytest.mark.parametrize(
    ("agreements", "errors", "exact_sums"),
    [
        ((45.0,), (1.1, 1.0), (False,)),
        ((45.0,), (1.3, 1.0), (True,)),
        ((30.0, 40.0), (1.0, 1.0), (False,) * 2),
        ((30.0, 31.0, 39.0), (2.0, 1.0), (True,) * 3),
        ((30.0, 31.0, 32.0, 33.0, 34.0), (2.0, 1.0), (True,) * 5),
        ((30.0, 31.0, 32.0, 33.0, 34.0, 35.0, 40.0), (1.0, 1.0), (False,) * 5 + (True,) * 2),
    ],
)
def test_more_and_more_is_kept_exact_until_it_is_close(
    agreements: tuple[float, ...],
    errors: tuple[float, float],
    exact_sums: tuple[bool, ...],
    compact: Model,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = dict(zip(("rounded", "apart"), errors, strict=True))
    monkeypatch.setattr(quantising, "_quantised", lambda body, crops: "rounded")
    monkeypatch.setattr(
        quantising, "exact_sums", lambda whole, sums, shared: "apart" if shared else "rounded"
    )
    monkeypatch.setattr(quantising, "centred", lambda made, exact, crops: made)
    monkeypatch.setattr(quantising, "error_of", lambda made, exact, crops: found[made])
    monkeypatch.setattr(quantising, "most_harmful", lambda whole, exact, blocks, crops: [*blocks])
    monkeypatch.setattr(quantising, "exact_again", lambda whole, exact, kept: kept)
    sums = {*quantised_blocks.sums_of(quantising._named(compact.graph()))}
    asked: list[tuple[bool, int]] = []

    def attempt(model: Model, made: object, *, kept: tuple[str, ...], **others: object) -> Record:
        asked.append((sums <= {*kept}, len({*kept} - sums)))
        return replace(GOOD, agreement=agreements[len(asked) - 1], kept=kept)

    monkeypatch.setattr(quantising, "_attempt", attempt)
    record = quantising.quantise(compact, [photo(tmp_path / "a.png", 0)], say=print)
    assert record.agreement == agreements[-1]
    assert tuple(exact for exact, _ in asked) == exact_sums
    assert asked[0][1] == 0
    assert asked == sorted(asked)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_quantising_for_real(rrdb: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("nncf", reason="the quantise extra isn't installed")
    monkeypatch.setattr(quantising, "_lpips", lambda ours, truth: [0.001, 0.003])
    for seed in range(4):
        photo(tmp_path / f"{seed}.png", seed)
    done = invoke("models", "quantise", rrdb.onnx_path, tmp_path / "*.png", "--json")
    assert done.code == 0, done.err
    facts = done.json
    assert facts["agreement"] > 25
    assert facts["lpips"] == 0.002
    assert facts["worst_lpips"] == 0.003
    assert Path(str(facts["file"])).is_file()
    again = invoke("upscale", tmp_path / "0.png", "-m", rrdb.onnx_path, "--precision", "int8", "--json")
    assert again.code == 0, again.err
    assert again.json["precision"] == "int8"
