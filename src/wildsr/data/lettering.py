"""Print and lines drawn on crops, for photos that hardly show any: what a network never saw, it breaks.

Landscapes teach nothing about letters, signs and wires: thin strokes of even colour with hard edges on both sides. Some
crops get a few of them, before they are degraded like all others.
"""

import string
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

Floats: TypeAlias = NDArray[np.float32]

LETTERING: Final = 2
"""Marks the random numbers of what is drawn on a crop, which are others than those of the crop."""

_FINER: Final = 3
"""Strokes are drawn this many times larger and shrunk by area."""
_SOFTNESS: Final = (0.3, 1.3)
"""Standard deviation of the Gaussian that softens their edges, HR pixels: photos are never as sharp as drawings, and a
network that learns from harder edges than photos have draws them harder everywhere."""
_LETTERS: Final = string.ascii_letters + string.digits
_SIZES: Final = (14.0, 56.0)
"""Font sizes, HR pixels."""
_LEAST_PART: Final = 0.4
"""Of a side of the crop that is drawn on: photos with print are photos first."""
_SATURATION: Final = 0.5
"""Share of a random colour's distance from gray that is kept."""
_CONTRAST: Final = 70
"""Least difference of ink and ground, levels."""


def lettered_share(hr: Floats, share: float, seed: tuple[int, ...]) -> Floats:
    """Draw on a crop, or leave it: a share of all seeds decides for drawing.

    Args:
        hr: H×W×3 in [0, 1].
        share: 0 to 1.
        seed: Of this crop.

    Returns:
        The crop itself, or a new array of its shape.
    """
    if not share:
        return hr
    rng = np.random.default_rng(seed)
    return lettered(hr, rng) if rng.random() < share else hr


def lettered(hr: Floats, rng: np.random.Generator) -> Floats:
    """Draw a block of print, or a few lines and curves, on a part of a crop.

    Args:
        hr: H×W×3 in [0, 1].
        rng: Decides what and where.

    Returns:
        A new array of the same shape, in [0, 1].
    """
    sides = [max(int(length * rng.uniform(_LEAST_PART, 1)), 1) for length in hr.shape[:2]]
    corner = [int(rng.integers(length - side + 1)) for length, side in zip(hr.shape, sides, strict=False)]
    place = tuple(slice(start, start + side) for start, side in zip(corner, sides, strict=True))
    drawn: Floats = hr.copy()
    below = hr[place]
    canvas, ground = below, float(below.mean()) * 255
    if rng.random() < 0.5:
        plate = _colour(rng)
        canvas = (0.15 * below + 0.85 * plate / 255).astype(np.float32)
        ground = float(plate.mean())
    ink, mask = _ink(ground, rng), _strokes(sides[0], sides[1], rng)
    drawn[place] = (1 - mask) * canvas + mask * ink / 255
    return drawn


def _strokes(height: int, width: int, rng: np.random.Generator) -> Floats:
    """How much of each pixel is ink: height×width×1 in [0, 1]."""
    side = int(np.ceil(np.hypot(height, width))) * _FINER
    layer = Image.new("L", (side, side))
    (_print if rng.random() < 0.7 else _lines)(ImageDraw.Draw(layer), side, rng)
    angle = float(rng.normal(0, 6)) if rng.random() < 0.8 else float(rng.uniform(0, 360))
    turned = layer.rotate(angle, resample=Image.Resampling.BILINEAR)
    left, top = (side - width * _FINER) // 2, (side - height * _FINER) // 2
    cut = turned.crop((left, top, left + width * _FINER, top + height * _FINER))
    soft = cut.filter(ImageFilter.GaussianBlur(_FINER * float(rng.uniform(*_SOFTNESS))))
    shrunk = soft.resize((width, height), Image.Resampling.BOX)
    mask: Floats = np.asarray(shrunk, dtype=np.float32)[..., None] / np.float32(255)
    return mask


def _colour(rng: np.random.Generator) -> Floats:
    colour = rng.uniform(0, 255, 3)
    muted: Floats = (colour.mean() + _SATURATION * (colour - colour.mean())).astype(np.float32)
    return muted


def _ink(ground: float, rng: np.random.Generator) -> Floats:
    """A colour that differs from the ground in brightness; half of the time nearly black or white."""
    if rng.random() < 0.5:
        level = rng.uniform(0, 40)
        return np.full(3, level if ground > 127 else 255 - level, dtype=np.float32)
    ink = _colour(rng)
    while abs(ink.mean() - ground) < _CONTRAST:
        ink = _colour(rng)
    return ink


def _print(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    size = float(np.exp(rng.uniform(*np.log(_SIZES)))) * _FINER
    font = ImageFont.load_default(size)
    bold = int(rng.integers(0, max(int(size / 14), 1) + 1))
    apart = size * float(rng.uniform(1.0, 1.7))
    top = -apart * float(rng.random())
    while top < side:
        words = " ".join(_word(rng) for _ in range(int(side / size) + 1))
        draw.text((-size * float(rng.random()), top), words, fill=255, font=font, stroke_width=bold)
        top += apart


def _word(rng: np.random.Generator) -> str:
    return "".join(rng.choice(list(_LETTERS), int(rng.integers(1, 9))))


def _lines(draw: ImageDraw.ImageDraw, side: int, rng: np.random.Generator) -> None:
    for _ in range(int(rng.integers(2, 9))):
        thickness = int(np.exp(rng.uniform(np.log(1.0), np.log(7.0))) * _FINER)
        x, y, right, bottom = (float(at) for at in rng.uniform(-0.2, 1.2, 4) * side)
        if rng.random() < 0.6:
            draw.line((x, y, right, bottom), fill=255, width=thickness)
        else:
            box = (min(x, right), min(y, bottom), max(x, right), max(y, bottom))
            draw.ellipse(box, outline=255, width=thickness)
