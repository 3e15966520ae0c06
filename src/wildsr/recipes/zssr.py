"""Learn to enlarge one picture from itself: Shocher, Cohen, Irani, “Zero-Shot Super-Resolution” (CVPR 2018).

Details recur at several sizes within a picture. A small network learns to undo the picture's own shrinking, by the
camera's blur where it is known, and is then applied to the picture. Written from the paper; its code was not used.
"""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.optim import Adam

from wildsr.degradation import resize
from wildsr.degradation.shrinking import Shrink
from wildsr.errors import InputError, TrainingError, UsageError
from wildsr.imaging import Picture, Source
from wildsr.imaging.luma import luma
from wildsr.networks.zssr import ZSSRNet
from wildsr.recipes.zssr_result import Learnt, as_tensor, turned

Watch: TypeAlias = Callable[[], None]
"""Called between steps; what it raises ends the learning."""

_RATIO: Final = 1.6
"""Largest step between two sizes of the gradual mode."""
_SIDE_BETWEEN: Final = 256
"""LR pixels of the part that is enlarged on the way, in the gradual mode."""
_CLEAN: Final = 2 / 255
"""Noise up to which a picture is taken for clean: back-projection sharpens it, and above it only the noise."""
_LOOK_EVERY: Final = 50
_LEAST_SECONDS: Final = 5.0
FEW_STEPS: Final = 50
"""Below so many nothing worth waiting for is learnt."""


@dataclass(frozen=True, kw_only=True, eq=False)
class ZssrConfig:
    """How a picture is learnt from."""

    scale: int = 4
    """SR pixels per LR pixel along a side, 2 to 8."""

    kernel: NDArray[np.floating] | None = None
    """n×n blur of the camera in SR pixels, centred at n//2 + (scale−1)/2, sums to 1; None: bicubic shrinking."""

    gradual: bool = False
    """Enlarge in steps and learn from what lies between, too: slower, sometimes better."""

    steps: int = 300
    """Steps of learning, at each of the sizes."""

    time_budget: float = 0.0
    """Seconds that learning may take (0: no limit). Results then depend on the machine's speed."""

    patch: int = 64
    """Side of the parts that are learnt from, at most."""

    learning_rate: float = 1e-3
    """Of the first step; it falls to a hundredth by half a cosine, or with `plateaus` as the paper says."""

    plateaus: bool = False
    """Divide the learning rate by ten where the error no longer falls, and stop at 9e-6 (the paper's rule)."""

    noise: float | None = None
    """Noise added to what the network sees, in units of the range; None: the picture's own, where it has some."""

    back_projections: int | None = None
    """Corrections after which the result, shrunk, is the picture; None: 2, of noisy pictures none."""

    seed: int = 0
    """Of everything random."""

    depth: int = 8
    """Convolutions."""

    channels: int = 32
    """Their width."""

    start: Literal["paper", "kaiming"] = "kaiming"
    """How the weights begin; see `ZSSRNet`."""

    def __post_init__(self) -> None:
        if not 2 <= self.scale <= 8:
            raise UsageError(f"ZSSR enlarges by a whole number from 2 to 8, not by {self.scale}")
        if self.steps < 1:
            raise UsageError(f"ZSSR can't learn in {self.steps} steps")
        if self.time_budget and not _LEAST_SECONDS <= self.time_budget < math.inf:
            raise UsageError(
                f"{self.time_budget:g} seconds are not enough to learn a picture; at least {_LEAST_SECONDS:g} are",
                hint="60 s and more make a difference",
            )


PRESETS: Final[dict[str, ZssrConfig]] = {
    "cpu": ZssrConfig(),
    "paper": ZssrConfig(steps=3000, patch=128, plateaus=True, channels=64, start="paper"),
}
"""What two CPU cores do in a minute, and the paper's numbers."""


def learn(source: Source, config: ZssrConfig, *, watch: Watch | None = None) -> Learnt:
    """Learn a picture.

    Args:
        source: The picture.
        config: How.
        watch: Called between steps.

    Raises:
        InputError: The picture is too small for the scale or the kernel.
        TrainingError: The weights ran away.
    """
    shrink = Shrink(ratio=float(config.scale), scale=config.scale, kernel=config.kernel)
    least = max(8 * config.scale, shrink.reach * 2 + 1)
    if min(source.height, source.width) < least:
        with_kernel = (
            "" if config.kernel is None else f" with a kernel that reaches over {2 * shrink.reach + 1} pixels"
        )
        raise InputError(
            f"{source.width}×{source.height} pixels are too few to learn to enlarge ×{config.scale} from{with_kernel}; "
            f"{least} along the shorter side are needed",
            hint="use a trained model (-m) for small pictures",
        )
    noise = noise_of(source) if config.noise is None else config.noise
    noise = noise if noise > _CLEAN or config.noise is not None else 0.0
    corrections = config.back_projections
    if corrections is None:
        corrections = 0 if noise > _CLEAN else 2
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        network = ZSSRNet(
            depth=config.depth, channels=config.channels, scale=config.scale, start=config.start
        )
    course = _Course(network, config, noise, watch)
    pictures = [source]
    ratios = _ratios(config.scale) if config.gradual else [float(config.scale)]
    for number, ratio in enumerate(ratios):
        course.run(pictures, shrink.at(ratio), share=(number + 1) / len(ratios))
        if number + 1 < len(ratios):
            between = Learnt(network=network, shrink=shrink, back_projections=corrections)
            pictures.append(_enlarged_part(source, between, ratio))
    return Learnt(
        network=network.eval(),
        shrink=shrink,
        back_projections=corrections,
        losses=tuple(course.losses),
    )


class _Course:
    """Steps of learning: what is drawn, how weights move, when it ends."""

    def __init__(self, network: ZSSRNet, config: ZssrConfig, noise: float, watch: Watch | None) -> None:
        self._network, self._config, self._noise, self._watch = network, config, noise, watch
        self._rng = np.random.default_rng(config.seed)
        self._start = time.perf_counter()
        self.losses: list[float] = []

    def run(self, pictures: Sequence[Source], shrink: Shrink, *, share: float) -> None:
        """Learn to undo a shrinking; `share` is the part of the time budget that is over afterwards."""
        config, budget = self._config, self._config.time_budget * share
        optimiser = Adam(self._network.parameters(), lr=config.learning_rate, fused=True)
        errors: list[float] = []
        changed = 0
        for step in range(config.steps):
            done = step / config.steps
            if budget:
                done = max(done, min(1.0, (time.perf_counter() - self._start) / budget))
                if done >= 1 and step:
                    return
            if not config.plateaus:
                rate = config.learning_rate * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * done)))
                optimiser.param_groups[0]["lr"] = rate
            father, son = self._pair(pictures, shrink)
            self._network.train()
            edge = min(shrink.reach, father.shape[2] // 6, father.shape[3] // 6)
            difference = (self._network.restore(son) - father).abs()
            loss = difference[..., edge : father.shape[2] - edge, edge : father.shape[3] - edge].mean()
            optimiser.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            optimiser.step()
            self.losses.append(float(loss.detach()))
            if not math.isfinite(self.losses[-1]):
                raise TrainingError(
                    f"learning ran away after {len(self.losses)} steps", hint="try a trained model (-m)"
                )
            if self._watch is not None:
                self._watch()
            if config.plateaus and step % _LOOK_EVERY == 0:
                errors.append(self._error(pictures[0], shrink))
            if config.plateaus and step % 60 == 0 and step - changed >= 256 and levelled(errors[-5:]):
                optimiser.param_groups[0]["lr"] /= 10
                changed = step
                if optimiser.param_groups[0]["lr"] < 9e-6:
                    return

    def _pair(self, pictures: Sequence[Source], shrink: Shrink) -> tuple[Tensor, Tensor]:
        """Return a part of a picture, and the same shrunk and enlarged again."""
        father = self._father(pictures, shrink)
        turns, flipped = shrink.symmetries[int(self._rng.integers(len(shrink.symmetries)))]
        father = turned(father, turns, flipped=flipped)
        son = shrink(father)
        if self._noise:
            noise = self._rng.normal(0, self._noise, son.shape).astype(np.float32)
            son = (son + torch.from_numpy(noise)).clamp(0, 1)
        size = (father.shape[2], father.shape[3])
        return father, resize(son, size, method="bicubic", scale=shrink.ratio)

    def _father(self, pictures: Sequence[Source], shrink: Shrink) -> Tensor:
        """Cut a part; without a kernel half of them are shrunk a little first, each axis by its own factor."""
        source = pictures[int(self._rng.integers(len(pictures)))]
        factors = [1.0, 1.0]
        if shrink.kernel is None and self._rng.random() < 0.5:
            factor = self._rng.uniform(0.5, 1)
            factors = [float(np.clip(factor * (1 + self._rng.normal(0, 0.125)), 0.5, 1)) for _ in range(2)]
        multiple = shrink.scale if shrink.is_whole else 1
        sides, spans = [], []
        for length, factor in zip((source.height, source.width), factors, strict=True):
            side = max(min(self._config.patch, int(length * factor)) // multiple, 1) * multiple
            sides.append(side)
            spans.append(min(length, math.ceil(side / factor)))
        y, x = (
            int(self._rng.integers(length - span + 1))
            for length, span in zip((source.height, source.width), spans, strict=True)
        )
        part = as_tensor(source.rgb(y, y + spans[0], x, x + spans[1]))
        return part if spans == sides else resize(part, (sides[0], sides[1]), method="bicubic").clamp(0, 1)

    @torch.no_grad()
    def _error(self, source: Source, shrink: Shrink) -> float:
        """Return how far the picture's middle, shrunk, is from itself when enlarged again."""
        part = _middle(source, _SIDE_BETWEEN)
        seen = resize(shrink(part), (part.shape[2], part.shape[3]), method="bicubic", scale=shrink.ratio)
        return float((self._network.restore(seen) - part).square().mean())


def levelled(errors: Sequence[float]) -> bool:
    """Whether a line through the last errors falls less than its own uncertainty (1.5 × −slope < its deviation)."""
    if len(errors) < 3:
        return False
    x = np.arange(len(errors), dtype=np.float64) * _LOOK_EVERY
    y = np.asarray(errors, dtype=np.float64)
    centred = x - x.mean()
    slope = float(centred @ y / (centred @ centred))
    rest = y - y.mean() - slope * centred
    deviation = math.sqrt(float(rest @ rest) / (len(errors) - 2) / float(centred @ centred))
    return -1.5 * slope < deviation


def noise_of(source: Source) -> float:
    """Estimate a picture's noise, in units of its range: the quietest quarter of its luma's finest differences.

    Immerkær's filter (1996) is blind to edges and slopes; a quarter of the blocks has neither texture nor clipping.
    """
    y = luma(np.moveaxis(as_tensor(source.rgb(0, source.height, 0, source.width)).numpy()[0], 0, -1))
    fine = (
        4 * y[1:-1, 1:-1]
        - 2 * (y[:-2, 1:-1] + y[2:, 1:-1] + y[1:-1, :-2] + y[1:-1, 2:])
        + (y[:-2, :-2] + y[:-2, 2:] + y[2:, :-2] + y[2:, 2:])
    )
    side = 16
    rows, columns = fine.shape[0] // side, fine.shape[1] // side
    if min(rows, columns) < 1:
        return 0.0
    blocks = fine[: rows * side, : columns * side].reshape(rows, side, columns, side)
    deviations = np.sqrt(np.square(blocks).mean(axis=(1, 3))) / 6
    return float(np.quantile(deviations, 0.25))


def _ratios(scale: int) -> list[float]:
    """Sizes of the gradual mode, the last one the scale itself."""
    count = math.ceil(math.log(scale) / math.log(_RATIO))
    return [*(scale ** ((number + 1) / count) for number in range(count - 1)), float(scale)]


def _middle(source: Source, side: int) -> Tensor:
    height, width = min(source.height, side), min(source.width, side)
    y, x = (source.height - height) // 2, (source.width - width) // 2
    return as_tensor(source.rgb(y, y + height, x, x + width))


def _enlarged_part(source: Source, learnt: Learnt, ratio: float) -> Source:
    """Enlarge the picture's middle by what is learnt so far."""
    made = learnt.enlarge(_middle(source, _SIDE_BETWEEN), ratio)[0].permute(1, 2, 0).contiguous().numpy()
    return Source.from_picture(Picture(rgb=made))
