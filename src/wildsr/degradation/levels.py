"""The ends of pipelines: back into [0, 1], back to the levels of a file."""

from dataclasses import dataclass

import numpy as np
from torch import Tensor

from wildsr.degradation.operation import Log


@dataclass(frozen=True)
class Clip:
    """Into [0, 1]."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Clip; draws nothing."""
        return x.clamp(0, 1)


@dataclass(frozen=True)
class Round:
    """To the levels of a file, into [0, 1]. Rounded, not cut off, which would darken by half a level."""

    bits: int = 8
    """Of a level."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Round; draws nothing."""
        most = 2**self.bits - 1
        return x.clamp(0, 1).mul(most).round_().div_(most)
