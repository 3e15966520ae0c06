"""Identities the losses must satisfy, and each loss against a value worked out by hand."""

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from wildsr.training.losses import (
    OBJECTIVES,
    PERCEPTUAL,
    PIXEL,
    Perceptual,
    PerceptualRecipe,
    blurred_colour,
    charbonnier,
    dped_total_variation,
    gradient_penalty,
    gram,
    grid,
    l1,
    l2,
    low_frequency_l1,
    luma,
    overshoot,
    random_crops,
    random_views,
    texture,
    total_variation,
)


def pictures(seed: int = 0, side: int = 16) -> tuple[Tensor, Tensor]:
    random = torch.Generator().manual_seed(seed)
    return torch.rand(2, 3, side, side, generator=random), torch.rand(2, 3, side, side, generator=random)


def test_pixel_losses_of_known_differences() -> None:
    sr, hr = torch.tensor([[[[0.5, 0.2]]]]), torch.tensor([[[[0.1, 0.4]]]])
    assert l1(sr, hr).item() == pytest.approx(0.3)
    assert l2(sr, hr).item() == pytest.approx((0.16 + 0.04) / 2)
    assert PIXEL.keys() == {"l1", "l2", "charbonnier"}


def test_charbonnier_of_nothing_is_epsilon() -> None:
    x, _ = pictures()
    assert charbonnier(x, x).item() == pytest.approx(1e-3, rel=1e-5)
    assert charbonnier(x, x, epsilon=0.1).item() == pytest.approx(0.1, rel=1e-5)


def test_luma_of_white() -> None:
    assert luma(torch.ones(1, 3, 2, 2)).mean().item() == pytest.approx(219 / 255, abs=1e-5)


def test_total_variation() -> None:
    assert total_variation(torch.full((1, 3, 5, 4), 0.7)).item() == 0
    ramp = torch.arange(4.0).view(1, 1, 1, 4).repeat(1, 1, 3, 1)
    assert total_variation(ramp).item() == pytest.approx(1.0)
    # DPED: 2·(Σ dx² / size_x + Σ dy² / size_y) / batch: every dx² is 1
    assert dped_total_variation(ramp).item() == pytest.approx(2.0)
    assert dped_total_variation(ramp.repeat(3, 1, 1, 1)).item() == pytest.approx(2.0)


def test_gram_of_constant_features() -> None:
    features = torch.arange(1.0, 4.0).view(1, 3, 1, 1).expand(1, 3, 4, 5)
    matrix = gram(features)[0]
    assert torch.equal(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix).min() > -1e-6
    assert matrix[1, 2].item() == pytest.approx(2 * 3 / 3)  # 20·2·3 / (3·20)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 1000))
def test_gram_is_positive_semi_definite(seed: int) -> None:
    matrix = gram(torch.randn(1, 4, 3, 3, generator=torch.Generator().manual_seed(seed)))[0]
    assert torch.allclose(matrix, matrix.T)
    assert torch.linalg.eigvalsh(matrix.double()).min() > -1e-6


def test_texture_ignores_where_inside_a_patch() -> None:
    features = torch.rand(1, 4, 8, 8)
    rolled = features.clone()
    rolled[..., :4, :4] = features[..., :4, :4].flip(-1)  # stays inside its patch
    weights = {"a": 1.0}
    same = texture(
        {"a": rolled}, {"a": features}, weights, hr_side=32
    )  # stride 4: 16 HR pixels are 4 features
    moved = texture({"a": features.flip(-1)}, {"a": features}, weights, hr_side=32)
    assert same.item() == pytest.approx(0, abs=1e-10)
    assert moved.item() > 1e-6


def test_low_frequency_loss_sees_colour_but_no_texture() -> None:
    hr = torch.full((1, 3, 32, 32), 0.5)
    checks = hr + 0.2 * ((torch.arange(32).view(-1, 1) + torch.arange(32)) % 2 * 2 - 1)
    assert low_frequency_l1(hr + 0.1, hr).item() == pytest.approx(0.1, rel=1e-4)
    assert low_frequency_l1(checks, hr).item() < 0.01
    assert l1(checks, hr).item() == pytest.approx(0.2, rel=1e-4)


def test_overshoot_counts_what_leaves_the_levels_nearby() -> None:
    hr = torch.zeros(1, 3, 16, 40)
    hr[..., 20:] = 0.6
    halos = hr.clone()
    halos[..., 19], halos[..., 20] = -0.1, 0.8  # 0.1 and 0.2 beyond an edge, on 2 of 40 columns
    assert overshoot(halos, hr).item() == pytest.approx((0.1 + 0.2) / 40, rel=1e-5)
    assert overshoot(hr.flip(-1), hr).item() == pytest.approx(
        0.6 * (40 - 8) / 40, rel=1e-5
    )  # but near the edge
    blurred, texture_there = 0.5 * hr + 0.15, hr.clone()
    texture_there[..., 17:23] = torch.rand(1, 3, 16, 6) * 0.6
    assert overshoot(hr, hr).item() == overshoot(texture_there, hr).item() == 0
    assert overshoot(blurred, hr).item() > 0  # flat parts may not move either


def test_dpeds_colour_loss_of_a_shift() -> None:
    hr = torch.zeros(2, 3, 64, 64)
    inner = blurred_colour(hr + 0.1, hr)
    # Σ over 3·64·64 pixels of 0.01, less near the (zero-padded) border, / 2
    assert 0.7 * 3 * 64 * 64 * 0.01 / 2 < inner.item() < 3 * 64 * 64 * 0.01 / 2
    assert blurred_colour(hr, hr).item() == 0


def zeros() -> tuple[Tensor, Tensor]:
    return torch.zeros(4, 1), torch.zeros(4, 1)


def test_vanilla_at_logit_zero() -> None:
    objective = OBJECTIVES["vanilla"]
    assert objective.discriminator(*zeros()).item() == pytest.approx(2 * math.log(2))
    assert objective.generator(*zeros()).item() == pytest.approx(math.log(2))


@pytest.mark.parametrize("level", [-3.0, 0.0, 5.0])
def test_relativistic_losses_of_equal_constants_are_ln_2(level: float) -> None:
    real = made = torch.full((4, 1), level)
    objective = OBJECTIVES["relativistic"]
    assert objective.discriminator(real, made).item() == pytest.approx(math.log(2))
    assert objective.generator(real, made).item() == pytest.approx(math.log(2))


@settings(max_examples=25, deadline=None)
@given(st.floats(-20, 20), st.integers(0, 100))
def test_relativistic_losses_ignore_a_constant(shift: float, seed: int) -> None:
    real, made = torch.randn(2, 6, 1, generator=torch.Generator().manual_seed(seed))
    objective = OBJECTIVES["relativistic"]
    for side in (objective.discriminator, objective.generator):
        assert side(real + shift, made + shift).item() == pytest.approx(side(real, made).item(), abs=1e-4)


def test_relativistic_generator_sends_no_gradient_through_the_real() -> None:
    real = torch.randn(4, 1, requires_grad=True)
    made = torch.randn(4, 1, requires_grad=True)
    OBJECTIVES["relativistic"].generator(real, made).backward()
    assert real.grad is None
    assert made.grad is not None
    assert made.grad.abs().sum() > 0


def test_least_squares_hinge_and_wasserstein_by_hand() -> None:
    real, made = torch.tensor([[2.0], [0.0]]), torch.tensor([[0.5], [-3.0]])
    squares, hinge, wasserstein = (OBJECTIVES[name] for name in ("least-squares", "hinge", "wasserstein"))
    assert squares.discriminator(real, made).item() == pytest.approx((1 + 1) / 2 + (0.25 + 9) / 2)
    assert squares.generator(real, made).item() == pytest.approx((0.25 + 16) / 2)
    assert hinge.discriminator(real, made).item() == pytest.approx((0 + 1) / 2 + (1.5 + 0) / 2)
    assert hinge.generator(real, made).item() == pytest.approx(1.25)
    assert wasserstein.discriminator(real, made).item() == pytest.approx(-1.25 - 1.0)
    assert wasserstein.generator(real, made).item() == pytest.approx(1.25)
    assert wasserstein.gradient_penalty == 10


def test_better_opponents_cost_more() -> None:
    """Each generator loss falls when made logits rise, each discriminator loss when they fall."""
    real, made = torch.randn(8, 1), torch.randn(8, 1)
    for name in ("vanilla", "hinge", "wasserstein", "relativistic"):
        objective = OBJECTIVES[name]
        assert objective.generator(real, made + 0.5) < objective.generator(real, made), name
        assert objective.discriminator(real, made - 0.5) < objective.discriminator(real, made), name


def test_gradient_penalty_is_nothing_at_slope_one() -> None:
    real, made = pictures()
    mix = torch.rand(2, 1, 1, 1)
    size = real[0].numel()
    assert gradient_penalty(lambda x: x.flatten(1).sum(1) / math.sqrt(size), real, made, mix).item() < 1e-10
    assert gradient_penalty(lambda x: 3 * x.flatten(1).sum(1) / math.sqrt(size), real, made, mix).item() == (
        pytest.approx(4, rel=1e-4)
    )


def test_gradient_penalty_trains_the_discriminator() -> None:
    weight = torch.tensor(3.0, requires_grad=True)
    real, made = pictures()
    gradient_penalty(lambda x: weight * x.flatten(1).sum(1), real, made, torch.rand(2, 1, 1, 1)).backward()
    assert weight.grad is not None
    assert weight.grad.item() != 0


def test_the_methods_have_their_layers() -> None:
    assert PERCEPTUAL["srgan"].layers == {"relu5_4": 1.0}
    assert PERCEPTUAL["srgan"].feature_scale == pytest.approx(1 / 12.75)
    assert PERCEPTUAL["esrgan"].layers == {"conv5_4": 1.0}
    assert list(PERCEPTUAL["real-esrgan"].layers.values()) == [0.1, 0.1, 1.0, 1.0, 1.0]
    assert PERCEPTUAL["enhancenet"].layers == {"pool2": 0.2, "pool5": 0.02}


def test_perceptual_is_zero_for_the_same_picture_and_gives_gradients() -> None:
    torch.manual_seed(0)
    loss = Perceptual(PerceptualRecipe(network="vgg16", layers={"conv1_2": 0.5, "relu2_1": 2.0}))
    sr, hr = pictures()
    assert loss(hr, hr).item() == 0
    sr.requires_grad_()
    value = loss(sr, hr)
    ours, theirs = loss.features(sr), loss.features(hr)
    expected = 0.5 * l1(ours["conv1_2"], theirs["conv1_2"]) + 2 * l1(ours["relu2_1"], theirs["relu2_1"])
    assert value.item() == pytest.approx(expected.item(), rel=1e-6)
    value.backward()
    assert sr.grad is not None
    assert sr.grad.abs().sum() > 0


def test_enhancenet_divides_by_the_truths_mean() -> None:
    torch.manual_seed(0)
    plain = Perceptual(PerceptualRecipe(network="vgg16", layers={"pool2": 1.0}, distance="l2"))
    divided = Perceptual(
        PerceptualRecipe(network="vgg16", layers={"pool2": 1.0}, distance="l2", divide_by_mean=True)
    )
    divided.load_state_dict(plain.state_dict())
    sr, hr = pictures()
    mean = plain.features(hr)["pool2"].mean()
    assert divided(sr, hr).item() == pytest.approx((plain(sr, hr) / mean**2).item(), rel=1e-4)


def test_random_views_turn_enlarge_and_shift_both_alike() -> None:
    count, side, zoom = 64, 48, 2.0
    across, down = torch.meshgrid(torch.arange(side), torch.arange(side), indexing="xy")
    hr = torch.stack([across, down, across + down]).expand(count, -1, -1, -1) / (2 * side)
    sr, truth = random_views(hr.clone(), hr, zoom, torch.Generator().manual_seed(0))
    assert sr.shape == hr.shape
    assert torch.equal(sr, truth), "the same views of the same pictures"
    middle = truth[:, 0, 16:-16, 16:-16] * 2 * side  # away from mirrored borders
    last = middle.shape[1] - 1
    right, below = (
        (middle[:, :, -1] - middle[:, :, 0]).mean(1) / last,
        (middle[:, -1] - middle[:, 0]).mean(1) / last,
    )
    flat = middle[:, :1, :1] + torch.arange(last + 1) * right[:, None, None]
    flat = flat + torch.arange(last + 1)[:, None] * below[:, None, None]
    assert (middle - flat).abs().max() < 0.15, "straight lines stay straight, to bicubic's ripple"
    each = torch.hypot(right, below)
    assert 1 / zoom - 0.01 <= each.min() < 0.6, "the largest enlargements"
    assert 0.9 < each.max() <= 1.01, "the smallest ones"
    turned = torch.atan2(below, right).abs()
    assert 0.1 < turned.max() <= 0.21, "radians"
    again, _ = random_views(hr, hr, zoom, torch.Generator().manual_seed(0))
    assert torch.equal(again, truth)


def test_random_views_pass_gradients_and_do_nothing_at_one() -> None:
    sr = torch.rand(2, 3, 40, 40, requires_grad=True)
    hr = torch.rand(2, 3, 40, 40)
    seen, _ = random_views(sr, hr, 1.0, torch.Generator())
    assert seen is sr
    seen, _ = random_views(sr, hr, 1.5, torch.Generator().manual_seed(1))
    (gradient,) = torch.autograd.grad(seen.sum(), sr)
    assert (gradient != 0).any()


def test_random_crops_cut_both_alike_and_each_pair_elsewhere() -> None:
    height, width, side = 12, 20, 8
    where = torch.arange(height * width, dtype=torch.float32).view(1, 1, height, width)
    hr = where.repeat(64, 3, 1, 1)
    sr, truth = random_crops(hr + 0.5, hr, side, torch.Generator().manual_seed(0))
    assert sr.shape == truth.shape == (64, 3, side, side)
    assert torch.equal(sr - 0.5, truth)
    corners = truth[:, 0, 0, 0]
    tops, lefts = corners // width, corners % width
    assert {int(top) for top in tops} == set(range(height - side + 1))
    assert (lefts.min(), lefts.max()) == (0, width - side)
    again, _ = random_crops(hr, hr, side, torch.Generator().manual_seed(0))
    assert torch.equal(again, truth)


@pytest.mark.parametrize("side", [0, 12, 40])
def test_random_crops_of_nothing_smaller_are_the_pictures(side: int) -> None:
    pictures = torch.rand(2, 3, 12, 12)
    sr, hr = random_crops(pictures, pictures, side, torch.Generator())
    assert sr is pictures
    assert hr is pictures


def test_a_grid_costs_what_it_is_high_and_an_offset_nothing() -> None:
    hr = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    one_in_sixteen = torch.zeros(1, 1, 64, 64)
    one_in_sixteen[..., 1::4, 2::4] = 0.16
    # its mean is .01: one place of sixteen is .15 above it, the others .01 below
    expected = (0.15 + 15 * 0.01) / 16
    assert grid(hr + one_in_sixteen, hr).item() == pytest.approx(expected, rel=1e-4)
    assert grid(hr + one_in_sixteen + 0.3, hr).item() == pytest.approx(expected, rel=1e-3)
    assert grid(hr * 1.0, hr).item() == 0
    every_third = torch.zeros(1, 1, 64, 64)
    every_third[..., ::3, ::3] = 0.16
    assert grid(hr + every_third, hr).item() < expected / 3
    assert grid(hr[..., :12, :8] + one_in_sixteen[..., :12, :8], hr[..., :12, :8]).item() > 0.5 * expected


def test_a_gradient_step_takes_a_grid_away() -> None:
    pattern = torch.zeros(1, 3, 16, 16)
    pattern[..., ::2, ::2] = 0.1
    fake = (0.5 + pattern).requires_grad_()
    before = grid(fake, torch.full_like(fake, 0.5), period=2)
    (gradient,) = torch.autograd.grad(before, fake)
    after = grid(fake - gradient / gradient.abs().max() * 0.01, torch.full_like(fake, 0.5), period=2)
    assert after < before
