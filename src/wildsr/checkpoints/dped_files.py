"""DPED's published generators: the data file of a TensorFlow checkpoint, 401,475 little-endian float32 in a row.

Names are stored in the order of their texts, so `Variable_10` comes before `Variable_2`; kernels are height × width ×
in × out. The index beside the file is not needed: its offsets are the same in all three releases.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
import torch
from torch import Tensor

from wildsr.errors import ModelError
from wildsr.files import shown
from wildsr.files.opening import open_regular

SUFFIX: Final = ".data-00000-of-00001"
SIZE: Final = 1_605_900
_CHANNELS: Final = 64
_BLOCKS: Final = 4
_CONVOLUTIONS: Final = 12


def read_dped(path: Path) -> dict[str, Tensor]:
    """Return the weights of a `DPEDEnhancer` from a published file (`iphone_orig.data-00000-of-00001`, …).

    Raises:
        ModelError: Another size, or numbers that are not finite.
    """
    try:
        with open_regular(path) as file:
            content = file.read(SIZE + 1)
    except OSError as error:
        raise ModelError(f"{shown(path)} can't be read: {error}") from error
    if len(content) != SIZE:
        raise ModelError(
            f"{shown(path)} has {'more than ' if len(content) > SIZE else ''}{min(len(content), SIZE)} bytes; "
            f"DPED's published generators have {SIZE:,}",
            hint="iphone_orig, sony_orig and blackberry_orig are known",
        )
    values = np.frombuffer(content, dtype="<f4")
    if not np.isfinite(values).all():
        raise ModelError(f"{shown(path)} holds numbers that are not finite")
    tensors: dict[str, Tensor] = {}
    start = 0
    for name, shape in _layout():
        size = int(np.prod(shape))
        array = values[start : start + size].reshape(shape)
        array = array.transpose(3, 2, 0, 1) if len(shape) == 4 else array
        tensors[name] = torch.from_numpy(np.array(array, dtype=np.float32))
        start += size
    return tensors


def _layout() -> Iterator[tuple[str, tuple[int, ...]]]:
    """Our names and the file's shapes, in the file's order."""
    for number in _by_text(0, 4 * _BLOCKS - 1):  # even: shift, odd: scale, two for each normalisation
        norm = number // 2
        kind = "weight" if number % 2 else "bias"
        yield f"body.{norm // 2}.norm{norm % 2 + 1}.{kind}", (_CHANNELS,)
    for number in _by_text(1, _CONVOLUTIONS):
        side = 9 if number in (1, _CONVOLUTIONS) else 3
        before = 3 if number == 1 else _CHANNELS
        after = 3 if number == _CONVOLUTIONS else _CHANNELS
        yield f"{_convolution(number)}.weight", (side, side, before, after)
    for number in _by_text(1, _CONVOLUTIONS):
        yield f"{_convolution(number)}.bias", (3 if number == _CONVOLUTIONS else _CHANNELS,)


def _convolution(number: int) -> str:
    ends = {1: "conv_first", 10: "conv_after1", 11: "conv_after2", 12: "conv_last"}
    return ends.get(number) or f"body.{(number - 2) // 2}.conv{number % 2 + 1}"


def _by_text(first: int, last: int) -> list[int]:
    """Numbers in the order of their texts: 1, 10, 11, 12, 2 and so on."""
    return sorted(range(first, last + 1), key=str)
