"""Colour spaces stated by numbers instead of a profile (PNG chunks, ITU-T H.273 code points), as profiles."""

from functools import cache

import numpy as np

from wildsr.imaging.containers.png_reader import Hints
from wildsr.imaging.icc import (
    BT2020_PRIMARIES,
    D65,
    P3_PRIMARIES,
    SRGB_CURVE,
    SRGB_PRIMARIES,
    gamma_curve,
    gray_profile,
    rgb_profile,
    table_curve,
)

_PRIMARIES = {1: SRGB_PRIMARIES, 9: BT2020_PRIMARIES, 12: P3_PRIMARIES}
_PQ, _HLG = 16, 18
_REFERENCE_WHITE = 203.0
"""Nits that become white; brighter highlights are clipped (ITU-R BT.2408)."""


@cache
def srgb() -> bytes:
    """Return an sRGB profile."""
    return rgb_profile("sRGB", SRGB_PRIMARIES, SRGB_CURVE)


@cache
def linear_srgb() -> bytes:
    """Return the profile of linear light with sRGB's primaries."""
    return rgb_profile("linear sRGB", SRGB_PRIMARIES, gamma_curve(1.0))


@cache
def linear_gray() -> bytes:
    """Return the profile of linear gray."""
    return gray_profile("linear gray", gamma_curve(1.0))


@cache
def by_code_points(primaries: int, transfer: int) -> bytes | None:
    """Return the RGB profile of H.273 code points; None for sRGB and what is not known (taken as sRGB).

    Video's transfer functions (BT.709 and kin) are taken as sRGB's, which is how such stills are made and
    shown.
    """
    curve = _curve(transfer)
    space = _PRIMARIES.get(primaries, SRGB_PRIMARIES)
    if curve == SRGB_CURVE and space == SRGB_PRIMARIES:
        return None
    names = {SRGB_PRIMARIES: "sRGB", BT2020_PRIMARIES: "BT.2020", P3_PRIMARIES: "Display P3"}
    kinds = {_PQ: " PQ (HDR)", _HLG: " HLG (HDR)", 8: " linear"}
    return rgb_profile(names[space] + kinds.get(transfer, ""), space, curve)


def by_png_hints(hints: Hints, *, gray: bool) -> tuple[bytes | None, str]:
    """Return the profile of a PNG without iCCP, None for sRGB, and a note where its numbers make no sense."""
    if hints.srgb or hints.gamma is None:
        return None, ""
    if not 0.5 <= hints.gamma <= 4:
        return None, f"its exponent (gAMA) of {hints.gamma:.4g} makes no sense; sRGB is assumed"
    white_and_primaries, note = hints.chromaticities or _flat(SRGB_PRIMARIES), ""
    if not gray and not _make_sense(white_and_primaries):
        white_and_primaries = _flat(SRGB_PRIMARIES)
        note = "its primary colours (cHRM) make no sense; sRGB's are assumed"
    nearly_srgb = np.allclose(white_and_primaries, _flat(SRGB_PRIMARIES), atol=0.002)
    if abs(hints.gamma - 2.2) < 0.05 and (nearly_srgb or gray):
        return None, note
    curve = gamma_curve(hints.gamma)
    if gray:
        return gray_profile(f"gray, exponent {hints.gamma:.2f}", curve), note
    pairs = list(zip(white_and_primaries[::2], white_and_primaries[1::2], strict=True))
    return rgb_profile(f"PNG, exponent {hints.gamma:.2f}", pairs[1:], curve, pairs[0]), note


def _make_sense(white_and_primaries: tuple[float, ...]) -> bool:
    """Tell whether a profile can be made of a white and primaries: not on one line, nothing near infinity."""
    xs, ys = np.array(white_and_primaries[::2]), np.array(white_and_primaries[1::2])
    if xs.min() < 0 or xs.max() > 1 or ys.min() < 0 or ys.max() > 1 or min(xs[0], ys[0]) < _LEAST_OF_WHITE:
        return False
    primaries = np.stack([xs[1:], ys[1:], 1 - xs[1:] - ys[1:]])
    if abs(np.linalg.det(primaries)) < _LEAST_TRIANGLE or ys[1:].min() < _LEAST_OF_PRIMARY:
        return False
    shares = np.linalg.solve(primaries / ys[1:], np.array([xs[0] / ys[0], 1, (1 - xs[0] - ys[0]) / ys[0]]))
    return bool(shares.min() > 0 and shares.max() < 1)


_LEAST_OF_WHITE = 0.05
_LEAST_OF_PRIMARY = 0.001
_LEAST_TRIANGLE = 0.01
"""Twice the area of the primaries' triangle; sRGB's is 0.22."""


def _flat(primaries: tuple[tuple[float, float], ...]) -> tuple[float, ...]:
    return tuple(v for pair in (D65, *primaries) for v in pair)


def _curve(transfer: int) -> bytes:
    signal = np.linspace(0, 1, 4096)
    if transfer == _PQ:
        power = np.power(signal, 32 / 2523)  # SMPTE ST 2084, m2 = 2523/32, m1 = 2610/16384
        ratio = np.clip(power - 3424 / 4096, 0, None) / (2413 / 128 - 2392 / 128 * power)
        return table_curve(10_000 * np.power(ratio, 16384 / 2610) / _REFERENCE_WHITE)
    if transfer == _HLG:
        a, b, c = 0.17883277, 0.28466892, 0.55991073  # ITU-R BT.2100
        scene = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
        return table_curve(1000 * np.power(scene, 1.2) / _REFERENCE_WHITE)
    powers = {4: 2.2, 5: 2.8, 8: 1.0}
    return gamma_curve(powers[transfer]) if transfer in powers else SRGB_CURVE
