"""Blur kernels between the photos of real pairs (HR, LR at a quarter of the size), by least squares.

LR(y, x) = a·Σ k(v, u)·HR(4y + v, 4x + u) + b, over luma. Answers, the first with its standard error:

- the Gaussian with the least squared error in the picture, gain a and offset b free;
- the Gaussian and the unsharp masking after it that have the least error together;
- the 26×26 kernel of regularised regression (squared differences of neighbours are penalised), summed over the photos
  of a camera at equal contrast, and the Gaussian that core of it has.

Standard errors are of the delete-a-block jackknife over 8 parts of the picture.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.optimize import least_squares

from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray, read
from wildsr.imaging.luma import luma

SCALE = 4
PLACES = np.arange(-11, 15) - 1.5
"""Of the taps about the middle of a 4×4 block, in HR pixels."""
SIDE = len(PLACES)
BLOCKS = 8


@dataclass(frozen=True, kw_only=True)
class Normal:
    """Normal equations of a regression on the windows' pixels and a constant."""

    gram: Doubles
    right: Doubles

    def __add__(self, other: "Normal") -> "Normal":
        return Normal(gram=self.gram + other.gram, right=self.right + other.right)

    def __sub__(self, other: "Normal") -> "Normal":
        return Normal(gram=self.gram - other.gram, right=self.right - other.right)


@dataclass(frozen=True, kw_only=True)
class PairKernel:
    """The Gaussian between a pair of photos."""

    name: str
    long: float
    """σ along the long axis in HR pixels."""
    short: float
    errors: tuple[float, float]
    """Their standard errors."""
    gain: float
    """Contrast of the LR photo in terms of the HR one's."""
    before: float
    """σ of the Gaussian before unsharp masking, in HR pixels (geometric mean of both axes)."""
    amount: float
    """Of the unsharp masking."""
    radius: float
    """Its radius, in LR pixels; hardly determined where it is large."""


def normal_equations(hr: FloatArray, lr: FloatArray) -> list[Normal]:
    """Those of 8 parts of the picture, side by side."""
    windows = np.lib.stride_tricks.sliding_window_view(hr, (SIDE, SIDE))
    first = int(PLACES[0] + 1.5)
    found = []
    for columns in np.array_split(np.arange(3, lr.shape[1] - 4), BLOCKS):
        y, x = np.meshgrid(np.arange(3, lr.shape[0] - 4), columns, indexing="ij")
        pixels = windows[SCALE * y.ravel() + first, SCALE * x.ravel() + first].reshape(y.size, -1)
        pixels = np.hstack([pixels, np.ones((y.size, 1), np.float32)]).astype(np.float64)
        found.append(
            Normal(gram=pixels.T @ pixels, right=pixels.T @ lr[y.ravel(), x.ravel()].astype(np.float64))
        )
    return found


def gaussian_of(parameters: Doubles) -> Doubles:
    """(σ, σ, angle, x, y) → SIDE×SIDE, summing to 1."""
    first, second, angle, right, down = parameters
    x, y = PLACES[None] - right, PLACES[:, None] - down
    u, v = np.cos(angle) * x + np.sin(angle) * y, np.cos(angle) * y - np.sin(angle) * x
    kernel = np.exp(-0.5 * (u * u / first**2 + v * v / second**2))
    result: Doubles = kernel / kernel.sum()
    return result


def projected(normal: Normal) -> Callable[[list[Doubles]], tuple[Doubles, Doubles]]:
    """Kernels → (error in the picture, their weights and the offset), the weights being those with the least error."""
    size = len(normal.gram)
    lower = np.linalg.cholesky(normal.gram + 1e-9 * np.trace(normal.gram) / size * np.eye(size))
    target = np.linalg.solve(lower, normal.right)
    one = np.zeros(size)
    one[-1] = 1

    def mixture(kernels: list[Doubles]) -> tuple[Doubles, Doubles]:
        columns = lower.T @ np.stack([*(np.append(kernel.ravel(), 0) for kernel in kernels), one], 1)
        weights, *_ = np.linalg.lstsq(columns, target, rcond=None)
        return columns @ weights - target, weights

    return mixture


def fitted(normal: Normal, start: tuple[float, ...]) -> tuple[Doubles, float]:
    """Parameters of the Gaussian with least error in the picture, and the gain."""
    mixture = projected(normal)
    found = least_squares(lambda p: mixture([gaussian_of(p)])[0], start, diff_step=1e-4, max_nfev=60).x
    gain = float(mixture([gaussian_of(found)])[1][0])
    if abs(found[1]) > abs(found[0]):
        found = found[[1, 0, 2, 3, 4]] + np.array([0, 0, np.pi / 2, 0, 0])
    return np.abs(found) * np.array([1, 1, 0, 0, 0]) + found * np.array([0, 0, 1, 1, 1]), gain


def sharpened(normal: Normal, start: Doubles) -> tuple[float, float, float]:
    """(σ before in HR pixels, amount, radius in LR pixels) of a Gaussian and the unsharp masking after it.

    (1 + a)·G_σ − a·G_√(σ² + r²) is linear in 1 + a and a; r is held between 1.5 and 14 HR pixels.
    """
    mixture = projected(normal)

    def both(parameters: Doubles) -> list[Doubles]:
        *deviations, angle, right, down, radius = parameters
        wide = [np.hypot(one, radius) for one in deviations]
        return [gaussian_of(np.array([*one, angle, right, down])) for one in (deviations, wide)]

    low, high = [0.8, 0.8, -10.0, -3.0, -3.0, 1.5], [6.0, 6.0, 10.0, 3.0, 3.0, 14.0]
    tried = [
        least_squares(
            lambda p: mixture(both(p))[0],
            np.clip([*start, radius], low, high),
            diff_step=1e-4,
            max_nfev=200,
            bounds=(low, high),
        )
        for radius in (4.0, 8.0)
    ]
    best = min(tried, key=lambda one: float(one.cost)).x
    core, ring, _ = mixture(both(best))[1]
    return float(np.sqrt(best[0] * best[1])), float(-ring / (core + ring)), float(best[5] / SCALE)


def pair_kernel(name: str, parts: list[Normal]) -> PairKernel:
    """The Gaussian of a pair, with its uncertainty."""
    whole = sum(parts[1:], parts[0])
    found, gain = fitted(whole, (2.8, 2.5, 0.3, 0.0, 0.0))
    without = np.array([fitted(whole - part, tuple(found))[0][:2] for part in parts])
    errors = np.sqrt((BLOCKS - 1) * without.var(axis=0))
    before, amount, radius = sharpened(whole, found)
    return PairKernel(
        name=name,
        long=float(found[0]),
        short=float(found[1]),
        errors=(float(errors[0]), float(errors[1])),
        gain=gain,
        before=before,
        amount=amount,
        radius=radius,
    )


def camera_kernel(pairs: list[list[Normal]], smoothness: float = 0.1) -> Doubles:
    """The regularised kernel of all pairs at equal contrast, summing to 1."""
    gram, right = np.zeros((SIDE**2, SIDE**2)), np.zeros(SIDE**2)
    for parts in pairs:
        whole = sum(parts[1:], parts[0])
        mean = whole.gram[:-1, -1]
        inner = whole.gram[:-1, :-1] - np.outer(mean, mean) / whole.gram[-1, -1]
        weight = SIDE**2 / np.trace(inner)
        gram += weight * inner
        right += weight * (whole.right[:-1] - mean * whole.right[-1] / whole.gram[-1, -1])
    index = np.arange(SIDE**2).reshape(SIDE, SIDE)
    for one, other in ((index[:, :-1], index[:, 1:]), (index[:-1], index[1:])):
        a, b = one.ravel(), other.ravel()
        strength = smoothness * np.trace(gram) / SIDE**2 / 8
        for first, second, sign in ((a, a, 1), (b, b, 1), (a, b, -1), (b, a, -1)):
            np.add.at(gram, (first, second), sign * strength)
    kernel = np.linalg.solve(gram, right).reshape(SIDE, SIDE)
    result: Doubles = kernel / kernel.sum()
    return result


def core_sigma(kernel: Doubles) -> tuple[float, float]:
    """σ along and across of the Gaussian that fits the kernel's values best, its height free."""
    found = least_squares(
        lambda p: (p[5] * gaussian_of(p[:5]) - kernel).ravel(), (2.6, 2.5, 0.3, 0.0, 0.0, 1.0)
    ).x
    long, short = sorted(np.abs(found[:2]), reverse=True)
    return float(long), float(short)


def normal_equations_of(folder: Path, name: str) -> list[Normal]:
    return normal_equations(luma(read(folder / "HR" / name).rgb), luma(read(folder / "LR" / name).rgb))


def report(folder: Path, methods: list[str]) -> list[str]:
    """Truth and what the profile of the LR photos has, by camera (the part of the name before `_`)."""
    from wildsr.estimation import PhotoSettings, ProfileSettings, make_profile
    from wildsr.estimation.profile.profile_stats import profile_stats

    names = sorted(one.name for one in (folder / "LR").iterdir())
    lines = [
        "| camera | pairs | truth: σ along × across (median) | its s.e. (median) | core of the pooled kernel |",
        "|--|--|--|--|--|",
    ]
    blurs = [
        "",
        "| camera | plain Gaussian: σ, gain | sharpened: σ before, amount, radius in LR pixels (median, quartiles) |",
        "|--|--|--|",
    ]
    cameras = sorted({name.partition("_")[0] for name in names})
    for camera in cameras:
        mine = [name for name in names if name.startswith(camera)]
        equations = [normal_equations_of(folder, name) for name in mine]
        pairs = [pair_kernel(name, parts) for name, parts in zip(mine, equations, strict=True)]
        long, short = core_sigma(camera_kernel(equations))
        middle = np.median([(one.long, one.short, *one.errors) for one in pairs], axis=0)
        lines.append(
            f"| {camera} | {len(mine)} | {middle[0]:.2f} × {middle[1]:.2f} | {middle[2]:.2f}, {middle[3]:.2f} | "
            f"{long:.2f} × {short:.2f} |"
        )
        plain = np.median([(np.sqrt(one.long * one.short), one.gain) for one in pairs], axis=0)
        low, median, high = np.percentile(
            [(one.before, one.amount, one.radius) for one in pairs], (25, 50, 75), axis=0
        )
        found = (f"{middle:.2f} [{a:.2f}, {b:.2f}]" for middle, a, b in zip(median, low, high, strict=True))
        blurs.append(f"| {camera} | {plain[0]:.2f}, {plain[1]:.2f} | {', '.join(found)} |")
    lines += [*blurs, "", "| camera | method | kernels | found: σ along × across (median) |", "|--|--|--|--|"]
    for camera in cameras:
        for method in methods:
            photos = [folder / "LR" / name for name in names if name.startswith(camera)]
            settings = ProfileSettings(photo=PhotoSettings(method=method))
            stats = profile_stats(make_profile(photos, settings=settings))
            assert stats.blur is not None
            lines.append(
                f"| {camera} | {method} | {stats.kernels} | {stats.blur[0]:.2f} × {stats.blur[1]:.2f} |"
            )
    return lines
