"""Rows made in the caller's thread, encoded in another, with a bounded pipe between.

Making rows where the caller stands keeps its exceptions and Ctrl-C its own; the encoder in its own thread lets
the next rows be computed while the last are compressed.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable

_AHEAD = 4
"""Chunks the producer may be ahead (4 MB each at most)."""


class Pipe:
    """Bytes from one thread to another."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._chunks: deque[bytes] = deque()
        self._rest = memoryview(b"")
        self._ended = False
        self._closed = False

    def put(self, chunk: bytes) -> bool:
        """Hand over a chunk, waiting for room; return False once nobody reads."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._chunks) < _AHEAD)
            if self._closed:
                return False
            self._chunks.append(chunk)
            self._changed.notify_all()
            return True

    def end(self) -> None:
        """Say that no more chunks come."""
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def close(self) -> None:
        """Let go of both sides at once: nobody reads, or nobody writes, any more."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

    def read(self, size: int) -> memoryview | None:
        """Return up to `size` bytes, waiting for some; None at the end or once closed."""
        if not self._rest:
            with self._changed:
                self._changed.wait_for(lambda: self._closed or self._ended or self._chunks)
                if self._closed or not self._chunks:
                    return None
                self._rest = memoryview(self._chunks.popleft())
                self._changed.notify_all()
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
        pipe.close()

    thread = threading.Thread(target=run, name="wildsr-encode", daemon=True)
    thread.start()
    try:
        for chunk in chunks:
            # an encoder that has all it needs stops reading; the rows are still made to their end
            if not pipe.put(chunk) and failure:
                break
        pipe.end()
        thread.join()
    finally:
        pipe.close()
        thread.join()
    if failure:
        raise failure[0]
