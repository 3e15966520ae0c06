"""The wish to end: Ctrl-C, SIGTERM and SIGHUP, answered alike.

Where a command can stop at a good place, it asks `asked()` there, and only a second signal interrupts it wherever it
is. Elsewhere the first one raises KeyboardInterrupt; inside an import it waits for the import's end, since PyTorch's,
broken off in the middle, aborts the process. Raised where nothing can be raised, in a call from C or a finaliser, it is
raised once more right after.
"""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)

_LOOK_AGAIN: Final = 0.02
"""Seconds between two looks at whether an import has ended."""

_came: int | None = None
_patient = False
_settled = False


def _answer(number: int, frame: FrameType | None) -> None:
    global _came  # noqa: PLW0603 -- a handler has nowhere else to put it
    if _settled:
        return
    first = _came is None
    _came = number
    if first:
        _answer_first(number, frame)
    else:
        raise KeyboardInterrupt


def _answer_first(_number: int, frame: FrameType | None) -> None:
    if _patient or _settled:
        return
    if hasattr(signal, "setitimer") and _importing(frame):
        _look_again()
        return
    raise KeyboardInterrupt


def _look_again() -> None:
    signal.signal(signal.SIGALRM, _answer_first)
    signal.setitimer(signal.ITIMER_REAL, _LOOK_AGAIN)


def _importing(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_code.co_filename == "<frozen importlib._bootstrap>":
            return True
        frame = frame.f_back
    return False


@contextmanager
def answered() -> Iterator[None]:
    """Answer signals inside, until `settle`.

    Those that whoever started the program has switched off (nohup, a shell's background job) stay so.
    """
    global _settled  # noqa: PLW0603 -- what the handlers go by
    _settled = False
    before = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler != signal.SIG_IGN:
            signal.signal(number, _answer)
    hook = sys.unraisablehook

    def unraisable(lost: "sys.UnraisableHookArgs") -> None:
        if lost.exc_type is KeyboardInterrupt and asked() and hasattr(signal, "setitimer"):
            _look_again()
        else:
            hook(lost)

    sys.unraisablehook = unraisable
    try:
        yield
    finally:
        settle()
        sys.unraisablehook = hook


def settle() -> None:
    """From here on signals end the program at once and without a word; one on its way is forgotten."""
    global _settled  # noqa: PLW0603 -- what the handlers go by
    _settled = True
    if hasattr(signal, "setitimer") and signal.getsignal(signal.SIGALRM) is _answer_first:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    for number in _SIGNALS:
        if signal.getsignal(number) is _answer:
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
