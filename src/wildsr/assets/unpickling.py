"""From what a pickle made to plain containers of arrays, of a size that follows the file's."""

from typing import Final, Protocol, TypeAlias, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from wildsr.assets.pickle_machine import HINT
from wildsr.errors import ModelError

Array: TypeAlias = NDArray[np.generic]
MAX_DEPTH: Final = 50
MAX_VALUES: Final = 1_000_000
"""Values in all, each counted as often as something refers to it."""
_ROOM: Final = 1 << 24


@runtime_checkable
class ArrayValue(Protocol):
    """Stands for an array until all of the file is read."""

    def array(self) -> Array:
        """Return the array, without a copy; raises ModelError where it can't be."""
        ...


def resolved(tree: object, held: int) -> object:
    """Return plain containers with arrays in place of what stands for them; what is shared stays shared.

    Args:
        tree: What a pickle made.
        held: Bytes of numbers the file holds; the arrays together may be four times as large.

    Raises:
        ModelError: Containers that hold each other or too much, or anything but arrays, numbers and text.
    """
    scale = _Scale()
    values, size, _ = scale.weigh(tree, 0)
    if values > MAX_VALUES or size > 4 * held + _ROOM:
        raise ModelError(
            f"the pickle says one thing again and again: {held:,} bytes would become "
            f"{size:,} in {values:,} values",
            hint=HINT,
        )
    return _built(tree, {})


class _Scale:
    """Tells how large a tree is when everything shared in it is counted at each place, in one visit of each part."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[int, int, int] | None] = {}

    def weigh(self, tree: object, depth: int) -> tuple[int, int, int]:
        """Return values, bytes and height of a tree found at a depth."""
        known = self._known.get(id(tree), (0, 0, 0))
        if known is None:
            raise ModelError("the pickle's containers hold each other", hint=HINT)
        if depth + known[2] > MAX_DEPTH:
            raise ModelError(f"the pickle's containers are nested more than {MAX_DEPTH} deep", hint=HINT)
        if id(tree) in self._known:
            return known
        if isinstance(tree, dict | list | tuple):
            self._known[id(tree)] = None
            parts = [self.weigh(one, depth + 1) for one in _parts(tree)]
            found = (
                1 + sum(values for values, _, _ in parts),
                sum(size for _, size, _ in parts),
                1 + max((height for _, _, height in parts), default=0),
            )
        elif isinstance(tree, ArrayValue):
            found = (1, tree.array().nbytes, 0)
        else:
            return 1, _plain_size(tree), 0
        self._known[id(tree)] = found
        return found


def _parts(tree: object) -> list[object]:
    if isinstance(tree, dict):
        return list(tree.values())
    assert isinstance(tree, list | tuple)
    return list(tree)


def _plain_size(value: object) -> int:
    if value is None or isinstance(value, bool | float):
        return 0
    if isinstance(value, int) and value.bit_length() <= 64:
        return 0
    if isinstance(value, str | bytes | bytearray):
        return len(value)
    what = "number of more than 64 bits" if isinstance(value, int) else type(value).__name__
    raise ModelError(f"the pickle holds a {what}; arrays, numbers and text are allowed", hint=HINT)


def _built(tree: object, done: dict[int, object]) -> object:
    if not isinstance(tree, dict | list | tuple | ArrayValue):
        return tree
    if id(tree) not in done:
        if isinstance(tree, ArrayValue):
            done[id(tree)] = tree.array().copy()
        elif isinstance(tree, dict):
            done[id(tree)] = {key: _built(value, done) for key, value in tree.items()}
        else:
            done[id(tree)] = type(tree)([_built(value, done) for value in tree])
    return done[id(tree)]
