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
"""The part of libvips that speaks, which means nothing to who reads a message."""


class Trouble(Exception):  # noqa: N818  carries libvips' words to where they become an InputError
    """What libvips said, in one line."""


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


def attempt(action: Callable[[], T], voices: tuple[str, ...]) -> T:
    """Return what `action`, which may be done several times, returns; raise Trouble with libvips' words where it fails.

    Only decoding and colours go through here: neither waits for another thread's work, so nobody waits in a circle.

    Args:
        action: Calls libvips.
        voices: How the lines of the part of libvips it calls begin; other threads' lines are not heard.
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
                said = complaint(error, voices)
            if said:
                break
    raise Trouble(said or "it ends too early")


def complaint(error: Exception, voices: tuple[str, ...] = ()) -> str:
    """Return what libvips said, as one short line without repeats; only lines of `voices` where any are given."""
    lines: list[str] = []
    for raw in str(error).splitlines():
        line = raw.strip()
        noise = line.startswith(("unable to ", "error buffer")) or "bad seek" in line or not line
        if not noise and line not in lines and line.startswith(voices or ""):
            lines.append(line)
    return "; ".join(_DOMAIN.sub("", line) for line in lines[:2])
