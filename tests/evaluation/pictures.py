"""Pictures made by code."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildsr.imaging import Metadata, Picture, write


def scene(height: int = 64, width: int = 96, *, seed: int = 0) -> NDArray[np.float32]:
    """Discs and stripes of many sizes and colours with soft edges, H×W×3 in [0, 1]."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:height, :width].astype(np.float32)
    picture = np.full((height, width, 3), 0.5, np.float32)
    for _ in range(60):
        centre, radius = rng.uniform((0, 0), (height, width)), rng.uniform(2, max(3, min(height, width) / 3))
        distance = np.hypot(y - centre[0], x - centre[1])
        cover = np.clip(radius - distance, 0, 1)[..., None]
        wave = 0.5 + 0.5 * np.sin(distance * rng.uniform(0.2, 2.5))[..., None]
        colour = rng.uniform(0.05, 0.95, 3) * wave + rng.uniform(0.05, 0.5, 3) * (1 - wave)
        picture = picture * (1 - cover) + colour.astype(np.float32) * cover
    return picture.astype(np.float32)


def save(
    path: Path, rgb: NDArray[np.float32], *, depth: int = 8, gray: bool = False, icc: bytes | None = None
) -> Path:
    """Write a picture; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write(Picture(rgb=rgb, depth=16 if depth == 16 else 8, gray=gray, metadata=Metadata(icc=icc)), path)
    return path


def noisy(rgb: NDArray[np.float32], sigma: float, *, seed: int = 1) -> NDArray[np.float32]:
    """The same with white noise of σ levels of 255."""
    noise = np.random.default_rng(seed).normal(0, sigma / 255, rgb.shape)
    return np.clip(rgb + noise, 0, 1).astype(np.float32)


def fill(folder: Path, names: list[str], *, scale: int = 1, sigma: float = 0.0) -> Path:
    """A folder of pictures, `scale` times 24×32 pixels; equal numbers hold equal scenes."""
    for number, name in enumerate(names):
        rgb = scene(24 * scale, 32 * scale, seed=number)
        save(folder / name, noisy(rgb, sigma) if sigma else rgb)
    return folder
