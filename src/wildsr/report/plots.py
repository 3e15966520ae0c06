"""Plots as SVG: methods in a plane, values in strips, curves. Colours follow the page's light or dark style."""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

import numpy as np

from wildsr.report.axes import Axis, axes, padded_axis, rounded_out, svg, tick_label

_WIDTH: Final = 560
_COLOURS: Final = 8
_MOST_DOTS: Final = 300


@dataclass(frozen=True, kw_only=True)
class Quantity:
    """What an axis shows."""

    label: str
    """Its name, with a unit where it has one."""

    rising: bool = True
    """Whether higher is better; the better end is right or up."""


@dataclass(frozen=True, kw_only=True)
class Spread:
    """A mean and its interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True, kw_only=True)
class Dot:
    """A method in the plane of two quantities."""

    number: int
    """Of its colour."""

    name: str
    x: Spread
    y: Spread


@dataclass(frozen=True, kw_only=True)
class Strip:
    """A method's values of one quantity."""

    name: str
    values: Sequence[float]

    mean: Spread | None
    """None where it has no values."""

    written: str
    """The mean as text."""


@dataclass(frozen=True, kw_only=True)
class Curve:
    """Points joined by a line."""

    points: Sequence[tuple[float, float]]

    name: str = ""
    """Shown in its colour above the plot; nothing without."""


def plane(dots: Sequence[Dot], across: Quantity, up: Quantity, *, title: str) -> str:
    """Return dots with their intervals in both directions; nothing without dots."""
    if not dots:
        return ""
    x_ends = [end for dot in dots for end in (dot.x.low, dot.x.high)]
    y_ends = [end for dot in dots for end in (dot.y.low, dot.y.high)]
    x_axis = padded_axis(x_ends, start=62, end=500, rising=across.rising, margin=0.12)
    y_axis = padded_axis(y_ends, start=300, end=24, rising=up.rising, margin=0.12)
    parts = [axes(x_axis, y_axis, (f"{across.label}, better →", f"↑ better, {up.label}"))]
    for dot in dots:
        at = (x_axis.at(dot.x.mean), y_axis.at(dot.y.mean))
        parts.append(
            f'<g class="m{dot.number % _COLOURS}"><path class="whisker" d="M{x_axis.at(dot.x.low):.1f} {at[1]:.1f}'
            f'H{x_axis.at(dot.x.high):.1f}M{at[0]:.1f} {y_axis.at(dot.y.low):.1f}V{y_axis.at(dot.y.high):.1f}"/>'
            f'<circle class="dot" cx="{at[0]:.1f}" cy="{at[1]:.1f}" r="6"/></g>'
        )
    parts += _names([(dot, x_axis.at(dot.x.mean), y_axis.at(dot.y.mean)) for dot in dots])
    return svg(_WIDTH, 352, title, parts)


def strips(rows: Sequence[Strip], quantity: Quantity, *, title: str) -> str:
    """Return every value as a dot, a strip a method, with mean and interval; nothing without values."""
    everything = [value for row in rows for value in row.values]
    if not everything:
        return ""
    axis = padded_axis(everything, start=12, end=548, rising=quantity.rising, margin=0.03)
    bottom = 40 * len(rows) + 4
    parts = []
    for tick in axis.ticks():
        parts.append(f'<path class="grid" d="M{axis.at(tick):.1f} 4V{bottom}"/>')
        parts.append(tick_label(axis.at(tick), bottom + 15, tick))
    parts += [_strip(axis, number, row) for number, row in enumerate(rows)]
    return svg(_WIDTH, bottom + 22, title, parts)


def curves(
    series: Sequence[Curve],
    labels: tuple[str, str],
    *,
    title: str,
    level: float | None = None,
    right: float | None = None,
    from_zero: bool = True,
) -> str:
    """Return curves over common axes; nothing without points.

    Args:
        series: One colour each.
        labels: Of the horizontal and the vertical axis.
        title: For screen readers.
        level: Height of a dashed reference line.
        right: End of the horizontal axis; by default that of the points.
        from_zero: Whether the vertical axis includes 0, so that heights compare; else it shows small changes.
    """
    points = [point for one in series for point in one.points]
    if not points:
        return ""
    low, high = rounded_out(min(0.0, *(x for x, _ in points)), right or max(x for x, _ in points))
    heights = [y for _, y in points] + ([] if level is None else [level]) + ([0.0] if from_zero else [])
    least, most = rounded_out(min(heights), max(heights))
    named = [(number, one) for number, one in enumerate(series) if one.name]
    head = 24 + 18 * len(named)
    across = Axis(low=low, high=high, start=52, end=_WIDTH - 16)
    up = Axis(low=least, high=most, start=head + 240, end=head)
    parts = [axes(across, up, (f"{labels[0]} →", f"{labels[1]} ↑"))]
    if level is not None:
        parts.append(f'<path class="level" d="M{across.start} {up.at(level):.1f}H{across.end}"/>')
    for number, one in enumerate(series):
        placed = [(across.at(x), up.at(y)) for x, y in one.points]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        circles = "".join(f'<circle class="dot" cx="{x:.1f}" cy="{y:.1f}" r="3"/>' for x, y in placed)
        parts.append(f'<g class="m{number % _COLOURS}"><polyline points="{line}"/>{circles}</g>')
    for place, (number, one) in enumerate(named):
        text = one.name if one.points else f"{one.name}: none"
        parts.append(
            f'<text class="name m{number % _COLOURS}" x="{across.start}" y="{14 + 18 * place}">{escape(text)}</text>'
        )
    return svg(_WIDTH, head + 282, title, parts)


def _strip(axis: Axis, number: int, row: Strip) -> str:
    middle = 40 * number + 27
    rng = np.random.default_rng(number)
    values = (
        row.values if len(row.values) <= _MOST_DOTS else rng.choice(row.values, _MOST_DOTS, replace=False)
    )
    jitter = rng.uniform(-5, 5, len(values))
    dots = "".join(f"M{axis.at(v):.1f} {middle + j:.1f}h0" for v, j in zip(values, jitter, strict=True))
    parts = [f'<g class="m{number % _COLOURS}"><path class="dots" d="{dots}"/>']
    text = escape(row.name)
    if row.mean is not None:
        at = axis.at(row.mean.mean)
        parts.append(
            f'<path class="whisker" d="M{axis.at(row.mean.low):.1f} {middle}H{axis.at(row.mean.high):.1f}"/>'
            f'<path class="mean" d="M{at:.1f} {middle - 8}v16"/>'
        )
        text += f' <tspan class="quiet">{escape(row.written)}</tspan>'
    parts.append(f'</g><text class="name" x="12" y="{middle - 10}">{text}</text>')
    return "".join(parts)


def _names(placed_dots: Sequence[tuple[Dot, float, float]]) -> list[str]:
    """Write names beside their dots, moved apart where they would cover each other."""
    placed: list[tuple[float, float, float]] = []
    parts = []
    for dot, x, y in sorted(placed_dots, key=lambda one: one[2]):
        width = 7.0 * len(dot.name)
        left = x + 12 + width > _WIDTH - 4
        start = x - 12 - width if left else x + 12
        height = y - 10
        while any(abs(height - h) < 14 and start < s + w and s < start + width for s, h, w in placed):
            height += 14
        placed.append((start, height, width))
        kind = "name end" if left else "name"
        place = f'x="{x - 12 if left else x + 12:.1f}" y="{height:.1f}"'
        parts.append(f'<text class="{kind} m{dot.number % _COLOURS}" {place}>{escape(dot.name)}</text>')
    return parts
