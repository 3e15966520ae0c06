"""Where a phone's photo lies in a DSLR's: SIFT keypoints, the ratio test, a homography by RANSAC."""

from dataclasses import dataclass
from typing import Final, TypeAlias

import cv2
import numpy as np
from numpy.typing import NDArray

from wildsr.errors import InputError

Bytes: TypeAlias = NDArray[np.uint8]
Doubles: TypeAlias = NDArray[np.float64]

_SIDE: Final = 1600
"""Photos are shrunk to this for the keypoints; windows are refined at full size afterwards."""
_KEYPOINTS: Final = 4000
_RATIO: Final = 0.75
"""Lowe's: the nearest descriptor must be this much nearer than the second."""
_TOLERANCE: Final = 2.0
"""Pixels a keypoint may be off the homography."""
_LEAST_MATCHES: Final = 20
_LARGEST_ZOOM: Final = 8.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Alignment:
    """The two photos' geometry."""

    homography: Doubles
    """3×3, pixel centres at whole numbers: place in the phone's photo → place in the DSLR's."""

    matches: int
    """Keypoints that agree with it."""

    zoom: float
    """DSLR pixels for a phone pixel along a side, in the middle of the photo."""


def align(phone: Bytes, dslr: Bytes) -> Alignment:
    """Find the homography from a phone's photo to a DSLR's.

    Args:
        phone: H×W luma.
        dslr: H×W luma, of another size.

    Raises:
        InputError: No overlap: too few keypoints agree, or on nothing that a camera can do.
    """
    places, descriptors = _keypoints(phone)
    others, other_descriptors = _keypoints(dslr)
    if min(len(places), len(others)) < _LEAST_MATCHES:
        raise _no_overlap(f"{min(len(places), len(others))} details found in one of them")
    nearest = cv2.BFMatcher(cv2.NORM_L2).knnMatch(descriptors, other_descriptors, k=2)
    good = [two[0] for two in nearest if len(two) == 2 and two[0].distance < _RATIO * two[1].distance]
    if len(good) < _LEAST_MATCHES:
        raise _no_overlap(f"{len(good)} details in common")
    here = places[[one.queryIdx for one in good]]
    there = others[[one.trainIdx for one in good]]
    cv2.setRNGSeed(0)
    found, mask = cv2.findHomography(here, there, cv2.USAC_MAGSAC, _TOLERANCE * _shrunk(dslr), maxIters=5000)
    agreeing = 0 if mask is None else int(mask.sum())
    if (
        found is None
        or agreeing < _LEAST_MATCHES
        or not _possible(np.asarray(found, np.float64), phone.shape)
    ):
        raise _no_overlap(f"{agreeing} details in common that fit together")
    homography = np.asarray(found, dtype=np.float64)
    middle = np.array([phone.shape[1] / 2, phone.shape[0] / 2])
    return Alignment(homography=homography, matches=agreeing, zoom=zoom_at(homography, middle))


def mapped(homography: Doubles, places: Doubles) -> Doubles:
    """Map N×2 places (x, y)."""
    ahead = np.column_stack([places, np.ones(len(places))]) @ homography.T
    there: Doubles = ahead[:, :2] / ahead[:, 2:]
    return there


def zoom_at(homography: Doubles, place: Doubles) -> float:
    """Return by how much lengths grow around a place."""
    square = place + np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    origin, right, down = mapped(homography, square)
    across, along = right - origin, down - origin
    return float(np.sqrt(abs(across[0] * along[1] - across[1] * along[0])))


def _shrunk(gray: Bytes) -> float:
    return max(1.0, float(max(gray.shape)) / _SIDE)


def _keypoints(gray: Bytes) -> tuple[Doubles, NDArray[np.float32]]:
    """Return places (x, y) at full size and descriptors."""
    factor = _shrunk(gray)
    if factor > 1:
        size = (round(gray.shape[1] / factor), round(gray.shape[0] / factor))
        small = cv2.resize(gray, size, interpolation=cv2.INTER_AREA)
    else:
        small = gray
    sift = cv2.SIFT_create(nfeatures=_KEYPOINTS, contrastThreshold=0.02, enable_precise_upscale=True)  # type: ignore[attr-defined]
    points, descriptors = sift.detectAndCompute(small, None)
    if descriptors is None:
        return np.zeros((0, 2)), np.zeros((0, 128), np.float32)
    scale = np.array([gray.shape[1] / small.shape[1], gray.shape[0] / small.shape[0]])
    places = (np.array([one.pt for one in points], dtype=np.float64) + 0.5) * scale - 0.5
    return places, np.asarray(descriptors, dtype=np.float32)


def _possible(homography: Doubles, shape: tuple[int, ...]) -> bool:
    """Whether the photo's frame stays a convex quadrangle, not mirrored, of a size that two cameras may differ by."""
    height, width = shape[:2]
    frame = np.array([[0, 0], [width - 1, 0], [width - 1, height - 1], [0, height - 1]], dtype=np.float64)
    ahead = np.column_stack([frame, np.ones(4)]) @ homography[2]
    if (ahead <= 0).any() and (ahead >= 0).any():  # the horizon runs through the photo
        return False
    corners = mapped(homography, frame)
    edges = np.roll(corners, -1, axis=0) - corners
    following = np.roll(edges, -1, axis=0)
    turns = edges[:, 0] * following[:, 1] - edges[:, 1] * following[:, 0]
    zoom = zoom_at(homography, np.array([width / 2, height / 2]))
    return bool((turns > 0).all()) and 1 / _LARGEST_ZOOM < zoom < _LARGEST_ZOOM


def _no_overlap(why: str) -> InputError:
    return InputError(
        f"the two photos show nothing in common: {why}, at least {_LEAST_MATCHES} are needed",
        hint="give photos of one scene, taken from one place",
    )
