"""KernelGAN: the generator is one filter, the losses are the published ones, training is reproducible."""

import numpy as np
import pytest
import torch
from torch.nn import functional

from tests.estimation.pictures import blurred, gaussian, leaves
from wildsr.degradation.kernels import centre_of_mass
from wildsr.estimation.kernels.crops import crop_corners
from wildsr.estimation.kernels.kernelgan import (
    GanSettings,
    LinearGenerator,
    PatchDiscriminator,
    SpectralNorm,
    adversarial_loss,
    downscaled,
    learn_filter,
)
from wildsr.imaging.luma import luma


def generator(seed: int = 0) -> LinearGenerator:
    made = LinearGenerator(torch.Generator().manual_seed(seed))
    for weight in made.weights:  # larger than at the start, so that differences show
        weight.data.mul_(8)
    return made


def cascade(made: LinearGenerator, x: torch.Tensor) -> torch.Tensor:
    """The layers one after another, as published."""
    *others, last = made.weights
    for weight in others:
        x = functional.conv2d(x, weight)
    return functional.conv2d(x, last, stride=2)


def test_the_cascade_is_one_filter() -> None:
    made = generator().double()
    x = torch.randn(3, 1, 64, 64, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    layers, single = cascade(made, x), downscaled(x, made.effective_kernel())
    assert layers.shape == (3, 1, 26, 26)
    torch.testing.assert_close(single, layers, rtol=1e-9, atol=1e-12)
    assert float(layers.detach().abs().max()) > 1e-3
    assert sum(weight.numel() for weight in made.parameters()) == 150_656


def test_a_constant_picture_gives_the_sum_of_the_filter() -> None:
    made = generator().double()
    out = cascade(made, torch.ones(1, 1, 13, 13, dtype=torch.float64))
    assert float(out.detach()) == pytest.approx(float(made.effective_kernel().sum().detach()), rel=1e-9)


def test_gradients_reach_the_layers_alike() -> None:
    one, two = generator().double(), generator().double()
    x = torch.randn(3, 1, 40, 40, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    (cascade(one, x) ** 2).sum().backward()
    (downscaled(x, two.effective_kernel()) ** 2).sum().backward()
    for a, b in zip(one.weights, two.weights, strict=True):
        assert a.grad is not None
        assert b.grad is not None
        torch.testing.assert_close(a.grad, b.grad, rtol=1e-8, atol=1e-12)


def test_the_discriminator_sees_patches_of_seven() -> None:
    judge = PatchDiscriminator(torch.Generator().manual_seed(0))
    x = torch.randn(3, 26, 26, generator=torch.Generator().manual_seed(1))
    a, b = judge(torch.stack([x, x]))
    assert a.shape == (400,)
    torch.testing.assert_close(a, b)
    assert float(a.detach().min()) > 0
    assert float(a.detach().max()) < 1


@pytest.mark.parametrize(("height", "width"), [(64, 64), (41, 56), (13, 14)])
def test_downscaling_is_a_convolution(height: int, width: int) -> None:
    rng = torch.Generator().manual_seed(0)
    x = torch.randn(2, 1, height, width, generator=rng, dtype=torch.float64)
    kernel = torch.randn(13, 13, generator=rng, dtype=torch.float64)
    ours, theirs = kernel.clone().requires_grad_(), kernel.clone().requires_grad_()
    small, expected = downscaled(x, ours), functional.conv2d(x, theirs[None, None], stride=2)
    torch.testing.assert_close(small, expected, rtol=1e-9, atol=1e-12)
    told = torch.randn(expected.shape, generator=rng, dtype=torch.float64)
    small.backward(told)
    expected.backward(told)
    torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-9, atol=1e-12)


def by_convolutions(judge: PatchDiscriminator, crops: torch.Tensor) -> torch.Tensor:
    """The discriminator as published, each crop a batch by itself."""
    first, middle, last = judge.first()[0], judge.middle(), judge.last()[0]
    verdicts = []
    for crop in crops:
        y = functional.conv2d(crop[None], first.view(-1, 3, 7, 7))
        for weight, gain, offset in zip(middle, judge.gain, judge.offset, strict=True):
            y = functional.conv2d(y, weight[..., None, None])
            y = functional.batch_norm(y, None, None, gain, offset, training=True).relu()
        verdicts.append(functional.conv2d(y, last[..., None, None], judge.last_bias).sigmoid().flatten())
    return torch.stack(verdicts)


def test_the_discriminator_and_its_gradients_are_those_of_convolutions() -> None:
    rng = torch.Generator().manual_seed(0)
    crops = torch.randn(2, 3, 12, 15, generator=rng, dtype=torch.float64)
    weighting = torch.randn(2, 6 * 9, generator=rng, dtype=torch.float64)
    found = []
    for way in (PatchDiscriminator.forward, by_convolutions):
        judge, given = (
            PatchDiscriminator(torch.Generator().manual_seed(1)).double(),
            crops.clone().requires_grad_(),
        )
        verdict = way(judge, given)
        verdict.backward(weighting)
        found.append([verdict.detach(), given.grad, *(each.grad for each in judge.parameters())])
    for ours, theirs in zip(*found, strict=True):
        assert float(theirs.abs().max()) > 1e-9
        torch.testing.assert_close(ours, theirs, rtol=1e-8, atol=1e-12)


@pytest.mark.parametrize(("count", "outputs", "inputs"), [(1, 64, 147), (5, 64, 64), (1, 1, 64)])
def test_matrices_are_divided_by_their_largest_singular_value(count: int, outputs: int, inputs: int) -> None:
    rng = torch.Generator().manual_seed(1)
    layer = SpectralNorm(count, outputs, inputs, rng).double()
    weighting = torch.randn(layer.weight.shape, generator=rng, dtype=torch.float64)
    weight = layer.weight.detach().clone().requires_grad_()
    layer.left = torch.linalg.svd(weight.detach()).U[:, :, :1]  # where the power iteration ends
    divided = layer()
    divided.backward(weighting)
    expected = weight / torch.linalg.matrix_norm(weight, ord=2)[:, None, None]
    expected.backward(weighting)
    torch.testing.assert_close(divided, expected, rtol=1e-9, atol=1e-12)
    torch.testing.assert_close(layer.weight.grad, weight.grad, rtol=1e-9, atol=1e-12)


def test_the_power_iteration_finds_the_singular_value() -> None:
    layer = PatchDiscriminator(torch.Generator().manual_seed(0)).middle
    with torch.no_grad():
        for _ in range(100):
            divided = layer()
    assert torch.linalg.matrix_norm(divided, ord=2).numpy() == pytest.approx(np.ones(5), rel=0.01)


def test_crops_lie_on_edges_and_on_even_pixels() -> None:
    plane = np.full((200, 200), 0.5, np.float32)
    plane[:, 100:] = 0.9
    corners = crop_corners(plane, side=64, count=200, rng=np.random.default_rng(0))
    assert corners.shape == (200, 2)
    assert (corners % 2 == 0).all()
    assert (corners >= 0).all()
    assert (corners <= 200 - 64).all()
    assert np.mean(np.abs(corners[:, 1] + 32 - 100) <= 34) > 0.9


@pytest.fixture(scope="module")
def photo() -> np.ndarray:
    return blurred(leaves(260, 260), gaussian(2.5, 1.2, 0.6))


def test_one_pass_gives_each_player_the_gradient_of_its_own_loss() -> None:
    """The generator minimises mean(1 − D(fake)), the discriminator the mean of 1 − D(real) and D(fake) halved."""
    rng = torch.Generator().manual_seed(3)
    x = torch.randn(3, 1, 40, 40, generator=rng, dtype=torch.float64)
    real = torch.randn(3, 14, 14, generator=rng, dtype=torch.float64)

    def players() -> tuple[LinearGenerator, PatchDiscriminator]:
        judge = PatchDiscriminator(torch.Generator().manual_seed(4)).double()
        return generator().double(), judge

    made, judge = players()
    adversarial_loss(judge, real, downscaled(x, made.effective_kernel())[:, 0]).backward()

    apart, other = players()
    fake = cascade(apart, x)[:, 0]
    (1 - by_convolutions(other, torch.stack([real, fake]))[1]).mean().backward()
    for ours, theirs in zip(made.parameters(), apart.parameters(), strict=True):
        assert float(theirs.grad.abs().max()) > 1e-9
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-7, atol=1e-12)

    _, alone = players()
    of_real, of_fake = by_convolutions(alone, torch.stack([real, fake.detach()]))
    (0.5 * ((1 - of_real).mean() + of_fake.mean())).backward()
    for ours, theirs in zip(judge.parameters(), alone.parameters(), strict=True):
        torch.testing.assert_close(ours.grad, theirs.grad, rtol=1e-7, atol=1e-12)


def test_the_same_seed_learns_the_same_filter(photo: np.ndarray) -> None:
    settings = GanSettings(iterations=5)
    one, same, other = (learn_filter(photo, settings=settings, seed=seed).kernel for seed in (0, 0, 1))
    np.testing.assert_array_equal(one, same)
    assert np.abs(one - other).max() > 0


def test_it_starts_from_bicubic_as_published(photo: np.ndarray) -> None:
    found = learn_filter(photo, settings=GanSettings(iterations=120, settled=0), seed=0).kernel
    assert found.sum() == pytest.approx(1, abs=0.3)
    assert centre_of_mass(np.maximum(found, 0)) == pytest.approx((6.5, 6.5), abs=0.6)


def test_it_stops_once_settled(photo: np.ndarray) -> None:
    held = GanSettings(iterations=1000, spring=100.0, settled=0.05)
    assert learn_filter(photo, settings=held, seed=0, reference=gaussian(1.5, 1, 0, 13)).iterations == 300


def test_luma_of_gray_is_gray() -> None:
    gray = np.linspace(0, 1, 12, dtype=np.float32).reshape(4, 3, 1).repeat(3, 2)
    np.testing.assert_allclose(luma(gray), gray[..., 0], atol=1e-6)
