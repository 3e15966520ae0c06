"""Downscaling and resizing by the same weights that the rest of wildsr resizes with."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, TypeAlias, get_args

import numpy as np
import torch
from torch import Tensor

from wildsr.degradation.operation import Log, note, pick
from wildsr.errors import UsageError
from wildsr.imaging.resize import Weights, weights

Method: TypeAlias = Literal["nearest", "bilinear", "bicubic", "lanczos", "area"]


@dataclass(frozen=True, kw_only=True)
class Downscale:
    """Resize by 1/scale with a method drawn from several."""

    scale: int = 4
    """HR pixels per LR pixel along one side; what doesn't fill a pixel at the right and bottom is left out."""

    methods: tuple[Method, ...] = ("bicubic",)
    """One is drawn with equal chance."""

    antialias: bool = True
    """Stretch the kernel by the scale, as MATLAB and Pillow do; `nearest` and `area` don't depend on it."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Downscale all pictures by one method."""
        method = self.methods[pick(rng, len(self.methods))]
        note(log, "downscale", {"method": method, "scale": self.scale, "antialias": self.antialias})
        size = (x.shape[2] // self.scale, x.shape[3] // self.scale)
        return resize(x, size, method=method, antialias=self.antialias, scale=1 / self.scale)


def resize(
    x: Tensor, size: tuple[int, int], *, method: Method, antialias: bool = True, scale: float | None = None
) -> Tensor:
    """Return pictures resized, pixel centres aligned, the border mirrored; they may over- and undershoot.

    Args:
        x: N×C×H×W.
        size: (height, width) of the result.
        method: `area` is the mean over the area of a result's pixel, `lanczos` has three lobes.
        antialias: Stretch the kernel when shrinking.
        scale: Result pixels per pixel, where it is not the quotient of the sizes.
    """
    if min(*size, *x.shape[2:]) < 1:
        raise UsageError(f"can't resize {x.shape[3]}×{x.shape[2]} pixels to {size[1]}×{size[0]}")
    for axis, length in ((2, size[0]), (3, size[1])):
        if scale is None and length == x.shape[axis]:
            continue
        indices, values = _taps(x.shape[axis], length, method, antialias, scale)
        shape = [1, 1, 1, 1]
        shape[axis] = length
        total: Tensor | None = None
        for index, value in zip(indices.to(x.device), values.to(x), strict=True):
            term = x.index_select(axis, index) * value.view(shape)
            total = term if total is None else total.add_(term)
        assert total is not None  # weights sum to 1, so there is a tap
        x = total
    return x


@lru_cache(maxsize=256)
def _taps(
    n_in: int, n_out: int, method: Method, antialias: bool, scale: float | None
) -> tuple[Tensor, Tensor]:
    """Taps × n_out indices and weights of one axis."""
    if method == "area":
        weight = area_weights(n_in, n_out, scale)
    elif method in get_args(Method):
        known: Literal["nearest", "bilinear", "bicubic", "lanczos3"]
        known = "lanczos3" if method == "lanczos" else method
        weight = weights(n_in, n_out, method=known, antialias=antialias, scale=scale)
    else:
        raise UsageError(f"unknown method {method!r}; one of {', '.join(get_args(Method))}")
    values = weight.values.T.astype(np.float32)
    return torch.from_numpy(weight.indices.T.copy()), torch.from_numpy(values.copy())


def area_weights(n_in: int, n_out: int, scale: float | None = None) -> Weights:
    """Return the weights of means over areas: pixel i of the result covers [i, i + 1)/scale of the axis."""
    step = n_in / n_out if scale is None else 1 / scale
    edges = np.minimum(np.arange(n_out + 1) * step, n_in)
    first = np.floor(edges[:-1] + 1e-9).astype(np.intp)
    taps = int(np.ceil(step - 1e-9)) + 1
    indices = first[:, None] + np.arange(taps)
    overlap = np.minimum(edges[1:, None], indices + 1) - np.maximum(edges[:-1, None], indices)
    values = np.clip(overlap, 0, None)
    values[values < 1e-9] = 0
    values /= values.sum(axis=1, keepdims=True)
    used = np.any(values > 0, axis=0)
    return Weights(indices=np.minimum(indices, n_in - 1)[:, used], values=values[:, used], n_in=n_in)
