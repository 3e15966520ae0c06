"""Parameter counts derived from the papers' layer tables, shapes, starting points."""

import pytest
import torch
from torch import nn

from wildsr.networks import NETWORKS
from wildsr.networks.enlarge import Bicubic, Luma

PARAMETERS = {
    "srcnn-915": 8_129,
    "srcnn-955": 57_281,
    "srcnn-915-rgb": 20_099,
    "srcnn-955-rgb": 69_251,
    "vdsr": 664_704,
    # conv9 15,616 + PReLU 1 + 16 × (2 × 36,864 + 2 BN × 128 + 1) + conv 36,864 + BN 128
    # + 2 × (147,712 + 1) + conv9 15,555
    "srresnet": 1_547_350,
    "msrresnet": 1_517_571,
    "edsr-baseline": 1_517_571,
    "edsr": 43_089_923,
    "rcan": 15_592_355,
    "rcan-small": 756_099,
    "rrdb": 16_697_987,
    "rrdb-x2": 16_697_987 + 9 * 9 * 64,  # 12 input channels instead of 3
    "rrdb-x1": 16_697_987 + 45 * 9 * 64,  # 48
    "rrdb-6": 4_467_779,
    "rrdb-small": 758_755,
    "enhancenet": 852_867,
    # 1,792 + 16 × 2 × 36,928 + 27,696 + 84
    "compact": 1_211_268,
    "compact-8": 620_420,
    "srvgg-16": 621_424,
    "srvgg-32": 1_213_296,
    "zssr": 224_640,
    "dped": 401_475,
    # 1,792 + 1 + 8 × (2 × 36,928 + 1) + 1,731
    "dsgan": 594_380,
}
SAME_SIZE = ("rrdb-x1", "dped", "dsgan")


def test_every_preset_is_counted() -> None:
    assert PARAMETERS.keys() == NETWORKS.keys()


@pytest.mark.parametrize("preset", PARAMETERS)
def test_the_number_of_parameters_is_the_papers(preset: str) -> None:
    with torch.device("meta"):
        network = NETWORKS[preset]()
    assert sum(parameter.numel() for parameter in network.parameters()) == PARAMETERS[preset]


@pytest.mark.parametrize("preset", [name for name in PARAMETERS if name not in ("edsr",)])
def test_the_result_is_scale_times_as_large_for_odd_and_tiny_pictures(preset: str) -> None:
    scale = 1 if preset in SAME_SIZE else 2 if preset == "rrdb-x2" else 4
    fold = {"rrdb-x2": 2, "rrdb-x1": 4}.get(preset, 1)
    with torch.device("meta"):
        network = NETWORKS[preset]().eval()
        for height, width in ((1, 1), (5, 3)):
            lr = torch.empty(2, 3, height * fold, width * fold)
            assert network(lr).shape == (2, 3, height * fold * scale, width * fold * scale)


@pytest.mark.parametrize("scale", [2, 3, 4])
def test_edsr_and_rcan_come_in_all_scales(scale: int) -> None:
    for preset in ("edsr-baseline", "rcan-small"):
        with torch.device("meta"):
            assert NETWORKS[preset](scale=scale)(torch.empty(1, 3, 4, 4)).shape[-1] == 4 * scale


def test_srvgg_starts_at_the_nearest_enlargement_and_can_learn_from_there() -> None:
    torch.manual_seed(0)
    network = NETWORKS["srvgg-16"]()
    lr = torch.rand(1, 3, 6, 5)
    sr = network(lr)
    assert torch.equal(sr, lr.repeat_interleave(4, 2).repeat_interleave(4, 3))
    features = network.body[:-1](lr)
    spread = features.std(dim=(0, 2, 3))
    assert spread.min() > 0.01  # every channel still varies over the picture after sixteen layers
    assert spread.max() < 10


def test_rrdb_starts_near_the_identity() -> None:
    """Dense blocks add little at first, and the outer skip counts the input once whole and once by a fifth."""
    torch.manual_seed(0)
    network = NETWORKS["rrdb-small"]()
    x = torch.randn(1, 32, 8, 8)
    assert ((network.body[0](x) - 1.2 * x).abs().max() / x.abs().max()).item() < 0.05


def test_edsr_works_at_0_to_255_around_div2ks_mean() -> None:
    shift = NETWORKS["edsr-baseline"]().shift
    gray = torch.tensor([0.4488, 0.4371, 0.4040]).view(1, 3, 1, 1)
    assert shift(gray).abs().max() < 1e-5
    assert torch.allclose(shift(gray + 1), torch.full((1, 3, 1, 1), 255.0))
    assert torch.allclose(shift.undo(shift(gray * 0.7)), gray * 0.7, atol=1e-6)


def test_rcan_looks_at_the_whole_picture() -> None:
    torch.manual_seed(0)
    network = NETWORKS["rcan-small"]().eval()
    lr = torch.rand(1, 3, 8, 160)
    other = lr.clone()
    other[..., 150:] = 1 - other[..., 150:]
    with torch.no_grad():
        assert (network(lr)[..., :20] - network(other)[..., :20]).abs().max() > 0


def test_luma_networks_leave_colour_to_the_enlargement() -> None:
    torch.manual_seed(0)
    network = NETWORKS["vdsr"](depth=3)
    lr = torch.rand(1, 3, 6, 6)
    sr, enlarged = network(lr), Bicubic(4)(lr)
    difference = sr - enlarged
    assert difference.abs().max() > 1e-4
    # Cb and Cr are differences of channels: adding the same to all three leaves them alone
    assert (difference - difference.mean(dim=1, keepdim=True)).abs().max() < 1e-6


def test_luma_is_bt601_studio() -> None:
    luma = Luma()
    assert luma(torch.ones(1, 3, 1, 1)).item() == pytest.approx(235 / 255, abs=1e-5)
    assert luma(torch.zeros(1, 3, 1, 1)).item() == pytest.approx(16 / 255, abs=1e-6)
    replaced = luma.replace(torch.full((1, 3, 1, 1), 0.5), torch.full((1, 1, 1, 1), 0.25))
    assert luma(replaced).item() == pytest.approx(0.25, abs=1e-6)


@pytest.mark.parametrize("size", [(1, 1), (1, 7), (2, 3), (9, 5)])
@pytest.mark.parametrize("scale", [2, 3, 4])
def test_enlargement_multiplies_by_matlabs_weights(size: tuple[int, int], scale: int) -> None:
    from wildsr.imaging.resize import resize

    x = torch.rand(1, 3, *size, generator=torch.Generator().manual_seed(1))
    ours = Bicubic(scale)(x)[0].permute(1, 2, 0).numpy()
    matlabs = resize(x[0].permute(1, 2, 0).numpy(), scale=scale)
    assert abs(ours - matlabs).max() < 1e-5


@pytest.mark.parametrize(
    "preset", ["srcnn-955", "srresnet", "enhancenet", "rrdb-small", "zssr", "dsgan", "dped"]
)
def test_gradients_reach_every_parameter(preset: str) -> None:
    torch.manual_seed(0)
    network = NETWORKS[preset]()
    network(torch.rand(2, 3, 8, 8)).square().mean().backward()
    for name, parameter in network.named_parameters():
        assert parameter.grad is not None, name
        assert torch.isfinite(parameter.grad).all(), name
        assert parameter.grad.abs().max() > 0, name


def test_compact_starts_at_the_nearest_enlargement_and_every_part_of_it_learns() -> None:
    torch.manual_seed(0)
    network = NETWORKS["compact"](blocks=4, channels=16)
    lr = torch.rand(1, 3, 6, 5)
    sr = network(lr)
    assert torch.allclose(sr, lr.repeat_interleave(4, 2).repeat_interleave(4, 3), atol=1e-6)
    spread = network.body(nn.functional.leaky_relu(network.head(lr), 0.1)).std(dim=(0, 2, 3))
    assert 0.05 < float(spread.detach().median()) < 5  # the residual pairs keep the variance
    (network(lr) - torch.rand_like(sr)).square().mean().backward()
    assert float(network.tail.weight.grad.abs().max()) > 0
    assert float(network.blend.weight.grad.abs().max()) > 0
