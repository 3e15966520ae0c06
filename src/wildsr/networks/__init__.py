"""Networks of the literature, one paper a file; presets that build without arguments.

Every generator maps LR RGB in [0, 1] (N×3×h×w) to SR RGB: luma-only networks, pre-enlargement, means and ranges are
inside. Enhancers and degraders that keep the size have scale 1.
"""

import inspect
from collections.abc import Callable
from functools import partial

from torch import nn

from wildsr.networks.compact import Compact
from wildsr.networks.discriminators import (
    EnhanceNetDiscriminator,
    PatchDiscriminator,
    SRGANDiscriminator,
    UNetDiscriminator,
    VGGDiscriminator,
)
from wildsr.networks.dped import DPEDDiscriminator, DPEDEnhancer
from wildsr.networks.dsgan import DSGANDegrader, DSGANDiscriminator
from wildsr.networks.edsr import EDSR
from wildsr.networks.enhancenet import EnhanceNet
from wildsr.networks.features import VGGFeatures
from wildsr.networks.rcan import RCAN
from wildsr.networks.rrdb import RRDBNet
from wildsr.networks.srcnn import SRCNN
from wildsr.networks.srresnet import MSRResNet, SRResNet
from wildsr.networks.srvgg import SRVGG
from wildsr.networks.vdsr import VDSR
from wildsr.networks.zssr import ZSSRNet

NETWORKS: dict[str, Callable[..., nn.Module]] = {
    "srcnn-915": partial(SRCNN, middle=1, channels="y"),
    "srcnn-955": partial(SRCNN, middle=5, channels="y"),
    "srcnn-915-rgb": partial(SRCNN, middle=1, channels="rgb"),
    "srcnn-955-rgb": partial(SRCNN, middle=5, channels="rgb"),
    "vdsr": VDSR,
    "srresnet": SRResNet,
    "msrresnet": MSRResNet,
    "edsr-baseline": EDSR,
    "edsr": partial(EDSR, blocks=32, channels=256, residual_scale=0.1),
    "rcan": RCAN,
    "rcan-small": partial(RCAN, groups=3, blocks=4, channels=48, reduction=12),
    "rrdb": RRDBNet,
    "rrdb-x2": partial(RRDBNet, scale=2),
    "rrdb-x1": partial(RRDBNet, scale=1),
    "rrdb-6": partial(RRDBNet, blocks=6),
    "rrdb-small": partial(RRDBNet, blocks=4, channels=32, growth=16),
    "enhancenet": EnhanceNet,
    "compact": Compact,
    "compact-8": partial(Compact, blocks=8),
    "srvgg-16": SRVGG,
    "srvgg-32": partial(SRVGG, blocks=32),
    "zssr": ZSSRNet,
    "dped": DPEDEnhancer,
    "dsgan": DSGANDegrader,
}
"""Preset → constructor; each builds without arguments and takes the class's own as keywords."""

DISCRIMINATORS: dict[str, Callable[..., nn.Module]] = {
    "srgan": SRGANDiscriminator,
    "vgg-128": VGGDiscriminator,
    "vgg-small": partial(VGGDiscriminator, channels=32),
    "patch": PatchDiscriminator,
    "unet": UNetDiscriminator,
    "unet-small": partial(UNetDiscriminator, channels=32),
    "enhancenet": EnhanceNetDiscriminator,
    "dped": DPEDDiscriminator,
    "dsgan": DSGANDiscriminator,
}
"""Preset → constructor of the networks that tell real pictures from fake ones."""

FIXED_PATCH = tuple(
    name
    for name, constructor in DISCRIMINATORS.items()
    if "patch" in inspect.signature(constructor).parameters
)
"""Discriminators whose last layers are dense, so that the side of their patches is an argument (`patch`)."""

__all__ = [
    "DISCRIMINATORS",
    "FIXED_PATCH",
    "NETWORKS",
    "VGGFeatures",
]
