"""Settings that every recipe shares. Field docstrings are the help of `wildsr train`."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, TypeAlias

from pydantic import Field

from wildsr.training.choices import DegradationName

_MOST = 10**12
_MOST_THREADS = 1024

Count: TypeAlias = Annotated[int, Field(ge=1, le=_MOST)]
CountOrNone: TypeAlias = Annotated[int, Field(ge=0, le=_MOST)]
Threads: TypeAlias = Annotated[int, Field(ge=0, le=_MOST_THREADS)]
Fraction: TypeAlias = Annotated[float, Field(ge=0, le=1)]
Positive: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]
NotNegative: TypeAlias = Annotated[float, Field(ge=0, allow_inf_nan=False)]
ColourBlur: TypeAlias = Annotated[float, Field(ge=0, le=20)]
Seed: TypeAlias = Annotated[int, Field(ge=0, le=2**62)]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Where pictures come from."""

    hr: Path | None = None
    """Folder of clean, large photos; or a tar file or folder of tar files with pairs (`NAME.hr.png`, `NAME.lr.png`), as
    `wildsr batch degrade` makes them."""

    lr: Path | None = None
    """Folder of their low-resolution partners, same names; without it LR is made from `hr`."""

    profile: Path | None = None
    """Degradation profile of a camera: LR is made on the fly with its kernels and noise."""

    kernel_widths: Annotated[tuple[Positive, ...], Field(min_length=1)] = (1.0,)
    """Widths at which each kernel of the profile is used, in units of its own: (0.8, 1, 1.2) makes a network that bears
    an error of the estimate."""

    sharpened: Fraction = 0.0
    """Share of the LR made by the profile that is sharpened as cameras do, its blur being wider by as much before: a
    camera's own sharpening can't be told from less blur in its photos."""

    colour_blur: tuple[ColourBlur, ColourBlur] = (0.0, 0.0)
    """Least and greatest standard deviation, in LR pixels, of the Gaussian that blurs the colour of the LR made by the
    profile, beside its kernels: cameras blur colour more than brightness."""

    degradation: DegradationName | None = None
    """How LR is made, on the fly but for bicubic; without it by the profile, or else by bicubic downscaling. Also the
    folder of a `frequency` run, which has learnt it."""

    bicubic: Fraction = 0.0
    """Share of the LR that is plain bicubic instead: a network that is to serve clean pictures too."""

    lettering: Fraction = 0.0
    """Share of the crops that letters and lines are drawn on before LR is made of them on the fly: landscapes teach
    nothing about print."""

    validation: Path | None = None
    """Folder of photos to judge the training on; without it some of `hr` are held out."""

    validation_photos: CountOrNone = 12
    """How many photos of `hr` are held out (0: no validation)."""

    validation_side: Count = 320
    """Side in HR pixels of the crop taken from the middle of each of them."""

    patch: Count = 128
    """Side of the training crops in HR pixels."""

    batch: Count = 16
    """Crops a step and process."""

    workers: Annotated[int, Field(ge=1, le=_MOST_THREADS)] = 1
    """Threads that cut crops."""

    cache: Path | None = None
    """Folder of decoded photos; `cache` inside the run's folder when not given."""

    licence: str = ""
    """Licence of the photos, for the card; read from a SOURCES.tsv beside them when there is one."""


@dataclass(frozen=True, kw_only=True)
class OptimiserSettings:
    """How weights are moved."""

    kind: Literal["adam", "sgd"] = "adam"
    """Adam, or stochastic gradient descent with momentum."""

    learning_rate: Positive = 2e-4
    """At its peak."""

    betas: tuple[Fraction, Fraction] = (0.9, 0.99)
    """Adam's decay rates."""

    momentum: Fraction = 0.9
    """Of SGD."""

    weight_decay: NotNegative = 0.0
    """L2 penalty."""

    schedule: Literal["constant", "steps", "cosine"] = "cosine"
    """`steps`: times `decay` at every milestone; `cosine`: half a cosine down to `floor`, `restarts` times over."""

    milestones: tuple[Fraction, ...] = ()
    """Shares of all steps at which `steps` decays (0.5: half way)."""

    decay: Positive = 0.5
    """Factor at each milestone."""

    restarts: Count = 1
    """Cosine cycles."""

    floor: Fraction = 0.0
    """Lowest factor of the cosine."""

    warm_up: CountOrNone = 0
    """Steps over which the learning rate rises to its peak."""

    clip: NotNegative = 0.0
    """Gradients whose norm over all weights is larger are scaled down to this (0: never)."""


@dataclass(frozen=True, kw_only=True)
class RunSettings:
    """How long, on what, and how carefully."""

    steps: Count = 300_000
    """Steps in all; set by itself, it switches off a preset's time budget."""

    time_budget: NotNegative = 0.0
    """Seconds the training may take (0: no budget); fixes the number of steps once, by the speed of the first ones."""

    seed: Seed = 0
    """Of everything random."""

    device: Literal["auto", "cpu", "cuda"] = "auto"
    """Where to train; `auto` takes CUDA when there is a GPU."""

    devices: Annotated[int, Field(ge=1, le=_MOST_THREADS)] = 1
    """Processes (CPU) or GPUs; more than one trains data-parallel. torchrun, where it starts them,
    says it instead."""

    precision: Literal["auto", "fp32", "bf16"] = "auto"
    """`auto`: bf16 mixed precision where the hardware computes it natively, else fp32."""

    threads: Threads = 0
    """CPU threads a process (0: as many as cores); stored, and enforced when resuming."""

    compile: bool = False
    """Compile the networks with torch.compile (needs a C++ compiler)."""

    ema: Fraction = 0.999
    """Decay of the averaged weights that are validated and shipped (0: ship the last weights)."""

    log_every: Count = 50
    """Steps between health lines and points of the curves."""

    validate_every: Count = 500
    """Steps between validations."""

    checkpoint_every: Count = 500
    """Steps between checkpoints, and between the good states that a rollback returns to."""

    keep: Count = 2
    """Checkpoints kept."""

    explosion: Positive = 20.0
    """A loss this many times its running mean counts as exploded, and is rolled back."""

    rollbacks: CountOrNone = 5
    """Rollbacks before the training gives up."""
