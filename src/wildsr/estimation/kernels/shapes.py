"""Operations on estimated kernels: centring, cleaning, completion, rescaling to ×4.  Plain numpy.

Kernels are in correlation orientation; `scale` s puts the centre of mass at n//2 + (s−1)/2, so that pixel 0 of the
subsampled picture is the middle of the first s×s block.
"""

from typing import Final

import numpy as np

from wildsr.degradation.kernels import centre_of_mass
from wildsr.estimation.kernels.spectrum import Doubles

SIZE: Final = 17
"""Side of the ×2 kernels given out."""
_GRID: Final = 96
_HALVINGS: Final = 6


def gaussian(covariance: Doubles, *, size: int = SIZE, scale: int = 2) -> Doubles:
    """Return the size×size Gaussian with this covariance over (x, y), centred for the scale."""
    places = np.arange(size) - (size // 2 + (scale - 1) / 2)
    (xx, xy), (_, yy) = np.linalg.inv(covariance)
    x, y = places[None], places[:, None]
    kernel = np.exp(-0.5 * (xx * x * x + 2 * xy * x * y + yy * y * y))
    result: Doubles = kernel / kernel.sum()
    return result


def second_moments(kernel: Doubles) -> Doubles:
    """Return the 2×2 covariance over (x, y)."""
    down, right = centre_of_mass(kernel)
    places = np.arange(kernel.shape[0])
    y, x = (places - down)[:, None], (places - right)[None]
    xy = float((kernel * x * y).sum())
    moments = np.array([[float((kernel * x * x).sum()), xy], [xy, float((kernel * y * y).sum())]])
    result: Doubles = moments / kernel.sum()
    return result


def centred(kernel: Doubles, *, size: int = SIZE, scale: int = 2) -> Doubles:
    """Return the kernel moved (as a band-limited function), clipped at 0, with sum 1, on size×size."""
    for _ in range(3):  # clipping and the border move the centre a little each time
        kernel = resampled(transfer(kernel, frequencies()), size, scale)
        kernel = np.maximum(kernel, 0)
        kernel = kernel / kernel.sum()
    return kernel


def without_islands(kernel: Doubles, *, part: float = 0.01) -> Doubles:
    """Return the kernel without values below a part of its largest, and without small islands of larger ones."""
    from scipy.ndimage import label

    kept = np.where(kernel > part * kernel.max(), kernel, 0)
    islands, _ = label(kept > 0, structure=np.ones((3, 3)))
    mass = np.bincount(islands.ravel(), kept.ravel())
    mass[0] = 0
    kept = np.where(np.isin(islands, np.flatnonzero(mass > 0.1 * mass.max())), kept, 0)
    result: Doubles = kept / kept.sum()
    return result


def completed(cross_scale: Doubles, *, size: int = SIZE) -> Doubles:
    """Return the blur of the camera from the filter that makes a photo resemble itself across scales.

    A photo l = (x ⊛ k)↓2 resembles its own half (l ⊛ r)↓2 when R(f) = K(f)/K(f/2): part of the blur is in l already,
    so r is narrower than k (by a quarter of its variance). Turned round, K(f) = R(f)·R(f/2)·R(f/4)·…
    """
    along = frequencies()
    whole = np.ones((_GRID, _GRID), np.complex128)
    for step in range(_HALVINGS):
        whole = whole * transfer(cross_scale, along / 2**step)
    return centred(resampled(whole, size, 2), size=size)


def carried_to_4(kernel: Doubles, *, size: int = 33) -> Doubles:
    """Return the ×4 kernel that blurs as much as this ×2 kernel, measured on the small picture: K₄(f) = K₂(2f).

    Applying the ×2 kernel twice (`compose_x4`) blurs more, 5/4 of the variance: it puts the camera's blur on the
    picture halfway too.
    """
    along = frequencies()
    return centred(resampled(transfer(kernel, 2 * along, band_limited=True), size, 4), size=size, scale=4)


def affinely_mapped(kernel: Doubles, stretch: Doubles) -> Doubles:
    """Return the ×2 kernel whose value at x is that of this kernel at stretch⁻¹·x (both about the centre of mass).

    Args:
        kernel: n×n.
        stretch: 2×2 over (x, y).
    """
    down, right = np.meshgrid(frequencies(), frequencies(), indexing="ij")
    x = stretch[0, 0] * right + stretch[1, 0] * down
    y = stretch[0, 1] * right + stretch[1, 1] * down
    inside = np.clip((0.55 - np.maximum(np.abs(x), np.abs(y))) / 0.1, 0, 1)
    row, column = centre_of_mass(kernel)
    places = np.arange(len(kernel))
    rows = np.exp(-2j * np.pi * y[..., None] * (places - row))
    columns = np.exp(-2j * np.pi * x[..., None] * (places - column))
    mapped = np.einsum("fgu,uv,fgv->fg", rows, kernel / kernel.sum(), columns, optimize=True) * inside
    return centred(resampled(mapped, len(kernel), 2), size=len(kernel))


def frequencies() -> Doubles:
    """Return the frequencies, in cycles per pixel, at which kernels are transformed and made again."""
    found: Doubles = np.fft.fftfreq(_GRID).astype(np.float64)
    return found


def transfer(
    kernel: Doubles, frequencies: Doubles, *, band_limited: bool = False
) -> np.ndarray[tuple[int, ...], np.dtype[np.complex128]]:
    """The kernel's Fourier transform about its centre of mass; optionally 0 beyond half a cycle per pixel."""
    down, right = centre_of_mass(kernel)
    places = np.arange(kernel.shape[0])
    rows = np.exp(-2j * np.pi * frequencies[:, None] * (places - down)[None])
    columns = np.exp(-2j * np.pi * frequencies[:, None] * (places - right)[None])
    if band_limited:
        inside = np.clip((0.55 - np.abs(frequencies)) / 0.1, 0, 1)
        rows, columns = rows * inside[:, None], columns * inside[:, None]
    result: np.ndarray[tuple[int, ...], np.dtype[np.complex128]] = rows @ (kernel / kernel.sum()) @ columns.T
    return result


def resampled(
    spectrum: np.ndarray[tuple[int, ...], np.dtype[np.complex128]], size: int, scale: int
) -> Doubles:
    """Values on the pixel grid of the kernel with this transform, its centre where it belongs."""
    places = np.arange(size) - (size // 2 + (scale - 1) / 2)
    waves = np.exp(2j * np.pi * frequencies()[:, None] * places[None]) / _GRID
    values: Doubles = np.real(waves.T @ spectrum @ waves)
    return values
