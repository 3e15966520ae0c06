"""Curves as one PNG, a panel each: for a card that is read as text with pictures."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from PIL import Image, ImageDraw

from wildsr.files import atomic_write

_WIDTH, _HEIGHT, _MARGIN = 420, 220, 48
_COLUMNS = 2
_INK, _PALE, _LINE = (40, 40, 40), (225, 225, 225), (31, 90, 180)
_HIDDEN = ("step", "learning_rate")


def draw_curves(points: Sequence[Mapping[str, float]], path: Path) -> list[str]:
    """Draw every curve into one PNG, one panel each.

    Args:
        points: Of all curves, each with its `step`.
        path: The PNG.

    Returns:
        Names of the curves drawn, in order.
    """
    names = [name for name in dict.fromkeys(key for point in points for key in point) if name not in _HIDDEN]
    if not names:
        return []
    rows = -(-len(names) // _COLUMNS)
    sheet = Image.new("RGB", (_COLUMNS * _WIDTH, rows * _HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    for number, name in enumerate(names):
        corner = (number % _COLUMNS * _WIDTH, number // _COLUMNS * _HEIGHT)
        _panel(draw, corner, name, [(point["step"], point[name]) for point in points if name in point])
    with atomic_write(path) as temporary:
        sheet.save(temporary, format="PNG", optimize=True)
    return names


def _panel(
    draw: ImageDraw.ImageDraw, corner: tuple[int, int], name: str, data: list[tuple[float, float]]
) -> None:
    left, top = corner[0] + _MARGIN + 10, corner[1] + 28
    right, bottom = corner[0] + _WIDTH - 14, corner[1] + _HEIGHT - 30
    values = sorted(value for _, value in data)
    low, high = values[0], values[min(len(values) - 1, int(0.99 * len(values)))]
    if high <= low:
        high = low + max(abs(low), 1e-6)
    steps = max(data[-1][0], 1)
    draw.text((left, corner[1] + 8), f"{name} (last {data[-1][1]:.4g})", fill=_INK)
    for share in (0.0, 0.5, 1.0):
        y = bottom - share * (bottom - top)
        draw.line((left, y, right, y), fill=_PALE)
        draw.text((corner[0] + 4, y - 6), f"{low + share * (high - low):.4g}", fill=_INK)
        draw.text((left + share * (right - left) - 14 * share, bottom + 6), f"{share * steps:.0f}", fill=_INK)
    spots = [
        (left + step / steps * (right - left), bottom - min((value - low) / (high - low), 1) * (bottom - top))
        for step, value in data
    ]
    if len(spots) > 1:
        draw.line(spots, fill=_LINE, width=2)
    else:
        draw.ellipse((spots[0][0] - 2, spots[0][1] - 2, spots[0][0] + 2, spots[0][1] + 2), fill=_LINE)
