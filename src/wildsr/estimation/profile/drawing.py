"""Small pictures for the report: arrays as inline PNGs, curves and ellipses as SVG.  No files, no scripts."""

import base64
import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.estimation.profile.profile_stats import Axes
from wildsr.imaging import FloatArray

WIDTH, HEIGHT, MARGIN = 460, 240, 44
_LINE: Final = 18
COLOURS: Final = ("#1f6feb", "#d1481f")
# Dark blue over green to yellow: told apart by brightness alone too.
_RAMP: Final = np.array([(20, 16, 60), (49, 72, 138), (33, 128, 141), (92, 190, 110), (250, 230, 60)], float)


def picture(array: NDArray[np.uint8], *, zoom: int = 1, alt: str = "") -> str:
    """Return an `img` element of an H×W×3 array, every pixel repeated `zoom` times."""
    from PIL import Image

    large = array.repeat(zoom, axis=0).repeat(zoom, axis=1)
    buffer = io.BytesIO()
    Image.fromarray(large).save(buffer, "PNG", optimize=True)
    text = base64.b64encode(buffer.getvalue()).decode("ascii")
    return f'<img alt="{alt}" width="{large.shape[1]}" height="{large.shape[0]}" src="data:image/png;base64,{text}">'


def kernel_picture(kernel: Doubles, *, zoom: int = 5, alt: str = "", brightest: float | None = None) -> str:
    """A kernel as a heat map, from 0 to its largest value (or `brightest`), by the square root, which shows tails."""
    top = float(kernel.max()) if brightest is None else brightest
    scaled = np.sqrt(np.clip(kernel / max(top, 1e-12), 0, 1)) * (len(_RAMP) - 1)
    low = np.minimum(scaled.astype(int), len(_RAMP) - 2)
    part = (scaled - low)[..., None]
    return picture((_RAMP[low] * (1 - part) + _RAMP[low + 1] * part).astype(np.uint8), zoom=zoom, alt=alt)


def difference_picture(first: Doubles, second: Doubles, *, zoom: int = 5, alt: str = "") -> str:
    """Where the first of two kernels of one size is larger (blue) and where the second (red); white where equal.

    Full colour is a quarter of the larger one's peak.
    """
    strength = np.clip(4 * (first - second) / max(float(first.max()), float(second.max()), 1e-12), -1, 1)
    ends = [np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)], float) for colour in COLOURS]
    white = np.full(3, 250.0)
    share = np.abs(strength)[..., None]
    towards = np.where(strength[..., None] > 0, ends[0], ends[1])
    return picture((white * (1 - share) + towards * share).astype(np.uint8), zoom=zoom, alt=alt)


def noise_picture(patch: FloatArray, *, gain: float, zoom: int = 2, alt: str = "") -> str:
    """A noise patch on middle gray, amplified."""
    levels = np.clip(0.5 + gain * patch.transpose(1, 2, 0), 0, 1)
    return picture(np.rint(levels * 255).astype(np.uint8), zoom=zoom, alt=alt)


def plot(
    series: Sequence[Sequence[tuple[float, float]]],
    *,
    labels: tuple[str, str],
    names: Sequence[str] = (),
    level: float | None = None,
    right: float | None = None,
) -> str:
    """Lines with points over common axes that hold 0; `level` draws a dashed reference, `right` ends the x axis."""
    points = [point for one in series for point in one]
    if not points:
        return "<p>nothing to draw</p>"
    steps_x = _steps(min(0.0, *(x for x, _ in points)), right or max(x for x, _ in points))
    steps_y = _steps(0.0, max([y for _, y in points] + [level or 0]))
    (left, right), (bottom, top) = (steps_x[0], steps_x[-1]), (steps_y[0], steps_y[-1])

    def place(x: float, y: float) -> tuple[float, float]:
        return (
            MARGIN + (x - left) / (right - left) * (WIDTH - MARGIN - 16),
            HEIGHT - MARGIN + 8 - (y - bottom) / (top - bottom) * (HEIGHT - MARGIN - 14),
        )

    parts = _frame([(x, place(x, 0)[0]) for x in steps_x], [(y, place(left, y)[1]) for y in steps_y], labels)
    if level is not None:
        (x0, y0), (x1, _) = place(left, level), place(right, level)
        parts.append(
            f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y0:.1f}" y2="{y0:.1f}" stroke="currentColor" '
            'stroke-dasharray="5 4"/>'
        )
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        placed = [place(x, y) for x, y in one]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        if number < len(names):
            above = _LINE * (number - len(names)) - 6  # no curve is there to be hidden
            said = names[number] if one else f"{names[number]}: none"
            parts.append(f'<text x="{MARGIN}" y="{above}" fill="{colour}">{said}</text>')
    head = _LINE * (len(names) + 1)
    return (
        f'<svg viewBox="0 {-head} {WIDTH} {HEIGHT + head}" width="{WIDTH}" role="img">{"".join(parts)}</svg>'
    )


def _steps(low: float, high: float) -> list[float]:
    """Round numbers at equal distances, at most seven, that hold both ends."""
    span = max(high - low, 1e-9)
    size = 10.0 ** np.floor(np.log10(span / 5))
    step = next(size * factor for factor in (1, 2, 5, 10) if span / (size * factor) <= 5)
    first, last = int(np.floor(low / step + 1e-9)), int(np.ceil(high / step - 1e-9))
    return [round(number * step, 12) for number in range(first, last + 1)]


def _frame(
    across: Sequence[tuple[float, float]], up: Sequence[tuple[float, float]], labels: tuple[str, str]
) -> list[str]:
    """Grid and numbers at (value, place), and the names of the axes."""
    left, right, bottom, top = across[0][1], across[-1][1], up[0][1], up[-1][1]
    parts = []
    for value, x in across:
        parts.append(f'<path d="M{x:.1f},{top:.1f} V{bottom:.1f}" stroke="#8885" fill="none"/>')
        parts.append(f'<text x="{x:.1f}" y="{bottom + 14:.1f}" text-anchor="middle">{value:.3g}</text>')
    for value, y in up:
        parts.append(f'<path d="M{left:.1f},{y:.1f} H{right:.1f}" stroke="#8885" fill="none"/>')
        parts.append(f'<text x="{left - 6:.1f}" y="{y + 4:.1f}" text-anchor="end">{value:.3g}</text>')
    parts.append(f'<text x="{right:.1f}" y="{bottom + 30:.1f}" text-anchor="end">{labels[0]} →</text>')
    parts.append(f'<text x="4" y="{top - 10:.1f}">{labels[1]} ↑</text>')
    return parts


def ellipses(groups: Sequence[Sequence[Axes]]) -> str:
    """The kernels' ellipses (one standard deviation) about one centre, a colour for each group."""
    every = [axes for group in groups for axes in group]
    if not every:
        return "<p>no kernels</p>"
    zoom = 105 / max(axes.long for axes in every)
    parts = ['<path d="M10,120 H230 M120,10 V230" stroke="#999" stroke-width=".5"/>']
    for number, group in enumerate(groups):
        for axes in group:
            parts.append(
                f'<ellipse cx="120" cy="120" rx="{axes.long * zoom:.1f}" ry="{axes.short * zoom:.1f}" '
                f'transform="rotate({axes.angle:.1f} 120 120)" fill="none" opacity=".6" '
                f'stroke="{COLOURS[number % 2]}"/>'
            )
    return f'<svg viewBox="0 0 240 240" width="240" role="img">{"".join(parts)}</svg>'
