"""A stage as in ESRGAN: pixels, perceptual features and a discriminator; recipes differ in what goes before it."""

from collections.abc import Callable
from dataclasses import dataclass

from torch import Tensor, nn

from wildsr.checkpoints import scale_of
from wildsr.data import Sampler
from wildsr.training.adversarial_settings import AdversarialSettings
from wildsr.training.adversary import adversarial_loss, new_discriminator, teach_discriminator
from wildsr.training.choices import ObjectiveName
from wildsr.training.datasets import Dataset
from wildsr.training.loop import steps
from wildsr.training.losses import OBJECTIVES, Perceptual, l1
from wildsr.training.memory import refuse_what_cannot_fit
from wildsr.training.perceptual_network import perceptual_network
from wildsr.training.session import Session
from wildsr.training.state import State
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator


@dataclass(frozen=True, kw_only=True, eq=False)
class Critics:
    """The two networks that a generator is judged by."""

    discriminator: nn.Module
    """Learns beside the generator."""

    perceptual: Perceptual
    """Never moves."""


def critics_of(settings: AdversarialSettings, network: nn.Module) -> Critics:
    """Build what the settings name, and refuse a step that memory can't hold.

    Args:
        settings: Presets, patch, seed.
        network: The generator, for its scale and its share of the memory.

    Raises:
        UsageError: A step needs more memory than there is; VGG19 is needed and no file is given.
        AssetError: VGG16's weights can't be had.
    """
    scale, patch = scale_of(network), settings.data.patch
    discriminator = new_discriminator(
        settings.discriminator, patch=patch, batch=settings.data.batch, seed=settings.run.seed
    )
    perceptual = perceptual_network(settings.perceptual, vgg19=settings.vgg19)
    sides = {network: patch // scale, discriminator: patch, perceptual.vgg: patch}
    refuse_what_cannot_fit(sides, settings.data, scale=scale)
    return Critics(discriminator=discriminator, perceptual=perceptual)


def train_gan(
    session: Session,
    settings: AdversarialSettings,
    network: nn.Module,
    critics: Critics,
    dataset: Dataset,
    samples: Sampler,
    *,
    objective: ObjectiveName = "relativistic",
    pixel: Callable[[Tensor, Tensor], Tensor] = l1,
    seen: Callable[[Tensor], Tensor] | None = None,
) -> State:
    """Train a generator against its critics.

    Args:
        session: The stage's.
        settings: Weights of the losses, optimisers, batch.
        network: The generator, where the stage starts.
        critics: Of this stage alone: the discriminator is moved.
        dataset: What the generator is judged on.
        samples: What it learns from.
        objective: Adversarial losses of both.
        pixel: Distance of result and truth, N×3×h×w each.
        seen: What the discriminator is shown of a picture; None: all of it.

    Returns:
        The state at the end.
    """
    game, perceptual = OBJECTIVES[objective], critics.perceptual
    generator = trainable(session, "generator", network, settings.optimiser)
    judge = trainable(session, "discriminator", critics.discriminator, settings.discriminator_optimiser)
    perceptual.to(session.fabric.device)
    state = start_state(session, generator, judge)
    validate = validator(session, dataset.validation, border=scale_of(network), looks=True)
    for step in steps(session, state, samples, settings.data, validate=validate):
        fake, hr = generator(step.lr), step.hr
        shown_fake, shown_hr = (seen(fake), seen(hr)) if seen else (fake, hr)

        terms: dict[str, Tensor] = {}
        with session.fabric.autocast():
            terms["pixel"] = settings.pixel_weight * pixel(fake, hr)
            terms["perceptual"] = settings.perceptual_weight * perceptual(fake, hr)
            adversarial = adversarial_loss(game, judge.network, shown_fake, shown_hr)
            terms["adversarial"] = settings.adversarial_weight * adversarial
        step.minimise(generator, terms)

        teach_discriminator(step, judge, game, shown_fake.detach(), shown_hr)
    return state
