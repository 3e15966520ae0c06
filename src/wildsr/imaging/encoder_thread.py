"""Rows are made in the caller's thread and encoded in another, with a bounded queue between.

Making rows where the caller stands keeps its exceptions and Ctrl-C its own; the encoder in its own thread lets
the next rows be computed while the last are compressed.
"""

import threading
from collections.abc import Callable
from queue import Queue
from types import TracebackType
from typing import TypeAlias

_AHEAD = 4
"""Chunks the producer may be ahead (4 MB each at most)."""

Read: TypeAlias = Callable[[int], memoryview | None]
"""Returns up to that many bytes, waiting for some; None at the end."""


class EncoderThread:
    """A thread that consumes the chunks put into it; a context manager.

    Leaving the block waits for the thread. What the consumer raised is raised by the next `put`, or on leaving; what
    the block itself raised comes first, and ends the consumer's input where it stands.
    """

    def __init__(self, consume: Callable[[Read], None]) -> None:
        self._consume = consume
        self._chunks: Queue[bytes | None] = Queue(_AHEAD)
        self._rest = memoryview(b"")
        self._ended = False
        self._failure: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="wildsr-encode", daemon=True)

    def __enter__(self) -> "EncoderThread":
        self._thread.start()
        return self

    def put(self, chunk: bytes) -> None:
        """Hand over a chunk, waiting for room."""
        if self._failure is not None:
            raise self._failure
        self._chunks.put(chunk)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._chunks.put(None)
        self._thread.join()
        if kind is None and self._failure is not None:
            raise self._failure

    def _run(self) -> None:
        try:
            self._consume(self._read)
        except BaseException as failure:  # carried to the caller's thread, never lost
            self._failure = failure
        while (
            not self._ended
        ):  # a consumer that has all it needs, or failed, must not leave the producer waiting
            self._ended = self._chunks.get() is None

    def _read(self, size: int) -> memoryview | None:
        while not self._rest and not self._ended:
            chunk = self._chunks.get()
            self._ended = chunk is None
            self._rest = memoryview(chunk or b"")
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken or None
