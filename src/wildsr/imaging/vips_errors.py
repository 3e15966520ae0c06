"""What libvips said went wrong, and to whom.

libvips keeps one error text for the whole process: with several threads at work a text may be another's. So an
operation that fails is done again alone, and only what is said then is believed.
"""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from wildsr.imaging.vips import vips

T = TypeVar("T")
_TRIES = 8
_DOMAIN = re.compile(r"^\w+: ")
"""Name of a part of libvips, at the beginning of its messages."""


class VipsFailure(Exception):  # noqa: N818  carries a message to where it becomes an InputError
    """An operation of libvips that failed, with its message in one line."""


class _Gate:
    """Many may be inside together, or one alone."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._inside = 0
        self._taken = False

    @contextmanager
    def together(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._taken)
            self._inside += 1
        try:
            yield
        finally:
            with self._changed:
                self._inside -= 1
                self._changed.notify_all()

    @contextmanager
    def alone(self) -> Iterator[None]:
        with self._changed:
            self._changed.wait_for(lambda: not self._taken)
            self._taken = True
            self._changed.wait_for(lambda: self._inside == 0)
        try:
            yield
        finally:
            with self._changed:
                self._taken = False
                self._changed.notify_all()


_GATE = _Gate()


def attempt(action: Callable[[], T], prefixes: tuple[str, ...]) -> T:
    """Return what `action` returns, which may be done several times; raise VipsFailure with libvips' message otherwise.

    Only decoding and colours go through here: neither waits for another thread's work, so nobody waits in a circle.

    Args:
        action: Calls libvips.
        prefixes: How messages of the part of libvips it calls begin; those of other threads are left out.
    """
    library = vips()
    try:
        with _GATE.together():
            return action()
    except library.Error:
        pass
    said = ""
    with _GATE.alone():
        for _ in range(_TRIES):  # an encoder at work in another thread may wipe the text, or add to it
            library.vips_lib.vips_error_clear()
            try:
                return action()
            except library.Error as error:
                said = complaint(error, prefixes)
            if said:
                break
    raise VipsFailure(said or "it ends too early, or its header makes no sense")


def complaint(error: Exception, prefixes: tuple[str, ...] = ()) -> str:
    """Return what libvips said, as one short line without repeats; only lines of `prefixes` where any are given."""
    lines: list[str] = []
    for raw in str(error).splitlines():
        line = raw.strip()
        noise = line.startswith(("unable to ", "error buffer")) or "bad seek" in line or not line
        if not noise and line not in lines and line.startswith(prefixes or ""):
            lines.append(line)
    return "; ".join(_DOMAIN.sub("", line) for line in lines[:2])
