"""Blur kernels as values: numpy float64 n×n arrays that sum to 1, in correlation orientation.

A kernel is centred for a scale s when its centre of mass lies at n//2 + (s−1)/2, n odd (ALGORITHMS: alignment of LR
pixel 0 with the middle of the first s×s block); s = 1 is plain blur. Angles are in radians from the x axis (along a
row) towards the y axis (down).
"""

from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import UsageError

Doubles: TypeAlias = NDArray[np.float64]

_BESSEL_POINTS: Final = 256


def gaussian(size: int, variances: tuple[float, float], angle: float = 0.0, *, scale: int = 1) -> Doubles:
    """Return a Gaussian with these variances (squared pixels) along its two axes, the first at `angle`."""
    return _normalised(np.exp(-0.5 * _quadratic_form(size, variances, angle, scale)))


def generalised_gaussian(
    size: int, variances: tuple[float, float], angle: float = 0.0, *, beta: float, scale: int = 1
) -> Doubles:
    """Return exp(−½ qᵝ), q = xᵀΣ⁻¹x: peaked below β = 1, flat-topped above (Liu et al. 2020; Real-ESRGAN)."""
    return _normalised(np.exp(-0.5 * _quadratic_form(size, variances, angle, scale) ** beta))


def plateau(
    size: int, variances: tuple[float, float], angle: float = 0.0, *, beta: float, scale: int = 1
) -> Doubles:
    """Return 1 / (1 + qᵝ), q = xᵀΣ⁻¹x: a flat top with heavy tails (Real-ESRGAN)."""
    return _normalised(1 / (1 + _quadratic_form(size, variances, angle, scale) ** beta))


def sinc(size: int, cutoff: float, *, scale: int = 1) -> Doubles:
    """Return the ideal round low-pass ω J₁(ω r) / (2π r), which rings (Real-ESRGAN).

    Args:
        size: Side, odd.
        cutoff: ω in radians per pixel, 0 to π.
        scale: For the centre.
    """
    if not 0 < cutoff <= np.pi:
        raise UsageError(f"a cutoff of {cutoff} radians per pixel can't be; it lies above 0 and up to π")
    places = _places(size, scale)
    r = np.hypot(places[:, None], places[None])
    safe = np.where(r < 1e-9, 1.0, r)
    ring = cutoff * _bessel_j1(cutoff * safe) / (2 * np.pi * safe)
    return _normalised(np.where(r < 1e-9, cutoff**2 / (4 * np.pi), ring))


def centre_of(size: int, scale: int) -> float:
    """Return where the centre of mass of a kernel belongs."""
    return size // 2 + (scale - 1) / 2


def centre_of_mass(kernel: NDArray[np.floating]) -> tuple[float, float]:
    """Return (row, column)."""
    exact = kernel.astype(np.float64)
    total = exact.sum()
    rows, columns = np.arange(kernel.shape[0]), np.arange(kernel.shape[1])
    return float(exact.sum(1) @ rows / total), float(exact.sum(0) @ columns / total)


def compose_x4(kernel: NDArray[np.floating]) -> Doubles:
    """Return the ×4 kernel of a ×2 kernel applied twice; side 3n − 2, centred for ×4 if the other is for ×2.

    ((x ⊛ k)↓2 ⊛ k)↓2 = (x ⊛ (k ⊛ k dilated by 2))↓4.
    """
    small = kernel.astype(np.float64)
    large = dilate(small, 2)
    n, m = small.shape[0], large.shape[0]
    total = np.zeros((n + m - 1, n + m - 1))
    for (row, column), value in np.ndenumerate(small):
        if value:
            total[row : row + m, column : column + m] += value * large
    return _normalised(total)


def widened(
    kernel: NDArray[np.floating], factor: float, *, scale: int = 1, to_scale: int | None = None
) -> Doubles:
    """Return the kernel stretched about its centre, every standard deviation `factor` times as large; same side.

    Args:
        kernel: n×n, centred for `scale`.
        factor: Above 0; what a wider kernel has beyond its side is lost.
        scale: For the centre.
        to_scale: For the result's centre; `scale` when not given.
    """
    if not 0 < factor < np.inf:
        raise UsageError(f"a kernel can't be stretched by {factor}; the factor must be above 0")
    size = kernel.shape[0]
    from_centre = _places(size, scale if to_scale is None else to_scale) / factor
    distance = np.abs((from_centre + centre_of(size, scale))[:, None] - np.arange(size)[None])
    weights = np.where(
        distance < 1,
        1 - 2.5 * distance**2 + 1.5 * distance**3,
        np.where(distance < 2, 2 - 4 * distance + 2.5 * distance**2 - 0.5 * distance**3, 0.0),
    )  # cubic interpolation (Keys 1981, a = −½)
    return _normalised(weights @ kernel.astype(np.float64) @ weights.T)


def dilate(kernel: NDArray[np.floating], factor: int) -> Doubles:
    """Return the kernel with factor − 1 zeros between its values; side factor·(n − 1) + 1."""
    rows, columns = (factor * (side - 1) + 1 for side in kernel.shape)
    spread = np.zeros((rows, columns))
    spread[::factor, ::factor] = kernel
    return spread


def _places(size: int, scale: int) -> Doubles:
    """Coordinates from the centre, along one side."""
    _check_size(size, scale)
    places: Doubles = np.arange(float(size)) - centre_of(size, scale)
    return places


def _quadratic_form(size: int, variances: tuple[float, float], angle: float, scale: int) -> Doubles:
    if not all(0 < one < np.inf for one in variances):
        raise UsageError(f"variances {variances} can't be; both must be above 0")
    places = _places(size, scale)
    x, y = places[None], places[:, None]
    along = x * np.cos(angle) + y * np.sin(angle)
    across = y * np.cos(angle) - x * np.sin(angle)
    form: Doubles = along**2 / variances[0] + across**2 / variances[1]
    return form


def _normalised(kernel: Doubles) -> Doubles:
    total = kernel.sum()
    if not np.isfinite(total) or abs(total) < 1e-12:
        raise UsageError("a kernel whose values sum to nothing can't be normalised")
    return np.asarray(kernel / total)


def _check_size(size: int, scale: int = 1) -> None:
    if size < 1 or size % 2 == 0 or centre_of(size, scale) > size - 1:
        raise UsageError(
            f"a kernel of side {size} can't be centred for scale {scale}; odd sides ≥ {scale + 1} can"
        )


def _bessel_j1(x: Doubles) -> Doubles:
    """J₁ from Bessel's integral: the trapezoid rule over a period is exact to rounding for |x| < 200."""
    turn = np.pi * (np.arange(_BESSEL_POINTS) + 0.5) / _BESSEL_POINTS
    total = np.zeros_like(x)
    for tau in turn:
        total += np.cos(tau - x * np.sin(tau))
    return np.asarray(total / _BESSEL_POINTS)
