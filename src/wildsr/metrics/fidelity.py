"""PSNR and SSIM: the two fidelity metrics, each with the luminance it was published with."""

from collections.abc import Callable
from math import inf
from typing import Final

import numpy as np

from wildsr.metrics.filters import gaussian, smooth
from wildsr.metrics.metric import Metric
from wildsr.metrics.pixels import Image, Plane, checked_pair, gray_8bit, levels, luma

SSIM_MINIMUM = (11, 11)
_C1 = (0.01 * 255) ** 2
_C2 = (0.03 * 255) ** 2


def psnr(sr: Image, hr: Image) -> float:
    """Return the peak signal-to-noise ratio over RGB in dB, peak 255; +inf for identical pictures.

    Raises:
        MetricError: The pictures are not two valid pictures of one size.
    """
    checked_pair(sr, hr, "psnr")
    if sr.dtype == np.uint8 and hr.dtype == np.uint8:
        error = np.subtract(sr, hr, dtype=np.int16).astype(np.float64)
    else:
        error = levels(sr) - levels(hr)
    return _decibel(error)


def psnr_y(sr: Image, hr: Image) -> float:
    """Return the PSNR over Y (BT.601 studio swing, not rounded) in dB, peak 255; +inf for equal luminance.

    The `PSNR-Y` of the super-resolution papers (BasicSR).

    Raises:
        MetricError: The pictures are not two valid pictures of one size.
    """
    checked_pair(sr, hr, "psnr_y")
    return _decibel(luma(sr) - luma(hr))


def ssim(sr: Image, hr: Image) -> float:
    """Return SSIM as its authors release it: rgb2gray luminance (full range, rounded), valid 11×11 windows.

    Wang, Bovik, Sheikh, Simoncelli, "Image quality assessment: from error visibility to structural
    similarity", IEEE TIP 2004, Eq. 13.

    Raises:
        MetricError: Not two valid pictures of one size, at least 11×11.
    """
    return _ssim(sr, hr, "ssim", gray_8bit)


def ssim_y(sr: Image, hr: Image) -> float:
    """Return SSIM over Y (BT.601 studio swing, not rounded): the `SSIM-Y` of the SR papers (BasicSR).

    Raises:
        MetricError: Not two valid pictures of one size, at least 11×11.
    """
    return _ssim(sr, hr, "ssim_y", luma)


def ssim_rgb(sr: Image, hr: Image) -> float:
    """Return the mean of SSIM over the R, G and B planes (BasicSR's RGB SSIM).

    Raises:
        MetricError: Not two valid pictures of one size, at least 11×11.
    """
    return _ssim(sr, hr, "ssim_rgb", lambda picture: np.ascontiguousarray(levels(picture).transpose(2, 0, 1)))


def structure_map(x: Plane, y: Plane) -> tuple[Plane, Plane]:
    """Return SSIM's luminance and contrast-structure maps of …×H×W levels, over valid 11×11 windows."""
    taps = gaussian(11, 1.5)
    mean_x, mean_y = smooth(x, taps, "valid"), smooth(y, taps, "valid")
    product = mean_x * mean_y
    squares = mean_x * mean_x + mean_y * mean_y
    covariance = smooth(x * y, taps, "valid") - product
    variances = smooth(x * x + y * y, taps, "valid") - squares
    luminance = (2 * product + _C1) / (squares + _C1)
    structure = (2 * covariance + _C2) / (variances + _C2)
    return luminance, structure


def _ssim(sr: Image, hr: Image, metric: str, planes: Callable[[Image], Plane]) -> float:
    checked_pair(sr, hr, metric, SSIM_MINIMUM)
    luminance, structure = structure_map(planes(sr), planes(hr))
    luminance *= structure
    return float(luminance.mean())


def _decibel(error: Plane) -> float:
    flat = error.ravel()
    squares = float(np.einsum("i,i->", flat, flat))
    return float("inf") if squares == 0 else float(10 * np.log10(255.0**2 * flat.size / squares))


_SSIM_PAPER: Final = "Wang, Bovik, Sheikh, Simoncelli, IEEE TIP 2004"

PSNR_Y = Metric(
    name="psnr_y",
    label="PSNR-Y",
    call=psnr_y,
    kind="distortion",
    direction="higher",
    range=(0, inf),
    unit="dB",
    reference="hr",
    family="Y, BT.601 studio swing (BasicSR)",
    citation="peak signal-to-noise ratio",
    minimum=(1, 1),
    protocol="PSNR in dB over unrounded BT.601 studio Y, peak 255, the PSNR-Y of the SR papers.",
)

PSNR = Metric(
    name="psnr",
    label="PSNR",
    call=psnr,
    kind="distortion",
    direction="higher",
    range=(0, inf),
    unit="dB",
    reference="hr",
    family="RGB",
    citation="peak signal-to-noise ratio",
    minimum=(1, 1),
    protocol="PSNR in dB over RGB, peak 255; identical pictures give inf and are left out of means.",
)

SSIM_Y = Metric(
    name="ssim_y",
    label="SSIM-Y",
    call=ssim_y,
    kind="distortion",
    direction="higher",
    range=(-1, 1),
    decimals=4,
    reference="hr",
    family="Y, BT.601 studio swing (BasicSR)",
    citation=_SSIM_PAPER,
    minimum=SSIM_MINIMUM,
    protocol="SSIM over unrounded BT.601 studio Y, 11×11 Gaussian σ 1.5, the SSIM-Y of the SR papers.",
)

SSIM = Metric(
    name="ssim",
    label="SSIM",
    call=ssim,
    kind="distortion",
    direction="higher",
    range=(-1, 1),
    decimals=4,
    reference="hr",
    family="luminance, authors' release (rgb2gray)",
    citation=_SSIM_PAPER,
    minimum=SSIM_MINIMUM,
    protocol="SSIM over rounded rgb2gray luminance, 11×11 Gaussian σ 1.5, valid windows, own size.",
)

SSIM_RGB = Metric(
    name="ssim_rgb",
    label="SSIM-RGB",
    call=ssim_rgb,
    kind="distortion",
    direction="higher",
    range=(-1, 1),
    decimals=4,
    reference="hr",
    family="RGB (BasicSR)",
    citation=_SSIM_PAPER,
    minimum=SSIM_MINIMUM,
    protocol="Mean of SSIM over the R, G and B planes, 11×11 Gaussian σ 1.5, valid windows.",
)
