"""ICC profiles (ICC.1:2022): parsed as far as their tone curves, written for plain RGB and gray spaces."""

import struct
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]

_MAX_TAGS = 200
_COLORANTS = (b"rXYZ", b"gXYZ", b"bXYZ")
_RGB_CURVES = (b"rTRC", b"gTRC", b"bTRC")
_LUTS = (b"A2B0", b"A2B1", b"A2B2", b"D2B0", b"D2B1")
SRGB_LIKE = 0.05
"""How far a tone curve may stray from exponent 2.2, in encoded values, and still be called sRGB-like.

Measured on 0.05…1: sRGB 0.031, exponent 2.0 0.035, L* 0.044; exponent 1.8 (ProPhoto) 0.074, BT.709's camera
curve 0.081, linear light 0.283.
"""

D65 = (0.3127, 0.3290)
SRGB_PRIMARIES = ((0.64, 0.33), (0.30, 0.60), (0.15, 0.06))
P3_PRIMARIES = ((0.680, 0.320), (0.265, 0.690), (0.150, 0.060))
BT2020_PRIMARIES = ((0.708, 0.292), (0.170, 0.797), (0.131, 0.046))
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])


class IccError(ValueError):
    """A profile that can't be followed."""


@dataclass(frozen=True, kw_only=True)
class IccProfile:
    """A parsed profile."""

    space: str
    """Colour space of the pixels: RGB, GRAY, CMYK, Lab …"""

    tags: dict[bytes, bytes]
    """Tag data by signature."""

    @property
    def has_lut(self) -> bool:
        """True where colours go through tables instead of three curves and a matrix."""
        return any(tag in self.tags for tag in _LUTS)

    @property
    def curves(self) -> tuple[bytes, ...]:
        """Tone curves (tag data), one a channel; empty where there are none."""
        names = (b"kTRC",) if self.space == "GRAY" else _RGB_CURVES
        found = [self.tags.get(name) for name in names]
        present = tuple(c for c in found if c is not None)
        return present if len(present) == len(names) else ()

    @property
    def matrix(self) -> Doubles:
        """Linear RGB to XYZ relative to D50, one column a channel; IccError where it can't be undone."""
        columns = [self.tags.get(tag, b"")[8:20] for tag in _COLORANTS]
        if any(len(column) != 12 for column in columns):
            raise IccError("a primary colour is missing")
        matrix = np.stack([np.frombuffer(c, ">i4").astype(np.float64) / 65536 for c in columns], axis=1)
        if abs(float(np.linalg.det(matrix))) < 1e-6:
            raise IccError("its primary colours are on one line")
        return matrix

    @property
    def name(self) -> str:
        """Description for people, printable."""
        data = self.tags.get(b"desc", b"")
        if data[:4] == b"desc" and len(data) > 12:
            text = data[12 : 12 + int.from_bytes(data[8:12], "big")].decode("ascii", "replace")
        elif data[:4] == b"mluc" and len(data) >= 28:
            size, at = struct.unpack(">II", data[20:28])
            text = data[at : at + min(size, 400)].decode("utf-16-be", "replace")
        else:
            text = ""
        clean = "".join(c for c in text if c.isprintable()).strip()[:80]
        return clean or "unnamed"


def parse(data: bytes) -> IccProfile:
    """Return a profile's tags; IccError where its header or tag table makes no sense."""
    if len(data) < 132 or data[36:40] != b"acsp":
        raise IccError("it has no profile header")
    stated, count = struct.unpack(">I", data[:4])[0], struct.unpack(">I", data[128:132])[0]
    if stated > len(data):
        raise IccError(f"{len(data):,} of {stated:,} bytes are there")
    if count > _MAX_TAGS or 132 + 12 * count > len(data):
        raise IccError(f"it claims {count} tags")
    tags = {}
    pieces: dict[tuple[int, int], bytes] = {}  # several tags may share one piece, but pieces don't overlap
    left = 2 * len(data)
    for i in range(count):
        name, at, size = struct.unpack(">4sII", data[132 + 12 * i : 144 + 12 * i])
        if at + size > len(data):
            raise IccError("a tag lies outside it")
        if (at, size) not in pieces:
            left -= size
            if left < 0:
                raise IccError("its tags lie over each other")
            pieces[at, size] = data[at : at + size]
        tags[name] = pieces[at, size]
    space = data[16:20].decode("ascii", "replace").strip()
    profile = IccProfile(space=space, tags=tags)
    usable = profile.has_lut or bool(profile.curves)
    if not usable:
        raise IccError("it says nothing about colours")
    if not profile.has_lut:
        for curve in profile.curves:  # these raise where they make no sense
            tone(curve, np.array([0.0, 1.0]))
        if space == "RGB":
            profile.matrix  # noqa: B018
    return profile


def tone(curve: bytes, x: Doubles) -> Doubles:
    """Return linear light in [0, 1] for encoded values in [0, 1] by a `curv` or `para` tag (ICC.1 §10)."""
    kind = curve[:4]
    try:
        if kind == b"curv":
            return _table(curve, x)
        if kind == b"para":
            return _parametric(curve, x)
    except (struct.error, IndexError, ZeroDivisionError) as error:
        raise IccError("a tone curve ends too early") from error
    raise IccError("a tone curve of an unknown kind")


def _table(curve: bytes, x: Doubles) -> Doubles:
    count = struct.unpack(">I", curve[8:12])[0]
    if count == 0:
        return x
    if count == 1:
        exponent = struct.unpack(">H", curve[12:14])[0] / 256
        return _power(x, exponent)
    if len(curve) < 12 + 2 * count:
        raise IccError("a tone curve ends too early")
    table = np.frombuffer(curve, ">u2", count, 12).astype(np.float64) / 65535
    return np.asarray(np.interp(x, np.linspace(0, 1, count), table), dtype=np.float64)


def _parametric(curve: bytes, x: Doubles) -> Doubles:
    form = struct.unpack(">H", curve[8:10])[0]
    count = (1, 3, 4, 5, 7)[form]
    values = [v / 65536 for v in struct.unpack(f">{count}i", curve[12 : 12 + 4 * count])] + [0.0] * 7
    g, a, b, c, d, e, f = values[:7]
    if form == 0:
        return _power(x, g)
    if form in (1, 2):
        if a == 0:
            raise IccError("a tone curve that is flat")
        d, e, f, c = -b / a, (c if form == 2 else 0.0), (c if form == 2 else 0.0), 0.0
    power = _power(np.clip(a * x + b, 0, None), g) + e
    return np.asarray(np.clip(np.where(x >= d, power, c * x + f), 0, 1), dtype=np.float64)


def _power(base: Doubles, exponent: float) -> Doubles:
    if not 0 < exponent < 100:
        raise IccError(f"a tone curve of exponent {exponent:g}")
    with np.errstate(over="ignore"):  # infinity is clipped
        return np.asarray(np.power(base, exponent), dtype=np.float64)


def is_srgb_like(profile: IccProfile) -> bool:
    """Return whether every tone curve stays within `SRGB_LIKE` of exponent 2.2."""
    x = np.linspace(0.05, 1, 200)
    return all(
        float(np.abs(np.power(tone(c, x), 1 / 2.2) - x).max()) <= SRGB_LIKE for c in profile.curves
    ) and bool(profile.curves)


def rgb_profile(
    name: str, primaries: Sequence[tuple[float, float]], curve: bytes, white: tuple[float, float] = D65
) -> bytes:
    """Return a version 4 matrix profile.

    Args:
        name: Description.
        primaries: x and y of red, green and blue.
        curve: Tone curve as made by `gamma_curve`, `SRGB_CURVE` or `table_curve`.
        white: x and y of white.
    """
    adapt = _adaptation(_xyz(white))
    columns = np.stack([_xyz(p) for p in primaries], axis=1)
    matrix = adapt @ (columns * np.linalg.solve(columns, _xyz(white)))
    tags = [
        (b"desc", _text(name)),
        (b"cprt", _text("CC0")),
        (b"wtpt", _point(_D50)),
        (b"chad", _matrix(adapt)),
    ]
    tags += [(t, _point(matrix[:, i])) for i, t in enumerate(_COLORANTS)]
    tags += [(t, curve) for t in _RGB_CURVES]
    return _profile(b"RGB ", tags)


def gray_profile(name: str, curve: bytes) -> bytes:
    """Return a version 4 gray profile with a tone curve."""
    tags = [(b"desc", _text(name)), (b"cprt", _text("CC0")), (b"wtpt", _point(_D50)), (b"kTRC", curve)]
    return _profile(b"GRAY", tags)


def gamma_curve(exponent: float) -> bytes:
    """Return the curve of a pure power: linear = encoded ** exponent."""
    return b"para" + struct.pack(">IHHi", 0, 0, 0, round(exponent * 65536))


def table_curve(values: Doubles) -> bytes:
    """Return a curve by a table of linear values in [0, 1] at even steps."""
    table = np.rint(np.clip(values, 0, 1) * 65535).astype(">u2")
    data = b"curv" + struct.pack(">II", 0, len(table)) + table.tobytes()
    return data + b"\0" * (-len(data) % 4)


SRGB_CURVE = b"para" + struct.pack(
    ">IHH5i", 0, 3, 0, *(round(v * 65536) for v in (2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045))
)
"""IEC 61966-2-1."""


def _xyz(xy: tuple[float, float]) -> Doubles:
    x, y = xy
    return np.array([x / y, 1.0, (1 - x - y) / y])


def _adaptation(white: Doubles) -> Doubles:
    """Return the Bradford adaptation from a white to D50."""
    scale = (_BRADFORD @ _D50) / (_BRADFORD @ white)
    return np.asarray(np.linalg.inv(_BRADFORD) @ np.diag(scale) @ _BRADFORD, dtype=np.float64)


def _fixed(values: Doubles) -> bytes:
    return struct.pack(f">{values.size}i", *(round(float(v) * 65536) for v in values.ravel()))


def _point(xyz: Doubles) -> bytes:
    return b"XYZ \0\0\0\0" + _fixed(xyz)


def _matrix(matrix: Doubles) -> bytes:
    return b"sf32\0\0\0\0" + _fixed(matrix)


def _text(text: str) -> bytes:
    data = text.encode("utf-16-be")
    head = b"mluc" + struct.pack(">III2s2sII", 0, 1, 12, b"en", b"US", len(data), 28)
    return head + data + b"\0" * (-len(data) % 4)


def _profile(space: bytes, tags: list[tuple[bytes, bytes]]) -> bytes:
    table, body = b"", b""
    start = 128 + 4 + 12 * len(tags)
    placed: dict[bytes, int] = {}
    for name, data in tags:
        if data not in placed:
            placed[data] = start + len(body)
            body += data
        table += struct.pack(">4sII", name, placed[data], len(data))
    size = start + len(body)
    head = struct.pack(">I4sI4s4s4s12s4s", size, b"", 0x04300000, b"mntr", space, b"XYZ ", bytes(12), b"acsp")
    head += struct.pack(">4sII4s8sI", b"", 0, 0, b"", b"", 0) + _fixed(_D50)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body
