"""Rows made in the caller's thread, encoded in another, with a bounded queue between.

Making rows where the caller stands keeps its exceptions and Ctrl-C its own; the encoder in its own thread lets
the next rows be computed while the last are compressed.
"""

import queue
import threading
from collections.abc import Callable, Iterable

_AHEAD = 4
"""Chunks the producer may be ahead (4 MB each at most)."""


class Pipe:
    """Bytes from one thread to another; None in the queue is their end."""

    def __init__(self) -> None:
        self._chunks: queue.Queue[bytes | None] = queue.Queue(_AHEAD)
        self._rest = memoryview(b"")
        self._ended = False

    def put(self, chunk: bytes | None) -> None:
        """Hand over a chunk, or None for the end; waits for room."""
        self._chunks.put(chunk)

    def read(self, size: int) -> memoryview | None:
        """Return up to `size` bytes, waiting for some; None at the end."""
        while not self._rest and not self._ended:
            chunk = self._chunks.get()
            self._ended = chunk is None
            self._rest = memoryview(chunk or b"")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken or None

    def drain(self) -> None:
        """Take what still comes, so that the other side never waits for room."""
        self._rest = memoryview(b"")
        while not self._ended:
            self._ended = self._chunks.get() is None


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
        pipe.drain()  # an encoder that has all it needs stops reading; the rows are still made to their end

    thread = threading.Thread(target=run, name="wildsr-encode", daemon=True)
    thread.start()
    try:
        for chunk in chunks:
            if failure:
                break
            pipe.put(chunk)
    finally:
        pipe.put(None)
        thread.join()
    if failure:
        raise failure[0]
