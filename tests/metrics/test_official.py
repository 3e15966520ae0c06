"""The calibration pairs: official values of MATLAB and authors' code, as published with IQA-PyTorch's calibration."""

import csv
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from wildsr.imaging import resize_uint8
from wildsr.metrics import METRICS, Image, crop_border, psnr_y, ssim_y
from wildsr.metrics.fidelity import structure_map
from wildsr.metrics.pixels import luma_8bit

PAIRS = ("I03", "I06", "I08")
PRINTED = {"psnr": 2, "ssim": 4, "piqe": 2}
"""Digits behind the point in the official table."""


def load(folder: Path, kind: str, name: str) -> Image:
    return np.asarray(Pillow.open(folder / f"{kind}_dir" / f"{name}.webp").convert("RGB"))


def published(folder: Path, metric: str, name: str) -> str:
    with (folder / "results_official.csv").open() as file:
        rows = {row["Method"]: row for row in csv.DictReader(file)}
    return rows[metric][f"{name}.bmp"]


def measured(folder: Path, metric: str, name: str) -> float:
    reference = load(folder, "ref", name) if METRICS[metric].reference == "hr" else None
    return METRICS[metric].measure(load(folder, "dist", name), reference)


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("metric", PRINTED)
def test_equals_the_printed_digits(official: Path, metric: str, name: str) -> None:
    expected = float(published(official, metric, name))
    assert round(measured(official, metric, name), PRINTED[metric]) == expected


@pytest.mark.usefixtures("backbones")
@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("metric", ["lpips", pytest.param("dists", marks=pytest.mark.slow)])
def test_learned_distances_equal_four_significant_digits(official: Path, metric: str, name: str) -> None:
    expected = published(official, metric, name)
    assert float(f"{measured(official, metric, name):.4g}") == float(expected)


@pytest.mark.usefixtures("niqe_parameters")
@pytest.mark.parametrize(
    ("name", "tolerance"),
    # The rest comes from flat windows, where MATLAB counts rounding noise (see nss.mscn); measured:
    # −0.05, −0.04, +0.57 %.
    [("I03", 0.001), ("I06", 0.001), ("I08", 0.006)],
)
def test_niqe_of_the_release_is_near(official: Path, name: str, tolerance: float) -> None:
    expected = float(published(official, "niqe", name))
    assert measured(official, "niqe", name) == pytest.approx(expected, rel=tolerance)


@pytest.mark.usefixtures("brisque_parameters")
@pytest.mark.parametrize(
    ("name", "tolerance"),
    # As for NIQE, the rest is flat windows; measured: −0.0012, −0.0016, +0.5455.
    [("I03", 0.002), ("I06", 0.002), ("I08", 0.55)],
)
def test_brisque_of_the_release_is_near(official: Path, name: str, tolerance: float) -> None:
    expected = float(published(official, "brisque", name))
    assert measured(official, "brisque", name) == pytest.approx(expected, abs=tolerance)


@pytest.mark.usefixtures("brisque_parameters")
def test_the_rest_of_brisque_is_rounding_in_flat_windows(
    official: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With windows summed in another order, noise of 1e-14 left standing, I08 falls from 5.904 to 5.34; it is 5.358."""
    y, x = np.mgrid[-3:4, -3:4]
    kernel = np.exp(-(x**2 + y**2) / (2 * (7 / 6) ** 2))
    kernel /= kernel.sum()
    left, strength, right = np.linalg.svd(kernel)
    column, row = left[:, 0] * np.sqrt(strength[0]), right[0] * np.sqrt(strength[0])

    def filtered(plane: np.ndarray) -> np.ndarray:
        height, width = plane.shape
        padded = np.pad(plane, 3)
        down = sum(padded[i : i + height] * column[i] for i in reversed(range(7)))
        return sum(down[:, i : i + width] * row[i] for i in reversed(range(7)))

    def noisy_mscn(plane: np.ndarray, border: str) -> tuple[np.ndarray, np.ndarray]:
        assert border == "zero"
        mean = filtered(plane)
        deviation = np.sqrt(np.abs(filtered(plane * plane) - mean * mean))
        return (plane - mean) / (deviation + 1), deviation

    monkeypatch.setattr(sys.modules["wildsr.metrics.brisque"], "mscn", noisy_mscn)
    assert measured(official, "brisque", "I08") == pytest.approx(5.358, abs=0.1)


@pytest.mark.usefixtures("wheel_parameters")
@pytest.mark.parametrize(
    ("kind", "name", "golden"),
    # from brisque import BRISQUE; BRISQUE(url=False).score(np.asarray(Image.open(file).convert("RGB")))
    # brisque 0.2.0, scipy 1.17.1, opencv 5.0.0, numpy 2.2
    [
        ("dist", "I03", 102.34472596009343),
        ("dist", "I06", 0.7470003570319648),
        ("dist", "I08", 8.835152427984752),
        ("ref", "I03", 9.52605862548998),
        ("ref", "I06", 1.8516719035617086),
        ("ref", "I08", 3.831820688083752),
    ],
)
def test_brisque_wheel_is_the_packages_value(official: Path, kind: str, name: str, golden: float) -> None:
    # the sign of rounding in flat windows decides a little; another BLAS may round the gray values otherwise
    value = METRICS["brisque_wheel"].measure(load(official, kind, name))
    assert value == pytest.approx(golden, abs=2e-3)


@pytest.mark.usefixtures("backbones")
@pytest.mark.parametrize(("name", "printed"), [("p0", 0.722), ("p1", 0.138)])
def test_lpips_example_of_its_authors(official: Path, name: str, printed: float) -> None:
    # PerceptualSimilarity's README: python lpips_2imgs.py -p0 imgs/ex_ref.png -p1 imgs/ex_p0.png
    sr = np.asarray(Pillow.open(official / f"lpips_ex_{name}.png").convert("RGB"))
    hr = np.asarray(Pillow.open(official / "lpips_ex_ref.png").convert("RGB"))
    assert round(METRICS["lpips"].measure(sr, hr), 3) == printed


@pytest.mark.parametrize(
    ("folder", "expected"),
    # computed independently for the same files: bicubic ×4, crop 4, Y rounded to 8 bits as MATLAB does
    [("Set5", (28.42, 0.8101)), ("Set14", (26.08, 0.7041))],
)
def test_bicubic_scores_of_the_benchmark_files(
    shared_data: Path, folder: str, expected: tuple[float, float]
) -> None:
    sets = shared_data / "benchmarks" / folder
    rounded, ours = [], []
    for path in sorted((sets / "HR").iterdir()):
        lr = np.asarray(Pillow.open(sets / "LR_bicubic_X4" / f"{path.stem}x4.png").convert("RGB"))
        sr = crop_border(resize_uint8(lr, (lr.shape[0] * 4, lr.shape[1] * 4)), 4)
        hr = np.asarray(Pillow.open(path).convert("RGB"))[4 : sr.shape[0] + 4, 4 : sr.shape[1] + 4]
        luminance, structure = structure_map(luma_8bit(sr), luma_8bit(hr))
        error = ((luma_8bit(sr) - luma_8bit(hr)) ** 2).mean()
        rounded.append((10 * np.log10(255**2 / error), (luminance * structure).mean()))
        ours.append((psnr_y(sr, hr), ssim_y(sr, hr)))
    psnr_mean, ssim_mean = np.mean(rounded, axis=0)
    assert (round(psnr_mean, 2), round(ssim_mean, 4)) == expected
    # psnr_y and ssim_y don't round (BasicSR); measured: +.0126 dB and +.0010 on Set5, +.0040 and +.0007 on
    # Set14
    more_psnr, more_ssim = np.mean(ours, axis=0) - np.mean(rounded, axis=0)
    assert 0.003 < more_psnr < 0.014
    assert 0.0006 < more_ssim < 0.0012
