"""From the operations of `wildsr.degradation` to what the samplers ask for."""

import numpy as np
import torch
from numpy.typing import NDArray

from wildsr.data.sampling import Degrade
from wildsr.degradation import Degradation, Log


def array_degrader(degradation: Degradation, *, log: Log | None = None) -> Degrade:
    """Return a degradation as a function of H×W×3 float32 arrays.

    Args:
        degradation: On tensors.
        log: Takes what every call draws.
    """

    @torch.no_grad()
    def degrade(hr: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
        pictures = torch.from_numpy(np.ascontiguousarray(hr.transpose(2, 0, 1)))[None]
        lr: NDArray[np.float32] = degradation(pictures, rng, log)[0].permute(1, 2, 0).contiguous().numpy()
        return lr

    return degrade
