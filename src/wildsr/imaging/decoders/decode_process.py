"""The process that fragile decoders run in: it answers requests on its standard input until that ends."""

import io
import os
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import numpy as np

from wildsr.errors import InputError, LimitError
from wildsr.imaging.decoders import in_process
from wildsr.imaging.decoders.exchange import (
    DECODE,
    Pixels,
    Refusal,
    Request,
    receive,
    receive_bytes,
    send,
)
from wildsr.imaging.decoders.raw import Raw

_ROWS = 64
_STATUS = Path("/proc/self/statm")


def main() -> None:
    """Answer requests until the program that started this process closes the pipe, or is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the program's to answer
    requests = sys.stdin.buffer
    answers = os.fdopen(os.dup(1), "wb")
    silence = os.open(os.devnull, os.O_WRONLY)
    os.dup2(silence, 1)  # what a library prints must not be taken for an answer
    with suppress(EOFError, BrokenPipeError):
        while True:
            request = receive(requests)
            if not isinstance(request, Request):
                return
            _answer(request, receive_bytes(requests, request.size), requests, answers)


def _answer(request: Request, data: bytes, requests: BinaryIO, answers: BinaryIO) -> None:
    """Open one picture, say its header, and decode it where that is asked for."""
    try:
        _limit(request)
        opened = in_process(io.BytesIO(data), request.name, request.form, request.limits)
        send(answers, opened.header)
        if receive_bytes(requests, 1) != DECODE:
            return
        raw = opened.decode()
    except (InputError, LimitError) as error:
        limit = isinstance(error, LimitError)
        send(answers, Refusal(kind="limit" if limit else "input", message=str(error), hint=error.hint))
    except MemoryError:
        send(answers, _refusal(request, "takes more memory than a picture of its size needs"))
    except (EOFError, OSError):  # the program has gone
        raise
    except (
        Exception
    ) as error:  # whatever a damaged file makes a binding raise is an answer, and never the end
        send(answers, _refusal(request, f"is damaged: {error or type(error).__name__}"))
    else:
        _send_pixels(raw, answers)


def _refusal(request: Request, what: str) -> Refusal:
    return Refusal(
        kind="input",
        message=f"{request.name} {what}",
        hint="copy or download it again; half a picture is never used",
    )


def _send_pixels(raw: Raw, answers: BinaryIO) -> None:
    found = raw.metadata
    blocks = (("icc", found.icc), ("exif", found.exif), ("xmp", found.xmp), ("iptc", found.iptc))
    height, width, channels = raw.samples.shape
    message = Pixels(
        shape=(height, width, channels),
        depth=8 if raw.samples.dtype == np.uint8 else 16,
        cmyk=raw.cmyk,
        notes=raw.notes,
        blocks=tuple((kind, len(block)) for kind, block in blocks if block),  # type: ignore[misc]
    )
    send(answers, message)
    for y in range(0, height, _ROWS):
        answers.write(np.ascontiguousarray(raw.samples[y : y + _ROWS]).data)
    for _, block in blocks:
        if block:
            answers.write(block)
    answers.flush()


def _limit(request: Request) -> None:
    """Let the system end this process, or refuse it memory, beyond what the request allows."""
    try:
        import resource
    except ImportError:  # Windows: the program itself ends a process that takes too long
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    wanted = {
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_CPU: int(used.ru_utime + used.ru_stime) + request.seconds,
    }
    if _STATUS.exists():
        wanted[resource.RLIMIT_AS] = _mapped() + request.memory
    for kind, soft in wanted.items():
        hard = resource.getrlimit(kind)[1]
        if hard == resource.RLIM_INFINITY or soft <= hard:
            resource.setrlimit(kind, (soft, hard))


def _mapped() -> int:
    """Return the bytes of address space this process has."""
    return int(_STATUS.read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
