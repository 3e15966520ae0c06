"""Small pictures for the report: arrays as inline PNGs, curves and ellipses as SVG.  No files, no scripts."""

import base64
import io
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wildsr.estimation.facts import Axes
from wildsr.estimation.spectrum import Doubles
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


def kernel_picture(kernel: Doubles, *, zoom: int = 5, alt: str = "") -> str:
    """A kernel as a heat map, from its smallest value (or 0) to its largest."""
    scaled = np.sqrt(np.clip(kernel / max(float(kernel.max()), 1e-12), 0, 1)) * (len(_RAMP) - 1)
    low = np.minimum(scaled.astype(int), len(_RAMP) - 2)
    part = (scaled - low)[..., None]
    return picture((_RAMP[low] * (1 - part) + _RAMP[low + 1] * part).astype(np.uint8), zoom=zoom, alt=alt)


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
) -> str:
    """Lines with points over common axes that start at 0; `level` draws a dashed reference."""
    points = [point for one in series for point in one]
    if not points:
        return "<p>nothing to draw</p>"
    right = max(x for x, _ in points) * 1.04 or 1.0
    top = max([y for _, y in points] + [level or 0]) * 1.1 or 1.0

    def place(x: float, y: float) -> tuple[float, float]:
        return MARGIN + x / right * (WIDTH - MARGIN - 12), HEIGHT - MARGIN + 8 - y / top * (
            HEIGHT - MARGIN - 8
        )

    parts = [_frame(right, top, labels)]
    if level is not None:
        (x0, y0), (x1, _) = place(0, level), place(right, level)
        parts.append(
            f'<line x1="{x0:.1f}" x2="{x1:.1f}" y1="{y0:.1f}" y2="{y0:.1f}" stroke="#888" stroke-dasharray="5 4"/>'
        )
    for number, one in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        placed = [place(x, y) for x, y in one]
        line = " ".join(f"{x:.1f},{y:.1f}" for x, y in placed)
        parts.append(f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>')
        parts += [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="3" fill="{colour}"/>' for x, y in placed]
        if number < len(names):
            above = _LINE * (number - len(names)) + 12  # no curve is there to be hidden
            parts.append(f'<text x="{MARGIN}" y="{above}" fill="{colour}">{names[number]}</text>')
    head = _LINE * len(names)
    return (
        f'<svg viewBox="0 {-head} {WIDTH} {HEIGHT + head}" width="{WIDTH}" role="img">{"".join(parts)}</svg>'
    )


def _frame(right: float, top: float, labels: tuple[str, str]) -> str:
    bottom = HEIGHT - MARGIN + 8
    return (
        f'<path d="M{MARGIN},8 V{bottom} H{WIDTH - 12}" fill="none" stroke="currentColor"/>'
        f'<text x="{WIDTH - 12}" y="{bottom + 30}" text-anchor="end">{labels[0]} →</text>'
        f'<text x="{MARGIN}" y="{bottom + 14}">0</text>'
        f'<text x="{WIDTH - 12}" y="{bottom + 14}" text-anchor="end">{right:.3g}</text>'
        f'<text x="{MARGIN - 6}" y="18" text-anchor="end">{top:.3g}</text>'
        f'<text x="{MARGIN + 6}" y="18">{labels[1]}</text>'
    )


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
