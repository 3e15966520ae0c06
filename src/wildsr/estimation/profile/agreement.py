"""What the photos of one camera agree on, and what of a photo is unlike the others'.  Plain numpy.

Within one photo fine texture (sand, cloth, bark) can be as even as noise; it gives itself away by being stronger than
what the camera's other photos have at the same brightness.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from wildsr.degradation.profile_notes import Rejected
from wildsr.estimation.kernels.shapes import second_moments
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.photo import Examined

_OUTLIER: Final = 4.5
"""Robust standard deviations from the camera's median blur beyond which a kernel is left out."""
_LEAST_SPREAD: Final = 0.25
"""Of log variance: kernels of one camera differ by that much with focus and aperture."""
_ENOUGH_TO_JUDGE: Final = 5
_NOISY: Final = 2.5
"""Robust standard deviations above the camera's other photos beyond which a patch is left out."""
_LEAST_NOISE_SPREAD: Final = 0.06
"""Of log σ: patches of the same noise differ by less."""
_NEAR: Final = 0.12
"""Brightnesses that far apart are still compared; noise changes slowly with brightness."""
_ENOUGH_WITH_NOISE: Final = 4


def log_variance(kernel: Doubles) -> float:
    """Half the logarithm of the determinant of the kernel's covariance: how much it blurs."""
    return float(0.5 * np.log(max(np.linalg.det(second_moments(kernel)), 1e-6)))


def kernels_that_agree(found: Sequence[Examined]) -> tuple[list[Examined], tuple[Rejected, ...]]:
    """Leave out photos whose kernels are unlike those of the others (fewer than 5 are not judged)."""
    sizes = np.array([log_variance(one.kernel) for one in found if one.kernel is not None])
    if len(sizes) < _ENOUGH_TO_JUDGE:
        return list(found), ()
    middle = float(np.median(sizes))
    spread = max(_robust_spread(sizes - middle), _LEAST_SPREAD)
    kept, outliers = [], []
    for one, size in zip(found, sizes, strict=True):
        if abs(size - middle) <= _OUTLIER * spread:
            kept.append(one)
        elif one.kernel_note is not None:
            reason = (
                f"its kernel is unlike those of the other photos (variance {np.exp(size):.2f} against "
                f"{np.exp(middle):.2f} squared pixels at ×2)"
            )
            outliers.append(Rejected(kind="kernel", photo=one.kernel_note.photo, reason=reason))
    return kept, tuple(outliers)


def noise_that_agrees(photos: Sequence[Examined]) -> tuple[list[Examined], tuple[Rejected, ...]]:
    """Leave out patches that are stronger than the other photos' at that brightness (fewer than 4 are not judged).

    A photo taken at a higher sensitivity (ISO, from EXIF) may be noisier in proportion.
    """
    giving = [one for one in photos if len(one.noise)]
    if len(giving) < _ENOUGH_WITH_NOISE:
        return list(photos), ()
    levels = [np.array([note.brightness for note in one.noise_notes]) for one in giving]
    strengths = [np.log([max(note.std, 1e-6) for note in one.noise_notes]) for one in giving]
    strengths = [log - allowed for log, allowed in zip(strengths, _allowances(giving), strict=True)]
    excesses = [_excess(index, levels, strengths) for index in range(len(giving))]
    spread = max(_robust_spread(np.array([np.median(one) for one in excesses])), _LEAST_NOISE_SPREAD)
    kept, left_out = [], []
    judged = dict(zip(map(id, giving), excesses, strict=True))
    for one in photos:
        if id(one) not in judged:
            kept.append(one)
            continue
        agrees = judged[id(one)] <= _NOISY * spread
        kept.append(
            replace(
                one,
                noise=one.noise[agrees],
                noise_notes=tuple(note for note, good in zip(one.noise_notes, agrees, strict=True) if good),
            )
        )
        if not agrees.all():
            left_out.append(_told(one, np.exp(judged[id(one)][~agrees]), int(np.count_nonzero(~agrees))))
    return kept, tuple(left_out)


def _told(one: Examined, times: Doubles, count: int) -> Rejected:
    reason = f"{np.median(times):.1f} times as strong as the other photos' noise: texture, or another camera"
    return Rejected(kind="noise", photo=one.noise_notes[0].photo, reason=reason, count=count)


def _excess(index: int, levels: Sequence[Doubles], strengths: Sequence[Doubles]) -> Doubles:
    """By how much each log σ of a photo exceeds the median of the other photos', each of which has one vote."""
    others = [other for other in range(len(levels)) if other != index]
    level = np.concatenate([levels[other] for other in others])
    strength = np.concatenate([strengths[other] for other in others])
    vote = np.concatenate([np.full(len(levels[other]), 1 / len(levels[other])) for other in others])
    order = np.argsort(strength, kind="stable")
    level, strength, vote = level[order], strength[order], vote[order]
    excess = np.empty(len(levels[index]))
    for place, (here, own) in enumerate(zip(levels[index], strengths[index], strict=True)):
        # far brightnesses keep a small say, so that there always is something to compare with
        weight = vote * (np.exp(-((level - here) ** 2) / (2 * _NEAR**2)) + 0.01)
        middle = np.searchsorted(np.cumsum(weight), weight.sum() / 2)
        excess[place] = own - strength[min(int(middle), len(strength) - 1)]
    return excess


def _allowances(giving: Sequence[Examined]) -> list[float]:
    """Logarithm of how much stronger a photo's noise may be for its sensitivity."""
    known = [one.note.scores.get("iso", 0.0) if one.note else 0.0 for one in giving]
    stated = [iso for iso in known if iso > 0]
    if not stated:
        return [0.0] * len(giving)
    usual = float(np.median(stated))
    return [max(0.0, float(np.log(iso / usual))) if iso > 0 else 0.0 for iso in known]


def _robust_spread(values: Doubles) -> float:
    """Standard deviation of normal values, whatever a few others are."""
    return 1.48 * float(np.median(np.abs(values - np.median(values))))
