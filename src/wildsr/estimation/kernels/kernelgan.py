"""KernelGAN: learn the filter whose downscaled photo has the photo's own patches.

Bell-Kligler, Shocher and Irani, NeurIPS 2019, and the objective of RealSR (Ji et al., CVPR Workshops 2020, equation 4),
written from the published facts, with two faults of the published code left out: the noise for the discriminator is
added to a copy of the crop (there it piled up in the photo), and the bicubic reference keeps the channels apart.

What is different here, and why:

- The generator is one 13×13 filter (`generator`), so that is what is applied.
- The discriminator's step and the generator's see the same downscaled crop and the same weights, and their
  adversarial losses differ by a factor of −2: one pass forward and one back serve both. Nothing changes but the time.
- A `reference` kernel replaces bicubic as the place to start from, and holds the filter with a spring whose strength
  says how sure the reference is. Sparsity is left out then: it breaks smooth kernels into spikes.
- It stops once the filter has settled.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from wildsr.estimation.kernels.crops import crop_corners, halved_then_doubled
from wildsr.estimation.kernels.discriminator import PatchDiscriminator
from wildsr.estimation.kernels.generator import SUPPORT, LinearGenerator, downscaled
from wildsr.estimation.kernels.spectrum import Doubles, luma
from wildsr.imaging import FloatArray

CROP: Final = 64
SMALL_CROP: Final = 26
BICUBIC_HALF: Final = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
_NOISE: Final = 1 / 255
_CENTRE: Final = SUPPORT // 2 + 0.5
_LEARNING_RATE: Final = 2e-4
_DECAY_EVERY, _DECAY = 750, 0.1
_START_STEPS: Final = 300
_LOOK_EVERY: Final = 100

Objective = Literal["kernelgan", "realsr"]


@dataclass(frozen=True, kw_only=True)
class GanSettings:
    """How the kernel is learned."""

    objective: Objective = "kernelgan"
    """`realsr` keeps the low frequencies by comparing the downscaled photo with the reference's all the way."""

    iterations: int = 3000
    """Most steps that are taken."""

    spring: float = 1.0
    """Weight of the relative squared distance from the reference; 0 lets go of it."""

    settled: float = 0.01
    """Stop when 100 steps change the averaged filter by less than this part of itself; 0 never stops early."""

    layer_by_layer: bool = False
    """Run the cascade and both steps one after another as published (the slow way, for comparison)."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GanResult:
    """What was learned."""

    kernel: Doubles
    """The 13×13 filter in correlation orientation, averaged over the last steps; may be slightly negative."""

    iterations: int
    """Steps that were taken."""


def learn_filter(
    rgb: FloatArray, *, settings: GanSettings, seed: int, reference: Doubles | None = None
) -> GanResult:
    """Learn the ×2 cross-scale filter of a photo.

    Args:
        rgb: H×W×3 in [0, 1], both sides at least 64.
        settings: How.
        seed: Of the weights, the crops and the noise.
        reference: 13×13 kernel to start from, summing to 1. None starts from bicubic and follows the published
            schedule: bicubic fades, then the centre and sparsity terms set in.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are so small that more threads only wait for each other
    try:
        return _Game(rgb, settings, seed, reference).play()
    finally:
        torch.set_num_threads(threads)


class _Game:
    """The two players and what they draw from."""

    def __init__(self, rgb: FloatArray, settings: GanSettings, seed: int, reference: Doubles | None) -> None:
        self._settings = settings
        self._rng = torch.Generator().manual_seed(seed)
        self._generator = LinearGenerator(self._rng)
        self._discriminator = PatchDiscriminator(self._rng)
        # Both players' parameters are updated in one go: what they share is the rate and the moment.
        self._optimiser = torch.optim.Adam(
            [*self._generator.parameters(), *self._discriminator.parameters()],
            lr=_LEARNING_RATE,
            betas=(0.5, 0.999),
            fused=True,
        )
        self._free = reference is None
        padded = np.pad(np.outer(BICUBIC_HALF, BICUBIC_HALF), ((3, 2), (3, 2)))
        self._reference = torch.tensor(padded if reference is None else reference, dtype=torch.float32)
        self._ring = 0.5 / SUPPORT**2 * _ring_penalty()
        self._moments = _moments()
        self._stiffness = settings.spring / float((self._reference**2).sum())
        self._bicubic_weight, self._near_bicubic = 5.0, 0
        self._pixels = torch.from_numpy(rgb.transpose(2, 0, 1).copy()) * 2 - 1
        draws, plane = np.random.default_rng(seed), luma(rgb)
        count = settings.iterations
        self._small_corners = crop_corners(plane, side=SMALL_CROP, count=count, rng=draws)
        self._corners = crop_corners(halved_then_doubled(plane), side=CROP, count=count, rng=draws)

    def play(self) -> GanResult:
        if not self._free:
            self._start_at_reference()
        averaged = self._generator.effective_kernel().detach().clone()
        seen, step = averaged.clone(), 0
        for step in range(1, self._settings.iterations + 1):
            averaged.lerp_(self._step(step), 1 / min(step, 100))
            if step % _DECAY_EVERY == 0:
                self._optimiser.param_groups[0]["lr"] *= _DECAY
            if step % _LOOK_EVERY == 0:
                change = float((averaged - seen).norm() / averaged.norm())
                if step >= 3 * _LOOK_EVERY and change < self._settings.settled:
                    break
                seen = averaged.clone()
        return GanResult(kernel=averaged.double().numpy(), iterations=step)

    def _start_at_reference(self) -> None:
        """Fit the cascade's weights to the reference before the game begins."""
        optimiser = torch.optim.Adam(self._generator.parameters(), lr=2e-3)
        for _ in range(_START_STEPS):
            optimiser.zero_grad()
            distance = ((self._generator.effective_kernel() - self._reference) ** 2).sum()
            distance.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def _step(self, step: int) -> Tensor:
        """Play one step; return the filter it was played with."""
        large = self._crop(self._corners[step - 1], CROP)[:, None]
        real = self._crop(self._small_corners[step - 1], SMALL_CROP)[None]
        # twice as strong as on the made one: σ was meant for [0, 1], the pixels lie in [−1, 1]
        real = real + torch.randn(real.shape, generator=self._rng) * (2 * _NOISE)
        self._optimiser.zero_grad(set_to_none=True)
        kernel = self._generator.effective_kernel()
        slow = self._settings.layer_by_layer
        fake = (self._generator(large) if slow else downscaled(large, kernel)).transpose(0, 1)
        rest = self._regularisers(kernel, fake, large, step)
        noise = torch.randn(fake.shape, generator=self._rng) * _NOISE
        if slow:
            (verdict,) = self._discriminator((fake,))
            ((1 - verdict).mean() + rest).backward()
            self._discriminator.zero_grad()
            seen = fake.detach() + noise
        else:
            seen = fake + noise
            # The discriminator gains by half of what the generator loses.
            seen.register_hook(lambda gradient: -2 * gradient)
        of_real, of_fake = self._discriminator((real, seen))
        loss = 0.5 * (of_fake.mean() - of_real.mean())  # but for the constant
        (loss if slow else loss + rest).backward()
        self._optimiser.step()
        return kernel.detach()

    def _regularisers(self, kernel: Tensor, fake: Tensor, large: Tensor, step: int) -> Tensor:
        loss = 0.5 * (1 - kernel.sum()).abs() + (kernel * self._ring).abs().sum()
        if self._free:
            return loss + self._published(kernel, fake, large, step)
        loss = loss + self._off_centre(kernel)
        if self._settings.objective == "realsr":
            loss = loss + (fake - self._by_reference(large)).abs().mean()
        return loss + self._stiffness * functional.mse_loss(kernel, self._reference, reduction="sum")

    def _published(self, kernel: Tensor, fake: Tensor, large: Tensor, step: int) -> Tensor:
        """The terms that start from bicubic; those of KernelGAN fade it by their schedule."""
        reference = self._by_reference(large)
        if self._settings.objective == "realsr":
            return (fake - reference).abs().mean()
        difference = ((fake - reference) ** 2).mean()
        loss = self._bicubic_weight * difference
        if self._bicubic_weight < 5e-3:
            loss = loss + self._off_centre(kernel) + 5 * kernel.abs().clamp(min=1e-12).pow(0.2).mean()
        near = float(difference.detach()) * self._bicubic_weight < 0.4
        self._near_bicubic = self._near_bicubic + 1 if near or self._near_bicubic >= 3 else 0
        if self._near_bicubic >= 3 and step % 200 == 0:
            self._bicubic_weight = max(self._bicubic_weight / 100, 5e-6)
        return loss

    def _off_centre(self, kernel: Tensor) -> Tensor:
        """Mean squared distance of the centre of mass from where it belongs."""
        moments = self._moments @ kernel.view(-1)
        return ((moments[:2] / moments[2]) ** 2).mean()

    def _by_reference(self, large: Tensor) -> Tensor:
        return downscaled(large, self._reference).transpose(0, 1)

    def _crop(self, corner: np.ndarray[tuple[int], np.dtype[np.intp]], side: int) -> Tensor:
        top, left = int(corner[0]), int(corner[1])
        return self._pixels[:, top : top + side, left : left + side]


def _moments() -> Tensor:
    """What sums the weights of a 13×13 kernel times their distance from the centre, down and right, and times one."""
    places = (torch.arange(SUPPORT, dtype=torch.float32) - _CENTRE).expand(SUPPORT, SUPPORT)
    return torch.stack([places.t(), places, torch.ones_like(places)]).view(3, -1)


def _ring_penalty() -> Tensor:
    """30·(1 − g/max g) of a Gaussian with σ = 13 in the outer ring of two, zero inside."""
    places = torch.arange(SUPPORT, dtype=torch.float32) - (SUPPORT - 1) / 2
    bell = torch.exp(-(places**2) / (2 * 13**2))
    penalty = 30 * (1 - bell[:, None] * bell[None])
    penalty[2:-2, 2:-2] = 0
    return penalty
