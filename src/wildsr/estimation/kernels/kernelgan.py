"""KernelGAN: learn the downscaling filter after which a photo still has the photo's own patches.

Bell-Kligler, Shocher and Irani, "Blind Super-Resolution Kernel Estimation using an Internal-GAN", NeurIPS 2019, and
the objective of RealSR (Ji et al., CVPR Workshops 2020, equation 4), written from the published facts. Two faults of
the published code are left out: there, the noise for the discriminator is added to the photo itself and accumulates,
and the bicubic reference mixes the colour channels.

Where this implementation differs from the papers:

- The generator, a cascade of convolutions without activations, is one linear 13×13 filter. `LinearGenerator` composes
  its layers into that filter and applies it once, instead of running 64 channels over the crop.
- The discriminator's step and the generator's use the same downscaled crop and the same weights, and their
  adversarial losses differ by a factor of −2. One forward and one backward pass therefore serve both players.
- `reference`, where given, replaces bicubic as the starting point, and a quadratic penalty keeps the filter near it.
  The sparsity term is then left out: it breaks smooth kernels into spikes.
- Training stops once the averaged filter no longer changes.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from wildsr.estimation.kernels.crops import crop_corners, halved_then_doubled
from wildsr.estimation.kernels.methods import CrossScaleProblem
from wildsr.estimation.kernels.michaeli_irani import averaged_with_reference
from wildsr.estimation.kernels.spectrum import Doubles
from wildsr.imaging import FloatArray
from wildsr.imaging.luma import luma

LAYERS: Final = (7, 5, 3, 1, 1, 1)
"""Kernel sizes of the generator's convolutions."""
SUPPORT: Final = 13
"""Side of the filter they compose to."""
CHANNELS: Final = 64
PATCH: Final = 7
"""Side of the patches the discriminator judges."""
CROP: Final = 64
SMALL_CROP: Final = 26
BICUBIC_HALF: Final = np.array([-3, -9, 29, 111, 111, 29, -9, -3]) / 256
_XAVIER_GAIN: Final = 0.1
_NOISE: Final = 1 / 255
_CENTRE: Final = SUPPORT // 2 + 0.5
_LEARNING_RATE: Final = 2e-4
_DECAY_EVERY, _DECAY = 750, 0.1
_START_STEPS: Final = 300
_CHECK_EVERY: Final = 100

Objective = Literal["kernelgan", "realsr"]


class LinearGenerator(nn.Module):
    """Six convolutions (7, 5, 3, 1, 1, 1; channels 1→64→…→64→1; no bias, no padding), applied as one filter."""

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        channels = (1, *(CHANNELS,) * 5, 1)
        self.weights = nn.ParameterList()
        for size, inputs, outputs in zip(LAYERS, channels, channels[1:], strict=False):
            weight = torch.empty(outputs, inputs, size, size)
            std = _XAVIER_GAIN * (2 / ((inputs + outputs) * size * size)) ** 0.5
            self.weights.append(nn.Parameter(weight.normal_(0, std, generator=rng)))

    def effective_kernel(self) -> Tensor:
        """Return the 13×13 filter, in correlation orientation, that the cascade applies.

        From the last layer to the first: correlations compose by convolving their kernels, which is one matrix
        product of all their weights and `fold`, which sums the products that belong to one pixel.
        """
        *others, last = self.weights
        kernel: Tensor = last[0, :, 0]
        side = 1
        for weight in reversed(others):
            outputs, inputs, size, _ = weight.shape
            products = (kernel.t() @ weight.view(outputs, -1)).t()
            side += size - 1
            kernel = functional.fold(products[None], side, size).view(inputs, -1) if size > 1 else products
        return kernel.reshape(side, side)


def downscaled(x: Tensor, kernel: Tensor) -> Tensor:
    """Correlate N×1×h×w with a 13×13 kernel at stride 2: N×1×⌈(h−12)/2⌉×⌈(w−12)/2⌉."""
    windows = x[:, 0].unfold(1, SUPPORT, 2).unfold(2, SUPPORT, 2)
    count, rows, columns = windows.shape[:3]
    return (windows.reshape(-1, SUPPORT**2) @ kernel.view(-1)).view(count, 1, rows, columns)


class PatchDiscriminator(nn.Module):
    """Seven spectrally normalised layers, 7×7 and six times 1×1, with batch normalisation, ReLU and a sigmoid.

    The second layer follows the first directly, so the two are applied as one. The normalisations in between make
    biases unnecessary except in the last layer. The scale of the initial weights does not matter.
    """

    def __init__(self, rng: torch.Generator) -> None:
        super().__init__()
        self.first = SpectralNorm(1, CHANNELS, 3 * PATCH**2, rng)
        self.middle = SpectralNorm(5, CHANNELS, CHANNELS, rng)
        self.last = SpectralNorm(1, 1, CHANNELS, rng)
        self.last_bias = nn.Parameter(torch.zeros(1))
        self.gain = nn.Parameter(1 + 0.02 * torch.randn(5, CHANNELS, generator=rng))
        self.offset = nn.Parameter(torch.zeros(5, CHANNELS))

    def forward(self, crops: Tensor) -> Tensor:
        """Judge B crops of 3×h×w in one pass: B×((h−6)·(w−6)) values in (0, 1).

        Maps are channels × (B·positions), so that every layer is one matrix product. Each crop is normalised by its
        own statistics, as when it is a batch by itself: `group_norm` takes every (channel, crop) for a group.
        """
        count, middle = len(crops), self.middle()
        gains, offsets = (each.repeat_interleave(count, 1) for each in (self.gain, self.offset))
        maps = functional.unfold(crops, PATCH).transpose(0, 1).reshape(3 * PATCH**2, -1)
        for number, (gain, offset) in enumerate(zip(gains, offsets, strict=True)):
            weight = middle[number] if number else middle[0] @ self.first()[0]
            product = (weight @ maps).view(1, CHANNELS * count, -1)
            maps = functional.group_norm(product, CHANNELS * count, gain, offset).relu().view(CHANNELS, -1)
        return torch.addmm(self.last_bias, self.last()[0], maps).sigmoid().view(count, -1)


class SpectralNorm(nn.Module):
    """A stack of matrices, each divided by its largest singular value (Miyato et al., ICLR 2018).

    Args:
        count: Matrices in the stack.
        outputs: Rows of each.
        inputs: Columns of each.
        rng: Source of the initial weights.
    """

    left: Tensor

    def __init__(self, count: int, outputs: int, inputs: int, rng: torch.Generator) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(count, outputs, inputs, generator=rng))
        self.register_buffer(
            "left", functional.normalize(torch.randn(count, outputs, 1, generator=rng), dim=1)
        )

    def forward(self) -> Tensor:
        """Advance the power iteration by one step and divide by σ = uᵀ·W·v, with u and v held constant."""
        with torch.no_grad():
            right = functional.normalize(self.left.mT @ self.weight, dim=2)
            self.left = functional.normalize((self.weight * right).sum(2, keepdim=True), dim=1)
        sigma = (self.weight * (self.left * right)).sum((1, 2), keepdim=True)
        return self.weight / sigma


def adversarial_loss(discriminator: PatchDiscriminator, real: Tensor, fake: Tensor) -> Tensor:
    """Return the discriminator's loss, whose gradient through `fake` is that of the generator's loss.

    The discriminator minimises ½·mean(D(fake)) − ½·mean(D(real)) and the generator −mean(D(fake)): on `fake` the
    second gradient is the first times −2. So one pass serves both.

    Args:
        discriminator: Judges both crops.
        real: 3×h×w crop of the photo.
        fake: 3×h×w crop of the downscaled photo, part of the generator's graph.
    """
    fake.register_hook(lambda gradient: -2 * gradient)  # type: ignore[no-untyped-call]
    of_real, of_fake = discriminator(torch.stack([real, fake]))
    loss: Tensor = 0.5 * (of_fake.mean() - of_real.mean())
    return loss


@dataclass(frozen=True, kw_only=True)
class GanSettings:
    """Settings of the training."""

    objective: Objective = "kernelgan"
    """`realsr` compares the downscaled photo with the reference's throughout, which preserves low frequencies."""

    iterations: int = 3000
    """Maximum number of steps."""

    spring: float = 1.0
    """Weight of the relative squared distance from the reference; 0 disables it."""

    settled: float = 0.01
    """Stop when the averaged filter changes by less than this fraction in 100 steps; 0 never stops early."""


@dataclass(frozen=True, kw_only=True, eq=False)
class GanResult:
    """The learned filter."""

    kernel: Doubles
    """13×13 in correlation orientation, averaged over the last steps; may be slightly negative."""

    iterations: int
    """Steps that were taken."""


def kernelgan_filter(problem: CrossScaleProblem, seed: int) -> Doubles:
    """Return the filter learned with KernelGAN's objective, started at and held near that of `auto`."""
    return _learned(problem, seed, "kernelgan")


def realsr_filter(problem: CrossScaleProblem, seed: int) -> Doubles:
    """Return the filter learned with RealSR's objective, started at and held near that of `auto`."""
    return _learned(problem, seed, "realsr")


def _learned(problem: CrossScaleProblem, seed: int, objective: Objective) -> Doubles:
    start = averaged_with_reference(problem, seed)
    return learn_filter(
        problem.rgb, settings=GanSettings(objective=objective), seed=seed, reference=start
    ).kernel


def learn_filter(
    rgb: FloatArray, *, settings: GanSettings, seed: int, reference: Doubles | None = None
) -> GanResult:
    """Learn the ×2 cross-scale filter of a photo.

    Args:
        rgb: H×W×3 in [0, 1], both sides at least 64.
        settings: Objective, length and regularisation.
        seed: Of the weights, the crops and the noise.
        reference: 13×13 kernel to start from, summing to 1. None starts from bicubic and follows the published
            schedule: the bicubic term fades out, then the centre and sparsity terms are switched on.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # the matrices are too small to be shared
    try:
        return _Training(rgb, settings, seed, reference).run()
    finally:
        torch.set_num_threads(threads)


class _Training:
    """Both players, their optimiser and the crops drawn for them."""

    def __init__(self, rgb: FloatArray, settings: GanSettings, seed: int, reference: Doubles | None) -> None:
        self._settings = settings
        self._rng = torch.Generator().manual_seed(seed)
        self._generator = LinearGenerator(self._rng)
        self._discriminator = PatchDiscriminator(self._rng)
        weights = [*self._generator.parameters(), *self._discriminator.parameters()]
        self._optimiser = torch.optim.Adam(weights, lr=_LEARNING_RATE, betas=(0.5, 0.999), fused=True)
        self._free = reference is None
        bicubic = np.pad(np.outer(BICUBIC_HALF, BICUBIC_HALF), ((3, 2), (3, 2)))
        self._reference = torch.tensor(bicubic if reference is None else reference, dtype=torch.float32)
        self._boundary = 0.5 / SUPPORT**2 * _boundary_penalty()
        self._moments = _moments()
        self._stiffness = settings.spring / float((self._reference**2).sum())
        self._bicubic_weight, self._near_bicubic = 5.0, 0
        self._pixels = torch.from_numpy(rgb.transpose(2, 0, 1).copy()) * 2 - 1
        draws, plane = np.random.default_rng(seed), luma(rgb)
        count = settings.iterations
        self._small_corners = crop_corners(plane, side=SMALL_CROP, count=count, rng=draws)
        self._corners = crop_corners(halved_then_doubled(plane), side=CROP, count=count, rng=draws)

    def run(self) -> GanResult:
        """Train until the filter has settled or the steps are used up."""
        if not self._free:
            self._start_at_reference()
        averaged = self._generator.effective_kernel().detach().clone()
        checked, step = averaged.clone(), 0
        for step in range(1, self._settings.iterations + 1):
            averaged.lerp_(self._step(step), 1 / min(step, 100))
            if step % _DECAY_EVERY == 0:
                self._optimiser.param_groups[0]["lr"] *= _DECAY
            if step % _CHECK_EVERY == 0:
                change = float((averaged - checked).norm() / averaged.norm())
                if step >= 3 * _CHECK_EVERY and change < self._settings.settled:
                    break
                checked = averaged.clone()
        return GanResult(kernel=averaged.double().numpy(), iterations=step)

    def _start_at_reference(self) -> None:
        """Fit the cascade's weights to the reference before training begins."""
        optimiser = torch.optim.Adam(self._generator.parameters(), lr=2e-3)
        for _ in range(_START_STEPS):
            optimiser.zero_grad()
            distance = ((self._generator.effective_kernel() - self._reference) ** 2).sum()
            distance.backward()  # type: ignore[no-untyped-call]
            optimiser.step()

    def _step(self, step: int) -> Tensor:
        """Update both players once; return the filter that was used."""
        large = self._crop(self._corners[step - 1], CROP)[:, None]
        real = self._crop(self._small_corners[step - 1], SMALL_CROP)
        # twice as strong as on the generated crop: σ was meant for [0, 1], the pixels lie in [−1, 1]
        real = real + torch.randn(real.shape, generator=self._rng) * (2 * _NOISE)
        kernel = self._generator.effective_kernel()
        fake = downscaled(large, kernel)[:, 0]
        noisy = fake + torch.randn(fake.shape, generator=self._rng) * _NOISE
        game = adversarial_loss(self._discriminator, real, noisy)
        loss = game + self._regularisers(kernel, fake, large, step)
        self._optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self._optimiser.step()
        return kernel.detach()

    def _regularisers(self, kernel: Tensor, fake: Tensor, large: Tensor, step: int) -> Tensor:
        loss = 0.5 * (1 - kernel.sum()).abs() + (kernel * self._boundary).abs().sum()
        if self._free:
            return loss + self._published(kernel, fake, large, step)
        loss = loss + self._off_centre(kernel)
        if self._settings.objective == "realsr":
            loss = loss + (fake - self._by_reference(large)).abs().mean()
        return loss + self._stiffness * functional.mse_loss(kernel, self._reference, reduction="sum")

    def _published(self, kernel: Tensor, fake: Tensor, large: Tensor, step: int) -> Tensor:
        """The terms that start from bicubic; KernelGAN's fades by its schedule, RealSR's stays."""
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
        """Mean squared distance of the centre of mass from (6.5, 6.5)."""
        moments = self._moments @ kernel.view(-1)
        return ((moments[:2] / moments[2]) ** 2).mean()

    def _by_reference(self, large: Tensor) -> Tensor:
        return downscaled(large, self._reference)[:, 0]

    def _crop(self, corner: np.ndarray[tuple[int], np.dtype[np.intp]], side: int) -> Tensor:
        top, left = int(corner[0]), int(corner[1])
        return self._pixels[:, top : top + side, left : left + side]


def _moments() -> Tensor:
    """Rows that sum a 13×13 kernel's weights times their offset down, times their offset right, and times one."""
    places = (torch.arange(SUPPORT, dtype=torch.float32) - _CENTRE).expand(SUPPORT, SUPPORT)
    return torch.stack([places.t(), places, torch.ones_like(places)]).view(3, -1)


def _boundary_penalty() -> Tensor:
    """30·(1 − g/max g) of a Gaussian with σ = 13 in the two outermost pixels, zero inside."""
    places = torch.arange(SUPPORT, dtype=torch.float32) - (SUPPORT - 1) / 2
    bell = torch.exp(-(places**2) / (2 * 13**2))
    penalty = 30 * (1 - bell[:, None] * bell[None])
    penalty[2:-2, 2:-2] = 0
    return penalty
