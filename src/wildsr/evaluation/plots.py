"""Plots as SVG; colours are those of the page's style, so they follow its light and dark dress."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from wildsr.evaluation.results import Evaluation, Interval
from wildsr.evaluation.tables import digits
from wildsr.metrics import METRICS

_MOST_DOTS: Final = 300


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Values to pixels; the better end is always right or up."""

    low: float
    """Least value shown."""

    high: float
    """Greatest value shown."""

    start: float
    """Pixel of the worse end."""

    end: float
    """Pixel of the better end."""

    rising: bool
    """Whether higher values are better."""

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        part = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * (part if self.rising else 1 - part)

    def ticks(self, count: int = 5) -> list[float]:
        """Return round values within the axis."""
        span = (self.high - self.low) / count
        step = 10.0 ** math.floor(math.log10(span))
        step *= next(factor for factor in (1, 2, 5, 10) if factor * step >= span)
        first = math.ceil(self.low / step)
        return [k * step for k in range(first, math.floor(self.high / step) + 1)]


def perception_distortion(found: Evaluation, distortion: str, perception: str) -> str:
    """Return the plane of Blau and Michaeli (CVPR 2018): a dot a method, with the bootstrap intervals of both means."""
    points = [
        (number, method, x, y)
        for number, method in enumerate(found.methods)
        if (x := found.means[method][distortion]) is not None
        and (y := found.means[method][perception]) is not None
    ]
    if not points:
        return ""
    across = _axis(distortion, [x for _, _, x, _ in points], 62, 500)
    up = _axis(perception, [y for _, _, _, y in points], 300, 24)
    parts = [_frame(across, up, distortion, perception)]
    for number, _, x, y in points:
        at = (across.at(x.mean), up.at(y.mean))
        parts.append(
            f'<g class="m{number % 8}"><path class="whisker" d="M{across.at(x.low):.1f} {at[1]:.1f}'
            f'H{across.at(x.high):.1f}M{at[0]:.1f} {up.at(y.low):.1f}V{up.at(y.high):.1f}"/>'
            f'<circle class="dot" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="6"/></g>'
        )
    parts += _labels([(number, method, across.at(x.mean), up.at(y.mean)) for number, method, x, y in points])
    title = f"{METRICS[perception].heading} against {METRICS[distortion].heading}, a dot a method"
    return _svg(560, 352, title, parts)


def strips(found: Evaluation, metric: str) -> str:
    """Return the values of every picture, a strip a method, with mean and bootstrap interval."""
    values = [
        [
            row.values[metric]
            for row in found.rows
            if row.method == method and math.isfinite(row.values.get(metric, math.nan))
        ]
        for method in found.methods
    ]
    everything = [value for one in values for value in one]
    if not everything:
        return ""
    low, high = min(everything), max(everything)
    pad = 0.03 * (high - low) or max(abs(high) * 0.05, 1e-3)
    axis = Axis(low=low - pad, high=high + pad, start=12, end=548, rising=METRICS[metric].higher_is_better)
    bottom = 40 * len(found.methods) + 4
    parts = []
    for tick in axis.ticks():
        parts.append(f'<path class="grid" d="M{axis.at(tick):.1f} 4V{bottom}"/>')
        parts.append(f'<text class="tick" x="{axis.at(tick):.1f}" y="{bottom + 15}">{_tick(tick)}</text>')
    for number, (method, ones) in enumerate(zip(found.methods, values, strict=True)):
        parts.append(_strip(axis, number, method, ones, found.means[method][metric], metric))
    return _svg(560, bottom + 22, f"{METRICS[metric].heading} of every picture, by method", parts)


def _strip(
    axis: Axis, number: int, method: str, values: Sequence[float], mean: Interval | None, metric: str
) -> str:
    middle = 40 * number + 27
    rng = np.random.default_rng(number)
    shown = values if len(values) <= _MOST_DOTS else rng.choice(values, _MOST_DOTS, replace=False)
    jitter = rng.uniform(-5, 5, len(shown))
    dots = "".join(f"M{axis.at(v):.1f} {middle + j:.1f}h0" for v, j in zip(shown, jitter, strict=True))
    parts = [f'<g class="m{number % 8}"><path class="dots" d="{dots}"/>']
    text = escape(method)
    if mean is not None:
        at = axis.at(mean.mean)
        parts.append(
            f'<path class="whisker" d="M{axis.at(mean.low):.1f} {middle}H{axis.at(mean.high):.1f}"/>'
            f'<path class="mean" d="M{at:.1f} {middle - 8}v16"/>'
        )
        text += f' <tspan class="quiet">{digits(metric, mean.mean)}</tspan>'
    parts.append(f'</g><text class="name" x="12" y="{middle - 10}">{text}</text>')
    return "".join(parts)


def _axis(metric: str, intervals: Sequence[Interval], start: float, end: float) -> Axis:
    low, high = min(one.low for one in intervals), max(one.high for one in intervals)
    pad = 0.12 * (high - low) or max(abs(high) * 0.05, 1e-3)
    rising = METRICS[metric].higher_is_better
    return Axis(low=low - pad, high=high + pad, start=start, end=end, rising=rising)


def _frame(across: Axis, up: Axis, distortion: str, perception: str) -> str:
    parts = []
    for tick in across.ticks():
        parts.append(f'<path class="grid" d="M{across.at(tick):.1f} {up.end}V{up.start}"/>')
        parts.append(f'<text class="tick" x="{across.at(tick):.1f}" y="{up.start + 16}">{_tick(tick)}</text>')
    for tick in up.ticks():
        parts.append(f'<path class="grid" d="M{across.start} {up.at(tick):.1f}H{across.end}"/>')
        parts.append(
            f'<text class="tick end" x="{across.start - 7}" y="{up.at(tick) + 4:.1f}">{_tick(tick)}</text>'
        )
    parts.append(f'<path class="axis" d="M{across.start} {up.end}V{up.start}H{across.end}"/>')
    parts.append(
        f'<text class="title" x="{across.end}" y="{up.start + 36}">{METRICS[distortion].label}, better →</text>'
    )
    parts.append(
        f'<text class="title start" x="4" y="{up.end - 10}">↑ better, {METRICS[perception].label}</text>'
    )
    return "".join(parts)


def _labels(points: Sequence[tuple[int, str, float, float]]) -> list[str]:
    """Write names beside their dots, moved apart where they would cover each other."""
    placed: list[tuple[float, float, float]] = []
    parts = []
    for number, method, x, y in sorted(points, key=lambda one: one[3]):
        width = 7.0 * len(method)
        left = x + 12 + width > 556
        start = x - 12 - width if left else x + 12
        height = y - 10
        while any(abs(height - h) < 14 and start < s + w and s < start + width for s, h, w in placed):
            height += 14
        placed.append((start, height, width))
        kind = "name end" if left else "name"
        place = f'x="{x - 12 if left else x + 12:.1f}" y="{height:.1f}"'
        parts.append(f'<text class="{kind} m{number % 8}" {place}>{escape(method)}</text>')
    return parts


def _tick(value: float) -> str:
    return f"{value:.4g}".replace("-", "−")


def _svg(width: float, height: float, title: str, parts: Sequence[str]) -> str:
    return f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(title)}">{"".join(parts)}</svg>'
