"""Parameter files that no package carries: read from the folder `$WILDSR_METRICS`, where the user puts them."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wildsr.errors import MetricError
from wildsr.files import shown

FOLDER_VARIABLE: Final = "WILDSR_METRICS"


@dataclass(frozen=True, kw_only=True)
class UserFile:
    """A parameter file of a metric."""

    metric: str
    """The metric it belongs to."""

    names: tuple[str, ...]
    """File names looked for, in order."""

    what: str
    """What the file is, and where it comes from."""

    def find(self) -> Path:
        """Return where the file is.

        Raises:
            MetricError: No folder is set, or the file is not in it.
        """
        hint = f"put {self.what} there as {self.names[0]}; the metric's family has no other source"
        folder = os.environ.get(FOLDER_VARIABLE)
        if not folder:
            raise MetricError(
                f"{self.metric} needs a parameter file that no package carries; set {FOLDER_VARIABLE} to its folder",
                hint=hint,
            )
        for name in self.names:
            path = Path(folder).expanduser() / name
            if path.is_file():
                return path
        raise MetricError(
            f"{self.metric}: no {' or '.join(self.names)} in {shown(folder)} ({FOLDER_VARIABLE})", hint=hint
        )

    def exists(self) -> bool:
        """Tell whether the file is in place."""
        try:
            self.find()
        except MetricError:
            return False
        return True
