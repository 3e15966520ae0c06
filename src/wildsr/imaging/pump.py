"""Rows made in the caller's thread, encoded in another, with a bounded pipe between.

Making rows where the caller stands keeps its exceptions and Ctrl-C its own; the encoder in its own thread
lets the next rows be computed while the last are compressed.
"""

import queue
import threading
from collections.abc import Callable, Iterable

_AHEAD = 4
"""Chunks the producer may be ahead (4 MB each at most)."""


class Pipe:
    """Bytes from one thread to another."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(maxsize=_AHEAD)
        self._rest = memoryview(b"")
        self._ended = False
        self.closed = threading.Event()

    def put(self, chunk: bytes | None) -> bool:
        """Hand over a chunk (None ends the stream), waiting for room; return False once nobody reads."""
        while not self.closed.is_set():
            try:
                self._chunks.put(chunk, timeout=0.1)
            except queue.Full:
                continue
            return True
        return False

    def read(self, size: int) -> memoryview | None:
        """Return up to `size` bytes, waiting for some; None at the end or after `closed` was set."""
        while not self._rest and not self._ended:
            try:
                chunk = self._chunks.get(timeout=0.1)
            except queue.Empty:
                if self.closed.is_set():
                    return None
                continue
            self._ended = chunk is None
            self._rest = memoryview(chunk or b"")
        if not self._rest:
            return None
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken


def pump(chunks: Iterable[bytes], consume: Callable[[Pipe], None]) -> None:
    """Feed `chunks`, made in this thread, to `consume`, run in another; return when both are done.

    Raises:
        BaseException: Whatever making the chunks raised, unchanged; else whatever `consume` raised.
    """
    pipe = Pipe()
    failure: list[BaseException] = []

    def run() -> None:
        try:
            consume(pipe)
        except BaseException as error:  # carried to the caller's thread, never lost
            failure.append(error)
        pipe.closed.set()

    thread = threading.Thread(target=run, name="wildsr-encode", daemon=True)
    thread.start()
    try:
        for chunk in chunks:
            # an encoder that has all it needs stops reading; the rows are still made to their end
            if not pipe.put(chunk) and failure:
                break
        pipe.put(None)
        thread.join()
    finally:
        pipe.closed.set()
        thread.join()
    if failure:
        raise failure[0]
