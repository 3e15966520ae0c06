"""Two profiles side by side: are they of the same camera?"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from wildsr.degradation import Profile
from wildsr.errors import ProfileError
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.profile_stats import ProfileStats, profile_stats

_ALIKE: Final = 0.85
_DIFFERENT: Final = 0.65


@dataclass(frozen=True, kw_only=True)
class ProfileComparison:
    """What two profiles have in common."""

    first: ProfileStats
    second: ProfileStats

    kernel_overlap: float | None
    """Part of the mean kernels that is common, 0…1; None where one has none."""

    kernel_scatter: float | None
    """The same for the kernels within each profile: what to expect of one camera."""

    blur_ratio: float | None
    """Blur of the second (geometric mean of the axes) in terms of the first's."""

    noise_ratio: float | None
    """σ of the second's noise in terms of the first's, at the brightnesses both have."""

    verdict: tuple[str, ...]
    """What that means, in sentences."""

    def table(self) -> list[tuple[str, str, str]]:
        """Return what can be compared in numbers, as (what, first, second)."""
        return [
            (name, write(self.first), write(self.second))
            for name, write in (
                ("kernels", lambda stats: str(stats.kernels)),
                (f"blur (σ at ×{self.first.scale})", _blur_text),
                ("noise patches", lambda stats: str(stats.patches)),
                ("noise σ (levels)", lambda stats: _number(stats.noise)),
                ("coarse against fine grain", lambda stats: _number(stats.grain)),
                ("JPEG quality", lambda stats: "–".join(map(str, stats.jpeg[::2])) if stats.jpeg else "-"),
                ("confidence", lambda stats: f"{stats.confidence:.0%}"),
            )
        ]


def compare_profiles(first: Profile, second: Profile) -> ProfileComparison:
    """Compare two profiles of one scale.

    Raises:
        ProfileError: Different scales.
    """
    if first.scale != second.scale:
        raise ProfileError(f"profiles of scales {first.scale} and {second.scale} can't be compared")
    one, other = profile_stats(first), profile_stats(second)
    overlap = scatter = blur = None
    if one.mean_kernel is not None and other.mean_kernel is not None:
        overlap = round(_overlap(one.mean_kernel, other.mean_kernel), 3)
        within = [_overlap(kernel.astype(np.float64), one.mean_kernel) for kernel in first.kernels]
        within += [_overlap(kernel.astype(np.float64), other.mean_kernel) for kernel in second.kernels]
        scatter = round(float(np.median(within)), 3)
        blur = round(_mean_blur(other) / _mean_blur(one), 3)
    noise = _noise_ratio(one, other)
    return ProfileComparison(
        first=one,
        second=other,
        kernel_overlap=overlap,
        kernel_scatter=scatter,
        blur_ratio=blur,
        noise_ratio=noise,
        verdict=tuple(_verdict(overlap, blur, noise, one, other)),
    )


def _blur_text(stats: ProfileStats) -> str:
    return "-" if stats.blur is None else f"{stats.blur[0]:.2f} × {stats.blur[1]:.2f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"


def _verdict(
    overlap: float | None, blur: float | None, noise: float | None, one: ProfileStats, other: ProfileStats
) -> list[str]:
    said = []
    if overlap is None or blur is None:
        said.append(f"{_lacking(one.kernels, other.kernels)} no kernels; their blur can't be compared")
    else:
        how = "alike" if overlap >= _ALIKE else "clearly different" if overlap < _DIFFERENT else "related"
        more = "as much as" if 0.9 < blur < 1.1 else f"{blur:.2f} times as much as"
        said.append(
            f"the blurs are {how} ({overlap:.0%} of the mean kernels is common); the second blurs {more} the first"
        )
    if not one.patches or not other.patches:
        said.append(f"{_lacking(one.patches, other.patches)} no noise patches; their noise can't be compared")
    elif noise is None:
        said.append("there is no brightness at which both have noise; it can't be compared")
    else:
        said.append(
            "where both have noise of one brightness it is equally strong"
            if 0.85 < noise < 1.18
            else f"where both have noise of one brightness, the second's is {noise:.2f} times as strong"
        )
    if one.grain and other.grain and max(one.grain, other.grain) > 1.5 * min(one.grain, other.grain):
        said.append(f"the grain differs: coarse against fine {one.grain:.2f} and {other.grain:.2f}")
    return said


def _lacking(first: int, second: int) -> str:
    """Which of the two has nothing."""
    return "the second has" if first else "the first has" if second else "both have"


def _overlap(a: Doubles, b: Doubles) -> float:
    size = max(len(a), len(b))
    a, b = (np.pad(one, (size - len(one)) // 2) for one in (a, b))
    return float(np.minimum(np.maximum(a, 0), np.maximum(b, 0)).sum())


def _mean_blur(stats: ProfileStats) -> float:
    """Geometric mean of all axes."""
    return float(np.exp(np.mean([0.5 * np.log(max(one.long * one.short, 1e-6)) for one in stats.axes])))


def _noise_ratio(one: ProfileStats, other: ProfileStats) -> float | None:
    """Geometric mean over the brightnesses of both (interpolated where the steps differ)."""
    if not one.noise_by_brightness or not other.noise_by_brightness:
        return None
    levels, sigmas, _ = zip(*one.noise_by_brightness, strict=True)
    logs = []
    for level, sigma, _ in other.noise_by_brightness:
        if min(levels) - 0.1 <= level <= max(levels) + 0.1:
            logs.append(np.log(max(sigma, 1e-3) / max(float(np.interp(level, levels, sigmas)), 1e-3)))
    return round(float(np.exp(np.mean(logs))), 3) if logs else None
