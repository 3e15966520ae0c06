"""An oracle for inputs that cost too much: counted lines of our code and memory of the process, never seconds."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from types import FrameType

Trace = Callable[[FrameType, str, object], object]
_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_RESET_PEAK = "5"


class TooMuchWork(BaseException):
    """Our code ran more lines than an input of its size deserves."""


class Counter:
    """Counts the lines of wildsr that run, in every thread, and stops at a limit."""

    def __init__(self, limit: int) -> None:
        self.limit, self.lines = limit, 0

    def __enter__(self) -> "Counter":
        self._before = sys.gettrace()
        threading.settrace(self._enter)
        sys.settrace(self._enter)
        return self

    def __exit__(self, *_: object) -> None:
        sys.settrace(self._before)
        threading.settrace(self._before)  # type: ignore[arg-type]

    def _enter(self, frame: FrameType, _: str, __: object) -> Trace | None:
        return self._line if "/wildsr/" in frame.f_code.co_filename else None

    def _line(self, _: FrameType, event: str, __: object) -> Trace:
        if event == "line":
            self.lines += 1
            if self.lines > self.limit:
                raise TooMuchWork
        return self._line


def peak_kilobytes(*, reset: bool = False) -> int:
    """Return the most memory the process has held since the last reset; 0 where the system doesn't tell."""
    try:
        if reset:
            _CLEAR_REFS.write_text(_RESET_PEAK)
        line = next(line for line in _STATUS.read_text().splitlines() if line.startswith("VmHWM"))
    except OSError:
        return 0
    return int(line.split()[1])


def bounded(
    target: Callable[[bytes], None],
    *,
    lines: int,
    lines_per_byte: int,
    megabytes: int = 96,
    size: Callable[[bytes], int] = len,
) -> Callable[[bytes], None]:
    """Let a target fail for inputs that take too much work or memory.

    What a first call takes (libraries that are loaded, caches that fill) is not counted: an input that takes too
    much is run again. `size` says how large an input is that the target makes of its bytes.
    """

    def run(data: bytes) -> None:
        limit = lines + lines_per_byte * size(data)
        if _excess(target, data, limit, megabytes) and (excess := _excess(target, data, limit, megabytes)):
            raise AssertionError(f"{size(data)} bytes took {excess}")

    return run


def _excess(target: Callable[[bytes], None], data: bytes, limit: int, megabytes: int) -> str:
    before = peak_kilobytes(reset=True)
    try:
        with Counter(limit):
            target(data)
    except TooMuchWork:
        return f"more than {limit} lines"
    grown = (peak_kilobytes() - before) >> 10
    return f"{grown} MB" if grown > megabytes else ""
