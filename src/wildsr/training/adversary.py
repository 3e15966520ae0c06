"""What adversarial training shares: a new discriminator, the generator's loss against it, and its own step."""

import warnings
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from wildsr.errors import UsageError
from wildsr.networks import DISCRIMINATORS, FIXED_PATCH
from wildsr.training.choices import DiscriminatorName
from wildsr.training.datasets import build
from wildsr.training.losses import Objective, gradient_penalty, win_rate
from wildsr.training.step import Step
from wildsr.training.trainable import Trainable, frozen


def new_discriminator(name: DiscriminatorName, *, patch: int, batch: int, seed: int) -> nn.Module:
    """Build a discriminator, initialised from the seed after the run's: the run's own is the generator's.

    Args:
        name: Preset.
        patch: Side of the pictures that it will see; presets with dense layers are built for it.
        batch: How many it will see at a time.
        seed: The run's.

    Raises:
        UsageError: No such preset, or one that can't judge such pictures.
    """
    arguments = {"patch": patch} if name in FIXED_PATCH else {}
    if name in DISCRIMINATORS and not _takes(name, arguments, patch=patch, batch=batch):
        raise UsageError(
            f"the discriminator `{name}` can't judge {batch} patches of {patch} × {patch} pixels at a time",
            hint="larger patches (--set data.patch=128) or another one (--set discriminator=unet) would do",
        )
    return build(DISCRIMINATORS, name, arguments, seed=seed + 1, what="discriminator")


def _takes(name: str, arguments: Mapping[str, int], *, patch: int, batch: int) -> bool:
    """Whether sizes fit from layer to layer, tried without numbers: in no time, and before anything is computed."""
    try:
        with torch.device("meta"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # layers of no size
            DISCRIMINATORS[name](**arguments)(torch.empty(batch, 3, patch, patch))
    except (RuntimeError, ValueError):
        return False
    return True


def adversarial_loss(objective: Objective, discriminator: nn.Module, fake: Tensor, hr: Tensor) -> Tensor:
    """The generator's loss against a discriminator that doesn't move.

    Args:
        objective: Which.
        discriminator: Pictures → logits.
        fake: N×3×h×w, with gradients.
        hr: Real pictures of the same shape.
    """
    with frozen(discriminator):
        fake_logits = discriminator(fake).float()
        with torch.no_grad():
            real_logits = discriminator(hr).float() if objective.needs_real else fake_logits
        return objective.generator(real_logits, fake_logits)


def teach_discriminator(
    step: Step, discriminator: Trainable, objective: Objective, fake: Tensor, hr: Tensor
) -> None:
    """Move the discriminator's weights, and note how often it was right.

    Args:
        step: The step.
        discriminator: To move.
        objective: Which loss.
        fake: N×3×h×w, detached.
        hr: Real pictures of the same shape.
    """
    real_logits, fake_logits = discriminator(hr), discriminator(fake)
    loss = objective.discriminator(real_logits, fake_logits)
    if objective.gradient_penalty:
        mix = torch.rand((len(hr), 1, 1, 1), generator=step.random()).to(hr)
        penalty = gradient_penalty(discriminator.network, hr, fake, mix)
        loss = loss + objective.gradient_penalty * penalty
    step.minimise(discriminator, {"discriminator": loss})
    step.note("discriminator_wins", win_rate(real_logits, fake_logits))
