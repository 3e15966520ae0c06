"""The frequency-domain steerable pyramid NRQM looks at, and its divisive normalisation.

Simoncelli, Freeman, "The steerable pyramid", ICIP 1995, in the discretisation of matlabPyrTools' buildSFpyr
(masks looked up in tables, which is part of the numbers); Moorthy, Bovik, "Blind image quality assessment:
from natural scene statistics to perceptual quality", IEEE TIP 2011 (DIIVINE) for the normalisation.
"""

from dataclasses import dataclass
from math import factorial

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging.resize import apply_weights, weights
from wildsr.metrics.pixels import Plane

ORIENTATIONS = 6
SCALES = 2
_ORDER = ORIENTATIONS - 1
_RADIAL = 256
_ANGULAR = 1024
_GUARD = 16


@dataclass(frozen=True, kw_only=True, eq=False)
class Pyramid:
    """Two scales of six oriented bands and the high-pass residual."""

    high: Plane
    """Residual above the first scale, of the picture's size."""

    bands: tuple[tuple[Plane, ...], ...]
    """Bands by scale and orientation; the second scale has half the size, rounded up."""


def build(plane: Plane) -> Pyramid:
    """Return the pyramid of a plane (at least 16×16)."""
    rows, columns = plane.shape
    centre = (_centre(rows), _centre(columns))
    y = ((np.arange(rows) - centre[0]) / (rows / 2))[:, None]
    x = ((np.arange(columns) - centre[1]) / (columns / 2))[None]
    angle = np.arctan2(y, x)
    radius = np.hypot(x, y)
    radius[centre] = radius[centre[0], centre[1] - 1]  # log 0; the neighbour's value, as in the original
    log_radius = np.log2(radius)
    position, rise = _raised_cosine()
    spectrum = np.fft.fftshift(np.fft.fft2(plane))
    high = _real(spectrum * np.interp(log_radius, position, rise))
    low = spectrum * np.interp(log_radius, position, np.sqrt(1 - rise**2))
    scales = []
    for scale in range(SCALES):
        position = position - 1  # one octave down
        scales.append(_bands(low, angle, np.interp(log_radius, position, rise)))
        if scale + 1 < SCALES:
            inner = tuple(_inner(side) for side in low.shape)
            low, angle, log_radius = low[inner], angle[inner], log_radius[inner]
            low = low * np.interp(log_radius, position, np.sqrt(1 - rise**2))
    return Pyramid(high=high, bands=tuple(scales))


def _bands(low: NDArray[np.complex128], angle: Plane, radial: Plane) -> tuple[Plane, ...]:
    strength = 2.0 ** (2 * _ORDER) * factorial(_ORDER) ** 2 / (ORIENTATIONS * factorial(2 * _ORDER))
    at = np.pi * np.arange(-(2 * _ANGULAR + 1), _ANGULAR + 2) / _ANGULAR
    profile = np.sqrt(strength) * np.cos(at) ** _ORDER
    rotated = low * (-1j) ** _ORDER * radial
    return tuple(
        _real(rotated * np.interp(angle, at + np.pi * band / ORIENTATIONS, profile))
        for band in range(ORIENTATIONS)
    )


def _raised_cosine() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Tabulated √ of a cosine-shaped rise from 0 to 1 over one octave, centred at −1/2."""
    x = np.pi * np.arange(-_RADIAL - 1, 2) / (2 * _RADIAL)
    rise = np.cos(x) ** 2
    rise[0], rise[-1] = rise[1], rise[-2]
    return -0.5 + (2 / np.pi) * (x + np.pi / 4), np.sqrt(rise)


def _centre(side: int) -> int:
    """Index of frequency 0 after fftshift."""
    return side // 2


def _inner(side: int) -> slice:
    """The middle half (rounded up) of an axis of the shifted spectrum, frequency 0 in its centre."""
    half = (side + 1) // 2
    start = _centre(side) - _centre(half)
    return slice(start, start + half)


def _real(spectrum: NDArray[np.complex128]) -> Plane:
    return np.ascontiguousarray(np.fft.ifft2(np.fft.ifftshift(spectrum)).real)


def normalised(pyramid: Pyramid) -> tuple[tuple[Plane, ...], ...]:
    """Return the bands divided by their relative local energy, without a guard band of 16 (then 8) pixels, mean 0.

    The energy of a coefficient is the quadratic form yᵀC⁻¹y/N of its 3×3 neighbours, its parent at the next
    scale and the other orientations at its place, C their covariance over the band.
    """
    scales = []
    for scale, bands in enumerate(pyramid.bands):
        guard = _GUARD >> scale
        done = []
        for orientation in range(ORIENTATIONS):
            parent = None
            # the original asks for a parent by counting bands, and so forgets the last orientation's
            if scale + 1 < SCALES and orientation + 1 < ORIENTATIONS:
                parent = _twice(pyramid.bands[scale + 1][orientation], bands[orientation].shape)
            energy = _local_energy(bands, orientation, parent)
            inner = bands[orientation][1:-1, 1:-1]
            divided = np.divide(inner - inner.mean(), energy, out=np.zeros_like(inner), where=energy != 0)
            core = divided[guard : divided.shape[0] - guard, guard : divided.shape[1] - guard]
            done.append(core - core.mean())
        scales.append(tuple(done))
    return tuple(scales)


def _local_energy(bands: tuple[Plane, ...], orientation: int, parent: Plane | None) -> Plane:
    own = bands[orientation]
    rows, columns = own.shape[0] - 2, own.shape[1] - 2
    neighbours = [own[y : y + rows, x : x + columns] for y in range(3) for x in range(3)]
    if parent is not None:
        neighbours.append(parent[1:-1, 1:-1])
    count = len(neighbours)  # the other orientations are not counted, as in the original
    neighbours += [band[1:-1, 1:-1] for at, band in enumerate(bands) if at != orientation]
    y = np.empty((len(neighbours), rows * columns))
    for row, neighbour in zip(y, neighbours, strict=True):
        row.reshape(rows, columns)[:] = neighbour
    root = _inverse_root(y @ y.T / y.shape[1])
    whitened = root @ y
    energy: Plane = np.einsum("ij,ij->j", whitened, whitened)
    return np.sqrt(energy / count).reshape(rows, columns)


def _inverse_root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return R with RᵀR the pseudo-inverse of a covariance, negative eigenvalues clipped, trace kept."""
    values, vectors = np.linalg.eigh(covariance)
    kept = np.maximum(values, 0)
    if kept.sum() > 0:
        kept *= values.sum() / kept.sum()
    least = kept.max() * len(kept) * np.finfo(np.float64).eps
    inverse = np.divide(1.0, np.sqrt(kept), out=np.zeros_like(kept), where=kept > least)
    root: NDArray[np.float64] = inverse[:, None] * vectors.T
    return root


def _twice(band: Plane, shape: tuple[int, ...]) -> Plane:
    """Enlarge by MATLAB's bicubic ×2 and cut to `shape` (the parent's size is rounded up)."""
    for axis in (0, 1):
        side = band.shape[axis]
        band = apply_weights(weights(side, 2 * side), band, axis)
    return band[: shape[0], : shape[1]]
