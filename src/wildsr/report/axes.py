"""Axes of SVG plots: values to pixels, round ticks, grid and labels."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape


@dataclass(frozen=True, kw_only=True)
class Axis:
    """Maps values to pixels; with `rising` False, the least value is at the end."""

    low: float
    """Least value shown."""

    high: float
    """Greatest value shown."""

    start: float
    """Pixel of the worse end."""

    end: float
    """Pixel of the better end."""

    rising: bool = True
    """Whether higher values are better."""

    def at(self, value: float) -> float:
        """Return the pixel of a value."""
        part = (value - self.low) / (self.high - self.low)
        return self.start + (self.end - self.start) * (part if self.rising else 1 - part)

    def ticks(self, count: int = 5) -> list[float]:
        """Return round values within the axis, at most about `count`."""
        step = round_step((self.high - self.low) / count)
        first = math.ceil(self.low / step - 1e-9)
        return [round(k * step, 12) for k in range(first, math.floor(self.high / step + 1e-9) + 1)]


def round_step(span: float) -> float:
    """Return the least of 1, 2 or 5 times a power of ten that is at least `span`."""
    power: float = 10.0 ** math.floor(math.log10(span))
    return power * next(factor for factor in (1, 2, 5, 10) if factor * power >= span * (1 - 1e-9))


def rounded_out(low: float, high: float, count: int = 5) -> tuple[float, float]:
    """Return the nearest multiples of a round step that hold both values; two different ones."""
    if high <= low:
        high = low + (abs(low) or 1.0)
    step = round_step((high - low) / count)
    return math.floor(low / step + 1e-9) * step, math.ceil(high / step - 1e-9) * step


def padded_axis(
    values: Sequence[float], *, start: float, end: float, rising: bool = True, margin: float
) -> Axis:
    """Return an axis that holds the values and a margin, given as a part of their range, on both sides."""
    low, high = min(values), max(values)
    pad = margin * (high - low) or max(abs(high) * 0.05, 1e-3)
    return Axis(low=low - pad, high=high + pad, start=start, end=end, rising=rising)


def axes(across: Axis, up: Axis, labels: tuple[str, str]) -> str:
    """Return the grid, the ticks and the labels (text) of a plot with both axes."""
    parts = []
    for tick in across.ticks():
        parts.append(f'<path class="grid" d="M{across.at(tick):.1f} {up.end}V{up.start}"/>')
        parts.append(tick_label(across.at(tick), up.start + 16, tick))
    for tick in up.ticks():
        parts.append(f'<path class="grid" d="M{across.start} {up.at(tick):.1f}H{across.end}"/>')
        parts.append(tick_label(across.start - 7, up.at(tick) + 4, tick, kind="tick end"))
    parts.append(f'<path class="axis" d="M{across.start} {up.end}V{up.start}H{across.end}"/>')
    parts.append(f'<text class="title" x="{across.end}" y="{up.start + 36}">{escape(labels[0])}</text>')
    parts.append(f'<text class="title start" x="4" y="{up.end - 10}">{escape(labels[1])}</text>')
    return "".join(parts)


def tick_label(x: float, y: float, value: float, *, kind: str = "tick") -> str:
    """Return a tick's number at a place."""
    return f'<text class="{kind}" x="{x:.1f}" y="{y:.1f}">{f"{value:.4g}".replace("-", "−")}</text>'


def svg(width: float, height: float, text: str, parts: Sequence[str]) -> str:
    """Return an SVG element of this size with a title for screen readers."""
    return (
        f'<svg viewBox="0 0 {width:.0f} {height:.0f}" role="img" aria-label="{escape(text)}">'
        f"{''.join(parts)}</svg>"
    )
