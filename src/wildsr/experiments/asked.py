"""What a caller says about an experiment."""

from dataclasses import dataclass
from pathlib import Path

from wildsr.errors import InputError, UsageError
from wildsr.files import find_pictures
from wildsr.training.session import Say


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Pictures, time and places of an experiment."""

    hr: Path
    """Folder of clean photos to train on."""

    test: Path
    """Folder of clean pictures to test on; none of them is in `hr`."""

    budget: float
    """Seconds of processor time for all trainings together."""

    output: Path
    """Folder of the pages."""

    runs: Path
    """Folder of the trainings; what is there goes on."""

    say: Say
    """Takes messages."""

    pairs: Path | None = None
    """Folder with HR and LR photos of a real camera, for experiments that take one."""

    photos: Path | None = None
    """Folder of real photos without ground truth, for experiments that take one."""

    def tests(self) -> list[Path]:
        """The pictures to test on.

        Raises:
            InputError: There are none.
        """
        found = [one.path for one in find_pictures([self.test], recursive=True).pictures]
        if not found:
            raise InputError(f"there is no picture in {self.test} to test on")
        return found

    def __post_init__(self) -> None:
        if not self.budget > 0:
            raise UsageError(f"the budget is {self.budget:g} s; it must be above 0", hint="for example 20m")
