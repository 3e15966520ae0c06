"""One file with two networks and the luminance rule: the engine, and any other runtime, get the same picture of it."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper

from tests.cli.invoke import invoke
from tests.engine.test_upscaler import PLAIN, network, photo, worst
from tests.engine.tiny import save
from wildsr.engine import FusionRule, Upscaler
from wildsr.engine.network import median_luma
from wildsr.errors import ModelError, UsageError
from wildsr.imaging import FloatArray, Picture, Source
from wildsr.models import Model, ModelSpec, import_model, load_model
from wildsr.models.fusion import fuse, is_fused, take_apart
from wildsr.models.onnx_file import embed_spec
from wildsr.models.runtimes import onnxruntime, openvino

RULE = FusionRule(alpha=0.25, beta=0.75, gamma=70.0)
SPEC = ModelSpec(id="fused", architecture="fusion", halo=12, halo_exact=12)


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WILDSR_CACHE", str(tmp_path / "cache"))


@pytest.fixture
def fused(rrdb: Model, compact: Model, tmp_path: Path) -> Path:
    graph = fuse(onnx.load(str(rrdb.onnx_path)), onnx.load(str(compact.onnx_path)), RULE)
    onnx.checker.check_model(graph)
    (tmp_path / "run").mkdir()
    return save(embed_spec(graph, SPEC), tmp_path / "run" / "model.onnx")


def half_dark(height: int = 61, width: int = 83) -> FloatArray:
    """Median luma below γ though two fifths of the picture, whole tiles of it, are bright."""
    rgb = photo(height, width)
    rgb[:, : width * 3 // 5] *= np.float32(0.2)
    rgb[:, width * 3 // 5 :] = rgb[:, width * 3 // 5 :] * np.float32(0.3) + np.float32(0.65)
    return rgb


def everywhere(path: Path, rgb: FloatArray, luminance: float) -> list[FloatArray]:
    """The whole file run by OpenVINO and by ONNX Runtime on the whole picture."""
    lr = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
    given = np.array([luminance], np.float32)
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    compiled = openvino().Core().compile_model(str(path), "CPU", config)
    results = [compiled({"lr": lr, "luminance": given})[0]]
    ort = onnxruntime()
    assert ort is not None
    session = ort.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    results += session.run(None, {"lr": lr, "luminance": given})
    return [one[0].transpose(1, 2, 0) for one in results]


@pytest.mark.parametrize("tile", [0, 26, 33])
def test_the_gate_is_the_pictures_whatever_its_tiles(
    fused: Path, rrdb: Model, compact: Model, tile: int
) -> None:
    rgb = half_dark()
    luminance = median_luma(Source.from_picture(Picture(rgb=rgb)))
    assert luminance < RULE.gamma
    assert median_luma(Source.from_picture(Picture(rgb=rgb[:, 60:]))) > RULE.gamma
    expected = np.clip(0.25 * network(rrdb, rgb) + 0.75 * network(compact, rgb), 0, 1)
    ours = Upscaler(fused.parent, replace(PLAIN, tile=tile))(Picture(rgb=rgb)).rgb
    assert worst(ours, expected) < 0.01
    for theirs in everywhere(fused, rgb, luminance):
        assert worst(np.clip(theirs, 0, 1), expected) < 0.01


def test_bright_pictures_get_the_relativistic_branch_alone(fused: Path, rrdb: Model) -> None:
    rgb = photo()
    alone = Upscaler(rrdb, PLAIN)(Picture(rgb=rgb)).rgb
    assert np.array_equal(Upscaler(fused, PLAIN)(Picture(rgb=rgb)).rgb, alone)
    for theirs in everywhere(fused, rgb, RULE.gamma):  # exactly γ is not dark
        assert worst(np.clip(theirs, 0, 1), alone) < 0.01


def test_one_fused_file_is_two_models_fused(fused: Path, rrdb: Model, compact: Model) -> None:
    for rgb in (half_dark(), photo(seed=3)):
        two = Upscaler(rrdb, replace(PLAIN, fusion=RULE), fuse_with=compact)
        assert np.array_equal(Upscaler(fused, PLAIN)(Picture(rgb=rgb)).rgb, two(Picture(rgb=rgb)).rgb)


def test_the_rule_is_the_files_unless_another_is_asked_for(fused: Path) -> None:
    own = Upscaler(fused)
    assert own.rule == RULE
    assert own.rule_in_words == "0.25 0.75 70"
    asked = Upscaler(fused, replace(PLAIN, fusion=FusionRule(gamma=0)))
    assert asked.rule_in_words == "0.5 0.5 0"
    with pytest.raises(UsageError, match="fused already"):
        Upscaler(fused, fuse_with=fused)


def test_the_command_changes_one_number_of_the_files_rule(
    fused: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from PIL import Image

    seen: list[object] = []
    original = Upscaler.__init__

    def noted(self: Upscaler, *arguments: object, **options: object) -> None:
        original(self, *arguments, **options)  # type: ignore[arg-type]
        seen.append(self.rule)

    monkeypatch.setattr(Upscaler, "__init__", noted)
    Image.new("RGB", (9, 7), (20, 20, 20)).save(tmp_path / "a.png")
    for options in ([], ["--gamma", "0"]):
        invoke(
            "upscale", tmp_path / "a.png", "-m", fused.parent, "-o", tmp_path / f"out{len(options)}", *options
        )
    assert seen == [RULE, replace(RULE, gamma=0.0)]


def test_both_parts_carry_the_files_description_and_digest(fused: Path) -> None:
    model = load_model(fused)
    again = load_model(fused)
    assert model.second is not None
    assert model.spec == model.second.spec == SPEC
    assert model.sha256 == model.second.sha256
    assert model == again
    assert model.rule == RULE


def test_importing_keeps_it_whole(fused: Path, tmp_path: Path) -> None:
    import_model(fused, tmp_path / "kept.onnx", licence="CC0")
    kept = load_model(tmp_path / "kept.onnx")
    assert is_fused(onnx.load(str(tmp_path / "kept.onnx")))
    assert (kept.rule, kept.spec.licence) == (RULE, "CC0")


def test_taking_apart_gives_back_what_was_put_together(fused: Path, rrdb: Model, compact: Model) -> None:
    parts = take_apart(onnx.load(str(fused)))
    for part, model in ((parts.main, rrdb), (parts.second, compact)):
        whole = onnx.load(str(model.onnx_path))
        assert [node.op_type for node in part.graph.node] == [node.op_type for node in whole.graph.node]
        for one, other in zip(part.graph.initializer, whole.graph.initializer, strict=True):
            assert np.array_equal(numpy_helper.to_array(one), numpy_helper.to_array(other))


def _without_gamma(graph: onnx.GraphProto) -> None:
    kept = [one for one in graph.initializer if one.name != "gamma"]
    del graph.initializer[:]
    graph.initializer.extend(kept)


def _gamma_of_two(graph: onnx.GraphProto) -> None:
    gamma = next(one for one in graph.initializer if one.name == "gamma")
    gamma.CopyFrom(numpy_helper.from_array(np.array([1, 2], np.float32), "gamma"))


def _endless_alpha(graph: onnx.GraphProto) -> None:
    alpha = next(one for one in graph.initializer if one.name == "alpha")
    alpha.CopyFrom(numpy_helper.from_array(np.array([np.inf], np.float32), "alpha"))


def _other_end(graph: onnx.GraphProto) -> None:
    graph.node[-1].op_type = "Sub"


def _across(graph: onnx.GraphProto) -> None:
    other = next(node for node in graph.node if node.output[0].startswith("standard/"))
    other.input[0] = "relativistic/sr"


def _stray(graph: onnx.GraphProto) -> None:
    graph.node.insert(0, helper.make_node("Identity", ["lr"], ["stray"]))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (_without_gamma, "alpha, beta, gamma|gamma"),
        (_gamma_of_two, "must have the constants"),
        (_endless_alpha, "rule of fusion"),
        (_other_end, "something unknown"),
        (_across, "can't be taken out"),
        (_stray, "belong to neither"),
    ],
)
def test_a_file_made_otherwise_is_refused(fused: Path, tmp_path: Path, spoil: object, message: str) -> None:
    model = onnx.load(str(fused))
    spoil(model.graph)  # type: ignore[operator]
    path = save(model, tmp_path / "spoilt.onnx")
    with pytest.raises(ModelError, match=message):
        load_model(path)


def test_networks_of_two_onnx_versions_are_not_fused(rrdb: Model) -> None:
    model = onnx.load(str(rrdb.onnx_path))
    other = onnx.load(str(rrdb.onnx_path))
    other.opset_import[0].version = 16
    with pytest.raises(ModelError, match="one ONNX version"):
        fuse(model, other, RULE)
