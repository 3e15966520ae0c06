"""Pickles without their danger: only arrays and plain containers come out, nothing is ever called.

Weights are often pickled, and a pickle can run any code when it is read (chaiNNer-org/chaiNNer PR#1250). Here every
name a pickle may ask for stands in a short list; all others raise, before anything happens.
"""

import collections
import io
import pickle
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import AssetError, ModelError

Array: TypeAlias = NDArray[np.generic]
MAX_BYTES = 4_000_000_000


def load_pickle(path: Path) -> object:
    """Read a pickle of numpy arrays, numbers, strings, lists, tuples and dicts.

    Raises:
        AssetError: If it asks for anything else, or is damaged.
    """
    with path.open("rb") as file:
        try:
            return _NumpyUnpickler(file).load()
        except ModelError as error:
            raise AssetError(f"{path.name}: {error}") from error
        except Exception as error:  # a damaged pickle can raise anything
            raise AssetError(f"{path.name} is no readable pickle ({type(error).__name__})") from error


def load_torch(path: Path) -> object:
    """Read a PyTorch checkpoint (`.pth`, `.pt`, zip format) without PyTorch: tensors come as numpy arrays.

    Raises:
        ModelError: If it asks for anything but tensors in plain containers, is of the old format, or is damaged.
    """
    if not zipfile.is_zipfile(path):
        raise ModelError(
            f"{path.name} is no PyTorch checkpoint in the zip format",
            hint="checkpoints from before PyTorch 1.6 must be saved again with a current PyTorch",
        )
    try:
        with zipfile.ZipFile(path) as bundle:
            if sum(entry.file_size for entry in bundle.infolist()) > MAX_BYTES:
                raise ModelError(f"{path.name} unpacks to more than {MAX_BYTES} bytes")
            names = bundle.namelist()
            index = next((name for name in names if name.endswith("/data.pkl") or name == "data.pkl"), None)
            if index is None:
                raise ModelError(f"{path.name} holds no data.pkl")
            root = index.removesuffix("data.pkl")
            return _TorchUnpickler(io.BytesIO(bundle.read(index)), bundle, root).load()
    except ModelError:
        raise
    except Exception as error:  # a damaged checkpoint can raise anything
        raise ModelError(f"{path.name} is a damaged checkpoint ({type(error).__name__}: {error})") from error


class _Refusing(pickle.Unpickler):
    """Knows only the names it is told."""

    allowed: Mapping[tuple[str, str], Callable[..., object] | type | str] = {}

    def find_class(self, module: str, name: str) -> object:
        try:
            return self.allowed[module, name]
        except KeyError:
            raise ModelError(
                f"asks for {module}.{name}, which weights have no business with",
                hint="don't use this file; get the model as .safetensors or from its authors",
            ) from None

    def persistent_load(self, pid: object) -> object:
        raise ModelError("refers to data outside itself")


def _reconstruct(kind: object, shape: object, code: object) -> Array:
    """An empty array that the pickle fills; the only class allowed is numpy.ndarray."""
    if kind is not np.ndarray:
        raise ModelError("asks for an array class of its own")
    return np.ndarray.__new__(np.ndarray, (0,), np.dtype("b"))


class _NumpyUnpickler(_Refusing):
    allowed = {
        ("numpy.core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy._core.multiarray", "_reconstruct"): _reconstruct,
        ("numpy", "ndarray"): np.ndarray,
        ("numpy", "dtype"): np.dtype,
        ("collections", "OrderedDict"): collections.OrderedDict,
    }


_STORAGES: dict[str, str] = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "<i1",
    "ByteStorage": "<u1",
    "BoolStorage": "|b1",
}


class _TorchUnpickler(_Refusing):
    """Builds arrays from the storages of a checkpoint."""

    def __init__(self, file: io.BytesIO, bundle: zipfile.ZipFile, root: str) -> None:
        super().__init__(file)
        self._bundle, self._root = bundle, root
        self.allowed = {
            ("collections", "OrderedDict"): collections.OrderedDict,
            ("torch._utils", "_rebuild_tensor_v2"): _rebuild,
            ("torch._utils", "_rebuild_parameter"): _parameter,
            **{("torch", name): name for name in _STORAGES},
        }

    def persistent_load(self, pid: object) -> object:
        if not (isinstance(pid, tuple) and len(pid) == 5 and pid[0] == "storage" and pid[1] in _STORAGES):
            raise ModelError("refers to data outside itself")
        values = np.frombuffer(self._bundle.read(f"{self._root}data/{pid[2]}"), _STORAGES[pid[1]])
        if pid[1] == "BFloat16Storage":
            values = (values.astype(np.uint32) << 16).view(np.float32)
        return values


def _rebuild(
    storage: Array, offset: int, size: tuple[int, ...], stride: tuple[int, ...], *_: object
) -> Array:
    """A view of a storage, checked to lie inside it."""
    if not isinstance(storage, np.ndarray) or len(size) != len(stride) or offset < 0:
        raise ModelError("describes a tensor that can't be")
    if any(length < 0 for length in size) or any(step < 0 for step in stride):
        raise ModelError("describes a tensor that can't be")
    last = offset + sum((length - 1) * step for length, step in zip(size, stride, strict=True))
    if 0 not in size and last >= storage.size:
        raise ModelError("describes a tensor larger than its data")
    if 0 in size:
        return np.zeros(size, storage.dtype)
    strides = tuple(step * storage.itemsize for step in stride)
    return np.lib.stride_tricks.as_strided(storage[offset:], size, strides).copy()


def _parameter(data: object, *_: object) -> object:
    return data
