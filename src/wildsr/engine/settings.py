"""What a user can choose about super-resolving, checked once."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, get_args

from wildsr.engine.backends import BACKENDS, DEVICES, PRECISIONS, PrecisionChoice
from wildsr.errors import UsageError
from wildsr.models import FusionRule
from wildsr.models.two_ends import check_sharpness

TilingChoice: TypeAlias = Literal["fast", "exact"]
TILINGS: Final[tuple[TilingChoice, ...]] = get_args(TilingChoice)
MAX_THREADS: Final = 1024
_MAX_FACTOR = 64.0
_MIN_FACTOR = 1 / 1024


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How pictures are super-resolved; everything that changes the pixels is here."""

    precision: PrecisionChoice = "auto"
    """auto takes bf16 where the CPU has it and fp32 elsewhere; int8 where the model was quantised (wildsr models
    quantise) and agrees well enough."""

    tile: int = 0
    """Side of a tile in LR pixels; 0 lets wildsr choose: as large as the memory allows, until their
    overlap costs next to nothing."""

    tiling: TilingChoice = "fast"
    """fast overlaps tiles so that 99.9 % of pixels are within 1/255 of the untiled result; exact, all of them."""

    strength: float = 1.0
    """0 gives plain bicubic enlargement, 1 the network's result, values between blend the two."""

    sharpness: float | None = None
    """For a model with two ends, from 0 (faithful) to 1 (crisp): their weights are blended; None takes the model's
    own, 0.5."""

    ensemble: bool = False
    """Average over eight flips and turns: eight times the work; smooths GAN texture."""

    color_fix: bool | None = None
    """Draw the result back to the photo's colours: GAN models drift. Halves the drift, keeps sharpness; brings some
    colour noise back. By default: unless the model keeps colours by itself, as wild-compact does."""

    fusion: FusionRule | None = None
    """How two models are fused where a second one is given; None takes a fused model's own rule, or α = β = ½ below a
    median luma of 60."""

    backend: str = "auto"
    """What runs the network; auto takes what `wildsr bench --tune` found, or else OpenVINO on the CPU and on Intel's
    devices, ONNX Runtime on others."""

    device: str = "cpu"
    """Where it runs. gpu and npu are OpenVINO's for Intel's (untested); cuda, directml and coreml need ONNX Runtime."""

    threads: int | None = None
    """CPU threads; None uses all cores."""

    max_memory: float | None = None
    """GB the whole program may take; None takes 2.7 GB, or 60 % of what is free where that is less."""

    def __post_init__(self) -> None:
        _check_word("precision", self.precision, PRECISIONS)
        _check_word("tiling", self.tiling, TILINGS)
        _check_word("backend", self.backend, BACKENDS)
        _check_word("device", self.device, DEVICES)
        if not 0 <= self.strength <= 1:
            raise UsageError(f"strength is {self.strength}; it must be from 0 (bicubic) to 1 (network)")
        if self.sharpness is not None:
            check_sharpness(self.sharpness)
        if self.tile < 0:
            raise UsageError(f"tile is {self.tile}; it must be 0 (automatic) or a number of LR pixels")
        if self.threads is not None and not 1 <= self.threads <= MAX_THREADS:
            raise UsageError(f"threads is {self.threads}; it must be from 1 to {MAX_THREADS}")
        if self.max_memory is not None and not 0.5 <= self.max_memory < math.inf:
            raise UsageError(f"max-memory is {self.max_memory} GB; it must be at least 0.5 GB")


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a result should be; at most one of `scale` and `width`."""

    scale: float | None = None
    """Enlargement of each side; None takes the model's own."""

    width: int | None = None
    """Width of the result in pixels; the height follows."""

    max_side: int | None = None
    """The longer side of the result is at most this many pixels."""

    def __post_init__(self) -> None:
        if self.scale is not None and self.width is not None:
            raise UsageError("scale and width were both given", hint="choose one of --scale and --width")
        if self.scale is not None and not _MIN_FACTOR <= self.scale <= _MAX_FACTOR:
            raise UsageError(f"scale is {self.scale}; it must be from 1/1024 to at most {_MAX_FACTOR:.0f}")
        if self.width is not None and self.width < 1:
            raise UsageError(f"width is {self.width}; it must be at least 1 pixel")
        if self.max_side is not None and self.max_side < 1:
            raise UsageError(f"max-side is {self.max_side}; it must be at least 1 pixel")

    def of(self, height: int, width: int, *, model_scale: int) -> tuple[int, int]:
        """Rows and columns of the result for a picture of `height` × `width` pixels.

        Raises:
            UsageError: If the result would be more than 64 times larger.
        """
        factor = self.scale if self.scale is not None else float(model_scale)
        if self.width is not None:
            factor = self.width / width
        if self.max_side is not None:
            factor = min(factor, self.max_side / max(height, width))
        if factor > _MAX_FACTOR:
            raise UsageError(
                f"{width} → {round(factor * width)} pixels is {factor:.0f} times larger; "
                f"at most {_MAX_FACTOR:.0f} is allowed"
            )
        out_width = self.width if self.width is not None and self.max_side is None else round(factor * width)
        return max(1, round(factor * height)), max(1, out_width)


def _check_word(name: str, word: str, allowed: Sequence[str]) -> None:
    if word not in allowed:
        raise UsageError(f"{name} is {word!r}; it must be {', '.join(allowed[:-1])} or {allowed[-1]}")
