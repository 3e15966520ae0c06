"""Frozen outputs of every network and discriminator: a change of a layer, its order or a constant shows.

Mean, standard deviation, first and last value of the output for the weights and pictures of `frozen.py`, in float64.

Checked once against spandrel 0.4.2 (torch 2.14.1), which has three of the architectures: our weights under its key
names, the same pictures, float64. Largest difference of any value: 0 for rrdb, rrdb-x2, rrdb-x1, rrdb-6, srvgg-16 and
srvgg-32; 9e-8 for rcan (values up to 1.3) and 1e-6 for rcan-small (up to 5.5), where spandrel keeps 255 × the mean of
DIV2K in float32.
"""

import pytest
import torch

from tests.networks.frozen import fill, numbers, picture
from wildsr.networks import DISCRIMINATORS, NETWORKS

GAINS = {"rcan": 0.6}
"""With 1, two hundred gated residual blocks amplify rounding errors to the size of the output."""

OUTPUTS = {
    "srcnn-915": (0.00288449349, 0.228393461, 0.67435955, 0.159376441),
    "srcnn-955": (0.243192005, 0.231876582, 0.72953196, 0.22910207),
    "srcnn-915-rgb": (-0.0499334913, 0.146698771, 0.164142301, -0.282001831),
    "srcnn-955-rgb": (-0.0235883422, 0.470817872, 0.274706427, -0.299331047),
    "vdsr": (0.506728293, 0.236157193, 1.08017659, 0.39231239),
    "srresnet": (5.95575192, 12.5210848, 1.23754093, 2.28490054),
    "msrresnet": (-1.11753916, 4.15142003, 1.45616696, -0.0566237945),
    "edsr-baseline": (-0.0168418053, 7.01138006, -1.76133534, -0.27497364),
    "edsr": (0.427614114, 0.367935928, 0.490191876, 0.557227995),
    "rcan": (0.435171625, 0.178278251, 0.465862267, 0.36632832),
    "rcan-small": (0.419200017, 1.13386041, 0.273858959, 0.693276952),
    "rrdb": (-6.64571242, 16.2485645, 4.42606945, 3.46920796),
    "rrdb-x2": (-7.27204678, 12.2427758, 2.3632222, 4.05570977),
    "rrdb-x1": (-6.06201322, 10.3261862, 2.35404554, -1.06625111),
    "rrdb-6": (-0.425981515, 0.768041082, 0.415082016, -0.0285233827),
    "rrdb-small": (-0.0208076198, 0.378093516, 0.121475946, -0.0239101836),
    "enhancenet": (-0.222915226, 0.995509642, 1.3060813, 0.278832959),
    "srvgg-16": (0.49926453, 0.310273704, 0.918684641, 0.609498098),
    "srvgg-32": (0.502103145, 0.311309331, 0.824366951, 0.428675428),
    "compact": (-0.611566461, 6.39180922, -2.64549583, -3.6146635),
    "compact-8": (-0.290235255, 1.76942296, -0.650504417, 0.188403484),
    "zssr": (0.487137352, 0.235269771, 1.08018692, 0.392406705),
    "dped": (0.45789685, 0.146226866, 0.625011184, 0.412827139),
    "dsgan": (0.519835951, 0.2600234, 0.511643989, 0.664514138),
}
LOGITS = {
    "srgan": (0.0527961988, 0.00699560568, 0.057742839, 0.0478495586),
    "vgg-128": (-0.0745428989, 0.00913310457, -0.0680848187, -0.081000979),
    "vgg-small": (-0.0521811569, 0.0134272944, -0.0426866261, -0.0616756878),
    "patch": (-0.325897753, 0.117489043, -0.229571642, -0.263712403),
    "unet": (0.0088195388, 0.056142001, -0.0893581063, 0.0857867758),
    "unet-small": (-0.00323849465, 0.0441198046, -0.0145161792, 0.00344224977),
    "enhancenet": (0.159252064, 0.00342378575, 0.161673046, 0.156831082),
    "dped": (0.0420278512, 0.0296246215, 0.0500924985, 0.0547441531),
    "dsgan": (0.406581234, 0.0616314346, 0.283100537, 0.26954951),
}
SIDES = {"dped": 100, "srgan": 96, "vgg-128": 128, "vgg-small": 128, "enhancenet": 128}


def test_every_preset_is_frozen() -> None:
    assert OUTPUTS.keys() == NETWORKS.keys()
    assert LOGITS.keys() == DISCRIMINATORS.keys()


@pytest.mark.parametrize("preset", OUTPUTS)
def test_networks(preset: str) -> None:
    network = fill(NETWORKS[preset](), GAINS.get(preset, 1.0))
    with torch.no_grad():
        found = numbers(network(picture(8, 12)))
    assert found == pytest.approx(OUTPUTS[preset], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("preset", LOGITS)
def test_discriminators(preset: str) -> None:
    side = SIDES.get(preset, 64)
    network = fill(DISCRIMINATORS[preset]())
    with torch.no_grad():
        found = numbers(network(picture(side, side)))
    assert found == pytest.approx(LOGITS[preset], rel=1e-5, abs=1e-7)


@pytest.mark.parametrize("preset", ["rrdb-small", "srvgg-16"])
def test_frozen_numbers_see_a_single_weight(preset: str) -> None:
    network = fill(NETWORKS[preset]())
    middle = list(network.parameters())[len(list(network.parameters())) // 2]
    with torch.no_grad():
        middle.view(-1)[0] += 0.5
        found = numbers(network(picture(8, 12)))
    assert found != pytest.approx(OUTPUTS[preset], rel=1e-5, abs=1e-7)
