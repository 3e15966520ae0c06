"""Decoding in a process of its own, for formats whose libraries have crashed on damaged files.

A crash there, a loop without end or memory without bounds is an error that names the file, and the batch goes on.
The process is started afresh: `fork` would copy the locks of libvips' and OpenVINO's threads.
"""

import io
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import numpy as np

from wildsr.errors import InputError, LimitError
from wildsr.imaging.decoders.exchange import (
    DECODE,
    RELEASE,
    Message,
    Pixels,
    Refusal,
    Request,
    receive,
    receive_bytes,
    send,
)
from wildsr.imaging.decoders.process_pool import Crash, DecodingProcess, lent_process
from wildsr.imaging.decoders.raw import Raw
from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.metadata import Metadata
from wildsr.imaging.picture import Samples

T = TypeVar("T")
_PIECE = 1 << 20
_BASE_MEMORY, _MEMORY_PER_PIXEL, _MEMORY_PER_THREAD = 256 << 20, 40, 16 << 20
_BASE_SECONDS, _SECONDS_PER_MEGAPIXEL = 20, 2
_PATIENCE = 4
"""Seconds on the clock for each of processor time: other programs may have the processors."""


@contextmanager
def isolated(
    file: io.FileIO, name: str, form: str, limits: Limits, *, size: int, pixels: int
) -> Iterator["IsolatedDecoder"]:
    """Open a picture in another process.

    Args:
        file: The picture.
        name: How it is called in messages.
        form: Its format.
        limits: What is allowed.
        size: Bytes of the file to hand over.
        pixels: Pixels it states, which decide how much memory and time it may take.

    Raises:
        InputError: It can't be read, or makes the decoder crash.
        LimitError: It is beyond `limits`.
    """
    seconds = _BASE_SECONDS + _SECONDS_PER_MEGAPIXEL * pixels // 1_000_000
    threads = _MEMORY_PER_THREAD * (os.cpu_count() or 1)
    request = Request(
        form=form,
        name=name,
        size=size,
        limits=limits,
        memory=_BASE_MEMORY + threads + 3 * size + _MEMORY_PER_PIXEL * pixels,
        seconds=seconds,
    )
    with lent_process() as process:
        opened = IsolatedDecoder(process, request)
        opened.open(file)
        try:
            yield opened
        finally:
            opened.release()


class IsolatedDecoder:
    """A picture opened in another process: its header is known, its pixels are decoded on demand."""

    header: Header

    def __init__(self, process: DecodingProcess, request: Request) -> None:
        self._process, self._request = process, request
        self._waiting = False

    def open(self, file: io.FileIO) -> None:
        """Hand the file over and learn its header."""
        self.header = self._answer(lambda: self._hand_over(file))
        self._waiting = True
        self._request.limits.check_size(self._request.name, self.header.width, self.header.height)

    def decode(self) -> Raw:
        """Return all pixels and metadata; raise InputError where any part is damaged."""
        self._waiting = False
        return self._answer(self._receive_pixels)

    def release(self) -> None:
        """Let a picture go whose pixels nobody asked for."""
        if self._waiting:
            self._waiting = False
            with suppress(OSError):  # a process that is gone is found so by the next picture
                self._process.requests.write(RELEASE)
                self._process.requests.flush()

    def _answer(self, ask: Callable[[], T | Refusal]) -> T:
        """Return an answer of the process; raise what it refuses, or that it is gone."""
        name, form = self._request.name, self._request.form.upper()
        try:
            with self._process.watched(_PATIENCE * self._request.seconds):
                answer = ask()
        except Crash as crash:
            raise InputError(
                f"{name} can't be read as {form}: the decoder {crash}; it ran in a process of its own",
                hint="the file is damaged, or made to do harm: copy or download it again, or leave it out",
            ) from crash
        if isinstance(answer, Refusal):
            raise (LimitError if answer.kind == "limit" else InputError)(answer.message, hint=answer.hint)
        return answer

    def _hand_over(self, file: io.FileIO) -> Header | Refusal:
        send(self._process.requests, self._request)
        file.seek(0)
        left = self._request.size
        while left and (piece := file.read(min(left, _PIECE))):
            self._process.requests.write(piece)
            left -= len(piece)
        while left:  # the file shrank meanwhile: what is missing reads as zeros, and is found to be damage
            left -= self._process.requests.write(bytes(min(left, _PIECE)))
        self._process.requests.flush()
        return _expected(receive(self._process.answers), Header)

    def _receive_pixels(self) -> Raw | Refusal:
        self._process.requests.write(DECODE)
        self._process.requests.flush()
        found = _expected(receive(self._process.answers), Pixels)
        if isinstance(found, Refusal):
            return found
        height, width, channels = found.shape
        if (width, height) != (self.header.width, self.header.height) or not 1 <= channels <= 5:
            raise ValueError("pixels of another size than the header says")
        samples: Samples = np.empty(found.shape, np.uint8 if found.depth == 8 else np.uint16)
        rest = samples.reshape(-1).view(np.uint8).data
        while rest:
            count = self._process.answers.readinto(rest[:_PIECE])
            if not count:
                raise EOFError
            rest = rest[count:]
        blocks = {kind: receive_bytes(self._process.answers, size) for kind, size in found.blocks}
        metadata = Metadata(
            icc=blocks.get("icc"), exif=blocks.get("exif"), xmp=blocks.get("xmp"), iptc=blocks.get("iptc")
        )
        return Raw(samples=samples, cmyk=found.cmyk, metadata=metadata, notes=found.notes)


def _expected(message: Message, kind: type[T]) -> T | Refusal:
    """Return a message of the kind that was asked for; ValueError where it is another."""
    if not isinstance(message, kind | Refusal):
        raise ValueError(f"a {type(message).__name__} where a {kind.__name__} was expected")
    return message
