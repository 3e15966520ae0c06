"""A pickle machine that can build containers of numbers and nothing else.

A pickle is a program: it names functions and calls them. Here it is read as data first: only opcodes that plain
containers need, only names from a short list, no number that would make the machine set memory aside beyond the
file's own size. Then it runs with stand-ins in place of the real names, so that no library code sees its values.
"""

import abc
import pickle
import pickletools
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from wildsr.errors import ModelError

Names: TypeAlias = Mapping[tuple[str, str], object]
"""What stands in for a name a pickle asks for."""

_HINT = "don't use this file; get the model as .safetensors, or from its authors"
_NEVER = frozenset({"INST", "OBJ", "EXT1", "EXT2", "EXT4", "PERSID", "NEWOBJ", "NEWOBJ_EX", "NEXT_BUFFER"})
_MAX_OPCODES = 5_000_000
_MAX_CONTAINERS = 100_000
MAX_BYTES = 4_000_000_000


def unpickle(
    data: bytes, names: Names, persistent: Callable[[object], object] | None = None
) -> tuple[object, int]:
    """Return what a pickle at the start of `data` holds, and how many bytes it takes.

    Raises:
        ModelError: It asks for a name that isn't listed, isn't a whole pickle, or would take more memory than
            its size allows.
    """
    length = _inspect(data, names)
    try:
        return _Machine(BytesIO(data[:length]), names, persistent).load(), length
    except (ModelError, MemoryError):
        raise
    except Exception as error:  # a damaged pickle can raise anything
        raise ModelError(f"the pickle is damaged ({type(error).__name__})", hint=_HINT) from error


class Sealed:
    """What a pickle may make or call, and may not change: its attributes were checked when it was made."""

    def __setstate__(self, state: object) -> None:
        raise ModelError("the pickle changes what reads it", hint=_HINT)


class Function(Sealed):
    """Stands in for a function a pickle calls."""

    def __init__(self, made: Callable[..., object]) -> None:
        self._made = made

    def __call__(self, *values: object) -> object:
        """Call it."""
        return self._made(*values)


class StandIn(Sealed, abc.ABC):
    """Stands in for an array until its values are there."""

    @abc.abstractmethod
    def array(self) -> NDArray[np.generic]:
        """Return the array; raises ModelError where it can't be."""


def resolved(tree: object, done: dict[int, object] | None = None) -> object:
    """Return plain containers with arrays in place of their stand-ins; what is shared stays shared.

    Raises:
        ModelError: Containers that hold each other, or anything but arrays, numbers and text.
    """
    done = {} if done is None else done
    if isinstance(tree, StandIn):
        return tree.array()
    if tree is None or isinstance(tree, str | bytes | int | float | complex):
        return tree
    if not isinstance(tree, dict | list | tuple):
        raise ModelError(
            f"the pickle holds a {type(tree).__name__}; arrays and numbers are allowed", hint=_HINT
        )
    if id(tree) not in done:
        done[id(tree)] = None
        if len(done) > _MAX_CONTAINERS:
            raise ModelError("the pickle holds too many containers", hint=_HINT)
        if isinstance(tree, dict):
            # dict's own `items`: a pickle can put attributes on an OrderedDict
            done[id(tree)] = {key: resolved(value, done) for key, value in dict.items(tree)}
        else:
            done[id(tree)] = type(tree)([resolved(value, done) for value in tree])
    if done[id(tree)] is None:
        raise ModelError("the pickle's containers hold each other", hint=_HINT)
    return done[id(tree)]


def read_bytes(path: Path) -> bytes:
    """Return a file's content, if it isn't absurdly large.

    Raises:
        ModelError: More than `MAX_BYTES`.
    """
    if path.stat().st_size > MAX_BYTES:
        raise ModelError(f"{path.name} has {path.stat().st_size} bytes; at most {MAX_BYTES} are allowed")
    return path.read_bytes()


def _inspect(data: bytes, names: Names) -> int:
    """Read a pickle's opcodes without running them; return its length."""
    count = 0
    try:
        for opcode, argument, position in pickletools.genops(data):
            count += 1
            if opcode.name in _NEVER or count > _MAX_OPCODES:
                raise ModelError(
                    f"the pickle does {opcode.name}, which weights have no business with", hint=_HINT
                )
            if opcode.name == "GLOBAL" and tuple(str(argument).split(" ", 1)) not in names:
                raise _refused(str(argument).replace(" ", "."))
            if opcode.name in {"PUT", "BINPUT", "LONG_BINPUT"} and int(argument or 0) > count:
                raise ModelError("the pickle would take more memory than its size allows", hint=_HINT)
            if opcode.name == "STOP" and position is not None:
                return position + 1
    except ModelError:
        raise
    except Exception as error:  # pickletools raises what it likes
        raise ModelError(f"the pickle is damaged ({type(error).__name__})", hint=_HINT) from error
    raise ModelError("the pickle has no end", hint=_HINT)


def _refused(name: str) -> ModelError:
    return ModelError(f"the pickle asks for {name[:100]}, which weights have no business with", hint=_HINT)


class _Machine(pickle.Unpickler):
    """Knows only the names it is told."""

    def __init__(self, file: BytesIO, names: Names, persistent: Callable[[object], object] | None) -> None:
        super().__init__(file)
        self._known, self._persistent = names, persistent

    def find_class(self, module: str, name: str) -> object:
        if (module, name) not in self._known:
            raise _refused(f"{module}.{name}")
        return self._known[module, name]

    def persistent_load(self, pid: object) -> object:
        if self._persistent is None:
            raise ModelError("the pickle refers to data outside itself", hint=_HINT)
        return self._persistent(pid)
