"""Reads user-given MATLAB files with SciPy, in a process of its own.

A MATLAB file is a program for its reader: it may claim arrays of terabytes, inflate to gigabytes or nest until the
stack ends, and SciPy's reader follows it. In a child process with a memory limit the worst outcome is an error.
"""

import importlib.util
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError
from wildsr.files import shown
from wildsr.files.opening import open_regular

MatArrays: TypeAlias = dict[str, NDArray[np.float64]]

_MOST_BYTES: Final = 256 * 1024 * 1024
_MOST_SECONDS: Final = 120
_MEMORY: Final = 2 * 1024**3


def read_mat(path: Path) -> MatArrays:
    """Return the numeric arrays of a MATLAB file (level 5, `save -v6` or `-v7`) by their place in it.

    Fields and cells become parts of the name: `model.rf[0].upper`, cells counted from 0 in MATLAB's order.

    Raises:
        MetricError: SciPy is not installed, or the file can't be read, is another kind of file, is broken, or
        needs more than 2 GB to read.
    """
    try:
        with open_regular(path) as file:
            head, size = file.read(128), os.fstat(file.fileno()).st_size
    except OSError as error:
        raise MetricError(f"can't read {shown(path)}: {error.strerror}") from error
    if head[:8] == b"\x89HDF\r\n\x1a\n" or b"MATLAB 7.3" in head:
        raise MetricError(f"{shown(path)} is a MATLAB 7.3 (HDF5) file", hint="save it in MATLAB with -v7")
    if len(head) < 128 or head[126:128] not in (b"IM", b"MI"):
        raise MetricError(f"{shown(path)} is not a MATLAB level-5 file")
    if size > _MOST_BYTES:
        raise MetricError(
            f"{shown(path)} has {size >> 20} MB; parameter files have {_MOST_BYTES >> 20} MB at most"
        )
    if importlib.util.find_spec("scipy") is None:
        raise MetricError(
            f"reading {shown(path)} takes SciPy, which is not installed",
            hint="pip install 'wildsr[metrics]', or save the arrays as .npz",
        )
    return _in_child(path)


def _in_child(path: Path) -> MatArrays:
    # a thread pool of BLAS reserves address space for every core, which the limit would count
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}
    command = [
        sys.executable,
        "-I",
        str(Path(__file__).with_name("matlab_child.py")),
        str(path),
        str(_MEMORY),
    ]
    try:
        done = subprocess.run(
            command, capture_output=True, env=environment, timeout=_MOST_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise MetricError(f"{shown(path)} is a broken MATLAB file: reading it did not end") from None
    if done.returncode:
        raise MetricError(f"{shown(path)} is a broken MATLAB file: {_reason(done.returncode, done.stderr)}")
    with np.load(BytesIO(done.stdout), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def _reason(status: int, said: bytes) -> str:
    """What ended the child, in a few words: the last line of its traceback."""
    lines = said.decode(errors="replace").strip().splitlines()
    if not lines:
        return f"its reader crashed (status {status})"
    if "MemoryError" in lines[-1]:
        return f"reading it takes more than {_MEMORY >> 30} GB of memory"
    return shown(lines[-1])
