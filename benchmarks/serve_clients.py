"""Clients of a service in one thread: raw HTTP/1.1 over kept connections, and how long answers took.

A library for requests would cost more of the two cores than the service under test.
"""

import asyncio
import secrets
import time
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from types import TracebackType
from urllib.parse import urlsplit

_LONGEST = 120.0


@dataclass
class Notes:
    """What all clients saw."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    """From the first byte sent to the last received, by kind of request."""

    statuses: Counter[str] = field(default_factory=Counter)
    """How often each kind of request was answered in which way."""

    broken: int = 0
    """Connections that ended before the answer."""

    def table(self) -> dict[str, dict[str, float]]:
        """Return percentiles in milliseconds, by kind and of all together."""
        rows = {kind: percentiles(values) for kind, values in sorted(self.seconds.items())}
        return {"all": percentiles([one for values in self.seconds.values() for one in values]), **rows}


def percentiles(seconds: list[float]) -> dict[str, float]:
    """Return p50, p90, p99 and the largest in milliseconds, and how many there are."""
    ordered = sorted(seconds)
    last = len(ordered) - 1
    found = {f"p{p}": round(1000 * ordered[min(last, len(ordered) * p // 100)], 1) for p in (50, 90, 99, 100)}
    return {"count": float(len(ordered)), **found}


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    body: bytes


class Client:
    """One connection that is kept, and opened again where the service has closed it."""

    def __init__(self, address: str, notes: Notes) -> None:
        parts = urlsplit(address)
        self._host, self._port = str(parts.hostname), int(parts.port or 80)
        self._notes = notes
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._close()

    async def get(self, kind: str, path: str) -> Answer:
        """Ask for something."""
        return await self._ask(
            kind, f"GET {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\n\r\n".encode()
        )

    async def send_photo(self, kind: str, path: str, photo: bytes) -> Answer:
        """Upload one photo."""
        mark = secrets.token_hex(8)
        body = (
            f'--{mark}\r\ncontent-disposition: form-data; name="file"; filename="photo.jpg"\r\n'
            "content-type: image/jpeg\r\n\r\n"
        ).encode() + photo + f"\r\n--{mark}--\r\n".encode()  # fmt: skip
        head = (
            f"POST {path} HTTP/1.1\r\nhost: {self._host}:{self._port}\r\ncontent-length: {len(body)}\r\n"
            f"content-type: multipart/form-data; boundary={mark}\r\n\r\n"
        )
        return await self._ask(kind, head.encode() + body)

    async def _ask(self, kind: str, request: bytes) -> Answer:
        for last in (False, True):
            fresh = self._writer is None
            start = time.perf_counter()
            try:
                answer = await asyncio.wait_for(self._once(request), _LONGEST)
            except (ConnectionError, asyncio.IncompleteReadError):
                self._close()
                if fresh or last:
                    self._notes.broken += 1
                    raise
                continue  # a connection that idled too long; nothing was answered
            self._notes.seconds[kind].append(time.perf_counter() - start)
            self._notes.statuses[f"{kind} {answer.status}"] += 1
            return answer
        raise AssertionError("the loop returns or raises")

    async def _once(self, request: bytes) -> Answer:
        if self._writer is None or self._reader is None:
            self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        self._writer.write(request)
        head = (await self._reader.readuntil(b"\r\n\r\n")).lower()
        length = head.partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
        assert length, f"an answer without a length: {head!r}"
        body = await self._reader.readexactly(int(length))
        if b"\r\nconnection: close" in head:
            self._close()
        return Answer(int(head[9:12]), body)

    def _close(self) -> None:
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None
