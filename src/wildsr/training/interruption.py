"""Ctrl-C, SIGTERM and SIGHUP during a training: finish the step, or stop waiting for a batch, then save.

A handler only notes that a signal came. An exception raised from it, at a moment when a lock of the standard library
is just taken, would leave that lock taken for ever.
"""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from types import FrameType
from typing import Final, TypeAlias

_SIGNALS: Final = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
Handler: TypeAlias = Callable[[int, FrameType | None], object] | int | None


@dataclass
class Interruption:
    """Whether a signal asked the training to stop."""

    asked: bool = False


@contextmanager
def interruptible() -> Iterator[Interruption]:
    """Turn the first SIGINT, SIGTERM or SIGHUP into an `Interruption`; a second one acts as if nothing were caught.

    Those that whoever started the program has switched off (nohup, a shell's background job) stay so.

    The end of an older training, which may come late or in another thread (a generator that nobody closed), leaves
    the handlers of a newer one alone. A handler that outlives its training passes its signal on.
    """
    interruption = Interruption()
    before: dict[int, Handler] = {}
    ended = False

    def handle(number: int, _frame: FrameType | None) -> None:
        signal.signal(number, before[number])
        if ended:
            signal.raise_signal(number)
        else:
            interruption.asked = True

    with suppress(ValueError):  # only the main thread may set handlers
        for number in _SIGNALS:
            if (handler := signal.getsignal(number)) == signal.SIG_IGN:
                continue
            before[number] = handler  # known before the first signal can come
            signal.signal(number, handle)
    try:
        yield interruption
    finally:
        ended = True
        with suppress(ValueError):
            for caught, handler in before.items():
                if signal.getsignal(caught) is handle:
                    signal.signal(caught, handler)
