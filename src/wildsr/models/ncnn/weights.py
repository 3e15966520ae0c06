"""The weights of an ncnn model (`.bin`): no names and no sizes, only numbers in the order layers read them."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.files.opening import read_bytes
from wildsr.models.ncnn.param import Layer

_MAX_BYTES = 1_000_000_000
_FP16 = 0x01306B47
_FP32 = 0
_INT8 = 0x000D4B38
_FP32_BLOCK = 0x0002C056

Weights = NDArray[np.float32]


class WeightReader:
    """Hands out weights one after another.

    A graph that asks for more than the file has is refused before allocation.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._data = np.frombuffer(read_bytes(path, most=_MAX_BYTES), np.uint8)
        except OSError as error:
            raise ModelError(f"{shown(path)} can't be read: {error.strerror}") from error
        self._at = 0

    def tagged(self, layer: Layer, count: int) -> Weights:
        """Read `count` weights that begin with a tag saying how they are stored: fp32 or fp16."""
        tag = int.from_bytes(self._take(layer, 4).tobytes(), "little")
        if tag == _FP16:
            raw = self._take(layer, 2 * count)
            self._take(layer, -2 * count % 4)
            return _finite(layer, raw.view(np.float16).astype(np.float32))
        if tag in (_FP32, _FP32_BLOCK):
            return self.plain(layer, count)
        kind = "int8" if tag == _INT8 else f"of an unknown kind ({tag:#010x})"
        raise layer.wrong(f"weights are {kind}; fp32 and fp16 are supported")

    def plain(self, layer: Layer, count: int) -> Weights:
        """Read `count` fp32 numbers."""
        return _finite(layer, self._take(layer, 4 * count).view(np.float32))

    def finish(self) -> None:
        """Check that nothing is left over."""
        if self._at != self._data.size:
            raise ModelError(
                f"{self._path.name} has {self._data.size} bytes, the graph uses {self._at} of them",
                hint="the .param and the .bin don't belong together",
            )

    def _take(self, layer: Layer, count: int) -> NDArray[np.uint8]:
        if self._at + count > self._data.size:
            raise layer.wrong(
                f"needs {count} bytes of weights, {self._path.name} has {self._data.size - self._at} left "
                f"of {self._data.size}"
            )
        part = np.array(self._data[self._at : self._at + count])
        self._at += count
        return part


def _finite(layer: Layer, values: Weights) -> Weights:
    if not np.isfinite(values).all():
        raise layer.wrong("has weights that are not finite; the file is damaged")
    return values
