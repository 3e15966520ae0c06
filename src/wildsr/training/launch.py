"""The start of every recipe: its devices, a process on each, and what all processes were told."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar

from wildsr.training.config import to_toml
from wildsr.training.session import Say, Session, open_fabric, open_session, silent
from wildsr.training.settings import RunSettings

if TYPE_CHECKING:
    from _typeshed import DataclassInstance
    from lightning_fabric import Fabric

    class RecipeConfig(DataclassInstance, Protocol):
        """Any recipe's configuration."""

        @property
        def run(self) -> RunSettings:
            """The run."""


Config = TypeVar("Config", bound="RecipeConfig")


@dataclass(frozen=True, kw_only=True)
class Process:
    """One of the processes of a training, and what all of them were told."""

    fabric: "Fabric"
    """Device, precision, processes."""

    folder: Path
    """The run's."""

    recipe: str
    """Which; goes into checkpoints and the card."""

    config: str
    """All settings as TOML."""

    settings: RunSettings
    """How long, on what."""

    resume: bool
    """Whether to go on with the training that is there."""

    say: Say
    """Takes messages; silent in all processes but the first."""

    def open_session(self, data: str, *, stage: str = "", settings: RunSettings | None = None) -> Session:
        """Open the run's folder, or that of one of its stages.

        Args:
            data: Fingerprint of what is learnt from.
            stage: Folder inside the run's for a stage with checkpoints of its own; empty: the run's itself.
            settings: Of the stage, where they are not the run's.

        Raises:
            UsageError: As `wildsr.training.session.open_session`.
            TrainingError: As there.
        """
        return open_session(
            self.fabric,
            folder=self.folder / stage,
            recipe=self.recipe,
            config=self.config,
            data=data,
            settings=settings or self.settings,
            resume=self.resume,
            say=self.say,
        )


def launch(
    recipe: str,
    train: Callable[[Process, Config], None],
    config: Config,
    folder: Path,
    *,
    resume: bool,
    say: Say,
) -> Path:
    """Run a recipe in as many processes as its configuration asks for.

    Args:
        recipe: Its name.
        train: The recipe's work; a function of a module, so that other processes find it.
        config: What to do.
        folder: The run's folder.
        resume: Go on with the training that is there.
        say: Takes messages, in the first process.

    Returns:
        The folder.
    """
    told = partial(_work, recipe=recipe, train=train, config=config, folder=folder, resume=resume, say=say)
    open_fabric(config.run).launch(told)
    return folder


def _work(
    fabric: "Fabric",
    *,
    recipe: str,
    train: Callable[[Process, Config], None],
    config: Config,
    folder: Path,
    resume: bool,
    say: Say,
) -> None:
    process = Process(
        fabric=fabric,
        folder=folder,
        recipe=recipe,
        config=to_toml(config),
        settings=config.run,
        resume=resume,
        say=say if fabric.is_global_zero else silent,
    )
    train(process, config)
