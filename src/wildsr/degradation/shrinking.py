"""How a picture becomes a smaller one: by a camera's kernel or bicubic, also by a part of the whole scale."""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from wildsr.degradation.blur import correlate
from wildsr.degradation.kernels import centre_of, centre_of_mass, widened
from wildsr.degradation.resampling import resize
from wildsr.errors import UsageError

_ALL = tuple((turns, flipped) for turns in range(4) for flipped in (False, True))
_SAME = 0.02
"""Share of a kernel's values that may differ for it to be called symmetric."""
_NEGLIGIBLE = 1e-3
"""Of a kernel's largest value: what lies beyond its outermost larger one doesn't count as its reach."""
_BICUBIC_REACH = 2


@dataclass(frozen=True, kw_only=True, eq=False)
class Shrink:
    """x → (x ⊛ k)↓ratio, or bicubic.

    A camera blurs by an amount in pixels of its sensor. So for a part of the scale the kernel is narrower by as much.
    """

    ratio: float
    """By which sides are divided."""

    scale: int
    """That the kernel is for."""

    kernel: NDArray[np.floating] | None = None
    """n×n in pixels of the picture that is `scale` times as large, odd n; None: bicubic."""

    def __post_init__(self) -> None:
        if self.kernel is not None:
            check_kernel(self.kernel, self.scale)

    def __call__(self, x: Tensor) -> Tensor:
        """Shrink N×3×h×w; what doesn't fill a pixel at the right and bottom is left out."""
        size = (max(int(x.shape[2] / self.ratio), 1), max(int(x.shape[3] / self.ratio), 1))
        if self.kernel is None:
            return resize(x, size, method="bicubic", scale=1 / self.ratio)
        if self.is_whole:
            return correlate(x, self.kernel, stride=self.scale)
        return resize(
            correlate(x, self._narrower), size, method="bicubic", antialias=False, scale=1 / self.ratio
        )

    def at(self, ratio: float) -> "Shrink":
        """Return the same camera's shrinking by another ratio."""
        return replace(self, ratio=ratio)

    @property
    def is_whole(self) -> bool:
        """Whether it is the kernel's own scale."""
        return self.ratio == self.scale

    def enlarged(self, height: int, width: int) -> tuple[int, int]:
        """Return the size of the picture that shrinks to this one."""
        return round(height * self.ratio), round(width * self.ratio)

    @property
    def reach(self) -> int:
        """Pixels of the large picture that one of the small one sees beyond its own, to a side."""
        if self.kernel is None:
            return int(np.ceil(_BICUBIC_REACH * self.ratio))
        size = self.kernel.shape[0]
        weights = np.abs(self.kernel)
        seen = np.argwhere(weights > _NEGLIGIBLE * weights.max())
        distance = float(np.abs(seen - centre_of(size, self.scale)).max())
        return int(np.ceil(distance * self.ratio / self.scale))

    @cached_property
    def symmetries(self) -> tuple[tuple[int, bool], ...]:
        """Quarter turns and mirrorings that leave the kernel as it is: (turns, mirrored first)."""
        if self.kernel is None:
            return _ALL
        around = np.pad(self.kernel, ((0, self.scale - 1), (0, self.scale - 1)))  # its centre in the middle
        total = float(np.abs(around).sum())
        return tuple(
            (turns, flipped)
            for turns, flipped in _ALL
            if np.abs(np.rot90(around[:, ::-1] if flipped else around, turns) - around).sum() <= _SAME * total
        )

    @cached_property
    def _narrower(self) -> NDArray[np.float64]:
        assert self.kernel is not None
        return widened(self.kernel, self.ratio / self.scale, scale=self.scale, to_scale=1)


def check_kernel(kernel: NDArray[np.floating], scale: int) -> None:
    """Refuse what can't be a camera's blur at this scale.

    Raises:
        UsageError: Another shape, values that are not finite or don't sum to 1, or a centre off by more than the scale.
    """
    if kernel.ndim != 2 or kernel.shape[0] != kernel.shape[1] or kernel.shape[0] % 2 == 0:
        raise UsageError(f"the kernel's shape is {kernel.shape}; n×n with odd n is expected")
    if not np.isfinite(kernel).all():
        raise UsageError("the kernel has values that are not finite")
    if abs(float(kernel.sum()) - 1) > 1e-2:
        raise UsageError(
            f"the kernel sums to {float(kernel.sum()):.4g}; it must sum to 1", hint="divide it by its sum"
        )
    wanted = centre_of(kernel.shape[0], scale)
    row, column = centre_of_mass(kernel)
    if max(abs(row - wanted), abs(column - wanted)) > scale:
        raise UsageError(
            f"the kernel has its centre at ({row:.2f}, {column:.2f}); for ×{scale} and side {kernel.shape[0]} it is "
            f"({wanted:g}, {wanted:g})",
            hint="shift the kernel, or give the scale it is for (-s)",
        )
