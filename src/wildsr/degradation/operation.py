"""What an operation is, and how operations are put together; all plain values.

Decisions (which kernel, how strong, which quality) are drawn once a call; noise is drawn for every picture of a batch.
All draws are made by a numpy Generator on the CPU, so that they are the same on any device.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import numpy as np
from torch import Tensor

from wildsr.errors import UsageError

Fact: TypeAlias = "str | int | float | bool | list[Fact] | dict[str, Fact] | None"
Log: TypeAlias = list[dict[str, Fact]]
"""What was drawn, one entry an operation, ready for JSON."""


class Degradation(Protocol):
    """Anything that damages pictures."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Return N×3×H×W float32 pictures in [0, 1], damaged; the same for the same generator state.

        Values may leave [0, 1] between operations; `Clip` and `Round` end a pipeline.

        Args:
            x: N×3×H×W float32 in [0, 1], on any device.
            rng: Where every draw comes from.
            log: Takes an entry on what was drawn.
        """
        ...


@dataclass(frozen=True)
class Pipeline:
    """Operations one after another."""

    operations: tuple[Degradation, ...]
    """In order."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Do all of them."""
        for operation in self.operations:
            x = operation(x, rng, log)
        return x


@dataclass(frozen=True)
class Chance:
    """An operation that happens sometimes."""

    operation: Degradation
    """What may happen."""

    probability: float
    """How often, 0 to 1."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Do it, or not."""
        return self.operation(x, rng, log) if rng.random() < self.probability else x


@dataclass(frozen=True)
class OneOf:
    """One of several operations."""

    operations: tuple[Degradation, ...]
    """What may happen."""

    weights: tuple[float, ...] = ()
    """How often each, in any unit; equally often when not given."""

    def __call__(self, x: Tensor, rng: np.random.Generator, log: Log | None = None) -> Tensor:
        """Do one of them."""
        return self.operations[pick(rng, len(self.operations), self.weights)](x, rng, log)


def pick(rng: np.random.Generator, count: int, weights: Sequence[float] = ()) -> int:
    """Draw a number below `count`, by weights where there are any."""
    if not weights:
        return int(rng.integers(count))
    if len(weights) != count or min(weights) < 0 or sum(weights) <= 0:
        raise UsageError(f"{len(weights)} weights {tuple(weights)} don't fit {count} choices")
    shares = np.cumsum(weights) / np.sum(weights)
    return min(int(np.searchsorted(shares, rng.random(), side="right")), count - 1)


def note(log: Log | None, operation: str, facts: dict[str, Fact]) -> None:
    """Write down what an operation drew, if somebody keeps a log."""
    if log is not None:
        log.append({"operation": operation, **facts})
