"""VGG features: torchvision's layer numbers, normalisation, weights."""

import pytest
import torch

from wildsr.errors import ModelError
from wildsr.networks.features import VGGFeatures, layer_names


@pytest.mark.parametrize(
    ("layer", "index"),
    [
        ("conv1_1", 0),
        ("conv1_2", 2),
        ("conv2_1", 5),
        ("conv2_2", 7),
        ("conv3_1", 10),
        ("conv3_4", 16),
        ("conv4_4", 25),
        ("conv5_1", 28),
        ("conv5_4", 34),
    ],
)
def test_layers_have_torchvisions_numbers(layer: str, index: int) -> None:
    assert layer_names("vgg19").index(layer) == index


def test_sizes_of_the_two() -> None:
    with torch.device("meta"):
        full16 = VGGFeatures("vgg16", ("pool5",))
        full19 = VGGFeatures("vgg19", ("pool5",))
    assert sum(p.numel() for p in full16.parameters()) == 14_714_688  # torchvision's convolutions
    assert (
        sum(p.numel() for p in full19.parameters()) == 20_024_384
    )  # one more convolution in each of the last three stages
    with torch.device("meta"):
        found = full16(torch.empty(1, 3, 64, 48))
    assert found["pool5"].shape == (1, 512, 2, 1)


def test_features_before_and_after_activation_differ_by_a_relu() -> None:
    torch.manual_seed(0)
    vgg = VGGFeatures("vgg16", ("conv2_1", "relu2_1"))
    found = vgg(torch.rand(1, 3, 16, 16))
    assert torch.equal(found["conv2_1"].clamp_min(0), found["relu2_1"])
    assert found["conv2_1"].min() < 0


def test_the_input_is_normalised_as_imagenets() -> None:
    vgg = VGGFeatures("vgg16", ("conv1_1",))
    mean = torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1).expand(1, 3, 4, 4)
    bias = vgg.features[0].bias.view(1, -1, 1, 1).expand(1, 64, 4, 4)
    assert torch.allclose(vgg(mean)["conv1_1"], bias, atol=1e-6)


def test_it_never_learns() -> None:
    vgg = VGGFeatures("vgg16", ("conv1_2",))
    assert not any(p.requires_grad for p in vgg.parameters())


def test_an_unknown_layer_is_named() -> None:
    with pytest.raises(ModelError, match="vgg16 has no layer conv5_4"):
        VGGFeatures("vgg16", ("conv5_4",))


def test_weights_of_another_network_are_refused() -> None:
    vgg = VGGFeatures("vgg16", ("conv1_1",))
    with pytest.raises(
        ModelError, match=r"features\.0\.weight must have shape \(64, 3, 3, 3\), the file has nothing"
    ):
        vgg.load({})
    with pytest.raises(ModelError, match=r"the file has shape \(1,\)"):
        vgg.load({"features.0.weight": torch.zeros(1)})


def test_weights_are_taken_over() -> None:
    vgg = VGGFeatures("vgg16", ("conv1_1",))
    weights = {
        "features.0.weight": torch.full((64, 3, 3, 3), 0.5),
        "features.0.bias": torch.ones(64),
        "classifier": torch.ones(1),
    }
    vgg.load(weights)
    assert vgg.features[0].weight.unique().item() == 0.5
