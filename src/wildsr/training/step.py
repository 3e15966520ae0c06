"""One step of a training, as a recipe sees it: a batch, and the way to move weights that rejects bad losses."""

from collections.abc import Mapping

import torch
from torch import Tensor

from wildsr.data import Pair
from wildsr.training.health import UnhealthyError, diagnose, gradient_norm
from wildsr.training.session import Session
from wildsr.training.state import State
from wildsr.training.trainable import Trainable


class Step:
    """A batch and its number; made by `steps`.

    A loss or a gradient that is not finite, or a loss that exploded, rejects the step: no weight is moved by it any
    more, further calls of `minimise` do nothing, and the loop goes back to the last good state before the next batch.
    """

    def __init__(self, session: Session, state: State, batch: Pair) -> None:
        self.lr: Tensor = batch.lr
        """N×3×h×w in [0, 1]."""
        self.hr: Tensor = batch.hr
        """N×3×sh×sw in [0, 1]."""
        self.number: int = state.step
        """Steps done before this one."""
        self.losses: dict[str, float] = {}
        """Every term so far, for the curves."""
        self.rejected: str | None = None
        """Why this step must not count, with where the bad value was found; None while all is well."""
        self._session, self._state, self._batch = session, state, batch

    def minimise(self, trained: Trainable, terms: Mapping[str, Tensor]) -> None:
        """Move one network's weights against the gradient of the sum of the terms.

        Gradients are clipped as the network's settings say. Before a weight is moved, gradients and terms (their
        means over all processes) are judged.

        Args:
            trained: The network to move.
            terms: Name in the curves → weighted scalar.
        """
        if self.rejected is not None:
            return
        trained.optimiser.zero_grad(set_to_none=True)
        for name, term in terms.items():
            self.losses[name] = float(term.detach())
        self._session.fabric.backward(torch.stack([term.float() for term in terms.values()]).sum())
        try:
            gradient_norm(trained.network, trained.settings.clip)
            means = self._session.mean({name: self.losses[name] for name in terms})
            self.losses.update(means)
            self._state.health.check(means, self._session.settings.explosion)
        except UnhealthyError as problem:
            self._reject(problem)
            return
        trained.optimiser.step()

    def note(self, name: str, value: float) -> None:
        """Put a number into the curves that is not minimised."""
        self.losses[name] = value

    def random(self) -> torch.Generator:
        """Randomness that depends on the run's seed, this step and the process alone: a resumed run draws the same."""
        seed = hash((self._session.settings.seed, self.number, self._session.fabric.global_rank))
        return torch.Generator().manual_seed(seed & (2**63 - 1))

    def _reject(self, problem: UnhealthyError) -> None:
        exploded = "exploded" in str(problem)
        found = "" if exploded else diagnose(self._batch, self._state.networks, self.losses)
        self.rejected = f"{problem}; first found: {found}" if found else str(problem)
