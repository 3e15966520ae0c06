"""Numpy's pickles without their danger: arrays, numbers and plain containers come out, or an error."""

import re
from io import BytesIO
from pathlib import Path

import numpy as np

from wildsr.assets.pickle_machine import Calls, checked_key, unpickle
from wildsr.assets.unpickling import Array, resolved
from wildsr.errors import AssetError, ModelError
from wildsr.files import shown
from wildsr.files.opening import read_bytes

_DTYPE = re.compile(r"[<>=|]?[biufc](1|2|4|8|16)|[?]")
_LARGEST = 1 << 28


def load_pickle(path: Path) -> object:
    """Read a pickle of numpy arrays, numbers, strings, lists, tuples and dicts.

    Raises:
        AssetError: If it asks for anything else, is damaged, or larger than 268 MB.
    """
    try:
        data = read_bytes(path, most=_LARGEST)
        return resolved(unpickle(BytesIO(data), _CALLS), len(data))
    except ModelError as error:
        raise AssetError(f"{shown(path.name)}: {error}", hint=error.hint) from error
    except OSError as error:
        raise AssetError(f"{shown(path.name)} can't be read: {error.strerror or error}") from error


class _Dtype:
    """Stands for numpy.dtype; knows numbers only."""

    def __init__(self, code: object, *_: object) -> None:
        if not isinstance(code, str) or not _DTYPE.fullmatch(code):
            raise ModelError(f"the pickle holds values of type {str(code)[:40]!r}; numbers are allowed")
        self.dtype = np.dtype(code)

    def set_state(self, state: object) -> None:
        """Take the order of bytes."""
        if (
            not isinstance(state, tuple)
            or len(state) < 2
            or state[1] not in ("<", ">", "=", "|")
            or any(state[2:5])
        ):
            raise ModelError("the pickle describes a type of numbers that can't be")
        self.dtype = self.dtype.newbyteorder(state[1])


class _Array:
    """Stands for an array until its values are there."""

    def __init__(self, *_: object) -> None:
        self._values: Array | None = None

    def set_state(self, state: object) -> None:
        """Take the values; they stay where they are."""
        if not isinstance(state, tuple) or len(state) != 5:
            raise ModelError("the pickle describes an array that can't be")
        _, shape, dtype, fortran, raw = state
        if isinstance(raw, str):
            raw = raw.encode("latin-1")  # Python 2's strings
        if not (isinstance(shape, tuple) and isinstance(dtype, _Dtype) and isinstance(raw, bytes)):
            raise ModelError("the pickle describes an array that can't be")
        flat = np.frombuffer(raw, dtype.dtype)
        self._values = flat.reshape(shape, order="F" if fortran else "C")

    def array(self) -> Array:
        """Return the array."""
        if self._values is None:
            raise ModelError("the pickle holds an array without values")
        return self._values


def _from_buffer(raw: object, dtype: object, shape: object, order: object) -> _Array:
    """Protocol 5's way."""
    array = _Array()
    array.set_state((1, shape, dtype, order == "F", bytes(raw) if isinstance(raw, bytearray) else raw))
    return array


def _encoded(text: object, _: object = "latin-1") -> bytes:
    """Protocol 2's bytes."""
    if not isinstance(text, str):
        raise ModelError("the pickle encodes what is no text")
    return text.encode("latin-1")


def table(*pairs: object) -> dict[str | int, object]:
    """Stand for collections.OrderedDict."""
    given = pairs[0] if pairs else []
    if not isinstance(given, list | tuple):
        raise ModelError("the pickle makes a table of what is no list")
    made = {}
    for pair in given:
        key, value = pair if isinstance(pair, list | tuple) and len(pair) == 2 else (None, None)
        made[checked_key(key)] = value
    return made


_CALLS: Calls = {
    ("numpy.core.multiarray", "_reconstruct"): _Array,
    ("numpy._core.multiarray", "_reconstruct"): _Array,
    ("numpy.core.numeric", "_frombuffer"): _from_buffer,
    ("numpy._core.numeric", "_frombuffer"): _from_buffer,
    ("numpy", "ndarray"): None,
    ("numpy", "dtype"): _Dtype,
    ("collections", "OrderedDict"): table,
    ("_codecs", "encode"): _encoded,
}
