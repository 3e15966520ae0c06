"""The network of a run: one model, or two that are fused, compiled once and shared by all threads."""

import math
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Protocol, TypeAlias

import numpy as np

from wildsr.engine.backends import Backend, Execution, open_backend, resolve
from wildsr.engine.compose import EnsembleBackend, FusedBackend
from wildsr.engine.guards import GuardedBackend
from wildsr.engine.settings import Settings
from wildsr.imaging import Source
from wildsr.imaging.luma import luma
from wildsr.models import FusionRule, Model, ModelSpec

Working: TypeAlias = Callable[[], None]

_LUMA_SAMPLES = 4_000_000


class Compiled:
    """A model compiled as asked; its fp32 form is compiled when a tile first needs it."""

    def __init__(self, model: Model, execution: Execution) -> None:
        self.model = model
        self.backend = open_backend(model, execution)
        self._execution = execution
        self._fp32: Backend | None = None
        self._opening = threading.Lock()

    def fp32(self) -> Backend:
        """Return the model in fp32."""
        with self._opening:
            if self._fp32 is None:
                self._fp32 = open_backend(self.model, replace(self._execution, precision="fp32"))
            return self._fp32


@dataclass(frozen=True, kw_only=True)
class Chosen:
    """What super-resolves the tiles of one picture."""

    backend: Backend
    """Tile in, tile out: the model or models with all that is wrapped around them."""

    fused: bool
    """Whether the luminance rule chose both models."""

    guards: tuple[GuardedBackend, ...]
    """The checks within, which know what they had to redo."""

    notes: tuple[str, ...] = ()
    """What a user should know of the choice, in sentences."""

    @property
    def redone(self) -> tuple[str, ...]:
        """What was wrong with each tile that was redone in fp32."""
        return tuple(reason for guard in self.guards for reason in guard.redone)


class PictureNetwork(Protocol):
    """What super-resolves pictures: a compiled model, or a method that makes a network for each picture."""

    @property
    def spec(self) -> ModelSpec:
        """What tiles must respect."""
        ...

    @property
    def execution(self) -> Execution:
        """What really runs it."""
        ...

    @property
    def widest(self) -> Backend:
        """What takes the most memory and time of all that may run on a tile, unchecked."""
        ...

    @property
    def threads(self) -> int:
        """CPU threads it uses."""
        ...

    def choose(self, source: Source, working: Working | None = None) -> Chosen:
        """Return what super-resolves the tiles of a picture.

        Args:
            source: The picture.
            working: Called now and then where choosing takes long; what it raises ends the choosing.
        """
        ...


class Network:
    """Compiles what the settings ask for.

    Args:
        main: The model; y_R of a fusion.
        second: y_S of a fusion.
        rule: When and how the two are fused.
        settings: Self-ensemble.
        execution: What runs it.

    Raises:
        BackendError: If a model can't be compiled.
        UsageError: If the two have different scales.
    """

    def __init__(
        self,
        main: Model,
        second: Model | None,
        rule: FusionRule,
        settings: Settings,
        execution: Execution,
    ) -> None:
        self._settings, self._rule = settings, rule
        self.execution = execution
        self._models = [Compiled(one, execution) for one in (main, second) if one is not None]
        self.spec = needs(main.spec, second.spec if second is not None else None)
        """What tiles must respect: of two models the stricter in each point."""
        self.widest = self._composed([one.backend for one in self._models])
        """All that may run on a tile, unchecked."""
        self.threads = self.widest.threads

    def choose(self, source: Source, working: Working | None = None) -> Chosen:
        """Decide by the luminance rule, once per picture on its LR pixels, which models super-resolve it."""
        fused = len(self._models) > 1 and self._rule.applies(median_luma(source))
        guards = [
            GuardedBackend(one.backend, one.fp32) for one in (self._models if fused else self._models[:1])
        ]
        return Chosen(backend=self._composed(guards), fused=fused, guards=tuple(guards))

    def _composed(self, backends: Sequence[Backend]) -> Backend:
        main, *second = [EnsembleBackend(one) if self._settings.ensemble else one for one in backends]
        return FusedBackend(main, second[0], self._rule) if second else main


def open_network(main: Model, second: Model | None, rule: FusionRule, settings: Settings) -> Network:
    """Compile what the settings ask for, on what they leave to this machine."""
    execution = resolve(
        settings.backend,
        device=settings.device,
        precision=settings.precision,
        threads=settings.threads,
        models=[one for one in (main, second) if one is not None],
    )
    return Network(main, second, rule, settings, execution)


def needs(spec: ModelSpec, other: ModelSpec | None) -> ModelSpec:
    """What tiles must respect: of two fused models the stricter in each point."""
    if other is None:
        return spec
    order = ("exact", "approximate", "whole")
    return replace(
        spec,
        halo=max(spec.halo, other.halo),
        halo_exact=max(spec.halo_exact, other.halo_exact),
        multiple=math.lcm(spec.multiple, other.multiple),
        tiling=max(spec.tiling, other.tiling, key=order.index),
    )


def median_luma(source: Source) -> float:
    """Median full-range BT.601 luma of a picture, on 0–255."""
    step = max(1, math.isqrt(source.height * source.width // _LUMA_SAMPLES))
    samples = source.samples[::step, ::step].astype(np.float32)
    colour = samples[..., 0] if source.gray else luma(samples[..., :3])
    return float(np.median(colour)) * 255 / source.top
