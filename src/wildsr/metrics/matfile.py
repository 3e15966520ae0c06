"""Reads the MATLAB files that metric parameters are published in: level 5, `save -v6` and `-v7`.

Numbers, characters, cells and structs become arrays, strings, lists and dicts. The format is MathWorks'
"MAT-File Level 5". Every length is checked against the bytes that are there, so a broken file is an error and
never a crash.
"""

import struct
import zlib
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import MetricError

MatValue: TypeAlias = NDArray[np.float64] | str | list["MatValue"] | dict[str, "MatValue"]

_NUMBERS = {
    1: "i1",
    2: "u1",
    3: "i2",
    4: "u2",
    5: "i4",
    6: "u4",
    7: "f4",
    9: "f8",
    12: "i8",
    13: "u8",
    16: "u1",
}
_NUMBERS |= {17: "u2", 18: "u4"}
_MATRIX, _COMPRESSED = 14, 15
_CELL, _STRUCT, _OBJECT, _CHAR, _OPAQUE = 1, 2, 3, 4, 17
_NUMERIC = range(6, 16)
_MOST_BYTES = 512 * 1024 * 1024
_DEEPEST = 16


def read_mat(path: Path) -> dict[str, MatValue]:
    """Return the variables of a MATLAB file by name.

    Raises:
        MetricError: The file can't be read, is not level 5, is broken, or holds class instances.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise MetricError(f"can't read {path}: {error.strerror}") from error
    if data[:8] == b"\x89HDF\r\n\x1a\n" or b"MATLAB 7.3" in data[:116]:
        raise MetricError(f"{path} is a MATLAB 7.3 (HDF5) file", hint="save it in MATLAB with -v7")
    if len(data) < 128 or data[126:128] not in (b"IM", b"MI"):
        raise MetricError(f"{path} is not a MATLAB level-5 file")
    order = "<" if data[126:128] == b"IM" else ">"
    variables: dict[str, MatValue] = {}
    try:
        for kind, body in _Elements(memoryview(data)[128:], order):
            element = (kind, body)
            if kind == _COMPRESSED:
                element = next(_Elements(memoryview(_inflate(body)), order))
            if element[0] == _MATRIX:
                name, value = _matrix(element[1], order, 0)
                variables[name] = value
    except (ValueError, StopIteration, struct.error, zlib.error, UnicodeDecodeError) as error:
        raise MetricError(f"{path} is a broken MATLAB file: {error}") from error
    return variables


def _inflate(body: memoryview) -> bytes:
    inflater = zlib.decompressobj()
    inflated = inflater.decompress(body, _MOST_BYTES)
    if inflater.unconsumed_tail:
        raise ValueError(f"a variable of more than {_MOST_BYTES} bytes")
    return inflated


class _Elements:
    """Iterates over the tagged elements of a buffer: (type, bytes)."""

    def __init__(self, data: memoryview, order: str) -> None:
        self._data, self._order, self._position = data, order, 0

    def __iter__(self) -> "_Elements":
        return self

    def __next__(self) -> tuple[int, memoryview]:
        if self._position + 8 > len(self._data):
            raise StopIteration
        first, length = struct.unpack_from(self._order + "II", self._data, self._position)
        if first >> 16:  # a small element: length, type and up to four bytes share the tag
            kind, length, start, used = first & 0xFFFF, first >> 16, self._position + 4, 8
            if length > 4:
                raise ValueError("a small element of more than four bytes")
        else:
            kind, start = first, self._position + 8
            used = 8 + length + (0 if kind == _COMPRESSED else -length % 8)
        if start + length > len(self._data):
            raise ValueError("an element is longer than the file")
        self._position += used
        return kind, self._data[start : start + length]


def _matrix(body: memoryview, order: str, depth: int) -> tuple[str, MatValue]:
    if depth > _DEEPEST:
        raise ValueError("cells or structs nested too deeply")
    parts = _Elements(body, order)
    flags = np.frombuffer(next(parts)[1], order + "u4")
    kind = int(flags[0]) & 0xFF
    if kind in (_OBJECT, _OPAQUE):
        raise MetricError(
            "the MATLAB file holds an object of a class", hint="save its properties as plain arrays instead"
        )
    shape = tuple(int(side) for side in np.frombuffer(next(parts)[1], order + "i4"))
    if len(shape) < 2 or min(shape) < 0:
        raise ValueError(f"an array of shape {shape}")
    name = bytes(next(parts)[1]).decode("ascii")
    if kind in _NUMERIC:
        return name, _numbers(next(parts), order, shape)
    if kind == _CHAR:
        return name, "".join(map(chr, _numbers(next(parts), order, shape).astype(np.uint32).ravel(order="F")))
    if kind == _CELL:
        return name, [_nested(parts, order, depth) for _ in range(_count(shape, body))]
    if kind == _STRUCT:
        return name, _struct(parts, order, depth, _count(shape, body))
    raise ValueError(f"an array of class {kind}")


def _struct(parts: _Elements, order: str, depth: int, count: int) -> MatValue:
    width = int(np.frombuffer(next(parts)[1], order + "i4")[0])
    raw = bytes(next(parts)[1])
    if width < 1 or len(raw) % width:
        raise ValueError("a struct with broken field names")
    names = [
        raw[start : start + width].split(b"\0")[0].decode("ascii") for start in range(0, len(raw), width)
    ]
    items: list[MatValue] = [{name: _nested(parts, order, depth) for name in names} for _ in range(count)]
    return items[0] if count == 1 else items


def _nested(parts: _Elements, order: str, depth: int) -> MatValue:
    kind, body = next(parts)
    if kind != _MATRIX:
        raise ValueError(f"an element of type {kind} where an array is expected")
    if not len(body):
        return np.empty((0, 0))
    return _matrix(body, order, depth + 1)[1]


def _numbers(part: tuple[int, memoryview], order: str, shape: tuple[int, ...]) -> NDArray[np.float64]:
    kind, body = part
    if kind not in _NUMBERS:
        raise ValueError(f"numbers of type {kind}")
    values = np.frombuffer(body, order + _NUMBERS[kind])
    if values.size != int(np.prod(shape, dtype=np.int64)):
        raise ValueError(f"{values.size} numbers for an array of shape {shape}")
    return values.astype(np.float64).reshape(shape, order="F")


def _count(shape: tuple[int, ...], body: memoryview) -> int:
    count = int(np.prod(shape, dtype=np.int64))
    if count > len(body) // 8:
        raise ValueError(f"{count} items in {len(body)} bytes")
    return count
