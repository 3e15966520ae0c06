"""Parameter counts and shapes derived from the papers' layer tables."""

import pytest
import torch

from wildsr.networks import DISCRIMINATORS, FIXED_PATCH
from wildsr.networks.dsgan import low_pass

PARAMETERS = {
    # eight convolutions of the paper, head 512·6·6 → 1024 → 1
    "srgan": 23_563_649,
    "vgg-128": 14_499_401,
    "vgg-small": 3_831_689,
    "patch": 2_765_633,
    "unet": 4_376_897,
    "unet-small": 1_094_817,
    "enhancenet": 13_102_881,
    "dped": 7_361_122,
    "dsgan": 1_030_273,
}


@pytest.mark.parametrize("preset", DISCRIMINATORS)
def test_the_number_of_parameters(preset: str) -> None:
    with torch.device("meta"):
        network = DISCRIMINATORS[preset]()
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[preset]


@pytest.mark.parametrize(
    ("preset", "side", "shape"),
    [
        ("srgan", 96, (2, 1)),
        ("vgg-128", 128, (2, 1)),
        ("patch", 128, (2, 1, 14, 14)),
        ("unet", 64, (2, 1, 64, 64)),
        ("enhancenet", 128, (2, 1)),
        ("dped", 100, (2, 2)),
        ("dsgan", 20, (2, 1, 20, 20)),
    ],
)
def test_shape_of_the_logits(preset: str, side: int, shape: tuple[int, ...]) -> None:
    with torch.device("meta"):
        assert DISCRIMINATORS[preset]()(torch.empty(2, 3, side, side)).shape == shape


@pytest.mark.parametrize("preset", FIXED_PATCH)
def test_dense_heads_take_the_side_of_the_patch(preset: str) -> None:
    with torch.device("meta"):
        assert DISCRIMINATORS[preset](patch=64)(torch.empty(2, 3, 64, 64)).shape == (2, 1)


def test_dped_sees_gray_only() -> None:
    torch.manual_seed(0)
    network = DISCRIMINATORS["dped"]().eval()
    picture = torch.rand(1, 3, 100, 100)
    gray = (
        (picture * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1))
        .sum(1, keepdim=True)
        .repeat(1, 3, 1, 1)
    )
    with torch.no_grad():
        assert torch.allclose(network(picture), network(gray), atol=1e-4)


def test_dsgan_sees_high_frequencies_only() -> None:
    torch.manual_seed(0)
    network = DISCRIMINATORS["dsgan"]().eval()
    picture = torch.rand(1, 3, 24, 24) * 0.5
    with torch.no_grad():
        assert torch.allclose(network(picture), network(picture + 0.3), atol=1e-4)


def test_low_pass_of_a_constant_is_the_constant_up_to_the_border() -> None:
    x = torch.full((1, 3, 7, 9), 0.3)
    assert torch.allclose(low_pass(x), x)


def test_low_pass_is_the_mean_of_the_neighbours_there_are() -> None:
    noise = torch.rand(1, 3, 7, 9, generator=torch.Generator().manual_seed(0))
    low = low_pass(noise, 5)
    for y in range(7):
        for x in range(9):
            around = noise[..., max(y - 2, 0) : y + 3, max(x - 2, 0) : x + 3]
            assert torch.allclose(low[..., y, x], around.mean(dim=(2, 3)), atol=1e-6), (y, x)


def test_spectral_norm_bounds_each_layer() -> None:
    torch.manual_seed(0)
    network = DISCRIMINATORS["unet-small"]()
    for _ in range(30):  # power iterations run in training mode
        network(torch.rand(1, 3, 16, 16))
    weight = network.conv4.weight.detach()
    assert torch.linalg.matrix_norm(weight.flatten(1), 2).item() == pytest.approx(1, abs=0.05)
