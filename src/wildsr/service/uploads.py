"""Uploads, streamed to the disk: multipart forms whose size, pace and number of parts are checked as they come.

The loop takes forms apart and never touches the disk, which may be busy: threads write what came, piece by piece.
"""

import asyncio
import errno
import threading
import time
from collections.abc import AsyncIterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from io import BufferedWriter
from typing import Final

from fastapi import Request
from python_multipart.exceptions import MultipartParseError
from python_multipart.multipart import MultipartParser, parse_options_header
from starlette.requests import ClientDisconnect

from wildsr.service.settings import Quotas, Timing
from wildsr.service.storage import Storage, display_name
from wildsr.service.web import Refused

_MOST_FIELDS: Final = 40
_FIELD_BYTES: Final = 2000
_HELD_BYTES: Final = 1 << 17
"""What one upload may hold in memory: a small one then takes a single turn of a thread."""
_FULL: Final = frozenset((errno.ENOSPC, errno.EDQUOT))


@dataclass
class Upload:
    """What one request brought."""

    fields: list[tuple[str, str]] = field(default_factory=list)
    """Names and values of the form."""

    names: list[str] = field(default_factory=list)
    """What the files are called, in order; they lie in the folder of the upload."""

    sizes: list[int] = field(default_factory=list)
    """Bytes of each file."""


class Receiver:
    """Takes a form apart while it comes in; `store` and `discard` are for threads.

    Args:
        storage: Where files go.
        job_id: The folder they are put in.
        most_files: Files of one request.
    """

    def __init__(self, storage: Storage, job_id: str, *, most_files: int) -> None:
        self.upload = Upload()
        self.held = 0
        """Bytes in memory that `store` would write."""
        self._storage, self._id, self._most_files = storage, job_id, most_files
        self._pieces: list[tuple[int, bytes]] = []
        self._lock = threading.Lock()
        self._file: BufferedWriter | None = None
        self._number = -1
        self._names: list[str] = []
        self._discarded = False
        self._in_file = False
        self._header = b""
        self._value = b""
        self._headers: dict[str, bytes] = {}
        self._text = b""
        self._name = ""
        self.whole = False

    def parser(self, boundary: bytes) -> MultipartParser:
        """Return a parser that feeds this receiver."""
        return MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._on_header_name,
                "on_header_value": self._on_header_value,
                "on_header_end": self._on_header_end,
                "on_headers_finished": self._on_headers,
                "on_part_data": self._on_data,
                "on_part_end": self._on_end,
                "on_end": self._on_whole,
            },
        )

    def store(self, *, last: bool = False) -> None:
        """Write what is in memory; nothing where the upload was discarded.

        Args:
            last: Nothing follows; the file at work is closed.

        Raises:
            Refused: 507 the disk is full.
        """
        with self._lock:
            pieces, self._pieces, self.held = self._pieces, [], 0
            if self._discarded:
                return
            try:
                for number, data in pieces:
                    self._opened(number).write(data)
                if last:
                    self._close()
            except OSError as error:
                raise _told(error) from error

    def discard(self) -> None:
        """Remove what was written, and write nothing more."""
        with self._lock:
            self._discarded = True
            try:
                self._close()
            except OSError:  # the disk is full; what the file lacks is of no interest any more
                self._file = None
            self._storage.remove(self._id)

    def _opened(self, number: int) -> BufferedWriter:
        if self._file is None or number != self._number:
            self._close()
            self._number = number
            self._file = self._storage.new_photo(self._id, number, self._names[number]).open("xb")
        return self._file

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._headers, self._header, self._value, self._text, self._name = {}, b"", b"", b"", ""
        self._in_file = False

    def _on_header_name(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _on_header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _on_header_end(self) -> None:
        self._headers[self._header.decode("latin-1").casefold()] = self._value
        self._header = self._value = b""

    def _on_headers(self) -> None:
        _, options = parse_options_header(self._headers.get("content-disposition", b""))
        self._name = options.get(b"name", b"").decode("utf-8", "replace")
        if b"filename" not in options:
            if len(self.upload.fields) >= _MOST_FIELDS:
                raise Refused(413, f"a form of more than {_MOST_FIELDS} fields")
            return
        number = len(self.upload.names)
        if number >= self._most_files:
            raise Refused(
                413, f"more than {self._most_files} files in one request", hint="send them in several"
            )
        name = options[b"filename"].decode("utf-8", "replace")
        self._in_file = True
        self._names.append(name)
        self._pieces.append((number, b""))  # also a file without content is one
        self.upload.names.append(display_name(name))
        self.upload.sizes.append(0)

    def _on_data(self, data: bytes, start: int, end: int) -> None:
        if self._in_file:
            self._pieces.append((len(self._names) - 1, data[start:end]))
            self.held += end - start
            self.upload.sizes[-1] += end - start
            return
        self._text += data[start:end]
        if len(self._text) > _FIELD_BYTES:
            raise Refused(413, f"a field of more than {_FIELD_BYTES} bytes")

    def _on_end(self) -> None:
        if not self._in_file:
            self.upload.fields.append((self._name[:100], self._text.decode("utf-8", "replace")))

    def _on_whole(self) -> None:
        self.whole = True


async def receive(
    request: Request, receiver: Receiver, quotas: Quotas, timing: Timing, *, threads: Executor
) -> None:
    """Take in an upload; its last piece is still to be stored. It is discarded where it is refused or broken off.

    Raises:
        Refused: 400 no such form, 408 too slow, 413 too large, 415 another type, 507 no space.
    """
    boundary = _boundary(request.headers)
    _check_length(request.headers.get("content-length"), quotas)
    parser, loop = receiver.parser(boundary), asyncio.get_running_loop()
    try:
        async for chunk in _paced(request, quotas, timing):
            parser.write(chunk)
            if receiver.held > _HELD_BYTES:
                await loop.run_in_executor(threads, receiver.store)
        parser.finalize()
        if not receiver.whole:
            raise Refused(400, "the form ends in the middle")
    except BaseException as error:
        await asyncio.shield(loop.run_in_executor(threads, receiver.discard))
        raise _told(error) from error


async def _paced(request: Request, quotas: Quotas, timing: Timing) -> AsyncIterator[bytes]:
    """Yield a body in pieces; raises where it is too large, pauses too long or trickles."""
    most = int(quotas.max_upload_mb * 1e6)
    start, total = time.monotonic(), 0
    pieces = request.stream().__aiter__()
    while True:
        try:
            async with asyncio.timeout(timing.upload_pause):  # `wait_for` would take turns of the loop
                chunk = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError as error:
            raise Refused(
                408, f"nothing came for {timing.upload_pause:g} seconds", headers={"connection": "close"}
            ) from error
        total += len(chunk)
        if total > most:
            raise _too_large(quotas)
        seconds = time.monotonic() - start
        if seconds > timing.upload_pause and total < seconds * timing.upload_rate:
            raise Refused(
                408,
                f"an upload must bring {timing.upload_rate:,} bytes a second",
                headers={"connection": "close"},
            )
        yield chunk


def _boundary(headers: Mapping[str, str]) -> bytes:
    kind, options = parse_options_header(headers.get("content-type"))
    boundary = options.get(b"boundary", b"")
    if kind != b"multipart/form-data" or not 1 <= len(boundary) <= 200:
        raise Refused(415, "photos are sent as multipart/form-data", hint="curl -F file=@photo.jpg does that")
    return boundary


def _check_length(given: str | None, quotas: Quotas) -> None:
    """Refuse by the Content-Length where there is one; what really comes is counted in any case."""
    stated = (
        int(given) if given is not None and given.isascii() and given.isdigit() and len(given) < 20 else 0
    )
    if stated > quotas.max_upload_mb * 1e6:
        raise _too_large(quotas)


def _too_large(quotas: Quotas) -> Refused:
    return Refused(
        413,
        f"more than {quotas.max_upload_mb:g} MB in one request",
        hint="send fewer files at a time, or smaller ones",
        headers={"connection": "close"},
    )


def _told(error: BaseException) -> BaseException:
    if isinstance(error, MultipartParseError):
        return Refused(400, "the form can't be understood")
    if isinstance(error, OSError) and error.errno in _FULL:
        return Refused(507, "the disk is full")
    if isinstance(error, ClientDisconnect):
        return Refused(400, "the upload was broken off")
    return error
