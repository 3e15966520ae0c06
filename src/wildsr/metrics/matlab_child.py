"""The child process of `matlab.read_mat`: a MATLAB file in, an .npz of its numeric arrays out.

Run as a file, so that it loads NumPy and SciPy and nothing of wildsr.
"""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def main(path: str, memory: int) -> None:
    """Write the arrays of `path` to stdout, taking at most `memory` bytes more than the imports took."""
    from scipy.io import loadmat

    limit_memory(memory)
    found: dict[str, NDArray[np.float64]] = {}
    for key, value in loadmat(path, struct_as_record=True, squeeze_me=False).items():
        if not key.startswith("__"):
            found.update(flat(key, value))
    np.savez(sys.stdout.buffer, allow_pickle=False, **found)


def flat(name: str, value: object) -> Iterator[tuple[str, NDArray[np.float64]]]:
    """Yield the numeric arrays in a value with their place in it."""
    from scipy.io.matlab import MatlabFunction, MatlabObject, MatlabOpaque

    if isinstance(value, MatlabFunction | MatlabObject | MatlabOpaque):
        raise ValueError(f"{name} is an object of a class; save its properties as plain arrays instead")
    array = np.asarray(value)
    if array.dtype.names:
        for at, record in enumerate(array.ravel(order="F")):
            place = name if array.size == 1 else f"{name}[{at}]"
            for field in array.dtype.names:
                yield from flat(f"{place}.{field}", record[field])
    elif array.dtype == object:
        for at, item in enumerate(array.ravel(order="F")):
            yield from flat(f"{name}[{at}]", item)
    elif array.dtype.kind in "biuf":
        yield name, array.astype(np.float64)


def limit_memory(more: int) -> None:
    """Let this process take `more` bytes beyond what it has, and leave no core dump; only Linux can."""
    if sys.platform != "linux":
        return
    import resource

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
    limit = pages * resource.getpagesize() + more
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    if hard == resource.RLIM_INFINITY or limit < hard:
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
