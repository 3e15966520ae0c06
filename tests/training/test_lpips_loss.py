"""LPIPS as a loss: the formula, layer by layer, and what carries a gradient."""

import pytest
import torch

from wildsr.networks.features import VGGFeatures
from wildsr.training.losses import PERCEPTUAL, Perceptual
from wildsr.training.losses.perceptual import LPIPS_LAYERS

WIDTHS = (64, 128, 256, 512, 512)


@pytest.fixture
def loss() -> Perceptual:
    torch.manual_seed(0)
    network = VGGFeatures("vgg16", LPIPS_LAYERS)
    loss = Perceptual(PERCEPTUAL["lpips-vgg16"])
    loss.vgg.load(network.state_dict())
    loss.load_heads([torch.rand(width) for width in WIDTHS])
    return loss


def test_it_is_the_weighted_square_of_unit_features(loss: Perceptual) -> None:
    sr, hr = torch.rand(2, 3, 32, 24), torch.rand(2, 3, 32, 24)
    ours, theirs = loss.features(sr), loss.features(hr)
    expected = 0.0
    for layer in LPIPS_LAYERS[:4]:
        one, other = (torch.nn.functional.normalize(side[layer], dim=1) for side in (ours, theirs))
        expected += float(((one - other).square() * loss._heads[layer]).sum(1).mean())
    assert float(loss(sr, hr)) == pytest.approx(expected, rel=1e-5)
    assert float(loss(hr, hr)) == 0


def test_brightness_of_features_does_not_count(loss: Perceptual) -> None:
    hr = {layer: torch.rand(1, width, 4, 4) for layer, width in zip(LPIPS_LAYERS, WIDTHS, strict=True)}
    brighter = {layer: 3 * features for layer, features in hr.items()}
    assert float(loss.compare(brighter, hr)) == pytest.approx(0, abs=1e-9)


def test_only_the_result_carries_a_gradient(loss: Perceptual) -> None:
    sr, hr = torch.rand(1, 3, 32, 32, requires_grad=True), torch.rand(1, 3, 32, 32, requires_grad=True)
    loss(sr, hr).backward()
    assert float(sr.grad.abs().max()) > 0  # type: ignore[union-attr]
    assert hr.grad is None


def test_the_deepest_layer_is_not_computed(loss: Perceptual) -> None:
    assert "relu5_3" not in loss.features(torch.rand(1, 3, 32, 32))
    assert len(loss.vgg.names) < len(VGGFeatures("vgg16", LPIPS_LAYERS).names)
