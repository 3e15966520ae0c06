"""A decoded picture, kept at native depth and handed out in crops."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from wildsr.imaging.metadata import NO_METADATA, Metadata
from wildsr.imaging.picture import Depth, FloatArray, Picture, Samples


@dataclass(frozen=True, kw_only=True, eq=False)
class Source:
    """Pixels in RAM as the file had them (3 bytes a pixel for 8-bit RGB); floats are made crop by crop."""

    samples: Samples | FloatArray
    """H×W×C uint8 or uint16 of a file, float32 in [0, 1] of a Picture; C is 1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""

    metadata: Metadata = NO_METADATA
    """Colour profile, EXIF (orientation already applied and reset), XMP and IPTC."""

    depth: Depth = 8
    """Bits a channel in the file; results are written with the same."""

    notes: tuple[str, ...] = ()
    """What reading changed, in sentences for the user."""

    @property
    def height(self) -> int:
        """Rows."""
        return int(self.samples.shape[0])

    @property
    def width(self) -> int:
        """Columns."""
        return int(self.samples.shape[1])

    @property
    def channels(self) -> int:
        """1 gray, 2 gray and alpha, 3 RGB, 4 RGBA."""
        return int(self.samples.shape[2])

    @property
    def gray(self) -> bool:
        """True where the file had one colour channel."""
        return self.channels < 3

    @property
    def has_alpha(self) -> bool:
        """True where the file has transparency."""
        return self.channels in (2, 4)

    @cached_property
    def neutral(self) -> bool:
        """True where red, green and blue are equal everywhere: a gray picture, whatever its file's channels."""
        if self.gray:
            return True
        red, green, blue = (self.samples[..., channel] for channel in range(3))
        return bool((red == green).all() and (green == blue).all())

    @property
    def opaque(self) -> bool:
        """True where there is no transparency, stated or not."""
        return not self.has_alpha or bool(self.samples[..., -1].min() == self.top)

    def without_alpha(self) -> "Source":
        """Return the same picture without its alpha channel."""
        return replace(self, samples=self.samples[..., :-1]) if self.has_alpha else self

    @property
    def top(self) -> int:
        """The sample that stands for 1."""
        return _TOPS[self.samples.dtype.itemsize]

    def rgb(self, y0: int, y1: int, x0: int, x1: int) -> FloatArray:
        """Return rows y0…y1−1, columns x0…x1−1 as float32 h×w×3 in [0, 1]; gray as three equal channels."""
        crop = _unit(self.samples[y0:y1, x0:x1, : 1 if self.gray else 3])
        return np.repeat(crop, 3, axis=2) if self.gray else crop

    def middle(self, side: int) -> FloatArray:
        """Return at most side×side pixels of the middle as float32 h×w×3 in [0, 1]."""
        top, left = (max(0, (whole - side) // 2) for whole in (self.height, self.width))
        return self.rgb(top, min(top + side, self.height), left, min(left + side, self.width))

    def alpha(self, y0: int, y1: int, x0: int, x1: int) -> FloatArray | None:
        """Return the alpha of a crop as float32 h×w in [0, 1] (1 opaque), or None for an opaque picture."""
        return _unit(self.samples[y0:y1, x0:x1, -1]) if self.has_alpha else None

    def picture(self) -> Picture:
        """Return the whole as a Picture (12 bytes a pixel and more)."""
        return Picture(
            rgb=self.rgb(0, self.height, 0, self.width),
            alpha=self.alpha(0, self.height, 0, self.width),
            metadata=self.metadata,
            depth=self.depth,
            gray=self.gray,
            notes=self.notes,
        )

    @classmethod
    def from_picture(cls, picture: Picture) -> "Source":
        """Return a Source of a Picture's pixels, clipped and unrounded."""
        colour = picture.rgb[..., : 1 if picture.gray else 3]
        alpha = [] if picture.alpha is None else [picture.alpha[..., None]]
        return cls(
            samples=np.clip(np.concatenate([colour, *alpha], axis=2), 0, 1),
            metadata=picture.metadata,
            depth=picture.depth,
            notes=picture.notes,
        )


def quantise(rgb: FloatArray, alpha: FloatArray | None, *, gray: bool, depth: Depth) -> Samples:
    """Return float pixels as H×W×C integers, rounded to nearest and clipped.

    Args:
        rgb: H×W×3 in [0, 1].
        alpha: H×W in [0, 1], or None.
        gray: Keep one channel, the mean of the three.
        depth: 8 gives uint8 in 0…255, 16 gives uint16 in 0…65535.
    """
    top = np.float32((1 << depth) - 1)
    colour = 1 if gray else 3
    out: Samples = np.empty(
        (*rgb.shape[:2], colour + (alpha is not None)), dtype=np.uint8 if depth == 8 else np.uint16
    )
    pixels = rgb.mean(axis=2, keepdims=True, dtype=np.float32) if gray else rgb
    out[..., :colour] = np.rint(np.clip(pixels, 0, 1) * top)
    if alpha is not None:
        out[..., -1] = np.rint(np.clip(alpha, 0, 1) * top)
    return out


def _unit(samples: Samples | FloatArray) -> FloatArray:
    """Return samples as float32 in [0, 1], a copy."""
    top = np.float32(_TOPS[samples.dtype.itemsize])
    return samples.astype(np.float32) / top


_TOPS = {1: 255, 2: 65535, 4: 1}
"""Bytes a sample → the sample that stands for 1."""
