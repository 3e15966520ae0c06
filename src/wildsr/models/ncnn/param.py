"""The text graph of an ncnn model (`.param`)."""

import math
from dataclasses import dataclass
from pathlib import Path

from wildsr.errors import ModelError
from wildsr.files.display import shown
from wildsr.files.opening import read_text
from wildsr.models.onnx_checks import MAX_NODES

MAGIC = "7767517"
_MAX_BYTES = 16_000_000
_MAX_LAYERS = MAX_NODES
_MAX_LIST = 10_000
MAX_CHANNELS = 1 << 14


@dataclass(frozen=True, kw_only=True)
class Layer:
    """One layer: type, name, blobs in and out, numbered parameters."""

    kind: str
    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]
    numbers: dict[int, float]
    lists: dict[int, tuple[float, ...]]

    def integer(self, key: int, default: int, *, low: int = 0, high: int = 1 << 20) -> int:
        """A whole-number parameter within bounds."""
        value = self.numbers.get(key, default)
        if value != int(value) or not low <= value <= high:
            raise self.wrong(f"parameter {key} is {value:g}; a whole number from {low} to {high} is allowed")
        return int(value)

    def number(self, key: int, default: float) -> float:
        """A parameter."""
        return self.numbers.get(key, default)

    def wrong(self, what: str) -> ModelError:
        """An error that names this layer."""
        return ModelError(f"layer {shown(self.name[:60])} ({shown(self.kind[:60])}): {what}")


def read_param(path: Path) -> list[Layer]:
    """Parse a `.param` file; layers come in the order they run.

    Raises:
        ModelError: Not such a file, or a graph whose layers use blobs nobody made.
    """
    lines = [line for line in _text(path).splitlines() if line.strip()]
    if len(lines) < 2 or lines[0].strip() != MAGIC:
        raise ModelError(f"{shown(path)} is no ncnn graph: it doesn't begin with {MAGIC}")
    counts = lines[1].split()
    if len(counts) != 2 or not all(count.isdecimal() and len(count) < 10 for count in counts):
        raise ModelError(f"{shown(path)}: the second line must hold the numbers of layers and blobs")
    if int(counts[0]) != len(lines) - 2 or len(lines) > _MAX_LAYERS:
        raise ModelError(
            f"{shown(path)} promises {counts[0]} layers and holds {len(lines) - 2} (at most {_MAX_LAYERS})"
        )
    layers = [_layer(line, number) for number, line in enumerate(lines[2:], 3)]
    made: set[str] = set()
    for layer in layers:
        for blob in layer.inputs:
            if blob not in made:
                raise layer.wrong(f"uses {blob!r}, which no layer before it makes")
        for blob in layer.outputs:
            if blob in made:
                raise layer.wrong(f"makes {blob!r} a second time")
            made.add(blob)
    return layers


def _text(path: Path) -> str:
    try:
        return read_text(path, most=_MAX_BYTES)
    except UnicodeDecodeError as error:
        raise ModelError(
            f"{shown(path)} is no text; binary graphs (.param.bin) aren't supported",
            hint="convert it to a text .param",
        ) from error
    except OSError as error:
        raise ModelError(f"{shown(path)} can't be read: {error.strerror}") from error


def _layer(line: str, number: int) -> Layer:
    words = line.split()
    try:
        kind, name, n_in, n_out = words[0], words[1], int(words[2]), int(words[3])
        if not (0 <= n_in <= len(words) and 0 <= n_out <= len(words)) or len(words) < 4 + n_in + n_out:
            raise ValueError("too few words")
        blobs = words[4 : 4 + n_in + n_out]
        numbers: dict[int, float] = {}
        lists: dict[int, tuple[float, ...]] = {}
        for word in words[4 + n_in + n_out :]:
            key, _, value = word.partition("=")
            if int(key) <= -23300:
                count, *items = value.split(",")
                if int(count) != len(items) or len(items) > _MAX_LIST:
                    raise ValueError("a list of another length than promised")
                lists[-23300 - int(key)] = tuple(_finite(item) for item in items)
            else:
                numbers[int(key)] = _finite(value)
    except (ValueError, IndexError) as error:
        raise ModelError(
            f"line {number} of the graph can't be read ({str(error)[:80]!a}): {line[:80]!a}"
        ) from error
    return Layer(
        kind=kind,
        name=name,
        inputs=tuple(blobs[:n_in]),
        outputs=tuple(blobs[n_in:]),
        numbers=numbers,
        lists=lists,
    )


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError(f"{text} is no finite number")
    return value
