"""Windows of two aligned photos: each refined by itself (ECC), and kept only where both surely show the same.

The maximum of the enhanced correlation coefficient (Evangelidis, Psarakis 2008) doesn't depend on gain and offset, so
that photos may differ in exposure. Correlation says nothing about flat windows, and nothing about shifts along edges.
"""

from dataclasses import dataclass, replace
from typing import Final, Literal, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from wildsr.data.registration.alignment import Alignment, mapped
from wildsr.errors import UsageError
from wildsr.imaging import resize
from wildsr.imaging.luma import luma

Bytes: TypeAlias = NDArray[np.uint8]
Floats: TypeAlias = NDArray[np.float32]
Doubles: TypeAlias = NDArray[np.float64]
Fate: TypeAlias = Literal[
    "kept", "outside", "flat", "edges only", "clipped", "no agreement", "moved", "gain", "neighbours"
]

FATES: Final[dict[Fate, str]] = {
    "kept": "both photos show the same",
    "outside": "beyond the other photo's frame",
    "flat": "no texture that could be compared",
    "edges only": "edges of one direction, along which nothing can be told",
    "clipped": "more than half of it black or white in one of them",
    "no agreement": "correlation too low: other focus, motion, or something in front",
    "moved": "farther from where the whole photo says than details can be",
    "gain": "another contrast than the rest of the photo",
    "neighbours": "shifted otherwise than the windows around it",
}
"""What may become of a window, in words for the user."""

_MARGIN: Final = 8
_INSET: Final = 2
"""Pixels between the other photo's frame and the outermost windows, which refinement may use up."""
_SMOOTH: Final = 1.0
"""Standard deviation of the blur before comparing, in pixels: noise is not what is compared."""
_LEAST_GRADIENT: Final = 1.0
"""Levels a pixel, root mean square, in the direction with the least."""
_CLIPPED_SHARE: Final = 0.5
"""Of a window's pixels, black or white in one of the photos; the others are compared."""
_BLACK, _WHITE = 2, 252
"""Levels at which a photo is clipped."""
_LARGEST_SHIFT: Final = 4.0
_BEND: Final = 1.0
"""Pixels by which a window's corners may move against its middle."""
_BETTER: Final = 0.7
"""Share of what correlation lacks that may be left for an affine map to be believed: where exposures differ, one that
fits hardly better moved corners by a pixel, the translation alone by a quarter."""
_GAIN: Final = 1.6
"""Factor by which a window's contrast ratio may differ from the photo's."""
_DISAGREEMENT: Final = 0.75
_ZOOM: Final = 1.25
"""Above it the DSLR's photo is shrunk with an antialias filter first."""


@dataclass(frozen=True, kw_only=True)
class WindowSettings:
    """Which windows are cut, and kept."""

    side: int = 128
    """Pixels of the phone's photo along a side."""

    correlation: float = 0.9
    """Least normalised cross-correlation."""

    def __post_init__(self) -> None:
        if not 32 <= self.side <= 1024:
            raise UsageError(f"windows of {self.side} pixels are not possible; 32 to 1024 are")
        if not 0 < self.correlation < 1:
            raise UsageError(
                f"a correlation of {self.correlation} can't be asked for; it lies between 0 and 1"
            )


@dataclass(frozen=True, kw_only=True, eq=False)
class Window:
    """One window of the phone's photo."""

    top: int
    left: int

    fate: Fate
    """Whether it is kept, and why not."""

    correlation: float = float("nan")
    """Normalised cross-correlation after refinement."""

    shift: tuple[float, float] = (float("nan"), float("nan"))
    """(x, y) of its middle against the homography of the whole photo, in phone pixels."""

    gain: float = float("nan")
    """Contrast of the DSLR's window over the phone's."""

    to_dslr: Doubles | None = None
    """3×3: place in the window → place in the DSLR's photo."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Views:
    """Both photos, ready to be cut."""

    phone: Bytes
    """H×W×3."""

    dslr: Bytes
    """H×W×3, shrunk to about the phone's resolution where it was finer."""

    homography: Doubles
    """Place in `phone` → place in `dslr`."""

    to_original: Doubles
    """Place in `dslr` → place in the DSLR's photo as given."""


def views(phone: Bytes, dslr: Bytes, alignment: Alignment) -> Views:
    """Bring both photos to one resolution."""
    zoom = alignment.zoom
    if zoom <= _ZOOM:
        return Views(phone=phone, dslr=dslr, homography=alignment.homography, to_original=np.eye(3))
    size = (max(1, round(dslr.shape[0] / zoom)), max(1, round(dslr.shape[1] / zoom)))
    small = np.clip(np.rint(resize(dslr, size)), 0, 255).astype(np.uint8)
    rows, columns = dslr.shape[0] / size[0], dslr.shape[1] / size[1]
    back = np.array([[columns, 0, (columns - 1) / 2], [0, rows, (rows - 1) / 2], [0, 0, 1]])
    return Views(
        phone=phone, dslr=small, homography=np.linalg.inv(back) @ alignment.homography, to_original=back
    )


def examine(both: Views, settings: WindowSettings) -> list[Window]:
    """Refine every window and say which are kept."""
    side = settings.side
    grays = gray(both.phone), gray(both.dslr)
    rows, columns = _grid(both, side)
    found = [_examined(both, grays, top, left, settings) for top in rows for left in columns]
    gains = [one.gain for one in found if one.fate == "kept"]
    usual = float(np.median(gains)) if gains else 1.0
    found = [
        replace(one, fate="gain")
        if one.fate == "kept" and not 1 / _GAIN <= one.gain / usual <= _GAIN
        else one
        for one in found
    ]
    return _without_strays(found, side)


def cut(both: Views, window: Window, side: int) -> tuple[Bytes, Bytes]:
    """Return a kept window of both photos, side×side×3."""
    assert window.to_dslr is not None
    phone = both.phone[window.top : window.top + side, window.left : window.left + side]
    return phone, _warped(both.dslr, window.to_dslr, side, cv2.INTER_LANCZOS4).astype(np.uint8)


def gray(rgb: Bytes) -> Floats:
    """Return luma in levels."""
    return luma(rgb.astype(np.float32))


def _grid(both: Views, side: int) -> tuple[range, range]:
    """Return tops and lefts of windows side by side, laid into the part that both photos show where it is upright."""
    height, width = both.phone.shape[:2]
    high, wide = both.dslr.shape[:2]
    frame = np.array([[0, 0], [wide - 1, 0], [wide - 1, high - 1], [0, high - 1]], dtype=np.float64)
    (x0, y0), (x1, y1), (x2, y2), (x3, y3) = mapped(
        np.asarray(np.linalg.inv(both.homography), np.float64), frame
    )
    spans = []
    for low, high_end, length in ((max(y0, y1), min(y2, y3), height), (max(x0, x3), min(x1, x2), width)):
        first = max(0, int(np.ceil(low)) + _INSET)
        last = min(length, int(np.floor(high_end)) + 1 - _INSET)
        if last - first < side:
            first, last = 0, length
        first += (last - first) % side // 2
        spans.append(range(first, last - side + 1, side))
    return spans[0], spans[1]


def _examined(
    both: Views, grays: tuple[Floats, Floats], top: int, left: int, settings: WindowSettings
) -> Window:
    side = settings.side
    window = Window(top=top, left=left, fate="outside")
    there = both.homography @ _translation(left, top)
    corners = np.array([[0, 0], [side - 1, 0], [side - 1, side - 1], [0, side - 1]], dtype=np.float64)
    places = mapped(there, corners)
    size = np.array([both.dslr.shape[1], both.dslr.shape[0]])
    if (places < 0).any() or (places > size - 1).any():
        return window
    ours = _smooth(grays[0][top : top + side, left : left + side])
    texture = _texture(ours)
    if texture is not None:
        return replace(window, fate=texture)
    around = _warped(grays[1], there @ _translation(-_MARGIN, -_MARGIN), side + 2 * _MARGIN, cv2.INTER_CUBIC)
    valid = _unclipped(grays[0][top : top + side, left : left + side])
    seen = _unclipped(around) & np.pad(valid, _MARGIN, constant_values=False)
    if seen.mean() * (side + 2 * _MARGIN) ** 2 < (1 - _CLIPPED_SHARE) * side**2:
        return replace(window, fate="clipped")
    refined = _refined(ours, _smooth(around), seen)
    if refined is None:
        return replace(window, fate="no agreement")
    middle = np.full((1, 2), (side - 1) / 2, dtype=np.float64)
    shift = mapped(refined, middle)[0] - middle[0]
    to_dslr = there @ refined
    theirs = _smooth(_warped(grays[1], to_dslr, side, cv2.INTER_CUBIC))
    valid = valid & _unclipped(theirs)
    valid[:2] = valid[-2:] = valid[:, :2] = valid[:, -2:] = False
    window = replace(
        window,
        correlation=_correlation(ours[valid], theirs[valid]),
        shift=(float(shift[0]), float(shift[1])),
        gain=float(theirs[valid].std() / max(float(ours[valid].std()), 1e-6)),
        to_dslr=to_dslr,
        fate="kept",
    )
    if float(np.abs(shift).max()) > _LARGEST_SHIFT:
        return replace(window, fate="moved")
    if (mapped(to_dslr, corners) < 0).any() or (mapped(to_dslr, corners) > size - 1).any():
        return replace(window, fate="outside")
    if not window.correlation > settings.correlation:
        return replace(window, fate="no agreement")
    return window


def _refined(ours: Floats, around: Floats, seen: NDArray[np.bool_]) -> Doubles | None:
    """Return the affine map between windows by ECC, a translation where more isn't sure; None: no maximum found."""
    criteria = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 60, 1e-5)
    mask = seen.astype(np.uint8)
    start = np.array([[1, 0, _MARGIN], [0, 1, _MARGIN]], dtype=np.float32)
    try:
        alike, moved = cv2.findTransformECC(ours, around, start, cv2.MOTION_TRANSLATION, criteria, mask, 1)
    except cv2.error:
        return None
    translation = _square(moved)
    try:
        better, bent = cv2.findTransformECC(ours, around, moved.copy(), cv2.MOTION_AFFINE, criteria, mask, 1)
    except cv2.error:
        return translation
    affine = _square(bent)
    side = ours.shape[0] - 1.0
    corners = np.array([[0, 0], [side, 0], [side, side], [0, side]], dtype=np.float64)
    change = np.abs(mapped(affine, corners) - mapped(translation, corners)).max()
    return affine if change <= _BEND and 1 - better < _BETTER * (1 - alike) else translation


def _square(matrix: object) -> Doubles:
    """A 2×3 map into the window with its margin as a 3×3 map into the window."""
    whole = np.vstack([np.asarray(matrix, np.float64), [0, 0, 1]])
    inside: Doubles = _translation(-_MARGIN, -_MARGIN) @ whole
    return inside


def _texture(smooth: Floats) -> Fate | None:
    """Say what a window lacks to be compared: gradients, or gradients of a second direction."""
    down, across = np.gradient(smooth.astype(np.float64))
    tensor = np.array(
        [[np.mean(across**2), np.mean(across * down)], [np.mean(across * down), np.mean(down**2)]]
    )
    weak, strong = np.sqrt(np.maximum(np.linalg.eigvalsh(tensor), 0))
    if strong < _LEAST_GRADIENT:
        return "flat"
    return "edges only" if weak < _LEAST_GRADIENT else None


def _without_strays(windows: list[Window], side: int) -> list[Window]:
    """Mark kept windows whose shift is not that of the kept ones around them."""
    kept = [one for one in windows if one.fate == "kept"]
    shifts = np.array([one.shift for one in kept]).reshape(-1, 2)
    places = np.array([(one.left, one.top) for one in kept]).reshape(-1, 2)
    stray: set[tuple[int, int]] = set()
    for number, one in enumerate(kept):
        distance = np.abs(places - places[number]).max(axis=1)
        near = (distance > 0) & (distance <= 2 * side)
        expected = np.median(shifts[near], axis=0) if near.sum() >= 3 else np.zeros(2)
        if float(np.abs(shifts[number] - expected).max()) > _DISAGREEMENT:
            stray.add((one.top, one.left))
    return [replace(one, fate="neighbours") if (one.top, one.left) in stray else one for one in windows]


def _unclipped(plane: Floats) -> NDArray[np.bool_]:
    """Pixels that are neither black nor white, nor smoothed with such ones: what they were, nobody knows."""
    clipped = ((plane < _BLACK) | (plane > _WHITE)).astype(np.uint8)
    return np.asarray(cv2.dilate(clipped, np.ones((7, 7), np.uint8)) == 0)


def _correlation(ours: Floats, theirs: Floats) -> float:
    one, other = ours - ours.mean(), theirs - theirs.mean()
    return float((one * other).sum() / max(float(np.sqrt((one**2).sum() * (other**2).sum())), 1e-9))


def _smooth(plane: Floats) -> Floats:
    return np.asarray(cv2.GaussianBlur(plane, (0, 0), _SMOOTH), dtype=np.float32)


def _translation(x: float, y: float) -> Doubles:
    return np.array([[1.0, 0.0, x], [0.0, 1.0, y], [0.0, 0.0, 1.0]])


def _warped(picture: Bytes | Floats, places: Doubles, side: int, interpolation: int) -> Floats:
    """Return what a picture shows at the mapped places of a side×side window, in the picture's levels."""
    made = cv2.warpPerspective(
        picture,
        places,
        (side, side),
        flags=interpolation | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(made, dtype=np.float32)
