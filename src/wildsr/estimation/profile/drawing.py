"""What only a profile's pages draw: kernels as heat maps, noise amplified, blur as ellipses."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.profile_stats import Axes
from wildsr.imaging import FloatArray
from wildsr.report.axes import svg
from wildsr.report.pictures import png_picture

_ENDS: Final = np.array([(11, 107, 176), (208, 90, 0)], float)
"""The first two colours of the page's light style, for differences."""
# Dark blue over green to yellow: the steps differ in brightness too.
_RAMP: Final = np.array([(20, 16, 60), (49, 72, 138), (33, 128, 141), (92, 190, 110), (250, 230, 60)], float)
_SIDE: Final = 240


def kernel_picture(kernel: Doubles, *, zoom: int = 5, alt: str = "", brightest: float | None = None) -> str:
    """A kernel as a heat map, from 0 to its largest value (or `brightest`), by the square root, which shows tails."""
    top = float(kernel.max()) if brightest is None else brightest
    scaled = np.sqrt(np.clip(kernel / max(top, 1e-12), 0, 1)) * (len(_RAMP) - 1)
    low = np.minimum(scaled.astype(int), len(_RAMP) - 2)
    part = (scaled - low)[..., None]
    return png_picture((_RAMP[low] * (1 - part) + _RAMP[low + 1] * part).astype(np.uint8), zoom=zoom, alt=alt)


def difference_picture(first: Doubles, second: Doubles, *, zoom: int = 5, alt: str = "") -> str:
    """Where the first of two kernels of one size is larger (blue), where the second (orange); white where equal.

    Full colour is a quarter of the larger one's peak.
    """
    strength = np.clip(4 * (first - second) / max(float(first.max()), float(second.max()), 1e-12), -1, 1)
    white = np.full(3, 250.0)
    share = np.abs(strength)[..., None]
    towards = np.where(strength[..., None] > 0, _ENDS[0], _ENDS[1])
    return png_picture((white * (1 - share) + towards * share).astype(np.uint8), zoom=zoom, alt=alt)


def noise_picture(patch: FloatArray, *, gain: float, zoom: int = 2, alt: str = "") -> str:
    """A noise patch on middle gray, amplified."""
    levels = np.clip(0.5 + gain * patch.transpose(1, 2, 0), 0, 1)
    return png_picture(np.rint(levels * 255).astype(np.uint8), zoom=zoom, alt=alt)


def ellipses(groups: Sequence[Sequence[Axes]]) -> str:
    """The kernels' ellipses (one standard deviation) about one centre, a colour for each group."""
    every = [axes for group in groups for axes in group]
    if not every:
        return "<p>no kernels</p>"
    middle = _SIDE // 2
    zoom = (middle - 15) / max(axes.long for axes in every)
    parts = [f'<path class="grid" d="M10,{middle} H{_SIDE - 10} M{middle},10 V{_SIDE - 10}"/>']
    for number, group in enumerate(groups):
        parts.append(f'<g class="m{number}">')
        for axes in group:
            parts.append(
                f'<ellipse cx="{middle}" cy="{middle}" rx="{axes.long * zoom:.1f}" ry="{axes.short * zoom:.1f}" '
                f'transform="rotate({axes.angle:.1f} {middle} {middle})"/>'
            )
        parts.append("</g>")
    return svg(_SIDE, _SIDE, "every kernel as an ellipse of one standard deviation", parts)
