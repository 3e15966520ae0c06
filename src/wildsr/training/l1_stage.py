"""A stage on L1 alone, from which adversarial training starts."""

from torch import nn

from wildsr.checkpoints import scale_of
from wildsr.data import Sampler
from wildsr.training.datasets import Dataset
from wildsr.training.loop import steps
from wildsr.training.losses import l1
from wildsr.training.session import Session
from wildsr.training.settings import DataSettings, OptimiserSettings
from wildsr.training.state import State
from wildsr.training.trainable import start_state, trainable
from wildsr.training.validation import validator


def train_on_l1(
    session: Session,
    network: nn.Module,
    optimiser: OptimiserSettings,
    dataset: Dataset,
    samples: Sampler,
    data: DataSettings,
) -> State:
    """Train a generator on L1.

    Args:
        session: The stage's.
        network: Where the stage starts; ends with the averaged weights.
        optimiser: How its weights are moved.
        dataset: What it is judged on.
        samples: What it learns from.
        data: Batch and workers.

    Returns:
        The state at the end.
    """
    generator = trainable(session, "generator", network, optimiser)
    state = start_state(session, generator)
    validate = validator(session, dataset.validation, border=scale_of(network))
    for step in steps(session, state, samples, data, validate=validate):
        step.minimise(generator, {"loss": l1(generator(step.lr), step.hr)})
    network.load_state_dict(state.ema.module.state_dict())
    return state
