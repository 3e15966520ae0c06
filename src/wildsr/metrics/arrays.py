"""Named arrays in files: NumPy's .npz, and MATLAB's .mat through SciPy."""

from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files import shown
from wildsr.files.opening import open_regular
from wildsr.metrics.matlab import read_mat

Arrays: TypeAlias = dict[str, NDArray[np.float64]]


def load_arrays(path: Path) -> Arrays:
    """Return the numeric arrays of an .npz or .mat file; the fields of a single struct count as the file's own.

    Raises:
        MetricError: The file can't be read, or is something else.
    """
    if path.suffix == ".mat":
        found = read_mat(path)
        owners = {name.partition(".")[0] for name in found}
        if len(owners) == 1 and all("." in name for name in found):
            return {name.partition(".")[2]: values for name, values in found.items()}
        return found
    try:
        # numpy leaves a file open that it opened itself and could not read
        with open_regular(path) as file, np.load(file, allow_pickle=False) as archive:
            if not isinstance(archive, np.lib.npyio.NpzFile):
                raise MetricError(f"{shown(path)} is a single array; an .npz of named arrays is expected")
            return {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, KeyError, BadZipFile) as error:
        raise MetricError(f"can't read {shown(path)} as an .npz or .mat file: {error}") from error


def names_of(arrays: Mapping[str, object]) -> str:
    """Return the arrays' names for a message."""
    return ", ".join(sorted(arrays)) or "no arrays"
