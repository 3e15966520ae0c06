"""What the trainings of all experiments share: each is done once, goes on where it stopped, and is short."""

from collections.abc import Callable, Sequence
from pathlib import Path

from wildsr.errors import UsageError
from wildsr.training.checkpoint import checkpoints_in
from wildsr.training.settings import RunSettings


def once(folder: Path, train: Callable[[Path, bool], Path], *, stages: Sequence[str] = ()) -> Path:
    """Train what is not there yet, or go on.

    Args:
        folder: Of the run.
        train: Gets the folder, and whether it shall go on.
        stages: Folders inside the run's that have checkpoints of their own.

    Returns:
        The folder.

    Raises:
        UsageError: What is there was begun otherwise.
    """
    if (folder / "model.onnx").is_file():
        return folder
    begun = any(checkpoints_in(folder / stage) for stage in ("", *stages))
    try:
        train(folder, begun)
    except UsageError as error:
        if "another configuration" in str(error):
            raise UsageError(str(error), hint="choose another folder for the trainings (--runs)") from error
        raise
    return folder


def short_run(steps: int) -> RunSettings:
    """Settings of a run of few steps."""
    return RunSettings(steps=steps, ema=0.99, validate_every=max(steps // 2, 1), checkpoint_every=50)
