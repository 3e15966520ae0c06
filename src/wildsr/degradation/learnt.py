"""A degradation that a network has learnt (DSGAN, Fritsche et al. 2019)."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from wildsr.degradation.operation import Log, note


@dataclass(frozen=True, eq=False)
class Learnt:
    """A network makes small, clean pictures look like those of its source; it draws nothing."""

    network: nn.Module
    """N×3×h×w in [0, 1] → the same size; in evaluation mode."""

    @torch.no_grad()
    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Degrade all pictures."""
        note(log, "learnt", {"network": type(self.network).__name__})
        result: Tensor = self.network(x.clamp(0, 1))
        return result
