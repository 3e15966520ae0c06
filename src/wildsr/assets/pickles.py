"""Numpy's pickles without their danger: arrays, numbers and plain containers come out, or an error."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.unpickling import Function, Sealed, StandIn, read_bytes, resolved, unpickle
from wildsr.errors import AssetError, ModelError

Array: TypeAlias = NDArray[np.generic]
_DTYPE = re.compile(r"[<>=|]?[biufc](1|2|4|8|16)|[?]")


def load_pickle(path: Path) -> object:
    """Read a pickle of numpy arrays, numbers, strings, lists, tuples and dicts.

    Raises:
        AssetError: If it asks for anything else, or is damaged.
    """
    try:
        return resolved(unpickle(read_bytes(path), _NAMES)[0])
    except ModelError as error:
        raise AssetError(f"{path.name}: {error}", hint=error.hint) from error


class _Dtype(Sealed):
    """Stands in for numpy.dtype; knows numbers only."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise ModelError(f"the pickle holds values of type {str(code)[:40]!r}; numbers are allowed")
        self.dtype = np.dtype(code)

    def __setstate__(self, state: object) -> None:
        if (
            not isinstance(state, tuple)
            or len(state) < 2
            or state[1] not in ("<", ">", "=", "|")
            or any(state[2:5])
        ):
            raise ModelError("the pickle describes a type of numbers that can't be")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array(StandIn):
    """Stands in for an array until its values are there."""

    def __init__(self, *_: object) -> None:
        self.values: Array | None = None

    def __setstate__(self, state: object) -> None:
        if not isinstance(state, tuple) or len(state) != 5:
            raise ModelError("the pickle describes an array that can't be")
        _, shape, dtype, fortran, raw = state
        if isinstance(raw, str):
            raw = raw.encode("latin-1")  # Python 2's strings
        if not (isinstance(shape, tuple) and isinstance(dtype, _Dtype) and isinstance(raw, bytes)):
            raise ModelError("the pickle describes an array that can't be")
        flat = np.frombuffer(raw, dtype.dtype)
        self.values = flat.reshape(shape, order="F" if fortran else "C").copy()

    def array(self) -> Array:
        """Return the array."""
        if self.values is None:
            raise ModelError("the pickle holds an array without values")
        return self.values


def _marker(*_: object) -> object:
    raise ModelError("the pickle calls a class of arrays, which weights have no business with")


def _from_buffer(raw: object, dtype: object, shape: object, order: object) -> _Array:
    """Protocol 5's way."""
    array = _Array()
    array.__setstate__((1, shape, dtype, order == "F", bytes(raw) if isinstance(raw, bytearray) else raw))
    return array


_NAMES: Mapping[tuple[str, str], object] = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): Function(_from_buffer),
    ("numpy._core.numeric", "_frombuffer"): Function(_from_buffer),
    ("numpy", "ndarray"): Function(_marker),
    ("numpy", "dtype"): _Dtype,
    ("collections", "OrderedDict"): OrderedDict,
    ("_codecs", "encode"): Function(
        lambda text, _="latin-1": str(text).encode("latin-1")
    ),  # protocol 2's bytes
}
