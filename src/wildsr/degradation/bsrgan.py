"""BSRGAN's degradation: seven operations in random order (Zhang et al., ICCV 2021).

The camera's own processing (used there one time in four) needs a model of it and is left out.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from wildsr.degradation.blur import Blur, BlurSubsample
from wildsr.degradation.compression import Jpeg
from wildsr.degradation.levels import Clip
from wildsr.degradation.noise import CorrelatedNoise, GaussianNoise
from wildsr.degradation.operation import Chance, Degradation, Log, OneOf, note, pick
from wildsr.degradation.resampling import Method, resize
from wildsr.degradation.samplers import Gaussians, Mixed, odd

_METHODS: Final[tuple[Method, ...]] = ("bilinear", "bicubic", "area")
_SIZES: Final = odd(7, 25)
_LEVEL: Final = 1 / 255


@dataclass(frozen=True, kw_only=True)
class Bsrgan:
    """The whole of it, from HR to LR."""

    scale: int = 4
    """HR pixels per LR pixel along one side."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Degrade all pictures alike."""
        target = (x.shape[2] // self.scale, x.shape[3] // self.scale)
        left = self.scale
        if self.scale == 4 and rng.random() < 0.25:
            antialias = bool(rng.integers(2))
            method: Method = "bicubic" if antialias else _METHODS[pick(rng, 3)]
            note(log, "downscale first", {"method": method, "antialias": antialias})
            x = resize(x, (x.shape[2] // 2, x.shape[3] // 2), method=method, antialias=antialias).clamp(0, 1)
            left = 2
        blur = _blur(left)
        steps: dict[str, Degradation] = {
            "blur 1": blur,
            "blur 2": blur,
            "downscale": _Shrink(scale=left),
            "resize": _ToSize(size=target),
            "noise": _NOISE,
            "jpeg": Chance(Jpeg(quality=(30, 95)), 0.9),
        }
        for name in _order(list(steps), rng):
            x = steps[name](x, rng, log)
        return Jpeg(quality=(30, 95))(x, rng, log)


def _order(names: list[str], rng: np.random.Generator) -> list[str]:
    """Shuffle; the resize to the final size comes after the downscaling."""
    order = [names[place] for place in rng.permutation(len(names))]
    first, second = order.index("downscale"), order.index("resize")
    if first > second:
        order[first], order[second] = order[second], order[first]
    return order


def _blur(left: int) -> Blur:
    return Blur(
        Mixed(
            samplers=(
                Gaussians(sizes=_SIZES, sigma=(0.0, 4.0 + left), elongated=True, by_variance=True),
                Gaussians(sizes=_SIZES, sigma=(0.0, 2 + 0.2 * left)),
            ),
            weights=(1, 1),
        )
    )


_NOISE: Final = OneOf(
    (
        GaussianNoise(sigma=(2 * _LEVEL, 25 * _LEVEL)),
        GaussianNoise(sigma=(2 * _LEVEL, 25 * _LEVEL), gray=1.0),
        CorrelatedNoise(largest=25 * _LEVEL),
    ),
    (0.4, 0.4, 0.2),
)


@dataclass(frozen=True, kw_only=True)
class _Shrink:
    """Resize by a random factor, or blur and subsample."""

    scale: int

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        if rng.random() < 0.25:
            sampler = Gaussians(sizes=(25,), sigma=(0.1, 0.6 * self.scale), scale=self.scale)
            return BlurSubsample(sampler, self.scale)(x, rng, log)
        factor = rng.uniform(1, 2 * self.scale)
        method = _METHODS[pick(rng, len(_METHODS))]
        size = (max(round(x.shape[2] / factor), 1), max(round(x.shape[3] / factor), 1))
        note(log, "resize", {"method": method, "size": list(size)})
        return Clip()(resize(x, size, method=method, antialias=False), rng)


@dataclass(frozen=True, kw_only=True)
class _ToSize:
    """Resize to the final size."""

    size: tuple[int, int]

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        method = _METHODS[pick(rng, len(_METHODS))]
        note(log, "resize", {"method": method, "size": list(self.size)})
        return Clip()(resize(x, self.size, method=method, antialias=False), rng)
