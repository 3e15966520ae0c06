"""Test pictures made small and large again, and what the results measure."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.engine import Settings, Upscaler
from wildsr.errors import InputError
from wildsr.files import shown
from wildsr.imaging import Picture, open_source, resize_uint8
from wildsr.metrics import dists, lpips, psnr, psnr_y, ssim_rgb, ssim_y

Bytes: TypeAlias = NDArray[np.uint8]

PLAIN: Final = Settings(color_fix=False, precision="fp32")
"""The network's own result."""

BORDER: Final = 4

MEASURES: Final[dict[str, tuple[str, Callable[[Bytes, Bytes], float]]]] = {
    "psnr": ("PSNR", psnr),
    "psnr_y": ("PSNR-Y", psnr_y),
    "ssim": ("SSIM", ssim_rgb),
    "ssim_y": ("SSIM-Y", ssim_y),
    "lpips": ("LPIPS", lpips),
    "dists": ("DISTS", dists),
}
RECOVERY: Final = {"psnr_y": 2, "ssim_y": 3, "lpips": 4, "dists": 4}
"""How near a result is to the truth: measure → digits to print."""
_WHOLE: Final = ("lpips", "dists")


@dataclass(frozen=True, kw_only=True)
class Row:
    """One result."""

    picture: str
    """Its name."""

    method: str
    """What enlarged it."""

    condition: str = ""
    """How its LR was made, where there are several ways."""

    values: dict[str, float] = field(default_factory=dict)
    """Measure → value."""


def clean_picture(path: Path, *, multiple: int = 4, largest: int = 512) -> Bytes:
    """The middle of a picture, at most `largest` pixels a side, sides cut to a multiple."""
    source = open_source(path)
    height, width = (min(side, largest) // multiple * multiple for side in (source.height, source.width))
    top, left = (source.height - height) // 2, (source.width - width) // 2
    return np.rint(source.rgb(top, top + height, left, left + width) * 255).astype(np.uint8)


def middle_of_pair(hr: Path, lr: Path, *, scale: int = 4, largest: int = 512) -> tuple[Bytes, Bytes]:
    """The middle of an HR and an LR picture that show the same, at most `largest` HR pixels a side.

    Raises:
        InputError: HR is not `scale` times as large.
    """
    large, small = open_source(hr), open_source(lr)
    if (large.height, large.width) != (small.height * scale, small.width * scale):
        raise InputError(
            f"{shown(hr.name)} is {large.width}×{large.height}, and its LR picture {small.width}×{small.height}",
            hint=f"pairs differ by ×{scale} along each side",
        )
    height, width = (min(side, largest // scale) for side in (small.height, small.width))
    top, left = (small.height - height) // 2, (small.width - width) // 2
    cuts = []
    for source, factor in ((large, scale), (small, 1)):
        box = (top * factor, (top + height) * factor, left * factor, (left + width) * factor)
        cuts.append(np.rint(source.rgb(*box) * 255).astype(np.uint8))
    return cuts[0], cuts[1]


def enlarger(model: str | Path | None, *, scale: int = 4) -> Callable[[Bytes], Bytes]:
    """What enlarges: a model, or MATLAB's bicubic for None."""
    if model is None:
        return lambda lr: resize_uint8(lr, (lr.shape[0] * scale, lr.shape[1] * scale))
    upscaler = Upscaler(model, PLAIN)

    def enlarge(lr: Bytes) -> Bytes:
        return to_bytes(upscaler(Picture(rgb=to_floats(lr))).rgb)

    return enlarge


def measured(sr: Bytes, hr: Bytes, names: Sequence[str]) -> dict[str, float]:
    """The measures of one result; BORDER pixels are left out at every side but for LPIPS and DISTS."""
    inner = (slice(BORDER, -BORDER), slice(BORDER, -BORDER))
    return {
        name: float(MEASURES[name][1](*((sr, hr) if name in _WHOLE else (sr[inner], hr[inner]))))
        for name in names
    }


def rng_of(*words: str) -> np.random.Generator:
    """Randomness that depends on words alone."""
    digest = hashlib.sha256(" ".join(words).encode("utf-8", "surrogateescape")).digest()
    return np.random.default_rng(int.from_bytes(digest[:8], "little"))


def to_floats(picture: Bytes) -> NDArray[np.float32]:
    """8 bits as [0, 1]."""
    return picture.astype(np.float32) / np.float32(255)


def to_bytes(picture: NDArray[np.floating]) -> Bytes:
    """[0, 1] as 8 bits, clipped and rounded."""
    levels: Bytes = np.rint(np.clip(picture, 0, 1) * 255).astype(np.uint8)
    return levels
