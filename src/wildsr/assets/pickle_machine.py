"""A pickle machine that can build containers of numbers and nothing else.

A pickle is a program: it names functions and calls them. This machine knows only the operations that plain containers
need, only the names it is given, and no Python objects but its own values; so nothing in a pickle can run, and what it
takes in time and memory follows the file's size.
"""

import pickletools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from typing import Final, Protocol, TypeAlias, runtime_checkable

from wildsr.errors import ModelError

HINT: Final = "don't use this file; get the model as .safetensors, or from its authors"
MAX_OPERATIONS: Final = 1_000_000
"""Operations of one pickle; an RRDB-23 with its optimiser has 100,000."""
_LARGEST_KEY: Final = 1 << 31
_ROOM: Final = 1 << 24


@dataclass(frozen=True, kw_only=True)
class Name:
    """A function or class that a pickle names."""

    module: str
    """Where Python would import it from."""

    name: str
    """What it is called there."""


Calls: TypeAlias = Mapping[tuple[str, str], Callable[..., object] | None]
"""What is done for a name a pickle calls; None for a name that is only mentioned."""


@runtime_checkable
class Stateful(Protocol):
    """A value that a pickle gives its content after making it."""

    def set_state(self, state: object) -> None:
        """Take the content, checked."""
        ...


def unpickle(file: BytesIO, calls: Calls, refer: Callable[[object], object] | None = None) -> object:
    """Run the pickle at the file's position and leave the file behind it.

    Args:
        file: What holds the pickle.
        calls: What it may name.
        refer: Answers what a pickle calls persistent ids: data outside itself.

    Raises:
        ModelError: It asks for a name that isn't listed, isn't a whole pickle, or would take more memory or time than
            its size allows.
    """
    machine = _Machine(calls, refer, most=2 * len(file.getbuffer()) + _ROOM)
    try:
        for count, (operation, argument, _) in enumerate(pickletools.genops(file)):
            if count >= MAX_OPERATIONS:
                raise ModelError(f"the pickle has more than {MAX_OPERATIONS:,} operations", hint=HINT)
            machine.run(operation.name, argument)
        return machine.pop()
    except ModelError:
        raise
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, UnicodeError) as error:
        raise ModelError(f"the pickle is damaged ({type(error).__name__})", hint=HINT) from error


class _Machine:
    """The stack and the memory of a running pickle."""

    def __init__(self, calls: Calls, refer: Callable[[object], object] | None, most: int) -> None:
        self._calls, self._refer = calls, refer
        self._stack: list[object] = []
        self._marked: list[list[object]] = []
        self._memory: dict[int, object] = {}
        self._room = most

    def pop(self) -> object:
        """Take the top of the stack."""
        return self._stack.pop()

    def run(self, operation: str, argument: object) -> None:
        """Do one operation."""
        if operation in _ARGUMENTS:
            self._stack.append(argument)
        elif operation in _CONSTANTS:
            self._stack.append(_CONSTANTS[operation])
        elif operation in _ACTIONS:
            _ACTIONS[operation](self, argument)
        elif operation not in _NOTHING:
            raise ModelError(f"the pickle does {operation}, which weights have no business with", hint=HINT)

    def _since_mark(self) -> list[object]:
        values, self._stack = self._stack, self._marked.pop()
        return values

    def _mark(self, _: object) -> None:
        self._marked.append(self._stack)
        self._stack = []

    def _forget(self, _: object) -> None:
        self._since_mark()

    def _drop(self, _: object) -> None:
        if self._stack:
            self._stack.pop()
        else:
            self._stack = self._marked.pop()

    def _list(self, _: object) -> None:
        values = self._since_mark()  # puts back the stack from before the mark
        self._stack.append(values)

    def _append(self, _: object) -> None:
        self._extend([self.pop()])

    def _appends(self, _: object) -> None:
        self._extend(self._since_mark())

    def _extend(self, values: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, list):
            raise ModelError("the pickle appends to what is no list", hint=HINT)
        target.extend(values)

    def _tuple(self, count: int | None) -> None:
        if count is None:
            values = self._since_mark()
        else:
            values = self._stack[len(self._stack) - count :]
            if len(values) != count:
                raise ModelError("the pickle takes more than there is", hint=HINT)
            del self._stack[len(self._stack) - count :]
        self._stack.append(tuple(values))

    def _dict(self, _: object) -> None:
        values = self._since_mark()
        self._stack.append({})
        self._set(values)

    def _setitem(self, _: object) -> None:
        value, key = self.pop(), self.pop()
        self._set([key, value])

    def _setitems(self, _: object) -> None:
        self._set(self._since_mark())

    def _set(self, values: list[object]) -> None:
        target = self._stack[-1]
        if not isinstance(target, dict) or len(values) % 2:
            raise ModelError("the pickle fills what is no table", hint=HINT)
        target.update((checked_key(key), value) for key, value in zip(values[::2], values[1::2], strict=True))

    def _put(self, argument: object) -> None:
        # Python's own machine makes room for all numbers below; here they are keys
        self._memory[int(str(argument))] = self._stack[-1]

    def _memoize(self, _: object) -> None:
        self._memory[len(self._memory)] = self._stack[-1]

    def _get(self, argument: object) -> None:
        self._stack.append(self._memory[int(str(argument))])

    def _global(self, argument: object) -> None:
        module, _, name = str(argument).partition(" ")
        self._name(module, name)

    def _stack_global(self, _: object) -> None:
        name, module = self.pop(), self.pop()
        self._name(str(module)[:200], str(name)[:200])

    def _name(self, module: str, name: str) -> None:
        if (module, name) not in self._calls:
            raise ModelError(
                f"the pickle asks for {f'{module}.{name}'[:100]}, which weights have no business with",
                hint=HINT,
            )
        self._stack.append(Name(module=module, name=name))

    def _reduce(self, _: object) -> None:
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise ModelError("the pickle calls what is no function", hint=HINT)
        call = self._calls[name.module, name.name]
        if call is None:
            raise ModelError(f"the pickle calls {name.name}, which weights have no business with", hint=HINT)
        made = call(*arguments)
        if isinstance(made, bytes | str | dict):
            self._room -= len(made)
            if self._room < 0:
                raise ModelError("the pickle makes more than its size allows", hint=HINT)
        self._stack.append(made)

    def _build(self, _: object) -> None:
        state, target = self.pop(), self._stack[-1]
        if isinstance(target, Stateful):
            target.set_state(state)
        elif not isinstance(target, dict):  # torch notes versions as an attribute of its tables of weights
            raise ModelError("the pickle changes what reads it", hint=HINT)

    def _persistent(self, _: object) -> None:
        if self._refer is None:
            raise ModelError("the pickle refers to data outside itself", hint=HINT)
        self._stack.append(self._refer(self.pop()))


def checked_key(key: object) -> str | int:
    """Return a table's key if it is text or a whole number of ordinary size; raise ModelError otherwise.

    Tuples of tuples can take for ever to look up, and so can numbers chosen to collide.
    """
    if isinstance(key, str) or (isinstance(key, int) and abs(key) < _LARGEST_KEY):
        return key
    raise ModelError(f"the pickle has a table with a key of type {type(key).__name__}", hint=HINT)


# fmt: off
_ARGUMENTS: Final = frozenset((
    "INT", "BININT", "BININT1", "BININT2", "LONG", "LONG1", "LONG4", "FLOAT", "BINFLOAT",
    "STRING", "BINSTRING", "SHORT_BINSTRING", "UNICODE", "BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8",
    "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8",
))
"""Operations that put their argument on the stack."""
# fmt: on

_CONSTANTS: Final[Mapping[str, object]] = {
    "NONE": None,
    "NEWTRUE": True,
    "NEWFALSE": False,
    "EMPTY_TUPLE": (),
}
_NOTHING: Final = frozenset(("PROTO", "FRAME", "STOP"))
_ACTIONS: Final[Mapping[str, Callable[[_Machine, object], None]]] = {
    "MARK": _Machine._mark,
    "POP": _Machine._drop,
    "POP_MARK": _Machine._forget,
    "DUP": lambda machine, _: machine._stack.append(machine._stack[-1]),
    "EMPTY_LIST": lambda machine, _: machine._stack.append([]),
    "EMPTY_DICT": lambda machine, _: machine._stack.append({}),
    "LIST": _Machine._list,
    "APPEND": _Machine._append,
    "APPENDS": _Machine._appends,
    "TUPLE": lambda machine, _: machine._tuple(None),
    "TUPLE1": lambda machine, _: machine._tuple(1),
    "TUPLE2": lambda machine, _: machine._tuple(2),
    "TUPLE3": lambda machine, _: machine._tuple(3),
    "DICT": _Machine._dict,
    "SETITEM": _Machine._setitem,
    "SETITEMS": _Machine._setitems,
    "PUT": _Machine._put,
    "BINPUT": _Machine._put,
    "LONG_BINPUT": _Machine._put,
    "MEMOIZE": _Machine._memoize,
    "GET": _Machine._get,
    "BINGET": _Machine._get,
    "LONG_BINGET": _Machine._get,
    "GLOBAL": _Machine._global,
    "STACK_GLOBAL": _Machine._stack_global,
    "REDUCE": _Machine._reduce,
    "BUILD": _Machine._build,
    "BINPERSID": _Machine._persistent,
}
