"""PyTorch's checkpoints without PyTorch, and without the danger of their pickles: tensors come as numpy arrays."""

import io
import math
import os
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Final, TypeGuard

import numpy as np

from wildsr.assets.pickle_machine import Calls, Name, unpickle
from wildsr.assets.pickles import table
from wildsr.assets.unpickling import Array, resolved
from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.files.opening import chunks, open_regular

MAX_BYTES: Final = 4_000_000_000
_LEGACY_MAGIC: Final = 0x1950A86A20F9469CFC6C
_LARGEST_PICKLE: Final = 1 << 26
_STORAGES: Final[Mapping[str, str]] = {
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
        ModelError: If it asks for anything but tensors in plain containers, is damaged, or larger than 4 GB.
    """
    try:
        with open_regular(path) as file:
            size = os.fstat(file.fileno()).st_size
            if size > MAX_BYTES:
                raise ModelError(f"it has {size:,} bytes; at most {MAX_BYTES:,} are read")
            if zipfile.is_zipfile(file):
                return _zip_checkpoint(file, size)
            file.seek(0)
            return _legacy_checkpoint(BytesIO(b"".join(chunks(file))))
    except ModelError as error:
        raise ModelError(f"{shown(path.name)}: {error}", hint=error.hint) from error
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, NotImplementedError) as error:
        raise ModelError(
            f"{shown(path.name)} is a damaged checkpoint ({type(error).__name__}: {error})"
        ) from error


class _Storage:
    """A run of numbers tensors look into; in old files the numbers come after the pickle."""

    def __init__(self, kind: str, key: str, count: int) -> None:
        self.kind, self.key, self.count = kind, key, count
        self.numbers: Array | None = None

    @property
    def stored_bytes(self) -> int:
        """Size in the file."""
        return self.count * np.dtype(_STORAGES[self.kind]).itemsize

    def fill(self, raw: bytes) -> None:
        """Give the storage its numbers."""
        numbers: Array = np.frombuffer(raw, _STORAGES[self.kind])
        if numbers.size != self.count:
            raise ModelError(f"storage {self.key} has {numbers.size} numbers instead of {self.count}")
        if self.kind == "BFloat16Storage":
            numbers = (numbers.astype(np.uint32) << 16).view(np.float32)
        self.numbers = numbers


class _Tensor:
    """A view of a storage, made when its numbers are there."""

    def __init__(self, storage: object, offset: object, size: object, stride: object, *_: object) -> None:
        if not (
            isinstance(storage, _Storage)
            and _are_whole((offset,))
            and _are_whole(size)
            and _are_whole(stride)
            and len(size) == len(stride)
        ):
            raise ModelError("the checkpoint describes a tensor that can't be")
        assert isinstance(offset, int)
        self._storage, self._offset, self._size, self._stride = storage, offset, size, stride

    def array(self) -> Array:
        """Return the numbers, checked to lie inside the storage."""
        numbers = self._storage.numbers
        if numbers is None:
            raise ModelError("the checkpoint describes a tensor without numbers")
        if 0 in self._size:
            return np.zeros(0, numbers.dtype).reshape(self._size)
        last = self._offset + sum(
            (side - 1) * step for side, step in zip(self._size, self._stride, strict=True)
        )
        if last >= numbers.size or math.prod(self._size) > numbers.size:
            raise ModelError("the checkpoint describes a tensor larger than its data")
        strides = tuple(step * numbers.itemsize for step in self._stride)
        return np.lib.stride_tricks.as_strided(numbers[self._offset :], self._size, strides, writeable=False)


def _are_whole(values: object) -> TypeGuard[tuple[int, ...]]:
    return isinstance(values, tuple) and all(isinstance(value, int) and value >= 0 for value in values)


def _parameter(data: object, *_: object) -> object:
    return data


_CALLS: Final[Calls] = {
    ("collections", "OrderedDict"): table,
    ("torch._utils", "_rebuild_tensor_v2"): _Tensor,
    ("torch._utils", "_rebuild_parameter"): _parameter,
    **{("torch", name): None for name in _STORAGES},
}


class _Storages(dict[str, _Storage]):
    """The storages a checkpoint refers to, by key."""

    def refer(self, pid: object) -> _Storage:
        """Answer a persistent id: ("storage", kind, key, device, count, …)."""
        if not (isinstance(pid, tuple) and len(pid) >= 5 and pid[0] == "storage"):
            raise ModelError("the checkpoint refers to data outside itself")
        _, kind, key, _, count = pid[:5]
        if len(pid) > 5 and pid[5] is not None:
            raise ModelError("the checkpoint has storages inside storages, which isn't supported")
        known = isinstance(kind, Name) and kind.module == "torch" and kind.name in _STORAGES
        if not known or not isinstance(key, str | int) or not isinstance(count, int) or count < 0:
            raise ModelError("the checkpoint describes a storage that can't be")
        assert isinstance(kind, Name)
        return self.setdefault(str(key), _Storage(kind.name, str(key), count))

    def held(self) -> int:
        """Bytes of all numbers."""
        return sum(one.numbers.nbytes for one in self.values() if one.numbers is not None)


def _zip_checkpoint(file: io.FileIO, size: int) -> object:
    with zipfile.ZipFile(file) as bundle:
        entries = {entry.filename: entry for entry in bundle.infolist()}
        if any(entry.compress_type != zipfile.ZIP_STORED for entry in entries.values()):
            raise ModelError("the checkpoint is compressed, as PyTorch never does it")
        if sum(entry.file_size for entry in bundle.infolist()) > size:
            raise ModelError("the parts of the checkpoint together are larger than the file")
        index = next((name for name in entries if name == "data.pkl" or name.endswith("/data.pkl")), None)
        if index is None or entries[index].file_size > _LARGEST_PICKLE:
            raise ModelError(f"it holds no data.pkl, or one of more than {_LARGEST_PICKLE:,} bytes")
        storages = _Storages()
        tree = unpickle(BytesIO(bundle.read(index)), _CALLS, storages.refer)
        for storage in storages.values():
            storage.fill(bundle.read(f"{index.removesuffix('data.pkl')}data/{storage.key}"))
    return resolved(tree, storages.held() + entries[index].file_size)


def _legacy_checkpoint(file: BytesIO) -> object:
    """Magic number, protocol, system facts, object, keys: five pickles; then each storage: count and numbers."""
    length = len(file.getbuffer())
    parts, storages = [], _Storages()
    for _ in range(5):
        parts.append(unpickle(file, _CALLS, storages.refer))
        if parts[0] != _LEGACY_MAGIC:
            raise ModelError("it is no PyTorch checkpoint")
    keys = parts[4]
    if not isinstance(keys, list) or not all(isinstance(key, str | int) for key in keys):
        raise ModelError("the checkpoint has no list of storages")
    if len(keys) != len(storages) or {str(key) for key in keys} != set(storages):
        raise ModelError("the checkpoint's list of storages is not that of its tensors")
    pickled = file.tell()
    for key in keys:
        storage = storages[str(key)]
        count = int.from_bytes(file.read(8), "little")
        if count != storage.count or storage.stored_bytes > length - file.tell():
            raise ModelError(f"storage {key} is cut short")
        storage.fill(file.read(storage.stored_bytes))
    return resolved(parts[3], storages.held() + pickled)
