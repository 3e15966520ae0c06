"""Which colours go through a network as encoded, and how the others become sRGB.

A network takes what looks like sRGB: pictures whose profile has an sRGB-like tone curve (sRGB, Display P3,
Adobe RGB) pass untouched, profile kept; converting them there and back would clip and shift saturated
colours.
"""

from functools import partial
from typing import Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError
from wildsr.imaging.cicp import srgb
from wildsr.imaging.icc import IccError, IccProfile, gray_profile, is_srgb_like, parse, tone
from wildsr.imaging.picture import Samples
from wildsr.imaging.vips import integers, vips
from wildsr.imaging.vips_errors import VipsFailure, attempt

_BAND = 256
Real = TypeVar("Real", np.float32, np.float64)

Managed = tuple[Samples, bytes | None, tuple[str, ...]]
"""Samples, the profile they are now encoded in, and notes for the user."""


def manage(samples: Samples, icc: bytes | None, colour: Literal["rgb", "gray", "cmyk"]) -> Managed:
    """Return samples a network can take, the profile they are encoded in, and what was changed.

    Args:
        samples: H×W×C as decoded; alpha, if any, is last and is passed through.
        icc: The profile found in the file.
        colour: Model of the samples.
    """
    profile, notes = _parsed(icc, colour)
    if colour == "cmyk":
        return _from_cmyk(samples, icc if profile else None, notes)
    if profile is None or icc is None:
        return samples, None, notes
    if colour == "gray":
        return _gray(samples, icc, profile, notes)
    if not profile.has_lut and is_srgb_like(profile):
        return samples, icc, notes
    return _from_rgb(samples, icc, profile, notes)


def _parsed(icc: bytes | None, colour: str) -> tuple[IccProfile | None, tuple[str, ...]]:
    if icc is None:
        return None, ()
    try:
        profile = parse(icc)
        is_srgb_like(profile)  # follows the curves too
    except IccError as error:
        return None, (f"the colour profile is broken ({error}) and was ignored",)
    allowed = {"rgb": ("RGB",), "gray": ("GRAY", "RGB"), "cmyk": ("CMYK",)}[colour]
    if profile.space not in allowed:
        return None, (f"the colour profile is for {profile.space} pictures and was ignored",)
    return profile, ()


def _gray(samples: Samples, icc: bytes, profile: IccProfile, notes: tuple[str, ...]) -> Managed:
    """Keep gray gray: an RGB profile leaves its tone curve, a curve unlike sRGB's is applied."""
    if not profile.curves:
        return (
            samples,
            None,
            (*notes, f"the colour profile {profile.name!r} has no tone curve and was ignored"),
        )
    if is_srgb_like(profile):
        kept = icc if profile.space == "GRAY" else gray_profile(f"gray of {profile.name}", profile.curves[1])
        return samples, kept, notes
    top = 255 if samples.dtype == np.uint8 else 65535
    linear = np.clip(tone(profile.curves[len(profile.curves) // 2], np.linspace(0, 1, top + 1)), 0, 1)
    table = np.rint(srgb_encoded(linear) * top).astype(samples.dtype)
    out = samples.copy()
    out[..., 0] = table[samples[..., 0]]
    return out, None, (*notes, f"gray converted from {profile.name!r} to sRGB's tone curve")


def _from_cmyk(samples: Samples, icc: bytes | None, notes: tuple[str, ...]) -> Managed:
    converted, failure = _transform(samples, 4, icc, "cmyk")
    if failure and icc:
        notes = (*notes, f"the colour profile can't be used ({failure}) and was ignored")
        icc = None
        converted, failure = _transform(samples, 4, None, "cmyk")
    if failure:
        raise InputError(f"CMYK can't be converted to sRGB: {failure}")
    source = "its profile" if icc else "a general press profile"
    return converted, srgb(), (*notes, f"CMYK converted to sRGB by {source}")


def _from_rgb(samples: Samples, icc: bytes, profile: IccProfile, notes: tuple[str, ...]) -> Managed:
    if not profile.has_lut:
        why = "its tone curve is unlike sRGB's"
        converted = _by_matrix(samples, profile)
    else:
        why = "it works by tables"
        kind = "srgb" if samples.dtype == np.uint8 else "rgb16"
        converted, failure = _transform(samples, 3, icc, kind)
        if failure:
            note = f"the colour profile {profile.name!r} can't be used ({failure}) and was ignored"
            return samples, None, (*notes, note)
    return converted, srgb(), (*notes, f"colours converted from {profile.name!r} to sRGB: {why}")


def _by_matrix(samples: Samples, profile: IccProfile) -> Samples:
    """Return samples through curves and matrix in floating point, out-of-gamut colours clipped.

    LittleCMS puts 16-bit samples through a 33-point grid instead, measured 0.04 off near the gamut's edge.
    """
    top = 255 if samples.dtype == np.uint8 else 65535
    steps = np.linspace(0, 1, top + 1)
    tables = [tone(curve, steps).astype(np.float32) for curve in profile.curves]
    matrix = (np.linalg.inv(parse(srgb()).matrix) @ profile.matrix).T.astype(np.float32)
    out = samples.copy()
    for y in range(0, samples.shape[0], _BAND):
        band = samples[y : y + _BAND]
        linear = np.stack([table[band[..., c]] for c, table in enumerate(tables)], axis=2) @ matrix
        out[y : y + _BAND, :, :3] = np.rint(srgb_encoded(np.clip(linear, 0, 1)) * top)
    return out


def _transform(
    samples: Samples, channels: int, icc: bytes | None, interpretation: str
) -> tuple[Samples, str | None]:
    """Return samples through LittleCMS (relative, black point compensated), or why that failed."""
    library = vips()
    height, width, bands = samples.shape
    form = "uchar" if samples.dtype == np.uint8 else "ushort"
    source = np.ascontiguousarray(samples[..., :channels])
    image = library.Image.new_from_memory(source, width, height, channels, form)
    image = image.copy(interpretation=interpretation)
    if icc is not None:
        image.set_type(library.GValue.blob_type, "icc-profile-data", icc)
    convert = partial(
        image.icc_transform,
        "srgb",
        intent="relative",
        black_point_compensation=True,
        depth=8 if form == "uchar" else 16,
    )
    try:
        colours = attempt(
            lambda: integers(convert(input_profile="cmyk") if icc is None else convert(embedded=True)),
            ("icc",),
        )
    except VipsFailure as failure:
        return samples, str(failure)
    return np.concatenate([colours, samples[..., channels:]], axis=2) if bands > channels else colours, None


def srgb_encoded(linear: NDArray[Real]) -> NDArray[Real]:
    """Return sRGB samples of linear light in [0, 1] (IEC 61966-2-1)."""
    power = np.power(linear, linear.dtype.type(1 / 2.4))
    return np.where(linear <= 0.0031308, 12.92 * linear, 1.055 * power - 0.055).astype(linear.dtype)


def srgb_linear(encoded: NDArray[Real]) -> NDArray[Real]:
    """Return linear light in [0, 1] of sRGB samples (IEC 61966-2-1)."""
    power = np.power((encoded + 0.055) / 1.055, encoded.dtype.type(2.4))
    return np.where(encoded <= 0.04045, encoded / 12.92, power).astype(encoded.dtype)
