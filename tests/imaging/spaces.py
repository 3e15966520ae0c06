"""Colour profiles for tests, and a second opinion on what they mean."""

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging.icc import (
    D65,
    P3_PRIMARIES,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    gamma_curve,
    gray_profile,
    rgb_profile,
)

SRGB = rgb_profile("sRGB", SRGB_PRIMARIES, SRGB_CURVE)
P3 = rgb_profile("Display P3", P3_PRIMARIES, SRGB_CURVE)
ADOBE = rgb_profile("Adobe RGB (1998)", ((0.64, 0.33), (0.21, 0.71), (0.15, 0.06)), gamma_curve(563 / 256))
PROPHOTO = rgb_profile(
    "ProPhoto RGB", ((0.7347, 0.2653), (0.1596, 0.8404), (0.0366, 0.0001)), gamma_curve(1.8), (0.3457, 0.3585)
)
LINEAR = rgb_profile("linear sRGB", SRGB_PRIMARIES, gamma_curve(1.0))
GRAY_22 = gray_profile("Gray Gamma 2.2", gamma_curve(2.2))
GRAY_LINEAR = gray_profile("Linear gray", gamma_curve(1.0))
BROKEN = b"\0\0\1\0" + bytes(400)
WHITE = D65


PROPHOTO_TO_XYZ = np.array(
    [[0.7976749, 0.1351917, 0.0313534], [0.2880402, 0.7118741, 0.0000857], [0, 0, 0.82521]]
)
XYZ_TO_SRGB = np.array(
    [
        [3.1338561, -1.6168667, -0.4906146],
        [-0.9787684, 1.9161415, 0.0334540],
        [0.0719453, -0.2289914, 1.4052427],
    ]
)
"""Both relative to D50; brucelindbloom.com, "RGB/XYZ Matrices"."""


def prophoto_to_srgb(rgb: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return ProPhoto values in [0, 1] (exponent 1.8) as sRGB values, out-of-gamut ones clipped."""
    return srgb_encoded(np.clip(rgb**1.8 @ (XYZ_TO_SRGB @ PROPHOTO_TO_XYZ).T, 0, 1))


def srgb_encoded(linear: NDArray[np.float64]) -> NDArray[np.float64]:
    """IEC 61966-2-1."""
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * linear ** (1 / 2.4) - 0.055)


def lab_d50_to_srgb(lab: tuple[float, float, float]) -> NDArray[np.float64]:
    """Return CIELab relative to D50 as sRGB values in [0, 1], clipped (CIE 15:2004, XYZ_TO_SRGB)."""
    lightness, a, b = lab
    f = np.array([(lightness + 16) / 116 + a / 500, (lightness + 16) / 116, (lightness + 16) / 116 - b / 200])
    t = np.where(f > 6 / 29, f**3, 3 * (6 / 29) ** 2 * (f - 4 / 29))
    return srgb_encoded(np.clip(XYZ_TO_SRGB @ (t * [0.9642, 1.0, 0.8249]), 0, 1))


def lab(rgb: NDArray[np.float64], matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return CIELab (D65) of sRGB-encoded values in [0, 1]; `matrix` takes linear RGB to XYZ."""
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    white = matrix @ np.ones(3)
    t = linear @ matrix.T / white
    f = np.where(t > (6 / 29) ** 3, np.cbrt(t), t / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.stack(
        [116 * f[..., 1] - 16, 500 * (f[..., 0] - f[..., 1]), 200 * (f[..., 1] - f[..., 2])], axis=-1
    )


P3_TO_XYZ = np.array([[0.48657, 0.26567, 0.19822], [0.22897, 0.69174, 0.07929], [0.0, 0.04511, 1.04394]])
"""SMPTE EG 432-1 with D65."""
