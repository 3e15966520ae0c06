from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from tests.engine.tiny import save, tiny_unshuffle
from wildsr.engine import FusionRule, Settings, Size, Upscaler
from wildsr.engine.backends import Execution, open_backend, resolve
from wildsr.engine.backends.openvino import OpenVINOBackend, has_native_bf16
from wildsr.engine.network import median_luma
from wildsr.errors import BackendError, LimitError, OutOfMemoryError, OutputError, UsageError
from wildsr.imaging import FloatArray, Picture, Source, WriteOptions, open_source, read, resize, write
from wildsr.models import Model, ModelSpec, load_model
from wildsr.models.graph import bytes_per_pixel, split_before_upscaling
from wildsr.models.runtimes import openvino

PLAIN = Settings(color_fix=False, precision="fp32")


def photo(height: int = 40, width: int = 52, *, seed: int = 0) -> FloatArray:
    """Smooth shapes with some texture, in [0.1, 0.9]."""
    random = np.random.default_rng(seed)
    coarse = resize(random.random((6, 7, 3), np.float32), (height, width), method="bicubic")
    fine = random.normal(0, 0.03, (height, width, 3)).astype(np.float32)
    return np.clip(coarse + fine, 0.1, 0.9)


def network(model: Model, rgb: FloatArray) -> FloatArray:
    """What the uncut graph gives for the whole picture, straight from OpenVINO."""
    config = {"INFERENCE_PRECISION_HINT": "f32"}
    request = openvino().Core().compile_model(str(model.onnx_path), "CPU", config).create_infer_request()
    return request.infer({0: np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])})[0][0].transpose(1, 2, 0)


def worst(a: FloatArray, b: FloatArray) -> float:
    return float(np.abs(a - b).max()) * 255


@pytest.mark.parametrize("name", ["rrdb", "compact"])
@pytest.mark.parametrize("tile", [0, 26, 33, 41])
def test_tiles_equal_the_whole_picture(name: str, tile: int, request: pytest.FixtureRequest) -> None:
    model: Model = request.getfixturevalue(name)
    rgb = photo(61, 83)
    result = Upscaler(model, replace(PLAIN, tile=tile))(Picture(rgb=rgb)).rgb
    assert worst(result, np.clip(network(model, rgb), 0, 1)) < 0.01


def test_tiles_of_a_network_that_shuffles_pixels_keep_its_phase(tmp_path: Path) -> None:
    path = save(tiny_unshuffle(), tmp_path / "unshuffle.onnx")
    spec = ModelSpec(id="u", architecture="graph", scale=2, multiple=2, halo=4, halo_exact=4)
    model = Model(spec=spec, onnx_path=path, sha256="0" * 64)
    rgb = photo(101, 133)
    whole = Upscaler(model, PLAIN)(Picture(rgb=rgb)).rgb
    for tile in (32, 33, 45):
        assert worst(Upscaler(model, replace(PLAIN, tile=tile))(Picture(rgb=rgb)).rgb, whole) < 0.01


@pytest.mark.parametrize(("height", "width"), [(1, 1), (1, 9), (2, 3), (17, 1), (8, 5)])
def test_the_smallest_pictures_work(compact: Model, rrdb: Model, height: int, width: int) -> None:
    for model in (compact, rrdb):
        rgb = photo(height, width)
        result = Upscaler(model, PLAIN)(Picture(rgb=rgb)).rgb
        assert result.shape == (4 * height, 4 * width, 3)
        assert worst(result, np.clip(network(model, rgb), 0, 1)) < 0.01


def test_a_network_is_cut_in_front_of_its_first_enlargement_and_stays_the_same(rrdb: Model) -> None:
    graph = onnx.load(str(rrdb.onnx_path))
    split = split_before_upscaling(graph)
    assert split is not None
    assert {node.op_type for node in split.body.graph.node}.isdisjoint({"Resize"})
    assert split.halo == 3  # 3/4 + 1/2 LR pixels of convolutions, nearest steps, rounded up
    assert bytes_per_pixel(split.body) < bytes_per_pixel(graph) / 2


def test_strips_of_the_tail_equal_the_whole(rrdb: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wildsr.engine.backends.strips.STRIP_PIXELS", 400)
    rgb = photo(70, 40)
    tile = np.ascontiguousarray(rgb.transpose(2, 0, 1)[None])
    result = (
        OpenVINOBackend(rrdb, Execution(backend="openvino", device="cpu", precision="fp32"))
        .run(tile)[0]
        .transpose(1, 2, 0)
    )
    assert worst(result, network(rrdb, rgb)) < 0.01


def test_a_skip_around_the_cut_is_left_whole(compact: Model) -> None:
    assert split_before_upscaling(onnx.load(str(compact.onnx_path))) is None


def test_pixels_that_are_only_moved_after_the_cut_are_left_where_they_are() -> None:
    graph = load_model("wild-compact").graph()
    operations = [node.op_type for node in graph.graph.node]
    assert "Conv" not in operations[operations.index("DepthToSpace") :]
    assert split_before_upscaling(graph) is None


def test_onnx_runtime_agrees_with_openvino(rrdb: Model, compact: Model) -> None:
    pytest.importorskip("onnxruntime")
    for model in (rrdb, compact):
        tile = np.ascontiguousarray(photo(20, 30).transpose(2, 0, 1)[None])
        a, b = (
            open_backend(model, resolve(name, precision="fp32", threads=1)).run(tile)
            for name in ("openvino", "onnxruntime")
        )
        assert worst(a, b) < 0.01


def test_a_device_nobody_has_is_refused_with_a_hint(compact: Model) -> None:
    pytest.importorskip("onnxruntime")
    with pytest.raises(UsageError, match="can't use directml") as caught:
        Upscaler(compact, Settings(device="directml"))
    assert "--device cpu" in str(caught.value.hint)


def test_precision_follows_the_processor() -> None:
    expected = "bf16" if has_native_bf16() else "fp32"
    assert resolve("openvino").precision == expected
    assert resolve("openvino", precision="bf16").precision == expected
    asked = resolve("openvino", precision="fp32")
    assert (asked.precision, asked.note) == ("fp32", None)
    assert "fp32" in str(resolve("onnxruntime", precision="bf16").note)


def test_strength_zero_is_bicubic_and_half_is_half_way(compact: Model) -> None:
    rgb = photo()
    full, half, none = (
        Upscaler(compact, replace(PLAIN, strength=strength))(Picture(rgb=rgb)).rgb
        for strength in (1.0, 0.5, 0.0)
    )
    assert worst(none, np.clip(resize(rgb, full.shape[:2], method="bicubic"), 0, 1)) < 0.01
    assert worst(half, (full + none) / 2) < 0.01


def test_colour_fix_removes_most_of_a_slow_drift_and_keeps_tiles_equal_to_the_whole(rrdb: Model) -> None:
    rgb = photo(64, 90)  # the tiny network knows nothing of colour: its drift is large
    fixed = Settings(precision="fp32")
    whole = Upscaler(rrdb, fixed)(Picture(rgb=rgb)).rgb
    tiled = Upscaler(rrdb, replace(fixed, tile=50))(Picture(rgb=rgb)).rgb
    plain = Upscaler(rrdb, PLAIN)(Picture(rgb=rgb)).rgb

    def drift(sr: FloatArray) -> float:
        return float(np.abs(resize(sr, (64, 90), method="bicubic") - rgb).mean())

    assert drift(whole) < drift(plain) / 3
    assert worst(whole, tiled) < 0.5


def test_gray_stays_gray_and_alpha_goes_its_own_way(compact: Model, tmp_path: Path) -> None:
    gray = photo().mean(axis=2, keepdims=True).repeat(3, axis=2)
    alpha = np.zeros((40, 52), np.float32)
    alpha[10:30, 15:40] = 1
    write(Picture(rgb=gray, alpha=alpha, gray=True, depth=16), tmp_path / "in.png")
    report = Upscaler(compact, PLAIN).upscale_file(tmp_path / "in.png", tmp_path / "out.png")
    result = read(tmp_path / "out.png")
    assert result.gray
    assert result.depth == 16
    assert (result.height, result.width) == (160, 208) == (report.plan.height, report.plan.width)
    assert result.alpha is not None
    assert result.alpha[:20].max() < 0.1
    assert result.alpha[70:90, 90:120].min() > 0.9


def test_colour_under_transparent_pixels_does_not_bleed(compact: Model) -> None:
    rgb = np.full((32, 32, 3), 0.8, np.float32)
    alpha = np.ones((32, 32), np.float32)
    alpha[:, 16:] = 0
    rgb[:, 16:] = 0  # editors leave black under transparent pixels
    bled = Upscaler(compact, PLAIN)(Picture(rgb=rgb)).rgb[:, 56:64]
    kept = Upscaler(compact, PLAIN)(Picture(rgb=rgb, alpha=alpha)).rgb[:, 56:64]
    flat = Upscaler(compact, PLAIN)(Picture(rgb=np.full((32, 32, 3), 0.8, np.float32))).rgb[:, 56:64]
    assert worst(kept[8:-8], flat[8:-8]) < 1
    assert worst(bled[8:-8], flat[8:-8]) > 5


def test_an_opaque_alpha_needs_no_second_pass(compact: Model) -> None:
    upscaler = Upscaler(compact, PLAIN)
    result = upscaler(Picture(rgb=photo(), alpha=np.ones((40, 52), np.float32)))
    assert result.alpha is not None
    assert (result.alpha == 1).all()


@pytest.mark.parametrize(
    "size", [Size(scale=2.5), Size(width=77), Size(max_side=100), Size(scale=1), Size(scale=9)]
)
def test_file_and_memory_agree_at_any_size(compact: Model, tmp_path: Path, size: Size) -> None:
    rgb = np.round(photo() * 255) / np.float32(255)
    write(Picture(rgb=rgb), tmp_path / "in.png")
    upscaler = Upscaler(compact, PLAIN)
    upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png", size)
    held = upscaler(Picture(rgb=rgb), size)
    streamed = read(tmp_path / "out.png")
    height, width = size.of(40, 52, model_scale=4)
    assert (streamed.height, streamed.width) == (height, width) == (held.height, held.width)
    assert worst(streamed.rgb, held.rgb) < 0.51


def test_scale_sixteen_is_the_network_twice(compact: Model) -> None:
    rgb = photo(12, 14)
    upscaler = Upscaler(compact, PLAIN)
    once = upscaler(Picture(rgb=rgb))
    assert worst(upscaler(Picture(rgb=rgb), Size(scale=16)).rgb, upscaler(once).rgb) < 0.05


def test_fusion_applies_to_dark_pictures_only(compact: Model, rrdb: Model) -> None:
    dark, bright = photo() * np.float32(0.2), photo()
    rule = FusionRule(alpha=0.25, beta=0.75, gamma=60)
    fused = Upscaler(compact, replace(PLAIN, fusion=rule), fuse_with=rrdb)
    alone = Upscaler(compact, PLAIN)
    second = Upscaler(rrdb, PLAIN)
    assert worst(fused(Picture(rgb=bright)).rgb, alone(Picture(rgb=bright)).rgb) < 0.01
    # Clipping is after the fusion, so compare where neither network left [0, 1].
    a, b = network(compact, dark), network(rrdb, dark)
    expected = np.clip(0.25 * a + 0.75 * b, 0, 1)
    assert worst(fused(Picture(rgb=dark)).rgb, expected) < 0.01
    assert second.second is None


def test_median_luma_is_of_the_whole_picture() -> None:
    rgb = np.zeros((30, 30, 3), np.float32)
    rgb[:, 20:] = 1
    assert median_luma(Source.from_picture(Picture(rgb=rgb))) == 0
    rgb[:, 10:] = (0, 1, 0)
    assert median_luma(Source.from_picture(Picture(rgb=rgb))) == pytest.approx(0.587 * 255, abs=0.01)
    assert median_luma(Source.from_picture(Picture(rgb=rgb, depth=16))) == pytest.approx(
        0.587 * 255, abs=0.01
    )


def test_out_of_memory_plans_again_with_smaller_tiles_from_the_start(
    compact: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rgb = photo(300, 300)
    write(Picture(rgb=rgb), tmp_path / "in.png")
    upscaler = Upscaler(compact, PLAIN, tile_pixels=200_000)
    run = OpenVINOBackend.run
    seen: list[int] = []

    def small_machine(self: OpenVINOBackend, tile: FloatArray) -> FloatArray:
        seen.append(tile.shape[2] * tile.shape[3])
        if seen[-1] > 60_000:
            raise OutOfMemoryError("no")
        return run(self, tile)

    monkeypatch.setattr(OpenVINOBackend, "run", small_machine)
    report = upscaler.upscale_file(tmp_path / "in.png", tmp_path / "out.png")
    assert seen[0] == 90_000
    assert report.plan.tiles > 1
    expected = np.clip(network(compact, read(tmp_path / "in.png").rgb), 0, 1)
    assert worst(read(tmp_path / "out.png").rgb, expected) < 0.51


def test_a_tile_chosen_by_hand_that_does_not_fit_is_said(
    compact: Model, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(self: OpenVINOBackend, tile: FloatArray) -> FloatArray:
        raise OutOfMemoryError("a tile of 40×40 LR pixels doesn't fit in memory")

    monkeypatch.setattr(OpenVINOBackend, "run", never)
    with pytest.raises(OutOfMemoryError, match="40×40"):
        Upscaler(compact, replace(PLAIN, tile=40))(Picture(rgb=photo()))


def test_a_model_that_gives_nonsense_writes_nothing(compact: Model, tmp_path: Path) -> None:
    graph = onnx.load(str(compact.onnx_path))
    for constant in graph.graph.initializer:
        array = onnx.numpy_helper.to_array(constant)
        if array.ndim == 4:
            constant.CopyFrom(onnx.numpy_helper.from_array(np.full_like(array, np.nan), constant.name))
    onnx.save(graph, str(tmp_path / "broken.onnx"))
    write(Picture(rgb=photo()), tmp_path / "in.png")
    broken = replace(compact, onnx_path=tmp_path / "broken.onnx")
    with pytest.raises(BackendError, match="not finite"):
        Upscaler(broken, PLAIN).upscale_file(tmp_path / "in.png", tmp_path / "out.png")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["broken.onnx", "in.png"]


def test_an_existing_file_is_kept_unless_told_otherwise(compact: Model, tmp_path: Path) -> None:
    write(Picture(rgb=photo()), tmp_path / "in.png")
    (tmp_path / "out.png").write_bytes(b"mine")
    with pytest.raises(OutputError, match="exists"):
        Upscaler(compact, PLAIN).upscale_file(
            tmp_path / "in.png", tmp_path / "out.png", options=WriteOptions(overwrite=False)
        )
    assert (tmp_path / "out.png").read_bytes() == b"mine"


def test_results_too_large_for_memory_are_refused(compact: Model, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wildsr.engine.upscaler.MAX_MEMORY_PIXELS", 1000)
    with pytest.raises(LimitError, match="in memory") as caught:
        Upscaler(compact, PLAIN)(Picture(rgb=photo()))
    assert caught.value.hint is not None


def test_the_model_is_noted_in_the_file(compact: Model, tmp_path: Path) -> None:
    write(Picture(rgb=photo()), tmp_path / "in.png")
    Upscaler(compact, PLAIN).upscale_file(tmp_path / "in.png", tmp_path / "out.png")
    exif = open_source(tmp_path / "out.png").metadata.exif
    assert exif is not None
    assert b"tiny-compact" in exif
