"""Resizing as MATLAB does it, whole and row by row."""

import importlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from wildsr import imaging
from wildsr.errors import UsageError
from wildsr.imaging import FloatArray, RowResizer, resize, resize_uint8, weights
from wildsr.imaging.resize import Method, Weights, resize_tile

METHODS: tuple[Method, ...] = ("bicubic", "bilinear", "nearest", "lanczos2", "lanczos3")


def eight_bit(path: Path) -> NDArray[np.uint8]:
    return np.rint(imaging.read(path).rgb * 255).astype(np.uint8)


def luma(rgb: NDArray[np.uint8]) -> NDArray[np.float64]:
    """BT.601 studio Y of 8-bit RGB, rounded."""
    return np.rint(16 + rgb.astype(np.float64) @ [65.481, 128.553, 24.966] / 255)


def psnr(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    return float(10 * np.log10(255**2 / np.mean((a - b) ** 2)))


def ssim(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """Wang 2004: 11×11 Gaussian σ 1.5 on the valid region."""

    def blur(x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(gaussian_filter(x, 1.5, truncate=5 / 1.5)[5:-5, 5:-5])

    c1, c2 = (0.01 * 255) ** 2, (0.03 * 255) ** 2
    ma, mb = blur(a), blur(b)
    va, vb, vab = blur(a * a) - ma**2, blur(b * b) - mb**2, blur(a * b) - ma * mb
    return float(np.mean((2 * ma * mb + c1) * (2 * vab + c2) / ((ma**2 + mb**2 + c1) * (va + vb + c2))))


@pytest.mark.parametrize("name", ["Set5", "Set14"])
def test_lr_files_of_the_benchmarks_are_reproduced_exactly(name: str, shared_data: Path) -> None:
    """MATLAB made the LR files of Set5 and Set14."""
    folder = shared_data / "benchmarks" / name
    compared = 0
    for path in sorted((folder / "HR").iterdir()):
        hr = eight_bit(path)
        height, width = hr.shape[0] // 4 * 4, hr.shape[1] // 4 * 4
        lr = eight_bit(folder / "LR_bicubic_X4" / f"{path.stem}x4.png")
        np.testing.assert_array_equal(resize_uint8(hr[:height, :width], scale=0.25), lr)
        compared += 1
    assert compared == {"Set5": 5, "Set14": 14}[name]


@pytest.mark.parametrize(
    ("name", "wanted_psnr", "wanted_ssim"), [("Set5", 28.42, 0.8101), ("Set14", 26.08, 0.7041)]
)
def test_bicubic_scores_what_it_must(
    name: str, wanted_psnr: float, wanted_ssim: float, shared_data: Path
) -> None:
    """Y-PSNR/SSIM at ×4, crop 4 (measured on these files)."""
    folder = shared_data / "benchmarks" / name
    scores = []
    for path in sorted((folder / "HR").iterdir()):
        lr = eight_bit(folder / "LR_bicubic_X4" / f"{path.stem}x4.png")
        sr = luma(resize_uint8(lr, scale=4))
        hr = luma(eight_bit(path))[: sr.shape[0], : sr.shape[1]]
        sr, hr = sr[4:-4, 4:-4], hr[4:-4, 4:-4]
        scores.append((psnr(sr, hr), ssim(sr, hr)))
    mean = np.mean(scores, axis=0)
    assert mean[0] == pytest.approx(wanted_psnr, abs=0.006)
    assert mean[1] == pytest.approx(wanted_ssim, abs=0.0006)


def test_half_size_taps_are_matlabs() -> None:
    """×½ bicubic is (−3, −9, 29, 111, 111, 29, −9, −3)/256."""
    matrix = weights(64, 32).matrix()
    np.testing.assert_allclose(matrix[10, 17:25] * 256, [-3, -9, 29, 111, 111, 29, -9, -3], atol=1e-12)
    assert np.count_nonzero(np.abs(matrix[10]) > 1e-12) == 8


def test_borders_are_mirrored() -> None:
    """Mirroring by hand and resizing gives the same interior."""
    x = np.random.default_rng(0).random((12, 9))
    mirrored = np.pad(x, 8, mode="symmetric")
    for scale in (4, 0.5, 3):
        whole = resize(mirrored, (round(28 * scale), round(25 * scale)))
        crop = whole[round(8 * scale) : round(20 * scale), round(8 * scale) : round(17 * scale)]
        if scale >= 1 or 12 % 2 == 0:
            got = resize(x, (round(12 * scale), round(9 * scale)) if scale != 0.5 else (6, 4))
            if scale == 0.5:
                continue
            np.testing.assert_allclose(got, crop, atol=1e-6)


@settings(max_examples=150, deadline=None)
@given(
    n_in=st.integers(1, 60),
    n_out=st.integers(1, 200),
    method=st.sampled_from(METHODS),
    antialias=st.booleans(),
)
def test_weights_are_an_average(n_in: int, n_out: int, method: Method, antialias: bool) -> None:
    table = weights(n_in, n_out, method=method, antialias=antialias)
    assert table.values.shape == table.indices.shape
    assert table.n_out == n_out
    assert table.indices.min() >= 0
    assert table.indices.max() < n_in
    np.testing.assert_allclose(table.values.sum(axis=1), 1, atol=1e-12)
    np.testing.assert_allclose(resize(np.full((n_in, 3), 0.3), (n_out, 3), method=method), 0.3, atol=1e-6)
    matrix = table.matrix()
    np.testing.assert_allclose(matrix, matrix[::-1, ::-1], atol=1e-9) if method != "nearest" else None
    x = np.random.default_rng(n_in).random((n_in, 2))
    got = resize(x, (n_out, 2), method=method, antialias=antialias)
    np.testing.assert_allclose(got, matrix @ x, atol=1e-5)


def test_linear_ramps_are_kept_and_bicubic_is_third_order() -> None:
    x = np.linspace(0, 1, 50)[:, None].repeat(4, axis=1)
    up = resize(x, (200, 4))
    centres = (np.arange(200) + 0.5) / 4 - 0.5
    np.testing.assert_allclose(up[12:-12, 0], centres[12:-12] / 49, atol=1e-6)
    curve = (np.arange(50) / 49) ** 2
    up = resize(curve[:, None].repeat(2, axis=1), (200, 2))
    np.testing.assert_allclose(up[12:-12, 0], (centres[12:-12] / 49) ** 2, atol=1e-5)


def test_nearest_repeats() -> None:
    x = np.arange(6.0).reshape(2, 3)
    np.testing.assert_array_equal(resize(x, scale=2, method="nearest"), np.kron(x, np.ones((2, 2))))


def test_same_size_changes_nothing() -> None:
    x = np.random.default_rng(0).random((9, 7, 3)).astype(np.float32)
    for method in METHODS:
        np.testing.assert_allclose(resize(x, (9, 7), method=method), x, atol=1e-6)


@settings(max_examples=80, deadline=None)
@given(st.data())
def test_rows_equal_the_whole(data: st.DataObject) -> None:
    sizes = [data.draw(st.integers(1, 70)) for _ in range(4)]
    height_in, width_in, height_out, width_out = sizes
    method = data.draw(st.sampled_from(METHODS))
    channels = data.draw(st.sampled_from([(), (1,), (3,)]))
    rng = np.random.default_rng(sum(sizes))
    x = rng.random((height_in, width_in, *channels), dtype=np.float32)
    resizer = RowResizer(height_in, width_in, height_out, width_out, method)
    made, y = [], 0
    while y < height_in:
        step = data.draw(st.integers(1, 20))
        made += list(resizer.push(x[y : y + step]))
        y += step
    got = np.concatenate(made)
    np.testing.assert_allclose(got, resize(x, (height_out, width_out), method=method), atol=1e-6)


@pytest.mark.parametrize("factor", [0.25, 2.5])
def test_rows_hold_only_what_the_kernel_needs(factor: float) -> None:
    height, width = 2000, 50
    resizer = RowResizer(height, width, round(height * factor), round(width * factor))
    held = 0
    for _ in range(0, height, 10):
        list(resizer.push(np.zeros((10, width, 3), np.float32)))
        held = max(held, sum(band.shape[0] for band in resizer._kept))
    assert held <= 10 + 4 * max(1, 1 / factor) + 4


def test_rows_beyond_the_promise_are_refused() -> None:
    resizer = RowResizer(10, 5, 20, 10)
    with pytest.raises(UsageError, match="10 of width 5 were promised"):
        list(resizer.push(np.zeros((11, 5), np.float32)))
    with pytest.raises(UsageError):
        list(resizer.push(np.zeros((2, 6), np.float32)))


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"size": (0, 4)}, "at least 1"),
        ({"scale": -1.0}, "above 0"),
        ({"scale": float("nan")}, "above 0"),
        ({}, "either a size or a scale"),
        ({"size": (4, 4), "scale": 2.0}, "either a size or a scale"),
        ({"size": (4, 4), "method": "magic"}, "unknown resize method"),
    ],
)
def test_bad_requests_are_named(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        resize(np.zeros((3, 3)), **arguments)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="dimensions"):
        resize(np.zeros(3), (2, 2))


@pytest.mark.parametrize("shape", [(1, 1, 3), (5, 70, 3), (90, 33, 1), (129, 64, 4)])
@pytest.mark.parametrize("factor", [4, 2.5, 1, 0.25, 0.1])
def test_tiles_are_resized_by_the_same_weights(shape: tuple[int, int, int], factor: float) -> None:
    array = np.random.default_rng(0).random(shape, dtype=np.float32)
    size = (max(1, round(shape[0] * factor)), max(1, round(shape[1] * factor)))
    expected = resize(array.astype(np.float64), size, method="bicubic")
    found = resize_tile(array, size)
    assert found.dtype == np.float32
    assert found.shape == (*size, shape[2])
    np.testing.assert_allclose(found, expected, atol=2e-6)


@pytest.mark.parametrize(("shape", "size"), [((768, 640, 3), (192, 160)), ((190, 160, 3), (760, 640))])
def test_products_of_tiles_wake_no_threads(
    shape: tuple[int, int, int], size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """OpenBLAS computes products of up to 2¹⁸ multiplications in the thread that asks for them."""
    made, matmul = list[int](), np.matmul

    def counted(one: FloatArray, other: FloatArray, *, out: FloatArray) -> FloatArray:
        made.append(one.size * other.shape[1])
        product: FloatArray = matmul(one, other, out=out)
        return product

    monkeypatch.setattr(np, "matmul", counted)
    found = resize_tile(np.ones(shape, np.float32), size)
    np.testing.assert_allclose(found, 1, atol=1e-6)
    assert max(made) <= 1 << 18
    dense = shape[0] * shape[1] * 3 * size[0] + size[0] * shape[1] * 9 * size[1]
    assert sum(made) < dense / 4, "bands, not dense matrices"


def test_the_weights_of_equal_tiles_are_computed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("wildsr.imaging.resize")  # the package has a function of that name
    module._band.cache_clear()
    asked = list[tuple[int, int]]()

    def counted(n_in: int, n_out: int) -> Weights:
        asked.append((n_in, n_out))
        return weights(n_in, n_out)

    monkeypatch.setattr(module, "weights", counted)
    first, second = (resize_tile(np.full((20, 30, 3), level, np.float32), (80, 90)) for level in (0.25, 0.5))
    assert sorted(asked) == [(20, 80), (30, 90)]
    np.testing.assert_allclose(second, 2 * first, atol=1e-6)
