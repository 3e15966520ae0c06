"""How many steps fit into a number of processor seconds, which other work on the machine doesn't change."""

import math
import time
from collections.abc import Callable
from typing import Final

import torch
from torch import nn

from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, NETWORKS
from wildsr.training.durations import duration
from wildsr.training.losses import Perceptual
from wildsr.training.settings import DataSettings

_TRIES: Final = 3
"""The first also pays for what is done once."""

_SHARE: Final = 0.85
"""Of the budget; the rest is for crops, validation and export."""

_FEWEST: Final = 50


def psnr_steps(seconds: float, network: str, data: DataSettings, *, scale: int = 4) -> int:
    """Steps on a pixel loss.

    Raises:
        UsageError: So few that nothing would be learnt.
    """
    lr, _ = _batch(data, scale)
    built = NETWORKS[network]()
    return _fitting(seconds, lambda: built(lr).mean().backward())


def gan_steps(
    seconds: float,
    network: str,
    discriminator: str,
    perceptual: Perceptual,
    data: DataSettings,
    *,
    scale: int = 4,
) -> int:
    """Steps of a GAN: generator, classifier, and the discriminator three times.

    Raises:
        UsageError: So few that nothing would be learnt.
    """
    lr, hr = _batch(data, scale)
    built, judge = NETWORKS[network](), _judge(discriminator, data)

    def step() -> None:
        sr = built(lr)
        (perceptual(sr, hr) + judge(sr).mean()).backward()
        (judge(hr).mean() + judge(sr.detach()).mean()).backward()

    return _fitting(seconds, step)


def _judge(discriminator: str, data: DataSettings) -> nn.Module:
    constructor = DISCRIMINATORS[discriminator]
    try:
        return constructor(patch=data.patch)
    except TypeError:  # of any size
        return constructor()


def _batch(data: DataSettings, scale: int) -> tuple[torch.Tensor, torch.Tensor]:
    side = data.patch // scale
    return torch.rand(data.batch, 3, side, side), torch.rand(data.batch, 3, data.patch, data.patch)


def _fitting(seconds: float, step: Callable[[], None]) -> int:
    taken = []
    for _ in range(_TRIES):
        begun = time.process_time()
        step()
        taken.append(time.process_time() - begun)
    steps = int(_SHARE * seconds / min(taken[1:]))
    if steps < _FEWEST:
        raise UsageError(
            f"{duration(seconds)} of processor time hold {steps} steps of one of the trainings; nothing is learnt in "
            f"fewer than {_FEWEST}",
            hint=f"a budget {math.ceil(10 * _FEWEST / max(steps, 1)) / 10:g} times as large would do",
        )
    return steps
