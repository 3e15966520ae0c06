"""LPIPS and DISTS graphs against the same networks written in plain numpy, with small random weights."""

import numpy as np
import pytest

from tests.metrics.conftest import Pixels, photo_like
from wildsr.assets.backbones import BACKBONES, BackboneName, Conv, MaxPool, weights_from
from wildsr.errors import AssetError, MetricError
from wildsr.metrics import dists, lpips, lpips_vgg
from wildsr.metrics.feature_graphs import dists_graph, lpips_graph
from wildsr.metrics.learned import distances

Weights = dict[str, np.ndarray]


def random_weights(name: BackboneName, seed: int = 0) -> Weights:
    dice = np.random.default_rng(seed)
    weights: Weights = {}
    for layer in BACKBONES[name]:
        if isinstance(layer, Conv):
            shape = (layer.outputs, layer.inputs, layer.kernel, layer.kernel)
            spread = np.sqrt(2 / np.prod(shape[1:]))
            weights[f"features.{layer.index}.weight"] = dice.normal(0, spread, shape).astype(np.float32)
            weights[f"features.{layer.index}.bias"] = dice.normal(0, 0.1, layer.outputs).astype(np.float32)
    return weights


def windows(x: np.ndarray, kernel: int, stride: int) -> np.ndarray:
    return np.lib.stride_tricks.sliding_window_view(x, (kernel, kernel), axis=(1, 2))[:, ::stride, ::stride]


def plain_taps(name: BackboneName, x: np.ndarray, weights: Weights, *, l2: bool) -> list[np.ndarray]:
    """Taps of one picture (3×h×w) in float64."""
    taps = []
    for layer in BACKBONES[name]:
        if isinstance(layer, MaxPool):
            if l2:
                hanning = np.hanning(5)[1:-1]
                kernel = np.outer(hanning, hanning) / hanning.sum() ** 2
                squares = np.pad(x, ((0, 0), (1, 1), (1, 1))) ** 2
                x = np.sqrt((windows(squares, 3, 2) * kernel).sum(axis=(-1, -2)) + 1e-12)
            else:
                x = windows(x, layer.kernel, layer.stride).max(axis=(-1, -2))
            continue
        padded = np.pad(x, ((0, 0), *[(layer.padding, layer.padding)] * 2))
        kernel = weights[f"features.{layer.index}.weight"].astype(float)
        x = np.tensordot(kernel, windows(padded, layer.kernel, layer.stride), axes=([1, 2, 3], [0, 3, 4]))
        x = np.maximum(x + weights[f"features.{layer.index}.bias"][:, None, None], 0)
        if layer.tap:
            taps.append(x)
    return taps


def run_graph(model: object, sr: np.ndarray, hr: np.ndarray) -> np.ndarray:
    from wildsr.models.runtimes import openvino

    compiled = (
        openvino()
        .Core()
        .compile_model(
            openvino().Core().read_model(model.SerializeToString()),
            "CPU",
            {"INFERENCE_PRECISION_HINT": "f32"},
        )
    )
    return np.array(compiled({"sr": sr.astype(np.float32), "hr": hr.astype(np.float32)})[0])


@pytest.fixture(scope="module")
def batch() -> tuple[np.ndarray, np.ndarray]:
    """Two pairs of 40×48."""
    hr = np.stack([photo_like(seed, 40, 48) for seed in (1, 2)]).astype(float)
    sr = np.clip(hr + np.random.default_rng(0).normal(0, 15, hr.shape), 0, 255)
    return np.round(sr), hr


@pytest.mark.parametrize("name", ["alexnet", "vgg16"])
def test_lpips_graph(name: BackboneName, batch: tuple[np.ndarray, np.ndarray]) -> None:
    weights = random_weights(name)
    widths = [layer.outputs for layer in BACKBONES[name] if isinstance(layer, Conv) and layer.tap]
    heads = [np.random.default_rng(n).uniform(0, 1, n).astype(np.float32) for n in widths]
    shift = np.array([-0.030, -0.088, -0.188])[:, None, None]
    scale = np.array([0.458, 0.448, 0.450])[:, None, None]
    expected = []
    for pair in zip(*batch, strict=True):
        taps = [
            plain_taps(name, (picture.transpose(2, 0, 1) / 127.5 - 1 - shift) / scale, weights, l2=False)
            for picture in pair
        ]
        total = 0.0
        for sr, hr, head in zip(*taps, heads, strict=True):
            unit = [tap / (np.sqrt((tap**2).sum(axis=0)) + 1e-10) for tap in (sr, hr)]
            total += np.tensordot(head, (unit[0] - unit[1]) ** 2, axes=1).mean()
        expected.append(total)
    assert run_graph(lpips_graph(name, weights, heads), *batch) == pytest.approx(expected, rel=1e-4)


def test_dists_graph(batch: tuple[np.ndarray, np.ndarray]) -> None:
    weights = random_weights("vgg16")
    dice = np.random.default_rng(3)
    alpha, beta = dice.uniform(0, 1, (2, 1475)).astype(np.float32)
    mean = np.array([0.485, 0.456, 0.406])[:, None, None]
    std = np.array([0.229, 0.224, 0.225])[:, None, None]
    expected = []
    for pair in zip(*batch, strict=True):
        unit = [picture.transpose(2, 0, 1) / 255 for picture in pair]
        taps = [[x, *plain_taps("vgg16", (x - mean) / std, weights, l2=True)] for x in unit]
        similarity, start = 0.0, 0
        for x, y in zip(*taps, strict=True):
            part = slice(start, start := start + len(x))
            mx, my = x.mean(axis=(1, 2)), y.mean(axis=(1, 2))
            covariance = (x * y).mean(axis=(1, 2)) - mx * my
            texture = (2 * mx * my + 1e-6) / (mx**2 + my**2 + 1e-6)
            structure = (2 * covariance + 1e-6) / (x.var(axis=(1, 2)) + y.var(axis=(1, 2)) + 1e-6)
            similarity += (alpha[part] * texture).sum() + (beta[part] * structure).sum()
        expected.append(1 - similarity / (alpha.sum() + beta.sum()))
    assert run_graph(dists_graph(weights, alpha, beta), *batch) == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_parameter_counts_of_the_tables() -> None:
    counts = {name: sum(w.size for w in random_weights(name).values()) for name in BACKBONES}
    assert counts == {"alexnet": 2_469_696, "vgg16": 14_714_688}


def test_weights_of_another_network_are_refused() -> None:
    tree = {"AlexNet_0": {"Conv_0": {"kernel": np.zeros((11, 11, 3, 32), np.float32)}}}
    with pytest.raises(AssetError, match=r"AlexNet_0/Conv_0/kernel must be float32 \(11, 11, 3, 64\)"):
        weights_from("alexnet", tree)
    with pytest.raises(AssetError, match="the file has nothing"):
        weights_from("vgg16", {})


@pytest.mark.usefixtures("backbones")
def test_equal_pictures_have_no_distance_and_batches_agree(photo: Pixels, worse: Pixels) -> None:
    assert lpips(photo, photo) == 0
    pair = np.stack([worse, photo]).astype(np.float32)
    found = distances("lpips-alexnet", pair, np.stack([photo, photo]).astype(np.float32))
    assert found == pytest.approx([lpips(worse, photo), 0], abs=1e-6)
    as_float = lpips((worse / 255).astype(np.float32), (photo / 255).astype(np.float32))
    assert as_float == pytest.approx(lpips(worse, photo), rel=1e-4)


@pytest.mark.usefixtures("backbones")
@pytest.mark.parametrize("metric", [lpips, lpips_vgg, dists])
def test_the_least_size_works(metric: object) -> None:
    assert callable(metric)
    small = photo_like(5, 31, 31)
    other = np.clip(small.astype(int) + 20, 0, 255).astype(np.uint8)
    assert 0 < metric(other, small) < 1


def test_batches_that_differ_are_refused() -> None:
    one, two = np.zeros((1, 40, 40, 3), np.float32), np.zeros((2, 40, 40, 3), np.float32)
    with pytest.raises(MetricError, match="two float32 batches N×H×W×3 of one shape"):
        distances("lpips-alexnet", one, two)
    with pytest.raises(MetricError, match="not uint8"):
        distances("lpips-alexnet", one.astype(np.uint8), one.astype(np.uint8))
