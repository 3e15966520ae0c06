"""Real noise, cut from the parts of photos where there is nothing else.  Plain numpy.

Two published rules, made to adapt. RealSR (Ji et al., CVPR Workshops 2020) keeps patches whose variance is below a
fixed value, which gives nothing from textured or noisy photos and everything from smooth ones; here the value follows
the photo's own noise at each brightness. The block rule asks that all 16-pixel blocks of a patch have the patch's mean
and variance; here its tolerance follows what blocks of such noise scatter by, since the noise of real cameras is
smooth and scatters more. A fitted cubic surface is taken out first (skies are ramps), clipped patches are left out,
and what is kept is all that is *not above* a bound, so that the choice does not favour low noise.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.estimation.noise.patch_features import STRONGEST, levels_of, patch_features, without_ramps
from wildsr.imaging import FloatArray

_BINS: Final = 16
"""Brightness is looked at in this many steps."""
_LOW: Final = 0.05
"""Quantile of the variances at a brightness that is taken for pure noise."""
_ABOVE: Final = 1.2
"""Variances up to this many times the pure noise's are taken."""
_ENOUGH: Final = 8
_REPEATING: Final = 1.15
_DIRECTED: Final = 3.0
"""Power of the strongest direction in terms of the weakest's: noise has up to 2.6, cloth and skin 3.5 to 10."""
_MOST_SKEWNESS: Final = 0.25
"""Skewness: noise has up to 0.2 either way, grass and gravel more."""
_MOST_LOOKED_AT: Final = 1500
_QUIET: Final = 0.02
"""Variance in squared levels below which a patch holds no noise: drawn, or clipped in the file it came from."""


@dataclass(frozen=True, kw_only=True, eq=False)
class NoisePatches:
    """Noise cut from one photo."""

    patches: FloatArray
    """N×3×p×p, in units of [0, 1]; the surface fitted to each channel was taken out, so each mean is 0."""

    brightness: FloatArray
    """N mean lumas in [0, 1] of the places they were cut from."""

    corners: NDArray[np.intp]
    """N×2 top-left pixels (row, column)."""

    rejected: dict[str, int]
    """Reason → patches that were left out for it."""


@dataclass(frozen=True, eq=False)
class _Candidates:
    """Patches under consideration: their corners, and their measures one below the other (N each)."""

    corners: NDArray[np.intp]
    level: FloatArray
    variance: FloatArray
    uneven_means: FloatArray
    uneven_variances: FloatArray
    repetition: FloatArray
    direction: FloatArray
    skewness: FloatArray


def noise_patches(rgb: FloatArray, *, side: int = 64, most: int = 48) -> NoisePatches:
    """Cut noise patches from a photo.

    Args:
        rgb: H×W×3 in [0, 1].
        side: p, a multiple of 16.
        most: Patches to keep; spread over the brightnesses there are.
    """
    found = _cut(rgb, side, most, step=side // 2)
    if len(found.patches) < _ENOUGH and _places(rgb, side, side // 4) <= _MOST_LOOKED_AT:
        return _cut(rgb, side, most, step=side // 4)  # plain parts may be hardly larger than a patch
    return found


def _cut(rgb: FloatArray, side: int, most: int, *, step: int) -> NoisePatches:
    """Look at a patch every `step` pixels and keep those that hold noise alone."""
    rejected: Counter[str] = Counter()
    found = _candidates(rgb, side, step, rejected)
    if found is None:
        return _nothing(side, rejected)
    keep = np.ones(len(found.level), bool)

    def leave_out(reason: str, which: NDArray[np.bool_]) -> None:
        rejected[reason] += int(np.count_nonzero(keep & which))
        keep[which] = False

    leave_out("no noise at all", found.variance < _QUIET)
    leave_out("repeating texture", found.repetition > _REPEATING)
    leave_out("texture with a direction", found.direction > _DIRECTED)
    leave_out("lopsided values", found.skewness > _MOST_SKEWNESS)
    leave_out("uneven blocks", ~_even(found, keep))
    leave_out("textured", ~_plain(found, keep))
    if np.count_nonzero(keep) > _ENOUGH:  # faint texture shows as unevenness first
        leave_out("less even than the others", found.uneven_means > np.median(found.uneven_means[keep]))
    chosen = _spread(found, np.flatnonzero(keep), most)
    rejected["more than are needed"] += int(np.count_nonzero(keep)) - len(chosen)
    patches = np.zeros((len(chosen), 3, side, side), np.float32)
    for index, (top, left) in enumerate(found.corners[chosen]):
        patches[index] = without_ramps(levels_of(rgb, (int(top), int(left)), side)) / np.float32(255)
    return NoisePatches(
        patches=patches,
        brightness=found.level[chosen] / np.float32(255),
        corners=found.corners[chosen],
        rejected={reason: count for reason, count in rejected.items() if count},
    )


def _places(rgb: FloatArray, side: int, step: int) -> int:
    """How many patches there are, one every `step` pixels."""
    down, right = (max(0, (length - side) // step + 1) for length in rgb.shape[:2])
    return int(down * right)


def _nothing(side: int, rejected: Counter[str]) -> NoisePatches:
    return NoisePatches(
        patches=np.zeros((0, 3, side, side), np.float32),
        brightness=np.zeros(0, np.float32),
        corners=np.zeros((0, 2), np.intp),
        rejected=dict(rejected),
    )


def _candidates(rgb: FloatArray, side: int, step: int, rejected: Counter[str]) -> _Candidates | None:
    """The unclipped patches, one every `step` pixels but at most 1500, without their ramps."""
    height, width = rgb.shape[:2]
    if min(height, width) < side:
        rejected["the photo is smaller than a patch"] += 1
        return None
    rows, columns = range(0, height - side + 1, step), range(0, width - side + 1, step)
    corners = [(top, left) for top in rows for left in columns]
    corners = corners[:: -(-len(corners) // _MOST_LOOKED_AT)]
    kept, measured = [], []
    for corner in corners:
        numbers = patch_features(levels_of(rgb, corner, side))
        if numbers is None:
            rejected["clipped"] += 1
        else:
            kept.append(corner)
            measured.append(numbers)
    if not kept:
        return None
    return _Candidates(np.array(kept, np.intp), *np.array(measured, np.float32).T)


def _even(found: _Candidates, keep: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """The block rule: its tolerances widen to what the most even tenth of the quiet patches shows."""
    quiet = keep & _plain(found, keep, above=2.0)
    if not quiet.any():
        return np.zeros_like(keep)
    means = max(1.4, 1.5 * float(np.quantile(found.uneven_means[quiet], 0.1)))
    variances = max(0.3, 1.5 * float(np.quantile(found.uneven_variances[quiet], 0.1)))
    result: NDArray[np.bool_] = (found.uneven_means <= min(means, 12.0)) & (
        found.uneven_variances <= min(variances, 0.6)
    )
    return result


def _plain(found: _Candidates, keep: NDArray[np.bool_], above: float = _ABOVE) -> NDArray[np.bool_]:
    """RealSR's rule with a bound that follows the noise at each brightness."""
    if not keep.any():
        return keep
    bins = np.minimum((found.level / 256 * _BINS).astype(int), _BINS - 1)
    lows = np.full(_BINS, np.inf)
    for index in range(_BINS):
        here = found.variance[keep & (bins == index)]
        if len(here):
            lows[index] = min(float(np.quantile(here, _LOW)), 1.5 * float(here.min()))
    # noise changes slowly with brightness: a bin whose quietest patches are far above its neighbours' is texture
    padded = np.pad(lows, 2, constant_values=np.inf)
    near = np.minimum(padded[1:-3], padded[3:-1])
    far = np.minimum(padded[:-4], padded[4:])
    bound = np.minimum(above * np.minimum.reduce([lows, 1.4 * near, 1.8 * far]), STRONGEST**2)
    result: NDArray[np.bool_] = found.variance <= bound[bins]
    return result


def _spread(found: _Candidates, kept: NDArray[np.intp], most: int) -> NDArray[np.intp]:
    """At most so many, in turn from every brightness, evenly over the photo within each."""
    bins = (found.level[kept] / 256 * _BINS).astype(int)
    groups = [kept[bins == index] for index in np.unique(bins)]
    share = most
    while share > 1 and sum(min(len(group), share) for group in groups) > most:
        share -= 1
    taken = [group[np.linspace(0, len(group) - 1, min(len(group), share)).astype(int)] for group in groups]
    return np.sort(np.concatenate(taken)) if taken else kept
