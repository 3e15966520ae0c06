"""What runs a network on one tile, and the way to describe it."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from wildsr.imaging import FloatArray
from wildsr.models import Model

Precision: TypeAlias = Literal["fp32", "bf16", "int8"]
PrecisionChoice: TypeAlias = Literal["auto", "fp32", "bf16", "int8"]


class Backend(Protocol):
    """Tile in, tile out; safe to call from several threads at once."""

    @property
    def scale(self) -> int:
        """SR pixels per LR pixel."""
        ...

    @property
    def precision(self) -> Precision:
        """Precision the network really runs in."""
        ...

    @property
    def bytes_per_pixel(self) -> int:
        """Memory a tile takes while it runs, in bytes per LR pixel."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads it uses."""
        ...

    def run(self, tile: FloatArray) -> FloatArray:
        """Super-resolve a tile: 1×3×h×w in [0, 1] → 1×3×(scale·h)×(scale·w), not clipped.

        Raises:
            OutOfMemoryError: If the tile doesn't fit.
            ForkError: In a child forked after the backend was made.
            BackendError: If inference fails.
        """
        ...


@dataclass(frozen=True, kw_only=True)
class Execution:
    """What runs a network: decided once from what was asked, and what every account reports."""

    backend: str
    """Name of the runtime."""

    device: str
    """Where it runs."""

    precision: Precision
    """Precision it runs in."""

    threads: int | None = None
    """CPU threads asked for; None leaves the choice to the runtime (all cores)."""

    note: str | None = None
    """What differs from what was asked, in a sentence for the user."""


@dataclass(frozen=True, kw_only=True)
class Runtime:
    """A library that runs networks."""

    name: str
    """What `--backend` calls it."""

    devices: tuple[str, ...]
    """Where it can run."""

    precisions: Callable[[], tuple[Precision, ...]]
    """Precisions this machine is fast in, the best first; fp32 always among them."""

    quantises: bool = False
    """Whether it runs the int8 forms that `wildsr models quantise` makes."""

    open: Callable[[Model, Execution], Backend]
    """Compiles a model."""
