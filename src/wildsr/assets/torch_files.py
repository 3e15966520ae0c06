"""PyTorch's checkpoints without PyTorch, and without the danger of their pickles: tensors come as numpy arrays."""

import math
import zipfile
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.unpickling import MAX_BYTES, Function, Sealed, StandIn, read_bytes, resolved, unpickle
from wildsr.errors import ModelError

Array: TypeAlias = NDArray[np.generic]
_LEGACY_MAGIC = 0x1950A86A20F9469CFC6C
_STORAGES: Mapping[str, str] = {
    "FloatStorage": "<f4",
    "DoubleStorage": "<f8",
    "HalfStorage": "<f2",
    "BFloat16Storage": "<u2",
    "LongStorage": "<i8",
    "IntStorage": "<i4",
    "ShortStorage": "<i2",
    "CharStorage": "|i1",
    "ByteStorage": "|u1",
    "BoolStorage": "|b1",
}


def load_torch(path: Path) -> object:
    """Read a PyTorch checkpoint (`.pth`, `.pt`) without PyTorch: tensors come as numpy arrays.

    Both formats are read: the zip files of PyTorch 1.6 and later, and the bare pickles before.

    Raises:
        ModelError: If it asks for anything but tensors in plain containers, or is damaged.
    """
    try:
        return _zip_checkpoint(path) if zipfile.is_zipfile(path) else _legacy_checkpoint(read_bytes(path))
    except ModelError as error:
        raise ModelError(f"{path.name}: {error}", hint=error.hint) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ModelError(f"{path.name} is a damaged checkpoint ({type(error).__name__}: {error})") from error


class _Storage(Sealed):
    """A run of numbers tensors look into; in old files the numbers come after the pickle."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.kind, self.key, self.count = kind, key, count
        self.numbers: Array | None = None

    def fill(self, raw: bytes) -> None:
        """Give the storage its numbers."""
        numbers: Array = np.frombuffer(raw, _STORAGES[self.kind])
        if numbers.size != self.count:
            raise ModelError(f"storage {self.key} has {numbers.size} numbers instead of {self.count}")
        if self.kind == "BFloat16Storage":
            numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
        self.numbers = numbers


class _Tensor(StandIn):
    """A view of a storage, made when its numbers are there."""

    def __init__(self, storage: object, offset: object, size: object, stride: object, *_: object) -> None:
        self._size, self._stride = _whole_numbers(size), _whole_numbers(stride)
        (self._offset,) = _whole_numbers((offset,))
        if not isinstance(storage, _Storage) or len(self._size) != len(self._stride):
            raise ModelError("the checkpoint describes a tensor that can't be")
        self._storage = storage

    def array(self) -> Array:
        """Return the numbers, checked to lie inside the storage."""
        numbers = self._storage.numbers
        if numbers is None:
            raise ModelError("the checkpoint describes a tensor without numbers")
        if 0 in self._size:
            return np.zeros(self._size, numbers.dtype)
        last = self._offset + sum(
            (side - 1) * step for side, step in zip(self._size, self._stride, strict=True)
        )
        if last >= numbers.size or math.prod(self._size) > numbers.size:
            raise ModelError("the checkpoint describes a tensor larger than its data")
        strides = tuple(step * numbers.itemsize for step in self._stride)
        return np.lib.stride_tricks.as_strided(numbers[self._offset :], self._size, strides).copy()


def _whole_numbers(values: object) -> tuple[int, ...]:
    if not isinstance(values, tuple) or not all(isinstance(value, int) and value >= 0 for value in values):
        raise ModelError("the checkpoint describes a tensor that can't be")
    return values


def _parameter(data: object, *_: object) -> object:
    return data


_NAMES: Mapping[tuple[str, str], object] = {
    ("collections", "OrderedDict"): OrderedDict,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch._utils", "_rebuild_parameter"): Function(_parameter),
    **{("torch", name): name for name in _STORAGES},
}


class _Storages(dict[str, _Storage]):
    """The storages a checkpoint refers to, by key."""

    def refer(self, pid: object) -> _Storage:
        """Answer a persistent id: ("storage", kind, key, device, count, …)."""
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage" and pid[1] in _STORAGES):
            raise ModelError("the checkpoint refers to data outside itself")
        if len(pid) > 5 and pid[5] is not None:
            raise ModelError("the checkpoint has storages inside storages, which isn't supported")
        count = pid[4]
        if not isinstance(count, int) or count < 0:
            raise ModelError("the checkpoint describes a storage that can't be")
        return self.setdefault(str(pid[2]), _Storage(pid[1], str(pid[2]), count))


def _zip_checkpoint(path: Path) -> object:
    with zipfile.ZipFile(path) as bundle:
        entries = {entry.filename: entry for entry in bundle.infolist()}
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
            raise ModelError("the checkpoint is compressed, as PyTorch never does it")
        index = next((name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if index is None or sum(entry.file_size for entry in entries.values()) > MAX_BYTES:
            raise ModelError(f"it holds no data.pkl, or more than {MAX_BYTES} bytes")
        storages = _Storages()
        tree, _ = unpickle(bundle.read(index), _NAMES, storages.refer)
        for storage in storages.values():
            storage.fill(bundle.read(f"{index.removesuffix('data.pkl')}data/{storage.key}"))
    return resolved(tree)


def _legacy_checkpoint(data: bytes) -> object:
    """Magic number, protocol, system facts, object, keys: five pickles; then each storage: count and numbers."""
    parts, storages = [], _Storages()
    for _ in range(5):
        part, length = unpickle(data, _NAMES, storages.refer)
        parts.append(part)
        data = data[length:]
        if parts[0] != _LEGACY_MAGIC:
            raise ModelError("it is no PyTorch checkpoint")
    keys = parts[4]
    if not isinstance(keys, list) or {str(key) for key in keys} != set(storages):
        raise ModelError("the checkpoint's list of storages is not that of its tensors")
    for key in keys:
        storage = storages[str(key)]
        size = 8 + storage.count * np.dtype(_STORAGES[storage.kind]).itemsize
        if int.from_bytes(data[:8], "little") != storage.count or len(data) < size:
            raise ModelError(f"storage {key} is cut short")
        storage.fill(data[8:size])
        data = data[size:]
    return resolved(parts[3])
