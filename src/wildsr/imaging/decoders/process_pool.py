"""Processes for decoding: started when needed, lent to one picture at a time, ended with the program."""

import atexit
import io
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO, cast

from wildsr.errors import InputError

_PROGRAM = (
    "import json, sys; sys.path[:] = json.loads(sys.argv[1]); "
    "from wildsr.imaging.decoders.decode_process import main; main()"
)
_ENVIRONMENT = {
    "MALLOC_ARENA_MAX": "2",  # each thread's own heap reserves address space, which is limited
    "MALLOC_MMAP_THRESHOLD_": str(4 << 20),  # a large picture's memory goes back to the system
    "OPENBLAS_NUM_THREADS": "1",
}
_IDLE = 4
"""Processes kept for the next picture; more are only there while as many threads read."""


class Crash(Exception):  # noqa: N818  why a decoding process is gone, carried to where the file is known
    """A decoding process died, had to be ended, or answered nonsense; its text says which."""


class DecodingProcess:
    """One process, spoken to over pipes."""

    def __init__(self) -> None:
        if not sys.executable:
            raise InputError(
                "this program can't start the process that HEIC and AVIF are decoded in",
                hint="run wildsr under a Python interpreter of its own",
            )
        # A new session: Ctrl-C reaches the program, which decides what becomes of its processes.
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _PROGRAM, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=os.environ | _ENVIRONMENT,
            start_new_session=True,
        )
        self.owner = os.getpid()

    @property
    def requests(self) -> BinaryIO:
        """Where to write to it."""
        return cast("BinaryIO", self._process.stdin)

    @property
    def answers(self) -> io.BufferedReader:
        """Where to read from it."""
        return cast("io.BufferedReader", self._process.stdout)

    @property
    def alive(self) -> bool:
        """True while it can be asked."""
        return self._process.poll() is None

    @contextmanager
    def watched(self, seconds: float) -> Iterator[None]:
        """Talk to the process inside; it is ended after `seconds`, or when what it says makes no sense.

        Raises:
            Crash: It died, or was ended.
        """
        late = threading.Event()

        def end_late() -> None:
            late.set()
            self._process.kill()

        timer = threading.Timer(seconds, end_late)
        timer.daemon = True
        timer.start()
        try:
            yield
        except (EOFError, OSError, ValueError) as error:
            self.end()
            raise Crash(
                f"took longer than {seconds:.0f} seconds" if late.is_set() else self._ending()
            ) from error
        finally:
            timer.cancel()

    def _ending(self) -> str:
        """Say how the process ended."""
        code = self._process.returncode
        if code >= 0:
            return f"ended with status {code}"
        name = signal.Signals(-code).name if -code in set(signal.Signals) else f"signal {-code}"
        return {"SIGXCPU": "took more processor time than its size allows", "SIGKILL": "was ended"}.get(
            name, f"crashed ({name})"
        )

    def end(self) -> None:
        """End the process and wait until it is gone; one that has crashed keeps its own exit status."""
        with suppress(OSError):
            self.answers.close()
        with suppress(OSError):
            self.requests.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


_PATIENCE = 0.5
"""Seconds a process has to notice that its pipes are closed."""


class _Pool:
    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: list[DecodingProcess] = []

    def take(self) -> DecodingProcess:
        """Return a process that nobody else uses."""
        with self._lock:
            while self._idle:
                process = self._idle.pop()
                if process.owner != os.getpid():  # inherited by a fork: it serves the other side
                    continue
                if process.alive:
                    return process
                process.end()
        return DecodingProcess()

    def give_back(self, process: DecodingProcess) -> None:
        """Keep a process for the next picture, if it lives and few are kept."""
        with self._lock:
            if process.alive and len(self._idle) < _IDLE:
                self._idle.append(process)
                return
        process.end()

    def end(self) -> None:
        """End all processes that wait."""
        with self._lock:
            waiting, self._idle = self._idle, []
        for process in waiting:
            if process.owner == os.getpid():
                process.end()


_POOL = _Pool()
atexit.register(_POOL.end)


@contextmanager
def lent_process() -> Iterator[DecodingProcess]:
    """Lend a decoding process to one picture."""
    process = _POOL.take()
    try:
        yield process
    finally:
        _POOL.give_back(process)
