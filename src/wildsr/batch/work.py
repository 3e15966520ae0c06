"""What the engine asks of a verb: work that travels to every worker, and a worker that turns tasks into records."""

from collections.abc import Mapping, Sequence
from typing import Protocol, TypeVar

from wildsr.batch.manifest import Record, Status
from wildsr.batch.places import Place


class AnyTask(Protocol):
    """One thing to do; small, sent to the worker that does it."""

    @property
    def source(self) -> str:
        """Tells it from all others."""

    @property
    def target(self) -> str:
        """What comes of it, below the output."""


TaskT = TypeVar("TaskT", bound=AnyTask)
_Task_contra = TypeVar("_Task_contra", bound=AnyTask, contravariant=True)


class AnyWorker(Protocol[_Task_contra]):
    """Keeps warm what all its tasks need."""

    def records(self, task: _Task_contra, *, attempts: int) -> Sequence[Record]:
        """Do a task; never raises, whatever a picture or a store does."""


class AnyWork(Protocol[_Task_contra]):
    """What every task of a run has in common; small, sent to each worker once."""

    @property
    def output(self) -> Place:
        """Where results and manifest go."""

    def worker(self) -> AnyWorker[_Task_contra]:
        """Open a worker, in its own process."""

    def unfinished(
        self, task: _Task_contra, status: Status, reason: str, *, attempts: int
    ) -> Sequence[Record]:
        """Return what is recorded of a task that nothing came of."""


class AnyPlan(Protocol[TaskT]):
    """What is left to do, and how."""

    @property
    def work(self) -> AnyWork[TaskT]:
        """What all tasks have in common."""

    @property
    def tasks(self) -> Sequence[TaskT]:
        """Left to do."""

    @property
    def kept(self) -> Mapping[str, Record]:
        """Records of earlier runs, by source."""

    @property
    def workers(self) -> int:
        """Processes at most."""
