"""Real-ESRGAN's degradation: blur, resize, noise, JPEG, twice over, with ringing (Wang et al., ICCVW 2021)."""

from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wildsr.degradation.blur import Blur
from wildsr.degradation.compression import Jpeg
from wildsr.degradation.levels import Clip
from wildsr.degradation.noise import GaussianNoise
from wildsr.degradation.operation import Chance, Degradation, Log, OneOf, note, pick
from wildsr.degradation.resampling import Method, resize
from wildsr.degradation.samplers import Gaussians, Mixed, Range, Sincs, odd
from wildsr.imaging.luma import BT601

_METHODS: Final[tuple[Method, ...]] = ("area", "bilinear", "bicubic")
_SIZES: Final = odd(7, 21)
_LEVEL: Final = 1 / 255


@dataclass(frozen=True, kw_only=True)
class Order:
    """Strengths of one of the two rounds."""

    sigma: Range
    """Of blur, in pixels."""

    ways: tuple[float, float, float]
    """How often the size goes up, down, stays."""

    sizes: Range
    """Smallest and largest factor of the size."""

    gaussian: Range
    """Standard deviation of Gaussian noise."""

    poisson: Range
    """Strength of Poisson noise."""


FIRST: Final = Order(
    sigma=(0.2, 3.0),
    ways=(0.2, 0.7, 0.1),
    sizes=(0.15, 1.5),
    gaussian=(_LEVEL, 30 * _LEVEL),
    poisson=(0.05, 3.0),
)
SECOND: Final = Order(
    sigma=(0.2, 1.5),
    ways=(0.3, 0.4, 0.3),
    sizes=(0.3, 1.2),
    gaussian=(_LEVEL, 25 * _LEVEL),
    poisson=(0.05, 2.5),
)


@dataclass(frozen=True, kw_only=True)
class RealEsrgan:
    """The whole of it, from HR to LR."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Degrade all pictures alike."""
        target = (x.shape[2] // self.scale, x.shape[3] // self.scale)
        x = _blur(FIRST)(x, rng, log)
        x = _resized(x, (x.shape[2], x.shape[3]), FIRST, rng, log)
        x = _noise(FIRST)(x, rng, log)
        x = _JPEG(x, rng, log)
        x = Chance(_blur(SECOND), 0.8)(x, rng, log)
        x = _resized(x, target, SECOND, rng, log)
        x = _noise(SECOND)(x, rng, log)
        ringing = Chance(Blur(Sincs(sizes=_SIZES, small_below=22)), 0.8)
        if rng.random() < 0.5:
            return _JPEG(ringing(_to(x, target, rng, log), rng, log), rng, log)
        return Clip()(ringing(_to(_JPEG(x, rng, log), target, rng, log), rng, log), rng)


_JPEG: Final = Jpeg(quality=(30, 95))


def _blur(order: Order) -> Blur:
    """Six shapes, and one time in ten a sinc."""
    generalised, plateau = ((0.5, 1.0), (1.0, 4.0)), ((1.0, 1.0), (1.0, 2.0))
    return Blur(
        Mixed(
            samplers=(
                Gaussians(sizes=_SIZES, sigma=order.sigma),
                Gaussians(sizes=_SIZES, sigma=order.sigma, elongated=True),
                Gaussians(sizes=_SIZES, sigma=order.sigma, shape="generalised", beta=generalised),
                Gaussians(
                    sizes=_SIZES, sigma=order.sigma, shape="generalised", beta=generalised, elongated=True
                ),
                Gaussians(sizes=_SIZES, sigma=order.sigma, shape="plateau", beta=plateau),
                Gaussians(sizes=_SIZES, sigma=order.sigma, shape="plateau", beta=plateau, elongated=True),
                Sincs(sizes=_SIZES),
            ),
            weights=(0.405, 0.225, 0.108, 0.027, 0.108, 0.027, 0.1),
        )
    )


def _noise(order: Order) -> Degradation:
    return OneOf(
        (GaussianNoise(sigma=order.gaussian, gray=0.4), ScaledPoisson(strength=order.poisson, gray=0.4))
    )


def _resized(
    x: Tensor, base: tuple[int, int], order: Order, rng: np.random.Generator, log: Log | None
) -> Tensor:
    """Resize to a random share of `base`."""
    way = pick(rng, 3, order.ways)
    factor = (rng.uniform(1, order.sizes[1]), rng.uniform(order.sizes[0], 1), 1.0)[way]
    size = (max(round(base[0] * factor), 1), max(round(base[1] * factor), 1))
    return _to(x, size, rng, log)


def _to(x: Tensor, size: tuple[int, int], rng: np.random.Generator, log: Log | None) -> Tensor:
    method = _METHODS[pick(rng, len(_METHODS))]
    note(log, "resize", {"method": method, "size": list(size)})
    return resize(x, size, method=method, antialias=False)


@dataclass(frozen=True, kw_only=True)
class ScaledPoisson:
    """Poisson noise of as many photons as the picture has gray levels (a power of two), times a strength."""

    strength: Range
    """From … to."""

    gray: float = 0.0
    """How often the three channels share their noise."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Add noise of one strength; the result is clipped."""
        strength, gray = rng.uniform(*self.strength), bool(rng.random() < self.gray)
        levels = x.detach().clamp(0, 1).mul(255).round().cpu().numpy() / 255
        if gray:
            levels = np.tensordot(levels, BT601, axes=([1], [0]))[:, None]
        noise = np.empty_like(levels)
        for item, picture in zip(noise, levels, strict=True):
            photons = 2.0 ** np.ceil(np.log2(max(len(np.unique((picture * 255).round())), 2)))
            item[:] = rng.poisson(picture.astype(np.float64) * photons) / photons - picture
        note(log, "poisson noise", {"strength": strength, "gray": gray})
        return (x + strength * torch.from_numpy(noise).to(x)).clamp(0, 1)
