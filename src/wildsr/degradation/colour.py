"""Blur of colour alone, which demosaicing, noise reduction and JPEG's subsampling leave beside that of the lens."""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from torch import Tensor

from wildsr.degradation.blur import correlate
from wildsr.degradation.operation import Log, note
from wildsr.degradation.samplers import Range
from wildsr.imaging.luma import BT601

_REACH: Final = 3
"""Standard deviations after which the Gaussian ends."""


def reach(sigma: float) -> int:
    """Return how many pixels to each side a blur of σ looks at."""
    return max(math.ceil(_REACH * sigma), 1)


@dataclass(frozen=True, kw_only=True)
class ColourBlur:
    """x_Y + (x − x_Y) ⊛ G_σ: the luma x_Y (BT.601) stays, what the three channels differ from it by is blurred."""

    sigma: Range
    """σ, standard deviation of the Gaussian in pixels of the picture it is given."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Blur the colour of all pictures alike."""
        sigma = rng.uniform(*self.sigma)
        note(log, "colour blur", {"sigma": sigma})
        red, green, blue = BT601
        luma = red * x[:, :1] + green * x[:, 1:2] + blue * x[:, 2:]
        far = reach(sigma)
        line = np.exp(-0.5 * (np.arange(-far, far + 1) / max(sigma, 1e-3)) ** 2)
        kernel = np.outer(line, line)
        return luma + correlate(x - luma, kernel / kernel.sum())
