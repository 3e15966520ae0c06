"""The wish to end: Ctrl-C, SIGTERM and SIGHUP, answered alike.

Where a command can stop at a good place, it asks `asked()` there, and only a second signal interrupts it wherever it
is. Elsewhere the first one raises KeyboardInterrupt.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_came: int | None = None
_patient = False


def _answer(number: int, _frame: FrameType | None) -> None:
    global _came  # noqa: PLW0603 -- a handler has nowhere else to put it
    first = _came is None
    _came = number
    if not (_patient and first):
        raise KeyboardInterrupt


@contextmanager
def answered() -> Iterator[None]:
    """Answer signals inside; afterwards they end the program at once and without a word.

    Those that whoever started the program has switched off (nohup, a shell's background job) stay so.
    """
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, _answer)
    try:
        yield
    finally:
        for number, handler in before.items():
            if handler != signal.SIG_IGN:
                signal.signal(number, signal.SIG_DFL)


@contextmanager
def patient() -> Iterator[None]:
    """Inside, a first signal is only noted: `asked()` tells."""
    global _patient  # noqa: PLW0603 -- what the handler goes by
    before, _patient = _patient, True
    try:
        yield
    finally:
        _patient = before


def asked() -> bool:
    """Whether a signal has asked the program to end."""
    return _came is not None


def exit_code() -> int:
    """Return what a shell expects of a program that a signal ended."""
    return 128 + (_came or signal.SIGINT)
