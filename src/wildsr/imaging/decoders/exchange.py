"""What is said between the program and its decoding process: JSON headers, then bytes of the length they state.

Nothing is pickled: what comes back from a process that a hostile file took over is checked as any other input.
"""

import json
from dataclasses import asdict, dataclass
from functools import cache
from typing import BinaryIO, Literal, TypeAlias

from pydantic import TypeAdapter

from wildsr.imaging.header import Header
from wildsr.imaging.limits import Limits
from wildsr.imaging.picture import Depth

_LONGEST = 1 << 20
"""Bytes of a message; only the blocks behind it are longer."""
_PIECE = 1 << 22
DECODE, RELEASE = b"d", b"r"
"""What answers a header: decode the pixels, or let the picture go."""


@dataclass(frozen=True, kw_only=True)
class Request:
    """Open a picture; its bytes follow."""

    form: str
    """Format by content."""
    name: str
    """How the file is called in messages."""
    size: int
    """Bytes of the file."""
    limits: Limits
    memory: int
    """Bytes of memory that may be added to what the process has."""
    seconds: int
    """Processor time for opening and decoding."""


@dataclass(frozen=True, kw_only=True)
class Refusal:
    """The picture can't be read."""

    kind: Literal["input", "limit"]
    message: str
    hint: str | None


@dataclass(frozen=True, kw_only=True)
class Pixels:
    """A decoded picture; its samples follow, and its blocks of metadata in the order they are named."""

    shape: tuple[int, int, int]
    depth: Depth
    cmyk: bool
    notes: tuple[str, ...]
    blocks: tuple[tuple[Literal["icc", "exif", "xmp", "iptc"], int], ...]
    """Kind and size of each block of metadata."""


Message: TypeAlias = Request | Refusal | Pixels | Header
_BY_NAME: dict[str, type[Message]] = {one.__name__: one for one in (Request, Refusal, Pixels, Header)}


def send(stream: BinaryIO, message: Message) -> None:
    """Write a message."""
    body = json.dumps([type(message).__name__, asdict(message)]).encode()
    stream.write(len(body).to_bytes(4, "big") + body)
    stream.flush()


def receive(stream: BinaryIO) -> Message:
    """Return the next message.

    Raises:
        EOFError: The other side has gone.
        ValueError: It says something that makes no sense.
    """
    size = int.from_bytes(receive_bytes(stream, 4), "big")
    if size > _LONGEST:
        raise ValueError(f"a message of {size:,} bytes; at most {_LONGEST:,} are read")
    message = json.loads(receive_bytes(stream, size))
    if not isinstance(message, list) or len(message) != 2 or message[0] not in list(_BY_NAME):
        raise ValueError("a message of unknown kind")
    return _checker(message[0]).validate_python(message[1])


def receive_bytes(stream: BinaryIO, size: int) -> bytes:
    """Return exactly `size` bytes; EOFError where the other side goes earlier."""
    data = bytearray()
    while len(data) < size:  # piece by piece: memory follows what has come, not what was announced
        piece = stream.read(min(_PIECE, size - len(data)))
        if not piece:
            raise EOFError
        data += piece
    return bytes(data)


@cache
def _checker(name: str) -> TypeAdapter[Message]:
    return TypeAdapter(_BY_NAME[name])
